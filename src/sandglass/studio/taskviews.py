"""How tasks look: one with its versions, a version with its runs, and the filtered, sorted list of all."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from sandglass.core.status import RunKind, RunStatus
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.learning.settings import DatasetRef
from sandglass.store.db import Database
from sandglass.store.tables import Dataset, Model, Run, Service, ServiceVersion, Task, TaskVersion
from sandglass.studio.evaluations import Evaluations
from sandglass.studio.page import Page
from sandglass.studio.runs import Runs, RunView, elapsed
from sandglass.studio.tasks import find_task, find_version

Stage = Literal["training", "evaluation", "service"]
SortKey = Literal["created", "name", "elapsed", "progress"]


class VersionLine(Value):
    """A task version in one line: the furthest stage that it reached, and how that stands.

    Attributes:
        status: of a run (`core.status.RunStatus`) or a service (`core.status.ServiceStatus`), by stage.
        progress: 0..1 of the run of that stage; 1 for a service.
        used_seconds: of its training.
    """

    number: int
    stage: Stage
    status: str
    progress: float
    used_seconds: float
    best_score: float | None
    spec: str
    run_id: str | None
    evaluation_run_id: str | None
    services: tuple[str, ...]
    created_at: datetime


class TaskView(Value):
    """A task; its newest version tells stage, status and progress."""

    id: str
    name: str
    scenario: str
    description: str
    tags: tuple[str, ...]
    stage: Stage
    status: str
    progress: float
    used_seconds: float
    spec: str
    versions: tuple[VersionLine, ...]
    created_at: datetime


class TaskVersionView(Value):
    """A task version with its settings, its training and its latest evaluation.

    Attributes:
        datasets: titles such as ``receipts@v2`` of the data it uses, by use.
    """

    id: str
    task_id: str
    task: str
    scenario: str
    number: int
    settings: dict[str, Any]
    datasets: dict[str, tuple[str, ...]]
    stage: Stage
    status: str
    training_run: RunView | None
    evaluation_run: RunView | None
    model_id: str | None
    services: tuple[str, ...]
    created_at: datetime


class TaskViews:
    """Reads tasks."""

    def __init__(self, database: Database, runs: Runs, evaluations: Evaluations) -> None:
        self._database = database
        self._runs = runs
        self._evaluations = evaluations

    def list(
        self,
        *,
        q: str = "",
        scenario: str | None = None,
        stage: Stage | None = None,
        status: str | None = None,
        tag: str | None = None,
        sort: SortKey = "created",
        descending: bool = True,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[TaskView]:
        """Tasks with their versions. ``status`` is that within the stage; ``q`` is a part of the name."""
        query = select(Task)
        if q:
            query = query.where(Task.name.icontains(q, autoescape=True))
        if scenario:
            query = query.where(Task.scenario == scenario)
        with self._database.read() as session:
            tasks = session.scalars(query).all()
            lines = _lines(session, [task.id for task in tasks])
            views = [_task_view(task, lines[task.id]) for task in tasks if lines.get(task.id)]
        views = [
            view
            for view in views
            if (stage is None or view.stage == stage)
            and (status is None or view.status == status)
            and (tag is None or tag in view.tags)
        ]
        keys: dict[SortKey, Callable[[TaskView], Any]] = {
            "created": lambda view: (view.versions[-1].created_at, view.id),
            "name": lambda view: view.name.casefold(),
            "elapsed": lambda view: (view.used_seconds, view.id),
            "progress": lambda view: (view.progress, view.id),
        }
        views.sort(key=keys[sort], reverse=descending)
        return Page(items=views[offset : offset + limit], total=len(views))

    def tags(self) -> dict[str, int]:
        """Tags that tasks carry, with the number of tasks, the most frequent first."""
        with self._database.read() as session:
            counted = Counter(tag for tags in session.scalars(select(Task.tags)) for tag in set(tags))
        return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))

    def get(self, name: str) -> TaskView:
        """One task by name or id, its versions in order.

        Raises:
            NotFound: ``task_not_found``.
        """
        with self._database.read() as session:
            task = find_task(session, name)
            return _task_view(task, _lines(session, [task.id])[task.id])

    def version(self, name: str, number: int | None = None) -> TaskVersionView:
        """One version of a task, the newest unless ``number`` is given.

        Where training has just ended, the evaluation that follows it is started here, should the supervisor not have
        come to it yet: whoever sees the end of the training also sees its evaluation.
        """
        training = self.training_run(name, number)
        if training is not None:
            self._evaluations.follow(training)
        with self._database.read() as session:
            task, version = find_version(session, name, number)
            line = next(line for line in _lines(session, [task.id])[task.id] if line.number == version.number)
            runs = {
                kind: session.scalar(
                    select(Run)
                    .where(Run.task_version_id == version.id, Run.kind == kind)
                    .order_by(Run.created_at.desc(), Run.id)
                    .limit(1)
                )
                for kind in (RunKind.TRAINING, RunKind.EVALUATION)
            }
            training_run, evaluation_run = runs[RunKind.TRAINING], runs[RunKind.EVALUATION]
            names = dict(session.execute(select(Dataset.id, Dataset.name)).tuples().all())
            view = None if training_run is None else self._runs.view(session, training_run)
            return TaskVersionView(
                id=version.id,
                task_id=task.id,
                task=task.name,
                scenario=task.scenario,
                number=version.number,
                settings=version.settings,
                datasets={
                    part: _titles(names, version.settings.get(part) or ()) for part in ("train", "validation", "test")
                },
                stage=line.stage,
                status=line.status,
                training_run=view,
                evaluation_run=None if evaluation_run is None else self._runs.view(session, evaluation_run),
                model_id=None if view is None else view.model_id,
                services=line.services,
                created_at=version.created_at,
            )

    def training_run(self, name: str, number: int | None) -> str | None:
        """Id of the training run of a task version."""
        with self._database.read() as session:
            _, version = find_version(session, name, number)
            return session.scalar(
                select(Run.id)
                .where(Run.task_version_id == version.id, Run.kind == RunKind.TRAINING)
                .order_by(Run.created_at.desc(), Run.id)
                .limit(1)
            )


def _titles(names: dict[str, str], refs: Iterable[Any]) -> tuple[str, ...]:
    parsed = [DatasetRef.model_validate(ref) for ref in refs]
    return tuple(f"{names.get(ref.dataset_id, ref.dataset_id)}@v{ref.version}" for ref in parsed)


def _lines(session: Session, tasks: list[str]) -> dict[str, list[VersionLine]]:
    """One line for every version of the given tasks, from three queries altogether."""
    wanted = TaskVersion.task_id.in_(tasks)
    versions = session.execute(
        select(TaskVersion.id, TaskVersion.task_id, TaskVersion.number, TaskVersion.settings, TaskVersion.created_at)
        .where(wanted)
        .order_by(TaskVersion.number)
    ).all()
    runs: dict[tuple[str | None, str], Run] = {}
    for run in session.scalars(
        select(Run)
        .join(TaskVersion, TaskVersion.id == Run.task_version_id)
        .where(wanted)
        .order_by(Run.created_at, Run.id)
    ):
        runs[run.task_version_id, run.kind] = run  # the newest of its kind stays
    services: dict[str | None, list[tuple[str, str]]] = {}
    for version_id, name, status in session.execute(
        select(Run.task_version_id, Service.name, Service.status)
        .join(Model, Model.run_id == Run.id)
        .join(ServiceVersion, ServiceVersion.model_id == Model.id)
        .join(Service, Service.id == ServiceVersion.service_id)
        .join(TaskVersion, TaskVersion.id == Run.task_version_id)
        .where(wanted)
        .order_by(Service.created_at)
    ):
        services.setdefault(version_id, []).append((name, status))
    now = utc_now()
    lines: dict[str, list[VersionLine]] = {}
    for version_id, task_id, number, settings, created_at in versions:
        training = runs.get((version_id, RunKind.TRAINING))
        evaluation = runs.get((version_id, RunKind.EVALUATION))
        published = services.get(version_id, [])
        stage, status, progress = _furthest(training, evaluation, published)
        lines.setdefault(task_id, []).append(
            VersionLine(
                number=number,
                stage=stage,
                status=status,
                progress=progress,
                used_seconds=elapsed(training, now) if training else 0.0,
                best_score=training.best_score if training else None,
                spec=settings["spec"],
                run_id=training.id if training else None,
                evaluation_run_id=evaluation.id if evaluation else None,
                services=tuple(name for name, _ in published),
                created_at=created_at,
            )
        )
    return lines


def _furthest(
    training: Run | None, evaluation: Run | None, services: list[tuple[str, str]]
) -> tuple[Stage, str, float]:
    if training is None:
        return "training", "not_started", 0.0
    if not RunStatus(training.status).final:
        return "training", _shown(training), training.progress
    if services:
        return "service", services[-1][1], 1.0
    if evaluation is not None:
        return "evaluation", _shown(evaluation), evaluation.progress
    return "training", _shown(training), training.progress


def _shown(run: Run) -> str:
    stopping = run.stop_requested_at is not None and not RunStatus(run.status).final
    return RunStatus.STOPPING if stopping else run.status


def _task_view(task: Task, lines: list[VersionLine]) -> TaskView:
    newest = lines[-1]
    return TaskView(
        id=task.id,
        name=task.name,
        scenario=task.scenario,
        description=task.description,
        tags=tuple(task.tags),
        stage=newest.stage,
        status=newest.status,
        progress=newest.progress,
        used_seconds=newest.used_seconds,
        spec=newest.spec,
        versions=tuple(lines),
        created_at=task.created_at,
    )
