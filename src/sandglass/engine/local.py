"""The engine of one machine: a process group for each piece of work, a queue in the database.

Work outlives the server that started it. Whoever serves the same database next finds it by process id and creation
time, and learns from a small file how work ended that nobody watched.
"""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import psutil
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sandglass.core.errors import NotFound
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.engine.base import Capacity, Engine, Work, WorkState, WorkStatus
from sandglass.engine.memory import Cgroups, backstop_mb, processes_of, usage_of
from sandglass.store.db import Database
from sandglass.store.tables import WorkRow, new_id

log = logging.getLogger(__name__)

OUT_OF_MEMORY = "memory"
LEASE = timedelta(seconds=15)
"""How long work belongs to the engine that started it without a sign of life from that engine."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "SANDGLASS_THREADS")
WAITING = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Threads that wait for each other sleep: turning in circles costs three times the work when cores are shared."""
ENOUGH = 1e-6
SMALL_CPU = 0.1
"""Cores up to which work starts at once and is not counted."""


class LocalEngine(Engine):
    """Runs work as processes of this machine.

    Args:
        database: holds the queue.
        folder: for output and exit codes.
        cpu_count: cores to give out; None = all of the machine.
    """

    def __init__(self, database: Database, folder: Path, cpu_count: int | None = None) -> None:
        self._database = database
        self._folder = folder
        self._cpu_total = float(cpu_count or os.cpu_count() or 1)
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{time.monotonic_ns()}"
        self._lock = threading.RLock()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._kill_at: dict[str, float] = {}
        self._cgroups = Cgroups()
        folder.mkdir(parents=True, exist_ok=True)

    def submit(self, work: Work, work_id: str | None = None) -> str:
        with self._database.write() as session:
            if work_id is not None and session.get(WorkRow, work_id) is not None:
                return work_id
            row = WorkRow(
                id=work_id or new_id("wk"),
                command=list(work.command),
                environment=work.environment,
                cpu=min(work.cpu, self._cpu_total),
                memory_mb=work.memory_mb,
                status=WorkState.QUEUED.value,
            )
            session.add(row)
            session.flush()
            return row.id

    def stop(self, work_id: str, grace: float) -> None:
        with self._lock:
            with self._database.write() as session:
                row = self._row(session, work_id)
                if WorkState(row.status).over:
                    return
                if row.status == WorkState.QUEUED:
                    row.status, row.exit_code, row.ended_at = WorkState.EXITED.value, 128 + signal.SIGTERM, utc_now()
                    return
                row.stop_requested_at = row.stop_requested_at or utc_now()
                pid, started = row.pid, row.pid_started
            self._kill_at.setdefault(work_id, time.monotonic() + grace)
            if is_alive(pid, started):
                _signal_group(pid, signal.SIGTERM)

    def poll(self, work_id: str) -> WorkStatus:
        with self._database.read() as session:
            row = self._row(session, work_id)
            ahead = 0
            if row.status == WorkState.QUEUED:
                ahead = (
                    session.scalar(
                        select(func.count())
                        .select_from(WorkRow)
                        .where(WorkRow.status == WorkState.QUEUED.value, WorkRow.created_at < row.created_at)
                    )
                    or 0
                )
            return WorkStatus(
                id=row.id,
                state=WorkState(row.status),
                exit_code=row.exit_code,
                pid=row.pid,
                started_at=row.started_at,
                ended_at=row.ended_at,
                ahead=ahead,
                reason=row.reason,
            )

    def capacity(self) -> Capacity:
        with self._database.read() as session:
            used = session.scalar(select(func.sum(WorkRow.cpu)).where(WorkRow.status == WorkState.RUNNING.value))
        return Capacity(
            cpu_total=self._cpu_total,
            cpu_free=max(0.0, self._cpu_total - float(used or 0.0)),
            memory_total_mb=psutil.virtual_memory().total >> 20,
        )

    def logs(self, work_id: str, offset: int = 0, limit: int = 1 << 20) -> tuple[bytes, int]:
        path = self._folder / f"{work_id}.log"
        if not path.exists():
            return b"", offset
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(limit)
        return data, offset + len(data)

    def log_end(self, work_id: str, length: int) -> bytes:
        path = self._folder / f"{work_id}.log"
        if not path.exists():
            return b""
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - length))
            return file.read(length)

    def usage(self, work_id: str) -> tuple[float, float] | None:
        with self._database.read() as session:
            row = session.get(WorkRow, work_id)
        if row is None or row.status != WorkState.RUNNING or not is_alive(row.pid, row.pid_started):
            return None
        return usage_of(row.pid or 0)

    def tick(self) -> None:
        with self._lock:
            self._watch()
            self._start_queued()

    def close(self) -> None:
        """Let go of all work; another engine may take it over at once."""
        with self._lock, self._database.write() as session:
            for row in session.scalars(select(WorkRow).where(WorkRow.owner == self._owner)):
                row.owner = row.lease_until = None

    # What `tick` does

    def _watch(self) -> None:
        with self._database.read() as session:
            running = list(session.scalars(select(WorkRow).where(WorkRow.status == WorkState.RUNNING.value)))
        now = utc_now()
        for row in running:
            child = self._children.get(row.id)
            if child is not None:
                child.poll()  # reaps it
            mine = row.owner == self._owner
            abandoned = row.lease_until is None or row.lease_until < now
            if not mine and not abandoned and is_alive(row.pid, row.pid_started):
                continue
            if is_alive(row.pid, row.pid_started):
                self._keep(row)
                self._hold_memory(row)
            elif mine or abandoned or not _belongs_elsewhere(row.owner):
                self._end(row)

    def _keep(self, row: WorkRow) -> None:
        """Renew the lease of work (taking it over if its engine is gone) and enforce a stop."""
        if row.stop_requested_at is not None:
            kill_at = self._kill_at.setdefault(row.id, time.monotonic() + 5.0)
            if time.monotonic() >= kill_at:
                _signal_group(row.pid, signal.SIGKILL)
        if row.owner == self._owner and row.lease_until and row.lease_until - utc_now() > LEASE / 2:
            return
        with self._database.write() as session:
            fresh = session.get(WorkRow, row.id)
            if fresh is not None and fresh.status == WorkState.RUNNING:
                fresh.owner, fresh.lease_until = self._owner, utc_now() + LEASE

    def _hold_memory(self, row: WorkRow) -> None:
        """Where no cgroup does it: end work that takes more than its limit."""
        if row.memory_mb is None or self._cgroups.usable or row.pid is None or row.stop_requested_at is not None:
            return
        _, used = usage_of(row.pid)
        if used <= row.memory_mb:
            return
        log.warning("work %s takes %.0f MiB of %d and is ended", row.id, used, row.memory_mb)
        with self._database.write() as session:
            fresh = session.get(WorkRow, row.id)
            if fresh is not None:
                fresh.reason = OUT_OF_MEMORY
        for process in processes_of(row.pid):  # the wrapper stays, and writes down how it ended
            with contextlib.suppress(psutil.Error):
                process.kill()

    def _end(self, row: WorkRow) -> None:
        """Write down the end of work whose process is gone, and make sure that nothing of its group is left."""
        exit_file = self._folder / f"{row.id}.exit"
        code: int | None = None
        with contextlib.suppress(OSError, ValueError):
            code = int(exit_file.read_text())
        child = self._children.pop(row.id, None)
        if code is None and child is not None and child.returncode is not None:
            # The wrapper itself was killed before it could write.
            code = child.returncode if child.returncode >= 0 else 128 - child.returncode
        _signal_group(row.pid, signal.SIGKILL)
        self._kill_at.pop(row.id, None)
        ran_out = self._cgroups.ran_out(row.id)
        self._cgroups.remove(row.id)
        with self._database.write() as session:
            fresh = session.get(WorkRow, row.id)
            if fresh is None or fresh.status != WorkState.RUNNING:
                return
            if ran_out:
                fresh.reason = OUT_OF_MEMORY
            fresh.status = (WorkState.LOST if code is None else WorkState.EXITED).value
            fresh.exit_code, fresh.ended_at, fresh.owner, fresh.lease_until = code, utc_now(), None, None

    def _start_queued(self) -> None:
        while (row := self._claim()) is not None:
            self._spawn(row)

    def _claim(self) -> WorkRow | None:
        """Take the first queued work if it fits; work behind it waits too, so that nothing starves.

        Work that counts for next to nothing (an instance that waits for requests) waits for nobody.
        """
        queued = select(WorkRow).where(WorkRow.status == WorkState.QUEUED.value).order_by(WorkRow.created_at).limit(1)
        running = select(func.sum(WorkRow.cpu)).where(
            WorkRow.status == WorkState.RUNNING.value, WorkRow.cpu > SMALL_CPU
        )
        with self._database.write() as session:
            used = float(session.scalar(running) or 0.0)
            row = session.scalars(queued.where(WorkRow.cpu <= SMALL_CPU)).first() or session.scalars(queued).first()
            if row is None:
                return None
            if row.cpu > SMALL_CPU and used and used + row.cpu > self._cpu_total + ENOUGH:
                return None
            row.status, row.owner, row.started_at = WorkState.RUNNING.value, self._owner, utc_now()
            row.lease_until = utc_now() + LEASE
            return row

    def _spawn(self, row: WorkRow) -> None:
        threads = {name: str(max(1, round(row.cpu))) for name in THREAD_VARIABLES}
        environment = WAITING | os.environ | threads | dict(row.environment)
        memory = "-"
        if row.memory_mb is not None:
            group = self._cgroups.make(row.id, row.memory_mb)
            memory = str(backstop_mb(row.memory_mb)) if group is None else str(group)
        exit_file = self._folder / f"{row.id}.exit"
        command = [sys.executable, "-m", "sandglass.engine.run", str(exit_file), memory, *row.command]
        with (self._folder / f"{row.id}.log").open("ab") as log:
            child = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=environment,
            )
        self._children[row.id] = child
        with self._database.write() as session:
            fresh = session.get_one(WorkRow, row.id)
            fresh.pid, fresh.pid_started = child.pid, _creation_time(child.pid)

    def _row(self, session: Session, work_id: str) -> WorkRow:
        row = session.get(WorkRow, work_id)
        if row is None:
            raise NotFound("work_unknown", Text(en=f"There is no work {work_id}.", zh=f"没有任务 {work_id}。"))
        return row


def _creation_time(pid: int) -> float | None:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def is_alive(pid: int | None, started: float | None) -> bool:
    """Whether the process is there and is the same one (not another that got its number), zombies aside."""
    if pid is None:
        return False
    try:
        process = psutil.Process(pid)
        same = started is None or abs(process.create_time() - started) < 1.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _belongs_elsewhere(owner: str | None) -> bool:
    """Whether the owner is an engine on another machine, whose processes cannot be seen from here."""
    return owner is not None and owner.split(":")[0] != socket.gethostname()


def _signal_group(pid: int | None, number: int) -> None:
    if pid is None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
