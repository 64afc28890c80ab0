"""Datasets: make, list, look up, change, delete. Their samples are in `studio.samples`, versions in `studio.versions`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sandglass.core.actor import acting_as
from sandglass.core.errors import Conflict, NotFound
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.store.db import Database
from sandglass.store.tables import (
    Dataset,
    DatasetLabel,
    DatasetVersion,
    ImportJob,
    Run,
    SampleHistory,
    SampleLabel,
    SampleOperation,
    SampleRow,
    Task,
    TaskVersion,
)
from sandglass.studio.kinds import annotation_kind
from sandglass.studio.page import Page
from sandglass.studio.statistics import StatisticsCache
from sandglass.studio.validation import check_name

WORKING_IMPORT = ("checking", "importing")
OPEN_IMPORT = (*WORKING_IMPORT, "checked")
MOST_TAGS = 20

DatasetState = Literal["importing", "waiting", "failed", "empty", "ready"]
DatasetSort = Literal["updated", "created", "name", "pictures", "labelled", "size"]
Tags = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=40)], ...], Field(max_length=MOST_TAGS)]


class NewDataset(Value):
    """The form of an empty dataset."""

    name: str = Field(max_length=200)
    scenario: str = Field(max_length=40)
    description: str = Field("", max_length=2000)
    tags: Tags = ()


class DatasetChange(Value):
    """What to change of a dataset; what is None stays."""

    name: str | None = Field(None, max_length=200)
    description: str | None = Field(None, max_length=2000)
    tags: Tags | None = None


class DatasetView(Value):
    """One dataset as a person sees it.

    Attributes:
        state: importing (an import works on it), waiting (a checked import waits for a person), failed (no pictures and
            the last import failed), empty or ready.
        latest_version: number of the newest version; None = there is none.
        changed: whether the draft holds something that no version holds.
        changes: changes of the draft since the newest version; None = there is no version.
        import_id: the import that works on it or waits for a person now, if any.
        import_progress: 0..1 of that import.
    """

    id: str
    name: str
    scenario: str
    description: str
    tags: tuple[str, ...]
    state: DatasetState
    revision: int
    sample_count: int
    labelled_count: int
    size_bytes: int
    states: dict[str, int]
    parts: dict[str, int]
    label_counts: dict[str, int]
    latest_version: int | None
    changed: bool
    changes: int | None
    import_id: str | None
    import_progress: float | None
    created_at: datetime
    updated_at: datetime


class DatasetUse(Value):
    """A task version that names a dataset, and which versions of it."""

    task: str
    task_version: int
    versions: tuple[int, ...]


class Datasets:
    """Makes, reads, changes and removes datasets."""

    def __init__(self, database: Database, statistics: StatisticsCache) -> None:
        self._database = database
        self._statistics = statistics

    def create(self, form: NewDataset) -> DatasetView:
        """Make an empty dataset.

        Raises:
            InvalidInput: ``name_invalid``.
            NotFound: ``scenario_unknown``.
            Conflict: ``dataset_name_taken``.
        """
        name = check_name(form.name)
        annotation_kind(form.scenario)
        row = Dataset(name=name, scenario=form.scenario, description=form.description, tags=_tags(form.tags))
        try:
            with self._database.write() as session:
                _refuse_taken(session, name)
                session.add(row)
                session.flush()
                return self._view(session, row)
        except IntegrityError as error:
            raise _taken(name) from error

    def change(self, name: str, form: DatasetChange) -> DatasetView:
        """Change name, description or tags.

        Raises:
            NotFound: ``dataset_not_found``.
            InvalidInput: ``name_invalid``.
            Conflict: ``dataset_name_taken``, or ``dataset_importing`` when it is to be renamed during an import.
        """
        with self._database.write() as session:
            row = find_dataset(session, name)
            if form.name is not None and form.name != row.name:
                renamed = check_name(form.name)
                _refuse_taken(session, renamed)
                refuse_during_import(session, row)
                # Imports know their dataset by name: it may not exist yet while they work.
                session.execute(
                    update(ImportJob).where(ImportJob.dataset_name == row.name).values(dataset_name=renamed)
                )
                row.name = renamed
            if form.description is not None:
                row.description = form.description
            if form.tags is not None:
                row.tags = _tags(form.tags)
            row.updated_at = utc_now()
            session.flush()
            return self._view(session, row)

    def list(
        self,
        *,
        q: str = "",
        name: str | None = None,
        scenario: str | None = None,
        state: DatasetState | None = None,
        tag: str | None = None,
        sort: DatasetSort = "updated",
        descending: bool = True,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[DatasetView]:
        """Datasets.

        Args:
            q: a part of the name.
            name: the whole name.
            scenario: only of this one.
            state: only in this one.
            tag: only with this one.
            sort: what to sort by.
            descending: the greatest or latest first.
            limit: most items.
            offset: items to leave out first.
        """
        query = select(Dataset)
        if q:
            query = query.where(Dataset.name.icontains(q, autoescape=True))
        if name is not None:
            query = query.where(Dataset.name == name)
        if scenario:
            query = query.where(Dataset.scenario == scenario)
        with self._database.read() as session:
            # There are hundreds of datasets at most, and their counts stay in memory as long as they do not change.
            rows = session.scalars(query.order_by(Dataset.name)).all()
            views = [self._view(session, row) for row in rows if tag is None or tag in row.tags]
        found = [view for view in views if state is None or view.state == state]
        found.sort(key=lambda view: _SORT[sort](view), reverse=descending)
        return Page(items=found[offset : offset + limit], total=len(found))

    def get(self, name: str) -> DatasetView:
        """One dataset by name or id.

        Raises:
            NotFound: ``dataset_not_found``.
        """
        with self._database.read() as session:
            return self._view(session, find_dataset(session, name))

    def uses(self, name: str) -> Sequence[DatasetUse]:
        """Task versions that name the dataset, and so would break without it."""
        with self._database.read() as session:
            return dataset_uses(session, find_dataset(session, name).id)

    def _view(self, session: Session, row: Dataset) -> DatasetView:
        counted = self._statistics.of(session, row)
        latest = session.execute(
            select(DatasetVersion.number, DatasetVersion.revision)
            .where(DatasetVersion.dataset_id == row.id)
            .order_by(DatasetVersion.number.desc())
            .limit(1)
        ).first()
        job = session.execute(
            select(ImportJob.id, ImportJob.status, ImportJob.progress)
            .where(ImportJob.dataset_name == row.name)
            .order_by(ImportJob.status.in_(OPEN_IMPORT).desc(), ImportJob.created_at.desc())
            .limit(1)
        ).first()
        at_work = job is not None and job.status in OPEN_IMPORT
        return DatasetView(
            id=row.id,
            name=row.name,
            scenario=row.scenario,
            description=row.description,
            tags=tuple(row.tags),
            state=_state(counted.sample_count, job.status if job else None),
            revision=row.revision,
            sample_count=counted.sample_count,
            labelled_count=counted.states.get("labelled", 0),
            size_bytes=counted.size_bytes,
            states=counted.states,
            parts=counted.parts,
            label_counts=counted.label_counts,
            latest_version=latest.number if latest else None,
            changed=latest is None or latest.revision != row.revision,
            changes=row.revision - latest.revision if latest else None,
            import_id=job.id if job and at_work else None,
            import_progress=job.progress if job and at_work else None,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    def delete(self, name: str) -> None:
        """Remove a dataset with its versions.

        Raises:
            Conflict: ``dataset_in_use``, naming the task versions that would break, or ``dataset_importing``.
        """
        with self._database.write() as session:
            dataset = find_dataset(session, name)
            with acting_as(None):  # tasks that the caller may not see would break as well
                uses = dataset_uses(session, dataset.id)
            if uses:
                names = [f"{use.task} v{use.task_version}" for use in uses]
                shown = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
                raise Conflict(
                    "dataset_in_use",
                    Text(
                        en=f"{dataset.name} is used by {len(names)} task version(s): {shown}.",
                        zh=f"{dataset.name} 正被 {len(names)} 个任务版本使用：{shown}。",
                    ),
                    Text(en="Delete those tasks first.", zh="请先删除这些任务。"),
                    details={"tasks": ", ".join(dict.fromkeys(use.task for use in uses))},
                )
            refuse_during_import(session, dataset)
            # Rows below are removed by hand in bulk: cascades row by row take minutes for 100,000 samples.
            for table in (SampleLabel, SampleHistory, SampleOperation):
                session.execute(delete(table).where(table.dataset_id == dataset.id))
            session.execute(delete(SampleRow).where(SampleRow.dataset_id == dataset.id))
            session.execute(delete(DatasetLabel).where(DatasetLabel.dataset_id == dataset.id))
            session.execute(delete(ImportJob).where(ImportJob.dataset_name == dataset.name))
            session.execute(delete(Dataset).where(Dataset.id == dataset.id))


_SORT: dict[DatasetSort, Any] = {
    "updated": lambda view: view.updated_at,
    "created": lambda view: view.created_at,
    "name": lambda view: view.name.casefold(),
    "pictures": lambda view: view.sample_count,
    "labelled": lambda view: view.labelled_count / max(1, view.sample_count),
    "size": lambda view: view.size_bytes,
}


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


def change_draft(session: Session, name: str, *, expected_revision: int | None = None) -> Dataset:
    """The dataset whose draft is about to change in this transaction; its revision rises by one.

    Args:
        session: of a write transaction.
        name: or id.
        expected_revision: that the person saw; None = whatever it is now.

    Raises:
        NotFound: ``dataset_not_found``.
        Conflict: ``dataset_changed``: the draft is no longer what the person saw.
    """
    dataset = find_dataset(session, name)
    # On PostgreSQL the row is locked, so that two changes at once get two revisions.
    session.refresh(dataset, with_for_update=True)
    if expected_revision is not None and dataset.revision != expected_revision:
        raise Conflict(
            "dataset_changed",
            Text(
                en=f"{dataset.name} was changed by someone else meanwhile; nothing was done.",
                zh=f"{dataset.name} 刚被他人修改，本次操作未执行。",
            ),
            Text(en="Look at the list again, then repeat.", zh="请刷新列表后重试。"),
            details={"revision": dataset.revision},
        )
    dataset.revision += 1
    dataset.updated_at = utc_now()
    return dataset


def refuse_during_import(session: Session, dataset: Dataset) -> None:
    """Refuse what may not happen while an import works on the dataset.

    Raises:
        Conflict: ``dataset_importing``.
    """
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


def dataset_uses(session: Session, dataset_id: str) -> list[DatasetUse]:
    """Task versions whose settings, or whose unfinished evaluations, name the dataset."""
    found: dict[tuple[str, int], set[int]] = {}
    rows = session.execute(
        select(Task.name, TaskVersion.number, TaskVersion.settings).join(Task, Task.id == TaskVersion.task_id)
    )
    running = session.execute(
        select(Task.name, TaskVersion.number, Run.settings)
        .join(TaskVersion, TaskVersion.id == Run.task_version_id)
        .join(Task, Task.id == TaskVersion.task_id)
        .where(Run.status.not_in(("stopped", "failed", "succeeded")))
    )
    for task, number, settings in [*rows, *running]:
        refs = [ref for part in ("train", "validation", "test") for ref in settings.get(part) or ()]
        versions = {ref["version"] for ref in refs if ref["dataset_id"] == dataset_id}
        if versions:
            found.setdefault((task, number), set()).update(versions)
    return [
        DatasetUse(task=task, task_version=number, versions=tuple(sorted(versions)))
        for (task, number), versions in sorted(found.items())
    ]


def _state(samples: int, import_status: str | None) -> DatasetState:
    if import_status in WORKING_IMPORT:
        return "importing"
    if import_status == "checked":
        return "waiting"
    if samples:
        return "ready"
    return "failed" if import_status == "failed" else "empty"


def _tags(tags: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))


def _refuse_taken(session: Session, name: str) -> None:
    if session.scalar(select(func.count()).select_from(Dataset).where(Dataset.name == name)):
        raise _taken(name)


def _taken(name: str) -> Conflict:
    return Conflict(
        "dataset_name_taken",
        Text(en=f"There is already a dataset '{name}'.", zh=f"已存在名为“{name}”的数据集。"),
        Text(en="Choose another name, or import into that one.", zh="请换一个名称，或导入到该数据集。"),
        field="name",
    )
