"""Makes the processes of services what the database says they should be: start, notice, restart, replace, stop.

Every step reads what is there and does one thing, so it may be repeated after a crash at any point.
"""

import json
import logging
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
from sqlalchemy import select
from sqlalchemy.orm import Session

from sandglass.core.errors import NotFound, SandglassError
from sandglass.core.problem import Problem, problem_of
from sandglass.core.settings import Settings
from sandglass.core.status import InstanceStatus, ServiceStatus
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.engine.base import Engine, Work, WorkState
from sandglass.store.db import Database
from sandglass.store.tables import Instance, Service, ServiceVersion, new_id
from sandglass.studio.models import Models
from sandglass.studio.runs import environment
from sandglass.studio.services import ENDED, GONE, REPLACED
from sandglass.studio.specs import CATALOGUE

log = logging.getLogger(__name__)

DRAIN_SECONDS = 10.0
"""How long an instance may take to finish its requests."""
OVERTIME_SECONDS = 120.0
"""An instance leaves by itself so long after its service should have stopped it, in case the server is gone."""
HEALTH_SECONDS = 5.0
HEALTH_TIMEOUT_SECONDS = 2.0
UNHEALTHY_AFTER = 3
"""Health checks in a row without an answer, after which an instance is restarted."""
GIVE_UP_AFTER = 3
"""Failed starts after which a service that never ran is given up."""
LONGEST_PAUSE_SECONDS = 60.0
QUEUE_CPU = 0.05
"""Cores that an instance counts for in the engine's queue: it waits for requests most of the time, and must not wait
behind a training of hours."""


