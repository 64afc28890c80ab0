"""What a run tells the world: its status, stages, progress and metrics in the database, its log on standard output."""

import json
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import update

from sandglass.core.problem import Problem
from sandglass.core.status import RunReason, RunStatus
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.store.db import Database
from sandglass.store.tables import Run, RunEvent

HEARTBEAT_SECONDS = 2.0

Level = Literal["debug", "info", "warning", "error"]


class Stage(Value):
    """One stage of a run; times are seconds of used time."""

    name: str
    started: float
    ended: float | None = None


class Journal:
    """Writes down a run. Use it as a context manager: it heartbeats until it is left.

    Args:
        database: where the run's row is.
        run_id: of the run.
        used_before: seconds that earlier attempts used.
        stages: of earlier attempts.
    """

    def __init__(self, database: Database, run_id: str, *, used_before: float, stages: list[Stage]) -> None:
        self._database = database
        self._run_id = run_id
        self._used_before = used_before
        self._started = time.monotonic()
        self._stages = stages
        self._progress = 0.0
        self._span = (0.0, 1.0)
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> "Journal":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def used(self) -> float:
        """Seconds used by all attempts so far."""
        return self._used_before + time.monotonic() - self._started

    @property
    def stopping(self) -> bool:
        """Whether somebody asked the run to stop."""
        return self._stop.is_set()

    def ask_to_stop(self) -> None:
        """Note that the process was asked to stop (a signal)."""
        self._stop.set()

    def stage(self, name: str, low: float, high: float) -> None:
        """Begin a stage whose progress covers ``low`` to ``high`` of the whole run."""
        with self._lock:
            now = round(self.used, 2)
            self._stages = [
                stage if stage.ended is not None else stage.model_copy(update={"ended": now}) for stage in self._stages
            ]
            self._stages.append(Stage(name=name, started=now))
            self._span = (low, high)
        self.log(f"Stage: {name}")
        self._write({"stage": name, "stages": self._dump_stages()}, ("stage", {"name": name}))
        self.progress(0.0)

    def progress(self, fraction: float) -> None:
        """Share 0..1 of the present stage that is done; the bar of the whole run never goes back."""
        low, high = self._span
        with self._lock:
            self._progress = max(self._progress, min(1.0, low + (high - low) * min(1.0, max(0.0, fraction))))

    def metric(self, name: str, value: float) -> None:
        """One point of a live curve."""
        self._write({}, ("metric", {"name": name, "value": value, "used": round(self.used, 2)}))

    def event(self, kind: str, data: Mapping[str, Any], **columns: Any) -> None:  # noqa: ANN401
        """Any other event, with columns of the run to set in the same transaction."""
        self._write(columns, (kind, dict(data)))

    def log(self, message: str, *, level: Level = "info") -> None:
        """One line of the log."""
        stage = self._stages[-1].name if self._stages else None
        line = {"at": utc_now().isoformat(timespec="milliseconds"), "level": level, "stage": stage, "message": message}
        with self._lock:
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
            sys.stdout.flush()

    def begin(self) -> None:
        """The run is starting."""
        self._write({"status": RunStatus.RUNNING.value, "heartbeat_at": utc_now()}, ("status", {"status": "running"}))

    def end(self, status: RunStatus, reason: RunReason, error: Problem | None = None) -> None:
        """Write the run's one final status."""
        with self._lock:
            now = round(self.used, 2)
            self._stages = [
                stage if stage.ended is not None else stage.model_copy(update={"ended": now}) for stage in self._stages
            ]
            if status is RunStatus.SUCCEEDED:
                self._progress = 1.0
        columns = {
            "status": status.value,
            "reason": reason.value,
            "error": None if error is None else error.model_dump(mode="json"),
            "stages": self._dump_stages(),
            "progress": self._progress,
            "used_seconds": now,
            "ended_at": utc_now(),
        }
        self._write(columns, ("status", {"status": status.value, "reason": reason.value}))

    def _dump_stages(self) -> list[dict[str, Any]]:
        return [stage.model_dump() for stage in self._stages]

    def _write(self, columns: Mapping[str, Any], event: tuple[str, dict[str, Any]]) -> None:
        with self._database.write() as session:
            if columns:
                session.execute(update(Run).where(Run.id == self._run_id).values(**columns))
            session.add(RunEvent(run_id=self._run_id, kind=event[0], data=event[1]))

    def _beat(self) -> None:
        while not self._over.wait(HEARTBEAT_SECONDS):
            try:
                self._heartbeat()
            except Exception as error:
                self.log(f"Heartbeat failed: {error}", level="warning")

    def _heartbeat(self) -> None:
        with self._database.write() as session:
            run = session.get(Run, self._run_id)
            if run is None:  # the task was deleted
                self._stop.set()
                return
            if run.stop_requested_at is not None and not self._stop.is_set():
                self._stop.set()
            if self._stop.is_set() and run.status == RunStatus.RUNNING:
                run.status = RunStatus.STOPPING.value
            run.heartbeat_at = utc_now()
            run.used_seconds = round(self.used, 2)
            before = run.progress
            run.progress = max(run.progress, round(self._progress, 4))
            if run.progress != before:
                session.add(RunEvent(run_id=self._run_id, kind="progress", data={"progress": run.progress}))
