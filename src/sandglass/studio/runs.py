"""Runs: submit to the engine, stop, restart, give more time, and say where one stands."""

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sandglass.core.errors import Conflict, NotFound
from sandglass.core.problem import Problem
from sandglass.core.settings import Settings
from sandglass.core.status import RunKind, RunReason, RunStatus
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.engine.base import Engine, Work, WorkState
from sandglass.store.db import Database
from sandglass.store.tables import Dataset, Model, Run, RunEvent, Task, TaskVersion, new_id
from sandglass.studio.billing import Billing
from sandglass.studio.specs import Specs

STOP_GRACE_SECONDS = 60.0
"""How long a worker may take to keep its best model before it is killed."""
MEMORY_FACTOR = 3
"""A run is ended when it takes so many times its spec's memory: learning has peaks (reading, exporting) that are over in
seconds, and a run that goes wild is still kept from taking the whole machine."""
ESTIMATE_FROM = 0.03
"""Share of progress from which the remaining time is estimated."""
FINAL = tuple(status.value for status in RunStatus if status.final)


class StageView(Value):
    """One stage of a run, in seconds of used time; ``seconds`` runs on while it is the present one."""

    name: str
    started: float
    ended: float | None
    seconds: float


class RunView(Value):
    """Where a run stands.

    Attributes:
        task: of a training or an evaluation, with its version; None for a pre-label run.
        dataset: that a pre-label run writes to; None for the others.
        used_seconds: wall-clock time of all attempts, the present one included.
        max_seconds: most it may use; None = no limit.
        left_seconds: what is left of the maximum.
        expected_seconds: estimate of what it still needs; None while nothing can be said.
        ahead: pieces of work before it in the queue.
        model_id: the best model so far.
        stopping_since: when a person asked it to stop.
    """

    id: str
    kind: RunKind
    task_id: str | None
    task: str | None
    version: int | None
    dataset_id: str | None
    dataset: str | None
    status: RunStatus
    reason: RunReason | None
    error: Problem | None
    stage: str | None
    stages: tuple[StageView, ...]
    progress: float
    best_score: float | None
    best_at: float | None
    max_seconds: float | None
    used_seconds: float
    left_seconds: float | None
    expected_seconds: float | None
    ahead: int | None
    attempt: int
    model_id: str | None
    settings: dict[str, Any]
    stopping_since: datetime | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class Runs:
    """Executions on the engine."""

    def __init__(self, settings: Settings, database: Database, engine: Engine, specs: Specs, billing: Billing) -> None:
        self._settings = settings
        self._database = database
        self._engine = engine
        self._specs = specs
        self._billing = billing

    def get(self, run_id: str) -> RunView:
        """Where a run stands.

        Raises:
            NotFound: ``run_not_found``.
        """
        with self._database.read() as session:
            return self.view(session, find_run(session, run_id))

    def charge(self, session: Session, run: Run) -> None:
        """Freeze what a training that is submitted now costs at first, in the transaction that submits it.

        Raises:
            PaymentNeeded: ``balance_insufficient``.
        """
        self._billing.open_run(session, run)

    def active_count(self) -> int:
        """Runs that are not over."""
        with self._database.read() as session:
            return session.scalar(select(func.count()).select_from(Run).where(Run.status.not_in(FINAL))) or 0

    def active(self) -> list[RunView]:
        """Runs that are not over, the oldest first."""
        with self._database.read() as session:
            rows = session.scalars(select(Run).where(Run.status.not_in(FINAL)).order_by(Run.created_at))
            return [self.view(session, row) for row in rows.all()]

    def view(self, session: Session, run: Run) -> RunView:
        """The view of a row."""
        owner = session.execute(
            select(Task.id, Task.name, TaskVersion.number)
            .join(Task, Task.id == TaskVersion.task_id)
            .where(TaskVersion.id == run.task_version_id)
        ).one_or_none()
        dataset = None if run.dataset_id is None else session.get_one(Dataset, run.dataset_id)
        model_id = session.scalar(
            select(Model.id).where(Model.run_id == run.id).order_by(Model.created_at.desc(), Model.id).limit(1)
        )
        status = RunStatus(run.status)
        if run.stop_requested_at is not None and not status.final:
            status = RunStatus.STOPPING
        used = elapsed(run, utc_now())
        left = None if run.max_seconds is None else max(0.0, run.max_seconds - used)
        return RunView(
            id=run.id,
            kind=RunKind(run.kind),
            task_id=owner.id if owner else None,
            task=owner.name if owner else None,
            version=owner.number if owner else None,
            dataset_id=run.dataset_id,
            dataset=dataset.name if dataset else None,
            status=status,
            reason=None if run.reason is None else RunReason(run.reason),
            error=None if run.error is None else Problem.model_validate(run.error),
            stage=run.stage,
            stages=tuple(_stage_view(stage, used) for stage in run.stages),
            progress=run.progress,
            best_score=run.best_score,
            best_at=run.best_at,
            max_seconds=run.max_seconds,
            used_seconds=used,
            left_seconds=left,
            expected_seconds=_expected(run, used, left),
            ahead=self._ahead(run),
            attempt=run.attempt,
            model_id=model_id,
            settings=run.settings,
            stopping_since=run.stop_requested_at if not status.final else None,
            created_at=run.created_at,
            started_at=run.started_at,
            ended_at=run.ended_at,
        )

    def _ahead(self, run: Run) -> int | None:
        if run.status == RunStatus.SUBMITTING:
            return None
        if run.status != RunStatus.QUEUED or run.work_id is None:
            return None
        state = self._engine.poll(run.work_id)
        return state.ahead if state.state is WorkState.QUEUED else 0

    def submit(self, run_id: str) -> None:
        """Hand a run in status *submitting* to the engine; safe to repeat after a crash at any point.

        The id of the work is written before the work is handed over, and the engine takes an id only once, so two
        workers for one attempt are impossible.
        """
        with self._database.write() as session:
            run = session.get(Run, run_id)
            if run is None or run.status != RunStatus.SUBMITTING:
                return
            if run.work_id is None:
                run.work_id = new_id("wk")
                record(session, run, "work", {"work": run.work_id})
            work_id, spec = run.work_id, self._spec_of(session, run)
        self._engine.submit(
            Work(
                command=(sys.executable, "-m", "sandglass.learning.worker", run_id),
                environment=environment(self._settings),
                cpu=spec[0],
                memory_mb=spec[1],
            ),
            work_id,
        )
        with self._database.write() as session:
            run = session.get(Run, run_id)
            if run is not None and run.status == RunStatus.SUBMITTING:
                run.status = RunStatus.QUEUED

    def _spec_of(self, session: Session, run: Run) -> tuple[float, int | None]:
        settings = run.settings
        if "spec" not in settings:
            settings = session.get_one(TaskVersion, run.task_version_id).settings
        spec = self._specs.get(settings["spec"])
        return float(spec.cpu), MEMORY_FACTOR * spec.memory_mb

    def stop(self, run_id: str, *, evaluate: bool = True) -> RunView:
        """Ask a run to stop; its best model so far is kept.

        Args:
            run_id: the run.
            evaluate: whether an evaluation of the kept model follows, for a training run.

        Raises:
            Conflict: ``run_ended``.
        """
        with self._database.write() as session:
            run = find_run(session, run_id)
            if RunStatus(run.status).final:
                raise Conflict(
                    "run_ended",
                    Text(en="The run has ended already.", zh="运行已经结束。"),
                    Text(en="Nothing is to be stopped.", zh="无需停止。"),
                )
            if run.stop_requested_at is None:
                run.stop_requested_at = utc_now()
            record(session, run, "stop", {"work": run.work_id, "evaluate": evaluate})
            work_id = run.work_id
        if work_id is not None:
            self._engine.stop(work_id, STOP_GRACE_SECONDS)
        return self.get(run_id)

    def restart(self, run_id: str) -> RunView:
        """Go on from the last checkpoint of a failed, interrupted or stopped run; used time counts.

        Raises:
            Conflict: ``run_not_restartable`` or ``time_used_up``.
        """
        with self._database.write() as session:
            run = find_run(session, run_id)
            if run.status not in (RunStatus.FAILED, RunStatus.STOPPED):
                raise _not_restartable(run)
            if run.max_seconds is not None and run.used_seconds >= run.max_seconds - 1:
                raise Conflict(
                    "time_used_up",
                    Text(
                        en=f"The maximum of {run.max_seconds:.0f} s is used up.",
                        zh=f"最长训练时长 {run.max_seconds:.0f} 秒已用完。",
                    ),
                    Text(en="Add time instead.", zh="请改用“延长时间”。"),
                )
            _again(session, run)
            self.charge(session, run)
        self.submit(run_id)
        return self.get(run_id)

    def add_time(self, run_id: str, seconds: float) -> RunView:
        """Raise a run's maximum; one that has ended at its limit or was stopped goes on.

        Raises:
            Conflict: ``no_time_limit`` or ``run_not_restartable``.
        """
        with self._database.write() as session:
            run = find_run(session, run_id)
            if run.max_seconds is None:
                raise Conflict(
                    "no_time_limit",
                    Text(en="The run has no maximum time.", zh="该运行没有时长上限。"),
                    Text(en="Nothing is to be added.", zh="无需延长。"),
                )
            status = RunStatus(run.status)
            if status.final and status is RunStatus.SUCCEEDED and run.reason != RunReason.TIME_LIMIT:
                raise _not_restartable(run)
            if not status.final and run.stop_requested_at is not None:
                raise Conflict(
                    "run_stopping",
                    Text(en="The run is being stopped.", zh="运行正在停止。"),
                    Text(en="Wait until it has stopped, then add time.", zh="请等它停止后再延长时间。"),
                )
            run.max_seconds += seconds
            if status.final:
                _again(session, run)
                self.charge(session, run)
        if status.final:
            self.submit(run_id)
        return self.get(run_id)


