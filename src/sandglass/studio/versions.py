"""Versions of datasets: publish a draft as an immutable manifest, read one back, understand ``DATASET@v2``."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sandglass.core.actor import acting_as
from sandglass.core.annotation import annotation_labels
from sandglass.core.errors import Conflict, InvalidInput, NotFound
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.learning.data import complete
from sandglass.learning.settings import DatasetRef
from sandglass.store.db import Database
from sandglass.store.manifest import read_manifest, write_manifest
from sandglass.store.objects import Objects
from sandglass.store.tables import Dataset, DatasetVersion, SampleRow
from sandglass.studio.datasets import dataset_uses, find_dataset
from sandglass.studio.samples import draft_samples

_REF = re.compile(r"(?P<name>[^@]+)(?:@v(?P<number>[1-9]\d{0,8}))?")


class VersionView(Value):
    """One published version."""

    id: str
    number: int
    revision: int
    sample_count: int
    labelled_count: int
    label_counts: dict[str, int]
    created_at: datetime


class Source(Value):
    """Data that a task names: a dataset, and which version of it; None = its present draft."""

    dataset_id: str
    name: str
    scenario: str
    version: int | None

    @property
    def title(self) -> str:
        return self.name if self.version is None else f"{self.name}@v{self.version}"


class Versions:
    """Publishes and reads dataset versions."""

    def __init__(self, database: Database, objects: Objects) -> None:
        self._database = database
        self._objects = objects

    def list(self, name: str) -> list[VersionView]:
        """Versions of a dataset, the newest first."""
        with self._database.read() as session:
            dataset = find_dataset(session, name)
            rows = session.scalars(
                select(DatasetVersion)
                .where(DatasetVersion.dataset_id == dataset.id)
                .order_by(DatasetVersion.number.desc())
            )
            return [_view(row) for row in rows]

    def publish(self, name: str) -> tuple[VersionView, bool]:
        """Publish the draft; what the newest version holds already is not published again.

        Returns:
            The version that holds the draft, and whether it is new.

        Raises:
            InvalidInput: ``dataset_empty``.
        """
        for _ in range(5):  # two publishers at once: the loser finds the winner's version on the next turn
            published = self._publish(name)
            if published is not None:
                return published
        raise InvalidInput(
            "dataset_changing",
            Text(en=f"{name} keeps changing.", zh=f"{name} 正在不断变化。"),
            Text(en="Publish again when nobody changes it.", zh="请在没有修改时重新发布。"),
        )

    def _publish(self, name: str) -> tuple[VersionView, bool] | None:
        labelled = 0
        label_counts: Counter[str] = Counter()

        def counted(samples: Iterator[Sample]) -> Iterator[Sample]:
            nonlocal labelled
            for sample in samples:
                labelled += sample.annotation is not None
                if sample.annotation is not None:
                    label_counts.update(set(annotation_labels(complete(sample.annotation))))
                yield sample

        with self._database.read() as session:
            dataset = find_dataset(session, name)
            dataset_id, revision = dataset.id, dataset.revision
            known = _of_revision(session, dataset_id, revision)
            if known is not None:
                return _view(known), False
            digest, count = write_manifest(self._objects, counted(draft_samples(session, dataset_id)))
        if count == 0:
            raise InvalidInput(
                "dataset_empty",
                Text(en=f"{name} has no pictures.", zh=f"{name} 中没有图片。"),
                Text(en="Import pictures first.", zh="请先导入图片。"),
                field="dataset",
            )
        try:
            with self._database.write() as session:
                known = _of_revision(session, dataset_id, revision)
                if known is not None:
                    return _view(known), False
                newest = session.scalar(
                    select(DatasetVersion)
                    .where(DatasetVersion.dataset_id == dataset_id)
                    .order_by(DatasetVersion.number.desc())
                    .limit(1)
                )
                if newest is not None and newest.manifest == digest:
                    newest.revision = revision  # changed and changed back: the version is this revision too
                    return _view(newest), False
                dataset = session.get_one(Dataset, dataset_id, with_for_update=True)
                dataset.version_count += 1
                row = DatasetVersion(
                    dataset_id=dataset_id,
                    number=dataset.version_count,
                    manifest=digest,
                    revision=revision,
                    sample_count=count,
                    labelled_count=labelled,
                    label_counts=dict(label_counts.most_common()),
                )
                session.add(row)
                session.flush()
                return _view(row), True
        except IntegrityError:
            return None

    def get(self, name: str, number: int) -> VersionView:
        """One version.

        Raises:
            NotFound: ``dataset_not_found`` or ``dataset_version_not_found``.
        """
        with self._database.read() as session:
            return _view(find_version(session, find_dataset(session, name), number))

    def delete(self, name: str, number: int) -> None:
        """Remove a version that no task uses; its number is never given again.

        Raises:
            NotFound: ``dataset_version_not_found``.
            Conflict: ``version_in_use``, naming the task versions that would break.
        """
        with self._database.write() as session:
            dataset = find_dataset(session, name)
            version = find_version(session, dataset, number)
            with acting_as(None):  # tasks that the caller may not see would break as well
                uses = dataset_uses(session, dataset.id)
            users = [f"{use.task} v{use.task_version}" for use in uses if number in use.versions]
            if users:
                shown = ", ".join(users[:5]) + (" …" if len(users) > 5 else "")
                raise Conflict(
                    "version_in_use",
                    Text(
                        en=f"{dataset.name}@v{number} is used by {len(users)} task version(s): {shown}.",
                        zh=f"{dataset.name}@v{number} 正被 {len(users)} 个任务版本使用：{shown}。",
                    ),
                    Text(en="Delete those tasks first.", zh="请先删除这些任务。"),
                    details={"tasks": ", ".join(users)},
                )
            session.delete(version)

    def find(self, ref: str, *, field: str = "dataset") -> Source:
        """Understand ``DATASET`` or ``DATASET@vN`` (name or id).

        Raises:
            InvalidInput: ``dataset_ref_invalid``.
            NotFound: ``dataset_not_found`` or ``dataset_version_not_found``.
        """
        parsed = _REF.fullmatch(ref.strip())
        if parsed is None:
            raise InvalidInput(
                "dataset_ref_invalid",
                Text(en=f"'{ref}' does not name a dataset.", zh=f"“{ref}”不是数据集。"),
                Text(en="Write DATASET or DATASET@v2.", zh="请写成 数据集 或 数据集@v2。"),
                field=field,
            )
        number = int(parsed["number"]) if parsed["number"] else None
        with self._database.read() as session:
            try:
                dataset = find_dataset(session, parsed["name"])
            except NotFound as error:
                error.field = field
                raise
            if number is not None:
                find_version(session, dataset, number, field)
            return Source(dataset_id=dataset.id, name=dataset.name, scenario=dataset.scenario, version=number)

    def pin(self, source: Source) -> DatasetRef:
        """The version that a task will use: the one named, or the draft published now."""
        number = source.version if source.version is not None else self.publish(source.dataset_id)[0].number
        return DatasetRef(dataset_id=source.dataset_id, version=number)

    def samples(self, source: Source) -> Iterator[Sample]:
        """Samples of a version, or of the draft where no version is named."""
        if source.version is None:
            with self._database.read() as session:
                yield from draft_samples(session, source.dataset_id)
            return
        with self._database.read() as session:
            dataset = find_dataset(session, source.dataset_id)
            manifest = find_version(session, dataset, source.version).manifest
        yield from read_manifest(self._objects, manifest)

    def sample_count(self, source: Source) -> int:
        """Samples of a version or of the draft."""
        with self._database.read() as session:
            dataset = find_dataset(session, source.dataset_id)
            if source.version is not None:
                return find_version(session, dataset, source.version).sample_count
            every = select(func.count()).select_from(SampleRow).where(SampleRow.dataset_id == dataset.id)
            return session.scalar(every) or 0

    def labelled_count(self, ref: DatasetRef) -> int:
        """Labelled samples of a version."""
        with self._database.read() as session:
            dataset = find_dataset(session, ref.dataset_id)
            return find_version(session, dataset, ref.version).labelled_count

    def title(self, ref: DatasetRef) -> str:
        """``NAME@vN`` of a reference; its id where the dataset is gone."""
        with self._database.read() as session:
            dataset = session.get(Dataset, ref.dataset_id)
            return f"{dataset.name if dataset else ref.dataset_id}@v{ref.version}"


def _of_revision(session: Session, dataset_id: str, revision: int) -> DatasetVersion | None:
    return session.scalar(
        select(DatasetVersion).where(DatasetVersion.dataset_id == dataset_id, DatasetVersion.revision == revision)
    )


def find_version(session: Session, dataset: Dataset, number: int, field: str = "dataset") -> DatasetVersion:
    """A version of a dataset by number.

    Raises:
        NotFound: ``dataset_version_not_found``.
    """
    found = session.scalar(
        select(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id, DatasetVersion.number == number)
    )
    if found is None:
        raise NotFound(
            "dataset_version_not_found",
            Text(en=f"{dataset.name} has no version {number}.", zh=f"{dataset.name} 没有版本 {number}。"),
            Text(en="Leave the version out to use the present draft.", zh="不写版本即使用当前草稿。"),
            field=field,
        )
    return found


def _view(row: DatasetVersion) -> VersionView:
    return VersionView(
        id=row.id,
        number=row.number,
        revision=row.revision,
        sample_count=row.sample_count,
        labelled_count=row.labelled_count,
        label_counts=row.label_counts,
        created_at=row.created_at,
    )
