"""What differs between two versions of a dataset, or between a version and the draft: samples and labels."""

import json
import re
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any, Literal

from sandglass.core.annotation import annotation_labels
from sandglass.core.relabel import parse_annotation
from sandglass.core.value import Value
from sandglass.learning.data import complete
from sandglass.store.db import Database
from sandglass.store.manifest import read_lines, sample_line
from sandglass.store.objects import Objects
from sandglass.studio.datasets import find_dataset
from sandglass.studio.samples import draft_samples
from sandglass.studio.statistics import StatisticsCache
from sandglass.studio.versions import find_version

_KEPT = 8
_PATH = re.compile(rb'\{"path":("(?:[^"\\]|\\.)*")')

ChangeKind = Literal["added", "removed", "annotation", "picture", "part"]


class SampleChange(Value):
    """How one sample differs.

    Attributes:
        kind: added, removed, annotation (re-labelled), picture (other bytes) or part (only its mark or group).
        before: labels it carries in the first state, sorted; empty where it is not there.
        after: labels it carries in the second state.
    """

    path: str
    kind: ChangeKind
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    part_before: str | None = None
    part_after: str | None = None


class LabelChange(Value):
    """On how many samples a label is, in the first and in the second state."""

    label: str
    before: int
    after: int


class DatasetComparison(Value):
    """What differs between two states of a dataset.

    Attributes:
        a: version number of the first state.
        b: version number of the second state; None = the draft.
        counts: samples by kind of change; those that are equal stand under ``same``.
        labels: labels whose number of samples differs.
        changes: one page of the samples that differ, by path.
        total: of those that the page is from.
    """

    a: int
    b: int | None
    counts: dict[str, int]
    labels: tuple[LabelChange, ...]
    changes: tuple[SampleChange, ...]
    total: int


class Differences:
    """Compares states of datasets; the last few comparisons stay in memory for paging."""

    def __init__(self, database: Database, objects: Objects, statistics: StatisticsCache) -> None:
        self._database = database
        self._objects = objects
        self._statistics = statistics
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, str], tuple[list[SampleChange], int]] = OrderedDict()

    def compare(
        self,
        name: str,
        a: int,
        b: int | None = None,
        *,
        kind: ChangeKind | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> DatasetComparison:
        """Compare version ``a`` with version ``b``, or with the draft.

        Raises:
            NotFound: ``dataset_not_found`` or ``dataset_version_not_found``.
        """
        with self._database.read() as session:
            dataset = find_dataset(session, name)
            first = find_version(session, dataset, a, "a")
            labels_before = first.label_counts
            if b is None:
                labels_after = self._statistics.of(session, dataset).label_counts
                key = (first.manifest, f"{dataset.id}:{dataset.revision}")
            else:
                second = find_version(session, dataset, b, "b")
                labels_after, key = second.label_counts, (first.manifest, second.manifest)
            with self._lock:
                known = self._known.get(key)
            if known is None:
                after = (
                    (sample_line(sample).encode() for sample in draft_samples(session, dataset.id))
                    if b is None
                    else read_lines(self._objects, second.manifest)
                )
                known = _differences(read_lines(self._objects, first.manifest), after)
                with self._lock:
                    self._known[key] = known
                    while len(self._known) > _KEPT:
                        self._known.popitem(last=False)
        changes, same = known
        shown = [change for change in changes if kind is None or change.kind == kind]
        return DatasetComparison(
            a=a,
            b=b,
            counts={**Counter(change.kind for change in changes), "same": same},
            labels=_label_changes(labels_before, labels_after),
            changes=tuple(shown[offset : offset + limit]),
            total=len(shown),
        )


def _differences(before: Iterator[bytes], after: Iterator[bytes]) -> tuple[list[SampleChange], int]:
    """Walk through two manifests at once: both are sorted by path, and equal samples have equal lines."""
    changes: list[SampleChange] = []
    same = 0
    one, other = next(before, None), next(after, None)
    while one is not None or other is not None:
        if one == other:
            same += 1
            one, other = next(before, None), next(after, None)
            continue
        path_one = None if one is None else _path(one)
        path_other = None if other is None else _path(other)
        if other is None or (path_one is not None and path_other is not None and path_one < path_other):
            assert one is not None
            changes.append(_change("removed", json.loads(one), None))
            one = next(before, None)
        elif one is None or path_one != path_other:
            changes.append(_change("added", None, json.loads(other)))
            other = next(after, None)
        else:
            old, new = json.loads(one), json.loads(other)
            kind: ChangeKind = "part"
            if old["digest"] != new["digest"]:
                kind = "picture"
            elif old.get("annotation") != new.get("annotation"):
                kind = "annotation"
            changes.append(_change(kind, old, new))
            one, other = next(before, None), next(after, None)
    return changes, same


def _path(line: bytes) -> str:
    found = _PATH.match(line)
    return str(json.loads(found[1])) if found else str(json.loads(line)["path"])


def _change(kind: ChangeKind, old: dict[str, Any] | None, new: dict[str, Any] | None) -> SampleChange:
    told = new or old or {}
    return SampleChange(
        path=told["path"],
        kind=kind,
        before=_labels(old),
        after=_labels(new),
        part_before=(old or {}).get("part"),
        part_after=(new or {}).get("part"),
    )


def _labels(sample: dict[str, Any] | None) -> tuple[str, ...]:
    annotation = parse_annotation((sample or {}).get("annotation"))
    return () if annotation is None else tuple(sorted(set(annotation_labels(complete(annotation)))))


def _label_changes(before: dict[str, int], after: dict[str, int]) -> tuple[LabelChange, ...]:
    every: Sequence[str] = sorted({*before, *after})
    changes = (LabelChange(label=label, before=before.get(label, 0), after=after.get(label, 0)) for label in every)
    return tuple(change for change in changes if change.before != change.after)
