"""Brings a draft back to what a version holds, in one transaction: samples that are equal keep their identity."""

from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from sandglass.core.relabel import parse_annotation
from sandglass.core.sample import Sample
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.store.db import Database
from sandglass.store.manifest import read_manifest
from sandglass.store.objects import Objects
from sandglass.store.tables import DatasetVersion, SampleLabel, SampleRow, new_id
from sandglass.studio.datasets import change_draft, refuse_during_import
from sandglass.studio.labels import label_rows, register_labels
from sandglass.studio.versions import find_version

BATCH = 500


class Restored(Value):
    """What a restore changed in the draft, and the draft's revision now."""

    version: int
    added: int
    removed: int
    changed: int
    revision: int


class Restores:
    """Brings drafts back to versions."""

    def __init__(self, database: Database, objects: Objects) -> None:
        self._database = database
        self._objects = objects

    def restore(self, name: str, number: int, *, expected_revision: int | None = None) -> Restored:
        """Make the draft equal to version ``number``.

        Raises:
            NotFound: ``dataset_not_found``, ``dataset_version_not_found``, or ``object_missing``: the manifest or a
                picture is no longer in the object store.
            Conflict: ``dataset_importing``, or ``dataset_changed``: the draft is no longer what the person saw.
        """
        with self._database.write() as session:
            dataset = change_draft(session, name, expected_revision=expected_revision)
            refuse_during_import(session, dataset)
            version = find_version(session, dataset, number)
            rows = session.execute(
                select(
                    SampleRow.path, SampleRow.id, SampleRow.digest, SampleRow.size, SampleRow.part, SampleRow.group
                ).where(SampleRow.dataset_id == dataset.id)
            ).all()
            present = {row.path: row for row in rows}
            writer = _Writer(session, dataset.id)
            for sample in read_manifest(self._objects, version.manifest):
                here = present.pop(sample.path, None)
                if here is None or here.digest != sample.digest:
                    if here is not None:
                        writer.remove(here.id)
                    writer.add(sample, self._objects.size(sample.digest))
                else:
                    writer.keep(here.id, here.size, sample)
            for row in present.values():
                writer.remove(row.id)
            writer.flush()
            register_labels(session, dataset.id, version.label_counts)
            newest = session.scalar(
                select(func.max(DatasetVersion.number)).where(DatasetVersion.dataset_id == dataset.id)
            )
            if newest == number:
                version.revision = dataset.revision
            return Restored(
                version=number,
                added=writer.added,
                removed=writer.removed,
                changed=writer.changed,
                revision=dataset.revision,
            )


class _Writer:
    """Writes the difference in batches."""

    def __init__(self, session: Session, dataset_id: str) -> None:
        self._session = session
        self._dataset_id = dataset_id
        self._new: list[tuple[Sample, int]] = []
        self._gone: list[str] = []
        self._kept: dict[str, Sample] = {}
        self.added = self.removed = self.changed = 0

    def add(self, sample: Sample, size: int) -> None:
        self._new.append((sample, size))
        self._flush_when_full(self._new)

    def remove(self, sample_id: str) -> None:
        self._gone.append(sample_id)
        self._flush_when_full(self._gone)

    def keep(self, sample_id: str, size: int, sample: Sample) -> None:
        self._kept[sample_id] = sample
        self._flush_when_full(self._kept)

    def _flush_when_full(self, waiting: Any) -> None:  # noqa: ANN401
        if len(waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        self._flush_gone()
        self._flush_kept()
        self._flush_new()

    def _flush_gone(self) -> None:
        if self._gone:
            self._session.execute(delete(SampleLabel).where(SampleLabel.sample_id.in_(self._gone)))
            self._session.execute(delete(SampleRow).where(SampleRow.id.in_(self._gone)))
            self.removed += len(self._gone)
            self._gone = []

    def _flush_kept(self) -> None:
        if not self._kept:
            return
        rows = self._session.execute(
            select(
                SampleRow.id,
                SampleRow.annotation,
                SampleRow.state,
                SampleRow.part,
                SampleRow.group,
                SampleRow.revision,
            ).where(SampleRow.id.in_(self._kept))
        ).all()
        now, changes, labels = utc_now(), [], []
        for row in rows:
            values = _values(self._kept[row.id])
            sample = self._kept[row.id]
            facts = (values["state"], values["part"], values["group"])
            if parse_annotation(row.annotation) == sample.annotation and (row.state, row.part, row.group) == facts:
                continue
            changes.append({"id": row.id, **values, "revision": row.revision + 1, "updated_at": now})
            labels += label_rows(row.id, self._dataset_id, values["annotation"])
        if changes:
            self._session.execute(update(SampleRow), changes)
            self._session.execute(
                delete(SampleLabel).where(SampleLabel.sample_id.in_([change["id"] for change in changes]))
            )
        if labels:
            self._session.execute(insert(SampleLabel), labels)
        self.changed += len(changes)
        self._kept = {}

    def _flush_new(self) -> None:
        if not self._new:
            return
        now, samples, labels = utc_now(), [], []
        for sample, size in self._new:
            sample_id, values = new_id("sm"), _values(sample)
            samples.append(
                {
                    "id": sample_id,
                    "dataset_id": self._dataset_id,
                    "path": sample.path,
                    "digest": sample.digest,
                    "width": sample.width,
                    "height": sample.height,
                    "size": size,
                    **values,
                    "revision": 1,
                    "updated_at": now,
                }
            )
            labels += label_rows(sample_id, self._dataset_id, values["annotation"])
        self._session.execute(insert(SampleRow), samples)
        if labels:
            self._session.execute(insert(SampleLabel), labels)
        self.added += len(samples)
        self._new = []


def _values(sample: Sample) -> dict[str, Any]:
    annotation = None if sample.annotation is None else sample.annotation.model_dump(mode="json")
    return {
        "annotation": annotation,
        "state": "unlabelled" if annotation is None else "labelled",
        "suggested": {},
        "doubt": None,
        "source": "import",
        "part": None if sample.part is None else sample.part.value,
        "group": sample.group,
    }
