"""Datasets: list, look up, browse samples, label distribution, delete, export. Versions are in `studio.versions`."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, collate, delete, exists, func, select
from sqlalchemy.orm import Session

from sandglass.core.annotation import Annotation
from sandglass.core.errors import Conflict, NotFound
from sandglass.core.sample import Part, Sample
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.store.db import Database
from sandglass.store.objects import Objects
from sandglass.store.tables import (
    Dataset,
    DatasetVersion,
    ImportJob,
    Run,
    SampleLabel,
    SampleRow,
    Task,
    TaskVersion,
)
from sandglass.studio.page import Page, decode_cursor, encode_cursor
from sandglass.studio.statistics import StatisticsCache

WORKING_IMPORT = ("checking", "importing")


class DatasetView(Value):
    """One dataset as a person sees it.

    Attributes:
        latest_version: number of the newest version; None = none was published.
        changed: whether the draft holds something that no version holds.
        import_id: the import that works on it now, if any.
    """

    id: str
    name: str
    scenario: str
    description: str
    revision: int
    sample_count: int
    labelled_count: int
    size_bytes: int
    states: dict[str, int]
    parts: dict[str, int]
    label_counts: dict[str, int]
    latest_version: int | None
    changed: bool
    import_id: str | None
    created_at: datetime
    updated_at: datetime


class SampleView(Value):
    """One sample; the list leaves ``annotation`` out unless asked for it."""

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
    revision: int
    updated_at: datetime


class LabelCount(Value):
    """How often a label occurs: on how many samples, and how many times altogether."""

    label: str
    samples: int
    occurrences: int


class Datasets:
    """Reads and removes datasets; changes of samples come from imports."""

    def __init__(self, database: Database, objects: Objects) -> None:
        self._database = database
        self._objects = objects
        self._statistics = StatisticsCache()

    def list(self, *, q: str = "", scenario: str | None = None, limit: int = 50, offset: int = 0) -> Page[DatasetView]:
        """Datasets, the latest changed first; ``q`` is a part of the name."""
        query = select(Dataset)
        if q:
            query = query.where(Dataset.name.icontains(q, autoescape=True))
        if scenario:
            query = query.where(Dataset.scenario == scenario)
        with self._database.read() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            rows = session.scalars(
                query.order_by(Dataset.updated_at.desc(), Dataset.name).limit(limit).offset(offset)
            ).all()
            return Page(items=[self._view(session, row) for row in rows], total=total)

    def get(self, name: str) -> DatasetView:
        """One dataset by name or id.

        Raises:
            NotFound: ``dataset_not_found``.
        """
        with self._database.read() as session:
            return self._view(session, find_dataset(session, name))

    def _view(self, session: Session, row: Dataset) -> DatasetView:
        counted = self._statistics.of(session, row)
        latest = session.execute(
            select(DatasetVersion.number, DatasetVersion.revision)
            .where(DatasetVersion.dataset_id == row.id)
            .order_by(DatasetVersion.number.desc())
            .limit(1)
        ).first()
        running = session.scalar(
            select(ImportJob.id)
            .where(ImportJob.dataset_name == row.name, ImportJob.status.in_(WORKING_IMPORT))
            .limit(1)
        )
        return DatasetView(
            id=row.id,
            name=row.name,
            scenario=row.scenario,
            description=row.description,
            revision=row.revision,
            sample_count=counted.sample_count,
            labelled_count=counted.states.get("labelled", 0),
            size_bytes=counted.size_bytes,
            states=counted.states,
            parts=counted.parts,
            label_counts=counted.label_counts,
            latest_version=latest.number if latest else None,
            changed=latest is None or latest.revision != row.revision,
            import_id=running,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    def samples(
        self,
        name: str,
        *,
        label: str | None = None,
        state: str | None = None,
        part: str | None = None,
        q: str = "",
        annotations: bool = False,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[SampleView]:
        """Samples of the draft by path.

        Args:
            name: of the dataset, or its id.
            label: only samples that carry it.
            state: unlabelled, pre_labelled or labelled.
            part: train, validation, test or ``none``.
            q: a part of the path.
            annotations: whether to return annotations as well.
            limit: most items.
            cursor: ``next`` of the page before.
        """
        with self._database.read() as session:
            dataset = find_dataset(session, name)
            query = _filtered(dataset.id, label=label, state=state, part=part, q=q)
            total = (
                session.scalar(select(func.count()).select_from(query.with_only_columns(SampleRow.id).subquery())) or 0
            )
            if cursor:
                (after,) = decode_cursor(cursor, str)
                query = query.where(path_order(session) > after)
            rows = session.scalars(query.order_by(path_order(session)).limit(limit + 1)).all()
            labels = _labels(session, [row.id for row in rows])
            items = [_sample_view(row, labels.get(row.id, {}), annotations=annotations) for row in rows[:limit]]
            following = encode_cursor(items[-1].path) if len(rows) > limit else None
            return Page(items=items, total=total, next=following)

    def sample(self, name: str, sample: str) -> SampleView:
        """One sample with its annotation.

        Raises:
            NotFound: ``sample_not_found``.
        """
        with self._database.read() as session:
            dataset = find_dataset(session, name)
            row = session.get(SampleRow, sample)
            if row is None or row.dataset_id != dataset.id:
                raise NotFound(
                    "sample_not_found",
                    Text(en=f"{dataset.name} has no sample '{sample}'.", zh=f"{dataset.name} 中没有样本“{sample}”。"),
                    Text(en="It may have been removed; look at the list again.", zh="它可能已被删除，请刷新列表。"),
                )
            return _sample_view(row, _labels(session, [row.id]).get(row.id, {}), annotations=True)

    def labels(self, name: str) -> tuple[LabelCount, ...]:
        """How often each label or field occurs in the draft, the most frequent first."""
        with self._database.read() as session:
            dataset = find_dataset(session, name)
            rows = session.execute(
                select(SampleLabel.label, func.count(), func.sum(SampleLabel.count))
                .where(SampleLabel.dataset_id == dataset.id)
                .group_by(SampleLabel.label)
                .order_by(func.count().desc(), SampleLabel.label)
            )
            return tuple(LabelCount(label=row[0], samples=row[1], occurrences=row[2]) for row in rows)

    def draft(self, name: str) -> Iterator[Sample]:
        """All samples of the draft by path, from one snapshot."""
        with self._database.read() as session:
            yield from draft_samples(session, find_dataset(session, name).id)

    def delete(self, name: str) -> None:
        """Remove a dataset with its versions.

        Raises:
            Conflict: ``dataset_in_use``, naming the tasks that would break, or ``dataset_importing``.
        """
        with self._database.write() as session:
            dataset = find_dataset(session, name)
            users = _users(session, dataset.id)
            if users:
                shown = ", ".join(users[:5]) + (" …" if len(users) > 5 else "")
                raise Conflict(
                    "dataset_in_use",
                    Text(
                        en=f"{dataset.name} is used by {len(users)} task(s): {shown}.",
                        zh=f"{dataset.name} 正被 {len(users)} 个任务使用：{shown}。",
                    ),
                    Text(en="Delete those tasks first.", zh="请先删除这些任务。"),
                    details={"tasks": ", ".join(users)},
                )
            working = session.scalar(
                select(ImportJob.id).where(ImportJob.dataset_name == dataset.name, ImportJob.status.in_(WORKING_IMPORT))
            )
            if working:
                raise Conflict(
                    "dataset_importing",
                    Text(en=f"An import into {dataset.name} is running.", zh=f"正在向 {dataset.name} 导入数据。"),
                    Text(en="Wait for it or cancel it.", zh="请等待完成或取消导入。"),
                    details={"import": working},
                )
            # Rows below are removed by hand in bulk: cascades row by row take minutes for 100,000 samples.
            session.execute(delete(SampleLabel).where(SampleLabel.dataset_id == dataset.id))
            session.execute(delete(SampleRow).where(SampleRow.dataset_id == dataset.id))
            session.execute(delete(Dataset).where(Dataset.id == dataset.id))

    def picture(self, digest: str) -> bytes:
        """The bytes of a picture."""
        return self._objects.get(digest)


def find_dataset(session: Session, name: str) -> Dataset:
    """The dataset of that name or id.

    Raises:
        NotFound: ``dataset_not_found``.
    """
    found = session.scalar(select(Dataset).where(Dataset.name == name)) or session.get(Dataset, name)
    if found is None:
        raise NotFound(
            "dataset_not_found",
            Text(en=f"There is no dataset '{name}'.", zh=f"没有数据集“{name}”。"),
            Text(en="Check the name, or import the data first.", zh="请检查名称，或先导入数据。"),
            field="dataset",
        )
    return found


def path_order(session: Session) -> ColumnElement[str]:
    """Paths in the order of their code points on every database, which manifests rely on."""
    if session.get_bind().dialect.name == "postgresql":
        return collate(SampleRow.path, "C")
    return SampleRow.path.expression


def draft_samples(session: Session, dataset_id: str) -> Iterator[Sample]:
    """Samples of a draft by path, a thousand rows in memory at a time."""
    columns = select(
        SampleRow.path,
        SampleRow.width,
        SampleRow.height,
        SampleRow.digest,
        SampleRow.annotation,
        SampleRow.part,
        SampleRow.group,
    )
    rows = session.execute(
        columns.where(SampleRow.dataset_id == dataset_id).order_by(path_order(session)),
        execution_options={"yield_per": 1000},
    )
    for row in rows.mappings():
        yield Sample.model_validate(dict(row))


def _filtered(dataset_id: str, *, label: str | None, state: str | None, part: str | None, q: str) -> Select[SampleRow]:
    query = select(SampleRow).where(SampleRow.dataset_id == dataset_id)
    if label is not None:
        carries = exists().where(SampleLabel.sample_id == SampleRow.id, SampleLabel.label == label)
        query = query.where(carries)
    if state is not None:
        query = query.where(SampleRow.state == state)
    if part is not None:
        query = query.where(SampleRow.part.is_(None) if part == "none" else SampleRow.part == part)
    if q:
        query = query.where(SampleRow.path.icontains(q, autoescape=True))
    return query


def _labels(session: Session, ids: list[str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    rows = session.execute(
        select(SampleLabel.sample_id, SampleLabel.label, SampleLabel.count)
        .where(SampleLabel.sample_id.in_(ids))
        .order_by(SampleLabel.label)
    )
    for sample, label, count in rows:
        found.setdefault(sample, {})[label] = count
    return found


def _sample_view(row: SampleRow, labels: dict[str, int], *, annotations: bool) -> SampleView:
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
        annotation=row.annotation if annotations else None,
        revision=row.revision,
        updated_at=row.updated_at,
    )


def _users(session: Session, dataset_id: str) -> list[str]:
    """Names of tasks whose settings, or whose unfinished evaluations, name the dataset."""
    used: list[str] = []
    rows = session.execute(select(Task.name, TaskVersion.settings).join(Task, Task.id == TaskVersion.task_id))
    running = session.execute(
        select(Task.name, Run.settings)
        .join(TaskVersion, TaskVersion.id == Run.task_version_id)
        .join(Task, Task.id == TaskVersion.task_id)
        .where(Run.status.not_in(("stopped", "failed", "succeeded")))
    )
    for name, settings in [*rows, *running]:
        if name not in used and dataset_id in _referred(settings):
            used.append(name)
    return used


def _referred(settings: Any) -> set[str]:  # noqa: ANN401
    refs = [ref for part in ("train", "validation", "test") for ref in settings.get(part) or ()]
    return {ref["dataset_id"] for ref in refs}
