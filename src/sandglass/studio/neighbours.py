"""Where a sample stands in a filtered, ordered list, and which samples stand beside it."""

from typing import Any, cast

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from sandglass.core.value import Value
from sandglass.store.db import Database
from sandglass.store.tables import Dataset, SampleRow
from sandglass.studio.datasets import find_dataset
from sandglass.studio.samples import SampleFilter, SampleSort, doubt_order, doubt_rank, filtered, find_sample


class Neighbour(Value):
    """One sample of the list, in short."""

    id: str
    path: str
    digest: str
    state: str
    doubt: float | None


class Neighbours(Value):
    """A sample's place in a list.

    Attributes:
        position: 1 for the first; where it would stand if it no longer fits the filter. 0 = no sample was named.
        total: samples of the list.
        fits: whether the sample itself fits the filter.
        labelled: labelled samples of the whole dataset, and ``samples`` how many it has.
        before: samples that stand before it, the nearest last.
        after: samples that stand behind it, the nearest first.
    """

    position: int
    total: int
    fits: bool
    labelled: int
    samples: int
    before: tuple[Neighbour, ...]
    after: tuple[Neighbour, ...]


def neighbours(
    database: Database,
    dataset: str,
    sample: str | None,
    chosen: SampleFilter,
    *,
    sort: SampleSort = "path",
    around: int = 8,
) -> Neighbours:
    """The place of ``sample`` in the filtered list; without a sample, the beginning of the list.

    Raises:
        NotFound: ``dataset_not_found`` or ``sample_not_found``.
    """
    with database.read() as session:
        found = find_dataset(session, dataset)
        columns = select(SampleRow.id, SampleRow.path, SampleRow.digest, SampleRow.state, SampleRow.doubt)
        query = filtered(cast("Select[Any]", columns), found.id, chosen)

        def count(*conditions: ColumnElement[bool]) -> int:
            return session.scalar(select(func.count()).select_from(query.where(*conditions).subquery())) or 0

        def look(*conditions: ColumnElement[bool], backwards: bool = False) -> tuple[Neighbour, ...]:
            ordered = query.where(*conditions).order_by(*_order(sort, backwards)).limit(around)
            items = [Neighbour.model_validate(dict(row)) for row in session.execute(ordered).mappings()]
            return tuple(reversed(items) if backwards else items)

        total = count()
        labelled, samples = _progress(session, found)
        if sample is None:
            return Neighbours(
                position=0, total=total, fits=False, labelled=labelled, samples=samples, before=(), after=look()
            )
        row = find_sample(session, found, sample)
        earlier, later = _beside(sort, row)
        return Neighbours(
            position=count(earlier) + 1,
            total=total,
            fits=count(SampleRow.id == row.id) == 1,
            labelled=labelled,
            samples=samples,
            before=look(earlier, backwards=True),
            after=look(later),
        )


def _beside(sort: SampleSort, row: SampleRow) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Whether a sample stands before ``row``, and whether behind it."""
    earlier, later = SampleRow.path < row.path, SampleRow.path > row.path
    if sort == "doubt":
        rank = doubt_rank(row.doubt)
        tied = doubt_order == rank
        return or_(doubt_order > rank, and_(tied, earlier)), or_(doubt_order < rank, and_(tied, later))
    if sort == "updated":
        tied = SampleRow.updated_at == row.updated_at
        newer, older = SampleRow.updated_at > row.updated_at, SampleRow.updated_at < row.updated_at
        return or_(newer, and_(tied, SampleRow.id > row.id)), or_(older, and_(tied, SampleRow.id < row.id))
    return earlier, later


def _order(sort: SampleSort, backwards: bool) -> list[ColumnElement[Any]]:
    if sort == "updated":
        return [column.asc() if backwards else column.desc() for column in (SampleRow.updated_at, SampleRow.id)]
    path = SampleRow.path.desc() if backwards else SampleRow.path.asc()
    if sort == "doubt":
        return [doubt_order.asc() if backwards else doubt_order.desc(), path]
    return [path]


def _progress(session: Session, dataset: Dataset) -> tuple[int, int]:
    """Labelled samples of a dataset, and all of them."""
    here = SampleRow.dataset_id == dataset.id
    counts = dict(
        session.execute(select(SampleRow.state, func.count()).where(here).group_by(SampleRow.state)).tuples().all()
    )
    return counts.get("labelled", 0), sum(counts.values())
