"""The thread that keeps runs and services what they should be, twice a second; safe after a kill at any moment."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import select

from sandglass.core.errors import NotFound
from sandglass.core.problem import Problem
from sandglass.core.status import RunKind, RunReason, RunStatus
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.engine.base import Engine, WorkState, WorkStatus
from sandglass.learning.journal import HEARTBEAT_SECONDS
from sandglass.store.db import Database
from sandglass.store.tables import Model, Run
from sandglass.studio.evaluations import Evaluations
from sandglass.studio.instances import Instances
from sandglass.studio.runs import FINAL, STOP_GRACE_SECONDS, Runs, overdue, record

log = logging.getLogger(__name__)

TICK_SECONDS = 0.5
FOLLOW_WINDOW = timedelta(days=1)
"""Trainings that ended longer ago are not looked at any more for a missing evaluation."""


class Supervisor:
    """Ticks the engine, then brings runs and services in line with what became of their processes."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        runs: Runs,
        evaluations: Evaluations,
        instances: Instances,
        steps: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._database = database
        self._engine = engine
        self._runs = runs
        self._evaluations = evaluations
        self._instances = instances
        self._followed: set[tuple[str, str | None]] = set()
        self._steps = (engine.tick, self._reconcile_runs, self._follow_trainings, *steps, instances.reconcile)
        self._over = False
        self._due = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="supervisor", daemon=True)

    def start(self) -> None:
        """Begin ticking in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop ticking; runs and services go on."""
        self._over = True
        self._due.set()
        if self._thread.is_alive():
            self._thread.join()
        self._instances.close()

    def nudge(self) -> None:
        """Look now instead of at the next half second."""
        self._due.set()

    def _loop(self) -> None:
        while True:
            self._due.wait(TICK_SECONDS)
            self._due.clear()
            if self._over:
                return
            self.tick()

    def tick(self) -> None:
        """One round; what fails is logged and tried again at the next."""
        for step in self._steps:
            self._try(step)

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception:
            log.exception("supervision failed in %s", getattr(step, "__qualname__", step))

    def _reconcile_runs(self) -> None:
        with self._database.read() as session:
            active = session.execute(select(Run.id, Run.status, Run.work_id).where(Run.status.not_in(FINAL))).all()
        for run_id, status, work_id in active:
            if status == RunStatus.SUBMITTING:
                self._try(lambda run_id=run_id: self._submit(run_id))  # type: ignore[misc]
                continue
            try:
                work = self._engine.poll(work_id or "")
            except NotFound:
                work = WorkStatus(id=work_id or "", state=WorkState.LOST)
            if work.state.over:
                self._close(run_id, work)
            elif work.state is WorkState.RUNNING:
                self._enforce(run_id)

    def _submit(self, run_id: str) -> None:
        with self._database.read() as session:
            run = session.get(Run, run_id)
        if run is not None and run.stop_requested_at is not None and run.work_id is None:
            self._close(run_id, WorkStatus(id="", state=WorkState.LOST))
        else:
            self._runs.submit(run_id)

    def _enforce(self, run_id: str) -> None:
        """Make a run end that does not end itself: long past its maximum, or long asked to stop."""
        with self._database.read() as session:
            run = session.get(Run, run_id)
        if run is None or run.work_id is None:
            return
        now = utc_now()
        asked = run.stop_requested_at
        if overdue(run, now) or (asked is not None and now - asked > timedelta(seconds=STOP_GRACE_SECONDS)):
            self._engine.stop(run.work_id, 5.0)

    def _close(self, run_id: str, work: WorkStatus) -> None:
        """Give a run whose process is gone its final status, unless the process did so itself before it went."""
        with self._database.write() as session:
            run = session.get(Run, run_id, with_for_update=True)
            if run is None or RunStatus(run.status).final or (run.work_id or "") != work.id:
                return
            model = session.scalar(select(Model.id).where(Model.run_id == run.id).limit(1))
            if run.stop_requested_at is not None:
                status, reason = RunStatus.STOPPED, RunReason.STOPPED_BY_PERSON
            elif overdue(run, utc_now()) and model is not None:
                status, reason = RunStatus.SUCCEEDED, RunReason.TIME_LIMIT
            else:
                status, reason = RunStatus.FAILED, RunReason.INTERRUPTED
                run.error = _interrupted(work.exit_code).model_dump(mode="json")
            run.used_seconds += _untold(run, work)
            run.status, run.reason, run.ended_at = status, reason, utc_now()
            record(session, run, "status", {"status": status, "reason": reason})
        log.info("run %s ends as %s (%s)", run_id, status, reason)

    def _follow_trainings(self) -> None:
        """Evaluation follows a finished training by itself."""
        with self._database.read() as session:
            ended = session.execute(
                select(Run.id, Run.work_id).where(
                    Run.kind == RunKind.TRAINING,
                    Run.status.in_((RunStatus.SUCCEEDED, RunStatus.STOPPED)),
                    Run.ended_at > utc_now() - FOLLOW_WINDOW,
                )
            ).all()
        for run_id, work_id in ended:
            if (run_id, work_id) not in self._followed:
                self._evaluations.follow(run_id)
                self._followed.add((run_id, work_id))


def _untold(run: Run, work: WorkStatus) -> float:
    """Seconds between a run's last heartbeat and its end; the end may have been noticed only much later."""
    if run.heartbeat_at is None or work.ended_at is None:
        return 0.0
    return min(2 * HEARTBEAT_SECONDS, max(0.0, (work.ended_at - run.heartbeat_at).total_seconds()))


def _interrupted(exit_code: int | None) -> Problem:
    how = Text(en="without a trace", zh="原因未知")
    if exit_code is not None:
        signal = exit_code - 128
        how = Text(en=f"with exit code {exit_code}", zh=f"退出码 {exit_code}")
        if signal > 0:
            how = Text(en=f"by signal {signal}", zh=f"信号 {signal}")
    return Problem(
        code="run_interrupted",
        message=Text(en=f"The run's process ended unexpectedly, {how.en}.", zh=f"运行进程意外结束（{how.zh}）。"),
        action=Text(
            en="Restart it: it goes on from its last checkpoint. If it happens again, look at the log.",
            zh="请重启：将从最近的检查点继续。若再次发生，请查看日志。",
        ),
        details={"exit_code": exit_code},
    )