def environment(settings: Settings) -> dict[str, str]:
    """Variables that tell a process which installation it belongs to."""
    told = {"SANDGLASS_HOME": str(settings.home.absolute())}
    if settings.database_url is not None:
        told["SANDGLASS_DATABASE_URL"] = settings.database_url
    if settings.objects_url is not None:
        told["SANDGLASS_OBJECTS_URL"] = settings.objects_url
    if settings.allow_network:
        told["SANDGLASS_ALLOW_NETWORK"] = "true"
    return told


def find_run(session: Session, run_id: str) -> Run:
    """The run of that id.

    Raises:
        NotFound: ``run_not_found``.
    """
    found = session.get(Run, run_id)
    if found is None:
        raise NotFound(
            "run_not_found",
            Text(en=f"There is no run '{run_id}'.", zh=f"没有运行“{run_id}”。"),
            Text(en="Look for it under its task.", zh="请在所属任务中查找。"),
        )
    return found


def record(session: Session, run: Run, kind: str, data: Mapping[str, Any]) -> None:
    """Append an event to a run."""
    session.add(RunEvent(run_id=run.id, kind=kind, data=dict(data)))


def elapsed(run: Run, now: datetime) -> float:
    """Wall-clock seconds of all attempts: what the worker told at its last heartbeat, and the time since."""
    if (
        RunStatus(run.status).final
        or run.heartbeat_at is None
        or run.status in (RunStatus.SUBMITTING, RunStatus.QUEUED)
    ):
        return run.used_seconds
    return run.used_seconds + max(0.0, (now - run.heartbeat_at).total_seconds())