class Instances:
    """Carries out what `studio.services` wrote down. Used by one thread, the supervisor's."""

    def __init__(self, settings: Settings, database: Database, engine: Engine, models: Models) -> None:
        self._settings = settings
        self._database = database
        self._engine = engine
        self._models = models
        self._folder = settings.home / "instances"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._not_before: dict[str, float] = {}
        self._http = httpx.Client(timeout=HEALTH_TIMEOUT_SECONDS, trust_env=False)
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="health")
        self._checks: dict[str, tuple[float, Future[bool]]] = {}
        self._failures: dict[str, int] = {}

    def close(self) -> None:
        """Stop looking; instances go on."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._http.close()

    def reconcile(self) -> None:
        """Take every service one step nearer to what it should be."""
        with self._database.read() as session:
            services = session.scalars(select(Service.id).where(Service.status.not_in(ENDED))).all()
        for service_id in services:
            try:
                self._reconcile(service_id)
            except SandglassError as error:
                self._fail(service_id, problem_of(error))

    def _reconcile(self, service_id: str) -> None:
        with self._database.read() as session:
            service = session.get(Service, service_id)
            if service is None or service.status in ENDED:
                return
            rows = _live(session, service_id)
        if (
            service.expires_at is not None
            and utc_now() >= service.expires_at
            and service.status != ServiceStatus.STOPPING
        ):
            with self._database.write() as session:
                fresh = session.get(Service, service_id)
                if fresh is None or fresh.expires_at is None or utc_now() < fresh.expires_at:
                    return  # extended in between
                fresh.status, fresh.reason = ServiceStatus.STOPPING, "time_limit"
            service = fresh
        if service.status == ServiceStatus.STOPPING:
            self._wind_down(service, rows, ServiceStatus.STOPPED)
            return
        for row in rows:
            self._step(service, row)
        self._replace(service)
        self._judge(service_id)

    # One instance

    def _step(self, service: Service, row: Instance) -> None:
        if row.status == InstanceStatus.DRAINING:
            if self._over(row):
                self._set(row.id, InstanceStatus.STOPPED)
            else:
                self._engine.stop(row.work_id or "", DRAIN_SECONDS)
            return
        if row.work_id is None:
            if time.monotonic() >= self._not_before.get(row.id, 0.0):
                self._submit(service, row)
            return
        try:
            state = self._engine.poll(row.work_id)
        except NotFound:  # the server died between writing the id down and handing the work over
            self._hand_over(service, row, row.work_id)
            return
        if state.state.over:
            self._ended(row, state.exit_code)
        elif state.state is WorkState.RUNNING:
            self._look(row)

    def _submit(self, service: Service, row: Instance) -> None:
        work_id = new_id("wk")
        with self._database.write() as session:
            fresh = session.get(Instance, row.id)
            if fresh is None or fresh.work_id is not None:
                return
            fresh.work_id, fresh.address = work_id, None
            fresh.status = InstanceStatus.STARTING
        self._hand_over(service, row, work_id)

    def _hand_over(self, service: Service, row: Instance, work_id: str) -> None:
        with self._database.read() as session:
            model_id = session.get_one(ServiceVersion, row.version_id).model_id
        spec = {spec.id: spec for spec in CATALOGUE}[service.spec]
        threads = str(spec.cpu)
        command = [
            *(sys.executable, "-m", "sandglass.serving.instance"),
            *("--model", str(self._models.folder(model_id))),
            *("--service", service.name),
            *("--model-id", model_id),
            *("--threads", threads),
            *("--ready-file", str(self._ready_file(work_id))),
        ]
        if service.threshold is not None:
            command += ["--threshold", str(service.threshold)]
        if service.max_run_seconds is not None:
            until = service.expires_at or utc_now() + timedelta(seconds=service.max_run_seconds)
            command += ["--until", f"{until.timestamp() + OVERTIME_SECONDS:.0f}"]
        told = environment(self._settings) | dict.fromkeys(
            ("SANDGLASS_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads
        )
        self._engine.submit(Work(command=tuple(command), environment=told, cpu=QUEUE_CPU), work_id)

    def _ready_file(self, work_id: str) -> Path:
        return self._folder / f"{work_id}.json"

    def _look(self, row: Instance) -> None:
        """Notice that it is ready, and that it answers."""
        if row.address is None:
            address = _address(self._ready_file(row.work_id or ""))
            if address is not None:
                with self._database.write() as session:
                    fresh = session.get(Instance, row.id)
                    if fresh is not None and fresh.work_id == row.work_id:
                        fresh.address, fresh.status, fresh.heartbeat_at = address, InstanceStatus.READY, utc_now()
                self._failures.pop(row.id, None)
            return
        since, check = self._checks.get(row.id, (0.0, None))
        if check is not None and check.done():
            del self._checks[row.id]
            self._checked(row, healthy=check.result())
            since, check = time.monotonic(), None
            self._not_before[f"health {row.id}"] = since + HEALTH_SECONDS
        if check is None and time.monotonic() >= self._not_before.get(f"health {row.id}", 0.0):
            self._checks[row.id] = (time.monotonic(), self._pool.submit(self._healthy, row.address))

    def _healthy(self, address: str) -> bool:
        try:
            return self._http.get(f"{address}/health").is_success
        except httpx.HTTPError:
            return False

    def _checked(self, row: Instance, *, healthy: bool) -> None:
        if healthy:
            self._failures.pop(row.id, None)
            with self._database.write() as session:
                fresh = session.get(Instance, row.id)
                if fresh is not None and fresh.work_id == row.work_id:
                    fresh.heartbeat_at = utc_now()
                    if fresh.status == InstanceStatus.UNHEALTHY:
                        fresh.status = InstanceStatus.READY
            return
        self._failures[row.id] = self._failures.get(row.id, 0) + 1
        self._set(row.id, InstanceStatus.UNHEALTHY, reason=row.reason)
        if self._failures[row.id] >= UNHEALTHY_AFTER:
            log.warning("instance %s does not answer and is restarted", row.id)
            self._engine.stop(row.work_id or "", DRAIN_SECONDS)

    def _ended(self, row: Instance, exit_code: int | None) -> None:
        """A process has gone that nobody asked to go: start it again after a pause, and keep why it went."""
        tail = self._log_tail(row.work_id or "")
        if row.reason == REPLACED:
            self._set(row.id, InstanceStatus.STOPPED, reason=REPLACED)
            return
        code = "?" if exit_code is None else str(exit_code)
        with self._database.write() as session:
            fresh = session.get(Instance, row.id)
            if fresh is None or fresh.work_id != row.work_id:
                return
            fresh.restarts += 1
            fresh.status, fresh.work_id, fresh.address = InstanceStatus.RESTARTING, None, None
            fresh.reason = f"exit code {code}" + (f": {tail}" if tail else "")
            restarts = fresh.restarts
        pause = min(LONGEST_PAUSE_SECONDS, 2.0 ** (restarts - 1) / 2)
        self._not_before[row.id] = time.monotonic() + pause
        self._ready_file(row.work_id or "").unlink(missing_ok=True)
        log.warning("instance %s ended (exit code %s), restart in %.1f s", row.id, code, pause)

    def _log_tail(self, work_id: str) -> str:
        data, end = b"", 0
        while True:
            piece, end = self._engine.logs(work_id, end)
            if not piece:
                break
            data = (data + piece)[-4000:]
        lines = data.decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:500] if lines else ""

    def _over(self, row: Instance) -> bool:
        if row.work_id is None:
            return True
        try:
            return self._engine.poll(row.work_id).state.over
        except NotFound:
            return True

    def _set(self, instance_id: str, status: InstanceStatus, reason: str | None = None) -> None:
        with self._database.write() as session:
            fresh = session.get(Instance, instance_id)
            if fresh is not None:
                fresh.status, fresh.reason = status, reason if reason is not None else fresh.reason
                if status == InstanceStatus.STOPPED:
                    fresh.address = None

    # The whole service

    def _replace(self, service: Service) -> None:
        """Keep as many processes as wanted; once the new ones answer, let replaced ones go."""
        with self._database.write() as session:
            fresh = session.get(Service, service.id)
            if fresh is None or fresh.status in ENDED:
                return
            rows = _live(session, service.id)
            current = [row for row in rows if row.reason != REPLACED and row.status != InstanceStatus.DRAINING]
            for _ in range(fresh.instances - len(current)):
                version = session.scalars(
                    select(ServiceVersion.id)
                    .where(ServiceVersion.service_id == service.id)
                    .order_by(ServiceVersion.number.desc())
                ).first()
                session.add(Instance(service_id=service.id, version_id=version or "", status=InstanceStatus.STARTING))
            if sum(row.status == InstanceStatus.READY for row in current) >= fresh.instances:
                for row in rows:
                    if row.reason == REPLACED and row.status != InstanceStatus.DRAINING:
                        row.status = InstanceStatus.DRAINING

    def _judge(self, service_id: str) -> None:
        """The status of a service follows from its instances."""
        with self._database.write() as session:
            service = session.get(Service, service_id)
            if service is None or service.status in ENDED or service.status == ServiceStatus.STOPPING:
                return
            rows = _live(session, service_id)
            ready = [row for row in rows if row.status == InstanceStatus.READY]
            restarts = max((row.restarts for row in rows), default=0)
            if ready:
                service.status, service.error = ServiceStatus.RUNNING, None
                if service.started_at is None:
                    service.started_at = utc_now()
                    if service.max_run_seconds is not None:
                        service.expires_at = service.started_at + timedelta(seconds=service.max_run_seconds)
            elif service.started_at is not None:
                service.status = ServiceStatus.ABNORMAL
                service.error = _not_answering(rows).model_dump(mode="json")
            elif restarts >= GIVE_UP_AFTER:
                service.error = _not_answering(rows).model_dump(mode="json")
            else:
                service.status = ServiceStatus.STARTING
            given_up = service.started_at is None and not ready and restarts >= GIVE_UP_AFTER
        if given_up:
            self._wind_down(service, rows, ServiceStatus.CREATE_FAILED)

    def _wind_down(self, service: Service, rows: Sequence[Instance], final: ServiceStatus) -> None:
        """Let all processes go; once they have, the service has ended."""
        left = False
        for row in rows:
            if self._over(row):
                self._set(row.id, InstanceStatus.STOPPED)
                continue
            left = True
            self._engine.stop(row.work_id or "", DRAIN_SECONDS)
            if row.status != InstanceStatus.DRAINING:
                self._set(row.id, InstanceStatus.DRAINING)
        if not left:
            with self._database.write() as session:
                fresh = session.get(Service, service.id)
                if fresh is not None and fresh.status not in ENDED:
                    fresh.status, fresh.ended_at = final, utc_now()

    def _fail(self, service_id: str, problem: Problem) -> None:
        """Something that no restart would mend: the model cannot be fetched."""
        log.error("service %s: %s", service_id, problem.message.en)
        with self._database.write() as session:
            service = session.get(Service, service_id)
            if service is None or service.status in ENDED:
                return
            service.error = problem.model_dump(mode="json")
            rows = _live(session, service_id)
            if service.started_at is not None:
                service.status = ServiceStatus.ABNORMAL
        if service.started_at is None:
            self._wind_down(service, rows, ServiceStatus.CREATE_FAILED)


def _live(session: Session, service_id: str) -> list[Instance]:
    return list(
        session.scalars(
            select(Instance)
            .where(Instance.service_id == service_id, Instance.status.not_in(GONE))
            .order_by(Instance.created_at, Instance.id)
        )
    )


def _address(ready_file: Path) -> str | None:
    try:
        return str(json.loads(ready_file.read_text("utf-8"))["address"])
    except FileNotFoundError:
        return None


def _not_answering(rows: Sequence[Instance]) -> Problem:
    why = next((row.reason for row in rows if row.reason and row.reason != REPLACED), None)
    return Problem(
        code="service_not_answering",
        message=Text(
            en="No instance of the service answers" + (f" ({why})." if why else "."),
            zh="服务没有可用的实例" + (f"（{why}）。" if why else "。"),
        ),
        action=Text(en="Look at the service's logs; it is restarted by itself.", zh="请查看服务日志；系统会自动重启。"),
    )
