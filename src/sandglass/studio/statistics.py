"""Counts over a dataset's draft, kept in memory per revision: a revision never changes, so neither do its counts."""

from collections import OrderedDict
from threading import Lock

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sandglass.core.value import Value
from sandglass.store.tables import Dataset, SampleLabel, SampleRow

_KEPT = 512


class Statistics(Value):
    """Counts of one dataset.

    Attributes:
        sample_count: pictures.
        size_bytes: of all picture files.
        states: samples by state (unlabelled, pre_labelled, labelled).
        parts: samples by mark; samples without a mark stand under ``none``.
        label_counts: samples that carry a label, the most frequent first.
    """

    sample_count: int
    size_bytes: int
    states: dict[str, int]
    parts: dict[str, int]
    label_counts: dict[str, int]


class StatisticsCache:
    """Statistics by dataset and revision; safe from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, int], Statistics] = OrderedDict()

    def of(self, session: Session, dataset: Dataset) -> Statistics:
        """Counts of the dataset's present revision, as ``session`` sees it."""
        key = (dataset.id, dataset.revision)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        counted = _count(session, dataset.id)
        with self._lock:
            self._known[key] = counted
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return counted


def _count(session: Session, dataset_id: str) -> Statistics:
    here = SampleRow.dataset_id == dataset_id
    states = session.execute(select(SampleRow.state, func.count()).where(here).group_by(SampleRow.state)).tuples().all()
    parts = session.execute(select(SampleRow.part, func.count()).where(here).group_by(SampleRow.part)).tuples().all()
    labels = session.execute(
        select(SampleLabel.label, func.count())
        .where(SampleLabel.dataset_id == dataset_id)
        .group_by(SampleLabel.label)
        .order_by(func.count().desc(), SampleLabel.label)
    )
    size = session.scalar(select(func.sum(SampleRow.size)).where(here))
    return Statistics(
        sample_count=sum(count for _, count in states),
        size_bytes=int(size or 0),
        states=dict(states),
        parts={part or "none": count for part, count in parts},
        label_counts=dict(labels.tuples().all()),
    )