def overdue(run: Run, now: datetime) -> bool:
    """Whether a run is past its maximum by more than the grace for ending itself."""
    return run.max_seconds is not None and elapsed(run, now) > run.max_seconds + STOP_GRACE_SECONDS


def _again(session: Session, run: Run) -> None:
    run.status = RunStatus.SUBMITTING
    run.reason = run.error = run.stop_requested_at = run.work_id = None
    run.ended_at = run.heartbeat_at = None
    record(session, run, "status", {"status": RunStatus.SUBMITTING})


def _not_restartable(run: Run) -> Conflict:
    running = not RunStatus(run.status).final
    state = Text(en="is not over yet", zh="尚未结束") if running else Text(en="has succeeded", zh="已成功完成")
    return Conflict(
        "run_not_restartable",
        Text(en=f"The run {state.en}.", zh=f"运行{state.zh}。"),
        Text(
            en="Only a failed, interrupted or stopped run goes on; make a new version instead.",
            zh="只有异常、中断或已停止的运行可以继续；否则请新建任务版本。",
        ),
        details={"status": run.status},
    )


def _stage_view(stage: Mapping[str, Any], used: float) -> StageView:
    started, ended = float(stage["started"]), stage["ended"]
    seconds = max(0.0, (used if ended is None else ended) - started)
    return StageView(name=stage["name"], started=started, ended=ended, seconds=seconds)


def _expected(run: Run, used: float, left: float | None) -> float | None:
    if run.status != RunStatus.RUNNING or run.progress < ESTIMATE_FROM:
        return None
    guess = used * (1 - run.progress) / run.progress
    return guess if left is None else min(guess, left)
