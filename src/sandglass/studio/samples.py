"""Samples of a draft: filtered, sorted, paged, looked at. What changes them is in `studio.bulk` and the imports."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import datetime
from threading import Lock
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from sandglass.core.annotation import Annotation, ObjectsAnnotation, Suggestion, with_object_ids
from sandglass.core.errors import NotFound
from sandglass.core.sample import Part, Sample
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.store.db import Database
from sandglass.store.objects import Objects
from sandglass.store.tables import Dataset, SampleLabel, SampleRow
from sandglass.studio.datasets import find_dataset
from sandglass.studio.page import Page, decode_cursor, encode_cursor
from sandglass.studio.statistics import StatisticsCache

_KEPT_TOTALS = 1024

SampleState = Literal["unlabelled", "pre_labelled", "labelled"]
SamplePart = Literal["train", "validation", "test", "none"]
SampleSort = Literal["path", "updated", "doubt"]
"""By path, the latest changed first, or the most doubtful first and then those of which no model has said anything."""


class SampleFilter(Value):
    """Which samples of a draft are meant; what is None or empty does not narrow it.

    Attributes:
        label: only samples that carry it.
        state: unlabelled, pre_labelled or labelled.
        part: train, validation, test or ``none``.
        q: a part of the path.
    """

    label: str | None = Field(None, max_length=200)
    state: SampleState | None = None
    part: SamplePart | None = None
    q: str = Field("", max_length=200)

    @property
    def narrows(self) -> bool:
        return self != SampleFilter()


class SampleSelection(Value):
    """Samples that something is done to: those named, or all that a filter lets through.

    Attributes:
        ids: samples by id; None = all of ``filter``.
        filter: used when ``ids`` is None.
        without: samples of the filter that are left alone.
    """

    ids: Annotated[tuple[str, ...], Field(max_length=100_000)] | None = None
    filter: SampleFilter = SampleFilter()
    without: Annotated[tuple[str, ...], Field(max_length=10_000)] = ()


class SampleView(Value):
    """One sample; lists leave ``annotation`` and ``suggested`` out unless asked for them.

    Attributes:
        annotation: truth where ``state`` is labelled, else what was begun or pre-labelled.
        suggested: box id (or class label) → the confidence of a model; those parts no person has confirmed.
        doubt: 0..1, how unsure the model that pre-labelled it was.
        source: who wrote the annotation last: ``import``, ``cleared``, the id of a run, or ``person:`` and which browser.
    """

    id: str
    path: str
    digest: str
    width: int
    height: int
    size: int
    state: str
    part: Part | None
    group: str | None
    labels: dict[str, int]
    annotation: Annotation | None = None
    suggested: dict[str, Suggestion] = Field(default_factory=dict)
    doubt: float | None
    source: str
    revision: int
    updated_at: datetime


class Samples:
    """Reads samples of drafts."""

    def __init__(self, database: Database, objects: Objects, statistics: StatisticsCache) -> None:
        self._database = database
        self._objects = objects
        self._statistics = statistics
        self._lock = Lock()
        self._totals: OrderedDict[tuple[str, int, SampleFilter], int] = OrderedDict()

    def list(
        self,
        name: str,
        chosen: SampleFilter,
        *,
        sort: SampleSort = "path",
        annotations: bool = False,
        limit: int = 100,
        offset: int = 0,
        cursor: str | None = None,
    ) -> Page[SampleView]:
        """Samples of the draft.

        Args:
            name: of the dataset, or its id.
            chosen: which of them.
            sort: by path, the latest changed or the most doubtful first.
            annotations: whether to return annotations as well.
            limit: most items.
            offset: items to leave out first, counted from ``cursor`` if there is one; a cursor alone is faster.
            cursor: ``next`` of the page before.

        Raises:
            NotFound: ``dataset_not_found``.
            InvalidInput: ``cursor_invalid``.
        """
        with self._database.read() as session:
            dataset = find_dataset(session, name)
            total = self._total(session, dataset, chosen)
            wanted = filtered(select(SampleRow.id), dataset.id, chosen)
            if cursor:
                wanted = wanted.where(_after(sort, cursor))
            # Ids come from an index alone; only the rows of the page are read whole.
            page = wanted.order_by(*_ORDERS[sort]).limit(limit + 1).offset(offset).subquery()
            rows = session.scalars(
                select(SampleRow).join(page, page.c.id == SampleRow.id).order_by(*_ORDERS[sort])
            ).all()
            labels = labels_of(session, [row.id for row in rows])
            items = [_view(row, labels.get(row.id, {}), annotations=annotations) for row in rows[:limit]]
            following = _cursor(sort, items[-1]) if len(rows) > limit else None
            return Page(items=items, total=total, next=following)

    def _total(self, session: Session, dataset: Dataset, chosen: SampleFilter) -> int:
        counted = self._statistics.of(session, dataset)
        match chosen:
            case SampleFilter(label=None, state=None, part=None, q=""):
                return counted.sample_count
            case SampleFilter(label=str() as label, state=None, part=None, q=""):
                return counted.label_counts.get(label, 0)
            case SampleFilter(label=None, state=str() as state, part=None, q=""):
                return counted.states.get(state, 0)
            case SampleFilter(label=None, state=None, part=str() as part, q=""):
                return counted.parts.get(part, 0)
        key = (dataset.id, dataset.revision, chosen)
        with self._lock:
            known = self._totals.get(key)
        if known is None:
            every = filtered(select(SampleRow.id), dataset.id, chosen).subquery()
            known = session.scalar(select(func.count()).select_from(every)) or 0
            with self._lock:
                self._totals[key] = known
                while len(self._totals) > _KEPT_TOTALS:
                    self._totals.popitem(last=False)
        return known

    def get(self, name: str, sample: str) -> SampleView:
        """One sample with its annotation.

        Raises:
            NotFound: ``sample_not_found``.
        """
        with self._database.read() as session:
            return sample_view(session, find_sample(session, find_dataset(session, name), sample))

    def draft(self, name: str) -> Iterator[Sample]:
        """All samples of the draft by path, from one snapshot."""
        with self._database.read() as session:
            yield from draft_samples(session, find_dataset(session, name).id)

    def picture(self, digest: str) -> bytes:
        """The bytes of a picture."""
        return self._objects.get(digest)


doubt_order = func.coalesce(SampleRow.doubt, -1.0)
"""What samples are ordered by when the most doubtful come first: those without a doubt stand last."""
_ANNOTATION: TypeAdapter[Annotation] = TypeAdapter(Annotation)

_ORDERS: dict[SampleSort, tuple[ColumnElement[Any], ...]] = {
    "path": (SampleRow.path.expression,),
    "doubt": (doubt_order.desc(), SampleRow.path.expression),
    "updated": (SampleRow.updated_at.desc(), SampleRow.id.desc()),
}


def _cursor(sort: SampleSort, last: SampleView) -> str:
    if sort == "doubt":
        return encode_cursor(doubt_rank(last.doubt), last.path)
    return encode_cursor(last.path) if sort == "path" else encode_cursor(last.updated_at.isoformat(), last.id)


def _after(sort: SampleSort, cursor: str) -> ColumnElement[bool]:
    if sort == "path":
        (path,) = decode_cursor(cursor, str)
        return SampleRow.path > str(path)
    if sort == "doubt":
        doubt, path = decode_cursor(cursor, float, str)
        return or_(doubt_order < doubt, and_(doubt_order == doubt, SampleRow.path > path))
    text, sample = decode_cursor(cursor, str, str)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        decode_cursor("")  # raises: the cursor does not belong to this list
        raise AssertionError
    return or_(SampleRow.updated_at < moment, and_(SampleRow.updated_at == moment, SampleRow.id < sample))


def find_sample(session: Session, dataset: Dataset, sample: str) -> SampleRow:
    """The sample of that id or path in a dataset.

    Raises:
        NotFound: ``sample_not_found``.
    """
    row = session.get(SampleRow, sample)
    if row is None or row.dataset_id != dataset.id:
        row = session.scalar(select(SampleRow).where(SampleRow.dataset_id == dataset.id, SampleRow.path == sample))
    if row is None:
        raise NotFound(
            "sample_not_found",
            Text(en=f"{dataset.name} has no sample '{sample}'.", zh=f"{dataset.name} 中没有样本“{sample}”。"),
            Text(en="It may have been removed; look at the list again.", zh="它可能已被删除，请刷新列表。"),
        )
    return row


def sample_view(session: Session, row: SampleRow) -> SampleView:
    """One sample with its annotation."""
    return _view(row, labels_of(session, [row.id]).get(row.id, {}), annotations=True)


def doubt_rank(doubt: float | None) -> float:
    """The place of a doubt in the order by doubt; as `doubt_order`."""
    return -1.0 if doubt is None else doubt


def filtered(query: Select[Any], dataset_id: str, chosen: SampleFilter) -> Select[Any]:
    """``query`` over samples of one draft, narrowed by a filter."""
    query = query.where(SampleRow.dataset_id == dataset_id)
    if chosen.label is not None:
        carries = exists().where(SampleLabel.sample_id == SampleRow.id, SampleLabel.label == chosen.label)
        query = query.where(carries)
    if chosen.state is not None:
        query = query.where(SampleRow.state == chosen.state)
    if chosen.part is not None:
        query = query.where(SampleRow.part.is_(None) if chosen.part == "none" else SampleRow.part == chosen.part)
    if chosen.q:
        query = query.where(SampleRow.path.icontains(chosen.q, autoescape=True))
    return query


def selected_ids(session: Session, dataset_id: str, selection: SampleSelection) -> Sequence[str]:
    """Ids of the samples that a selection means; ids that are not in the dataset (any more) are left out."""
    if selection.ids is None:
        left_alone = set(selection.without)
        found = session.scalars(filtered(select(SampleRow.id), dataset_id, selection.filter))
        return [sample for sample in found if sample not in left_alone]
    known: list[str] = []
    for start in range(0, len(selection.ids), 500):
        some = selection.ids[start : start + 500]
        known += session.scalars(select(SampleRow.id).where(SampleRow.dataset_id == dataset_id, SampleRow.id.in_(some)))
    return known


def draft_samples(session: Session, dataset_id: str) -> Iterator[Sample]:
    """Samples of a draft by path, a thousand rows in memory at a time.

    What was begun or pre-labelled is no truth yet: only samples in state labelled have their annotation here.
    """
    columns = select(
        SampleRow.path,
        SampleRow.width,
        SampleRow.height,
        SampleRow.digest,
        SampleRow.annotation,
        SampleRow.part,
        SampleRow.group,
        SampleRow.state,
    )
    rows = session.execute(
        columns.where(SampleRow.dataset_id == dataset_id).order_by(SampleRow.path),
        execution_options={"yield_per": 1000},
    )
    for row in rows.mappings():
        values = dict(row)
        if values.pop("state") != "labelled":
            values["annotation"] = None
        yield Sample.model_validate(values)


def labels_of(session: Session, ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Labels of samples, with how often each occurs."""
    found: dict[str, dict[str, int]] = {}
    rows = session.execute(
        select(SampleLabel.sample_id, SampleLabel.label, SampleLabel.count)
        .where(SampleLabel.sample_id.in_(ids))
        .order_by(SampleLabel.label)
    )
    for sample, label, count in rows:
        found.setdefault(sample, {})[label] = count
    return found


def _view(row: SampleRow, labels: dict[str, int], *, annotations: bool) -> SampleView:
    return SampleView(
        id=row.id,
        path=row.path,
        digest=row.digest,
        width=row.width,
        height=row.height,
        size=row.size,
        state=row.state,
        part=None if row.part is None else Part(row.part),
        group=row.group,
        labels=labels,
        annotation=_editable(row.annotation) if annotations else None,
        suggested=row.suggested if annotations else {},
        doubt=row.doubt,
        source=row.source,
        revision=row.revision,
        updated_at=row.updated_at,
    )


def _editable(stored: Any) -> Annotation | None:  # noqa: ANN401
    """The annotation with an id for every object, so that edits can name them."""
    if stored is None:
        return None
    annotation = _ANNOTATION.validate_python(stored)
    return with_object_ids(annotation) if isinstance(annotation, ObjectsAnnotation) else annotation
