"""Makes the processes of services what the database says they should be: start, notice, restart, replace, stop.

Every step reads what is there and does one thing, so it may be repeated after a crash at any point.
"""

import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from sandglass.core.errors import NotFound, SandglassError
from sandglass.core.problem import Problem, problem_of
from sandglass.core.settings import Settings
from sandglass.core.status import InstanceStatus, ServiceStatus
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.engine.base import Engine, Work, WorkState, WorkStatus
from sandglass.serving.limits import Limits
from sandglass.store.db import Database
from sandglass.store.tables import Instance, Service, ServiceVersion, new_id
from sandglass.studio.hooks import InstanceHooks
from sandglass.studio.models import Models
from sandglass.studio.monitoring import ENDED
from sandglass.studio.rollout import drain, live_instances, not_answering, note_ready, prune_gone, roll_out
from sandglass.studio.runs import environment
from sandglass.studio.serviceevents import note
from sandglass.studio.serviceviews import wanted_total
from sandglass.studio.specs import Specs

log = logging.getLogger(__name__)

DRAIN_PAUSE_SECONDS = 1.0
"""Between the last request sent to an instance and its being asked to end: a request on its way must not be refused."""
DRAIN_MARGIN_SECONDS = 5.0
OVERTIME_SECONDS = 120.0
"""An instance leaves by itself so long after its service should have stopped it, in case the server is gone."""
READY_SECONDS = 300.0
"""How long an instance may take to load its model and answer for the first time."""
HEALTH_SECONDS = 5.0
HEALTH_TIMEOUT_SECONDS = 2.0
UNHEALTHY_AFTER = 3
"""Health checks in a row without an answer, after which an instance is restarted."""
GIVE_UP_AFTER = 3
"""Failed starts after which a service that never ran is given up."""
STEADY_SECONDS = 120.0
"""An instance that was ready so long starts again without the pause of those that fail at once."""
LONGEST_PAUSE_SECONDS = 60.0
WARN_SECONDS = 600.0
"""A warning comes so long before the end of the maximum run time, or a tenth of it before when that is shorter."""
MOST_WORKS = 20
QUEUE_CPU = 0.05
"""Cores that an instance counts for in the engine's queue: it waits for requests most of the time, and must not wait
behind a training of hours."""


class Instances:
    """Carries out what `studio.services` wrote down. Used by one thread, the supervisor's.

    Args:
        settings: where the installation is.
        database: holds services and instances.
        engine: runs the processes.
        models: gives model folders.
        specs: give threads and memory.
        changed: is called when requests must go elsewhere.
        soon: is called when work was handed to the engine, which should look at it now.
        hooks: told of the beginning and end of instances.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        engine: Engine,
        models: Models,
        specs: Specs,
        changed: Callable[[], None] = lambda: None,
        soon: Callable[[], None] = lambda: None,
        hooks: InstanceHooks | None = None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._engine = engine
        self._models = models
        self._specs = specs
        self._changed = changed
        self._soon = soon
        self._hooks = hooks or InstanceHooks()
        self._folder = settings.home / "instances"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._not_before: dict[str, float] = {}
        self._http = httpx.Client(timeout=HEALTH_TIMEOUT_SECONDS, trust_env=False)
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="health")
        self._checks: dict[str, Future[bool]] = {}
        self._failures: dict[str, int] = {}
        self._quick_ends: dict[str, int] = {}
        self._leases: dict[str, float | None] = {}

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
            rows = live_instances(session, service_id)
        self._lease(service)
        if service.status != ServiceStatus.STOPPING and service.expires_at is not None:
            service = self._watch_time(service)
        if service.status == ServiceStatus.STOPPING:
            final = ServiceStatus.ARREARS_STOPPED if service.reason == "arrears" else ServiceStatus.STOPPED
            self._wind_down(service, rows, final)
            return
        with self._database.write() as session:
            fresh = session.get(Service, service_id)
            if fresh is None or fresh.status in ENDED or fresh.status == ServiceStatus.STOPPING:
                return
            if roll_out(session, fresh):
                self._changed()
            rows = live_instances(session, service_id)
        for row in rows:
            self._step(service, row)
        self._judge(service_id)

    # Time

    def _lease(self, service: Service) -> None:
        """Tell a service's processes until when they may run should this server be gone; read by them each second."""
        until = None if service.expires_at is None else service.expires_at.timestamp() + OVERTIME_SECONDS
        if service.id in self._leases and self._leases[service.id] == until:
            return
        path = self._lease_file(service.id)
        temporary = path.with_suffix(".new")
        try:
            temporary.write_text(json.dumps({"until": until}), "utf-8")
            temporary.replace(path)
        except OSError as error:  # a full disk; tried again at the next step
            log.warning("the lease of %s cannot be written: %s", service.name, error)
            return
        self._leases[service.id] = until

    def _watch_time(self, service: Service) -> Service:
        """Stop a service whose time is up, and say so some time before."""
        now = utc_now()
        assert service.expires_at is not None
        left = (service.expires_at - now).total_seconds()
        early = min(WARN_SECONDS, (service.max_run_seconds or 0) / 10)
        if left > early:
            return service
        with self._database.write() as session:
            fresh = session.get_one(Service, service.id)
            if fresh.expires_at is None or fresh.expires_at != service.expires_at:
                return fresh  # extended in between
            if left <= 0:
                fresh.status, fresh.reason = ServiceStatus.STOPPING, "time_limit"
                note(session, fresh.id, "time_limit", Text(en="The maximum run time is over.", zh="已到最长运行时长。"))
            else:
                key = fresh.expires_at.isoformat()
                if self._leases.get(f"warned {fresh.id}") != fresh.expires_at.timestamp():
                    self._leases[f"warned {fresh.id}"] = fresh.expires_at.timestamp()
                    note(
                        session,
                        fresh.id,
                        "expires_soon",
                        Text(
                            en=f"The service stops by itself in {left / 60:.0f} min ({left:.0f} s).",
                            zh=f"服务将在 {left / 60:.0f} 分钟（{left:.0f} 秒）后自动停止。",
                        ),
                        severity="warning",
                        key=key,
                    )
            return fresh

    # One instance

    def _step(self, service: Service, row: Instance) -> None:
        if row.status == InstanceStatus.DRAINING:
            self._drain(service, row)
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
            self._ended(service, row, state)
        elif state.state is WorkState.RUNNING:
            self._look(service, row, state)

    def _submit(self, service: Service, row: Instance) -> None:
        work_id = new_id("wk")
        with self._database.write() as session:
            fresh = session.get(Instance, row.id)
            if fresh is None or fresh.work_id is not None:
                return
            if fresh.started_at is None:
                self._hooks.starting(session, session.get_one(Service, service.id), fresh)
                fresh.started_at = utc_now()
            fresh.work_id, fresh.address, fresh.status = work_id, None, InstanceStatus.STARTING
            fresh.works = [*fresh.works, work_id][-MOST_WORKS:]
        self._hand_over(service, row, work_id)

    def _hand_over(self, service: Service, row: Instance, work_id: str) -> None:
        """Give the engine the process of an instance, by its recipe or, if that was withdrawn, the present settings."""
        with self._database.read() as session:
            version = session.get_one(ServiceVersion, row.version_id)
        recipe: dict[str, Any] = row.recipe or {
            "model": version.model_id,
            "spec": service.spec,
            "threshold": version.threshold,
        }
        spec = self._specs.known(recipe["spec"])
        threads = str(spec.cpu)
        command = [
            *(sys.executable, "-m", "sandglass.serving.instance"),
            *("--model", str(self._models.folder(recipe["model"]))),
            *("--service", service.name),
            *("--model-id", recipe["model"]),
            *("--threads", threads),
            *("--ready-file", str(self._ready_file(work_id))),
            *("--lease-file", str(self._lease_file(service.id))),
            *("--drain-seconds", f"{_deadline(service):g}"),
        ]
        if recipe["threshold"] is not None:
            command += ["--threshold", str(recipe["threshold"])]
        if self._settings.allow_picture_urls:
            command.append("--urls")
            command += [part for network in self._settings.picture_url_networks for part in ("--url-network", network)]
        told = environment(self._settings) | dict.fromkeys(
            ("SANDGLASS_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads
        )
        work = Work(command=tuple(command), environment=told, cpu=QUEUE_CPU, memory_mb=spec.memory_mb)
        self._engine.submit(work, work_id)
        self._soon()

    def _ready_file(self, work_id: str) -> Path:
        return self._folder / f"{work_id}.json"

    def _lease_file(self, service_id: str) -> Path:
        return self._folder / f"{service_id}.lease"

    def _look(self, service: Service, row: Instance, state: WorkStatus) -> None:
        """Notice that it is ready, and that it answers."""
        if row.address is None:
            told = _read_ready(self._ready_file(row.work_id or ""))
            if told is not None:
                with self._database.write() as session:
                    fresh = session.get(Instance, row.id)
                    if fresh is not None and fresh.work_id == row.work_id:
                        fresh.address, fresh.places = told["address"], int(told["places"])
                        fresh.status = InstanceStatus.READY
                        fresh.heartbeat_at = fresh.ready_at = utc_now()
                        note_ready(session, fresh)
                self._failures.pop(row.id, None)
                self._changed()
            elif state.started_at is not None and utc_now() - state.started_at > timedelta(seconds=READY_SECONDS):
                log.warning("instance %s of %s is not ready after %.0f s", row.id, service.name, READY_SECONDS)
                self._engine.stop(row.work_id or "", 1.0)
            return
        check = self._checks.get(row.id)
        if check is not None and check.done():
            del self._checks[row.id]
            self._not_before[f"health {row.id}"] = time.monotonic() + HEALTH_SECONDS
            self._checked(service, row, healthy=check.result())
        elif check is None and time.monotonic() >= self._not_before.get(f"health {row.id}", 0.0):
            self._checks[row.id] = self._pool.submit(self._healthy, row.address)

    def _healthy(self, address: str) -> bool:
        try:
            return self._http.get(f"{address}/health").is_success
        except httpx.HTTPError:
            return False

    def _checked(self, service: Service, row: Instance, *, healthy: bool) -> None:
        failures = 0 if healthy else self._failures.get(row.id, 0) + 1
        self._failures[row.id] = failures
        with self._database.write() as session:
            fresh = session.get(Instance, row.id)
            if fresh is None or fresh.work_id != row.work_id or fresh.status == InstanceStatus.DRAINING:
                return
            if healthy:
                fresh.heartbeat_at = utc_now()
                if fresh.status == InstanceStatus.UNHEALTHY:
                    fresh.status = InstanceStatus.READY
                    self._changed()
                return
            fresh.status = InstanceStatus.UNHEALTHY
            note(
                session,
                service.id,
                "instance_unhealthy",
                Text(en="The instance does not answer its health check.", zh="实例未响应健康检查。"),
                severity="warning",
                instance=row.id,
            )
        self._changed()
        if failures >= UNHEALTHY_AFTER:
            log.warning("instance %s does not answer and is restarted", row.id)
            self._engine.stop(row.work_id or "", 1.0)

    def _ended(self, service: Service, row: Instance, state: WorkStatus) -> None:
        """A process has gone that nobody asked to go: start it again after a pause, and keep why it went."""
        tail = self._log_tail(row.work_id or "")
        code = "?" if state.exit_code is None else str(state.exit_code)
        why = f"exit code {code}" + (f": {tail}" if tail else "")
        if state.reason == "memory":
            limit = self._specs.known(service.spec).memory_mb
            why = f"it took more than its {limit} MiB of memory"
        lived = row.ready_at is not None and (utc_now() - row.ready_at).total_seconds() > STEADY_SECONDS
        quick = self._quick_ends[row.id] = 1 if lived else self._quick_ends.get(row.id, 0) + 1
        pause = min(LONGEST_PAUSE_SECONDS, 2.0 ** (quick - 1) / 2)
        self._not_before[row.id] = time.monotonic() + pause
        with self._database.write() as session:
            fresh = session.get(Instance, row.id)
            if fresh is None or fresh.work_id != row.work_id:
                return
            fresh.restarts += 1
            fresh.status, fresh.work_id, fresh.address = InstanceStatus.RESTARTING, None, None
            fresh.ready_at = None
            fresh.reason = why
            note(
                session,
                service.id,
                "instance_out_of_memory" if state.reason == "memory" else "instance_ended",
                Text(en=f"The instance ended unexpectedly: {why}.", zh=f"实例意外结束：{why}。"),
                severity="warning",
                instance=row.id,
            )
        self._changed()
        self._ready_file(row.work_id or "").unlink(missing_ok=True)
        log.warning("instance %s of %s ended (%s), restart in %.1f s", row.id, service.name, why, pause)

    def _log_tail(self, work_id: str) -> str:
        data = self._engine.log_end(work_id, 4000)
        lines = data.decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:500] if lines else ""

    def _drain(self, service: Service, row: Instance) -> None:
        """Ask a process to end once no request can be on its way to it; it finishes what it has begun."""
        if self._over(row):
            self._gone(row.id)
        elif row.draining_at is None or (utc_now() - row.draining_at).total_seconds() >= DRAIN_PAUSE_SECONDS:
            self._engine.stop(row.work_id or "", _deadline(service) + DRAIN_MARGIN_SECONDS)

    def _over(self, row: Instance) -> bool:
        if row.work_id is None:
            return True
        try:
            return self._engine.poll(row.work_id).state.over
        except NotFound:
            return True

    def _gone(self, instance_id: str) -> None:
        """An instance has ended for good."""
        with self._database.write() as session:
            fresh = session.get(Instance, instance_id)
            if fresh is None or fresh.ended_at is not None:
                return
            fresh.status, fresh.address, fresh.ended_at = InstanceStatus.STOPPED, None, utc_now()
            if fresh.started_at is not None:
                self._hooks.ended(session, session.get_one(Service, fresh.service_id), fresh)
            work_id = fresh.work_id
            prune_gone(session, fresh.service_id)
        self._failures.pop(instance_id, None)
        self._quick_ends.pop(instance_id, None)
        self._checks.pop(instance_id, None)
        self._not_before.pop(instance_id, None)
        self._not_before.pop(f"health {instance_id}", None)
        self._ready_file(work_id or "").unlink(missing_ok=True)

    # The whole service

    def _judge(self, service_id: str) -> None:
        """The status of a service follows from its instances."""
        with self._database.write() as session:
            service = session.get(Service, service_id)
            if service is None or service.status in ENDED or service.status == ServiceStatus.STOPPING:
                return
            rows = live_instances(session, service_id)
            ready = [row for row in rows if row.status == InstanceStatus.READY]
            restarts = max((row.restarts for row in rows), default=0)
            status, error = ServiceStatus.STARTING, None
            if ready:
                status = ServiceStatus.RUNNING
                if service.started_at is None:
                    service.started_at = utc_now()
                    if service.max_run_seconds is not None:
                        service.expires_at = service.started_at + timedelta(seconds=service.max_run_seconds)
            elif wanted_total(service) == 0 and not rows:
                status = ServiceStatus.SLEEPING
            elif service.started_at is not None and restarts:
                status, error = ServiceStatus.ABNORMAL, not_answering(rows)
            elif restarts >= GIVE_UP_AFTER:
                error = not_answering(rows)
            if status != service.status:
                _note_status(session, service, status)
            service.status = status
            service.error = None if error is None else error.model_dump(mode="json")
            given_up = service.started_at is None and not ready and restarts >= GIVE_UP_AFTER
        if given_up:
            self._wind_down(service, rows, ServiceStatus.CREATE_FAILED)

    def _wind_down(self, service: Service, rows: Sequence[Instance], final: ServiceStatus) -> None:
        """Let all processes go; once they have, the service has ended."""
        left = False
        for row in rows:
            if self._over(row):
                self._gone(row.id)
                continue
            left = True
            self._engine.stop(row.work_id or "", _deadline(service) + DRAIN_MARGIN_SECONDS)
            if row.status != InstanceStatus.DRAINING:
                with self._database.write() as session:
                    fresh = session.get(Instance, row.id)
                    if fresh is not None:
                        drain(fresh)
                self._changed()
        if not left:
            with self._database.write() as session:
                fresh_service = session.get(Service, service.id)
                if fresh_service is not None and fresh_service.status not in ENDED:
                    _note_status(session, fresh_service, final)
                    fresh_service.status, fresh_service.ended_at = final, utc_now()
                    fresh_service.scaled = fresh_service.scaled_at = None
            self._leases.pop(service.id, None)
            self._leases.pop(f"warned {service.id}", None)
            self._lease_file(service.id).unlink(missing_ok=True)
            self._changed()

    def _fail(self, service_id: str, problem: Problem) -> None:
        """Something that no restart would mend: the model cannot be fetched, the instance may not start."""
        log.error("service %s: %s", service_id, problem.message.en)
        with self._database.write() as session:
            service = session.get(Service, service_id)
            if service is None or service.status in ENDED or service.status == ServiceStatus.STOPPING:
                return
            service.error = problem.model_dump(mode="json")
            note(session, service_id, problem.code[:40], problem.message, severity="warning")
            rows = live_instances(session, service_id)
            ready = any(row.status == InstanceStatus.READY for row in rows)
            if service.started_at is not None and not ready:
                service.status = ServiceStatus.ABNORMAL
        if service.started_at is None:
            self._wind_down(service, rows, ServiceStatus.CREATE_FAILED)


def _deadline(service: Service) -> float:
    return Limits.model_validate(service.limits).deadline_seconds


def _read_ready(ready_file: Path) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = json.loads(ready_file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    return told


def _note_status(session: Any, service: Service, status: ServiceStatus) -> None:  # noqa: ANN401
    sentences = {
        ServiceStatus.RUNNING: Text(en="The service answers.", zh="服务已可用。"),
        ServiceStatus.SLEEPING: Text(en="Asleep; the next request wakes it.", zh="已休眠，收到请求后自动唤醒。"),
        ServiceStatus.ABNORMAL: Text(en="No instance answers.", zh="没有可用的实例。"),
        ServiceStatus.CREATE_FAILED: Text(en="The service could not be started.", zh="服务创建失败。"),
        ServiceStatus.STOPPED: Text(en="The service has stopped.", zh="服务已停止。"),
        ServiceStatus.ARREARS_STOPPED: Text(en="Stopped for arrears.", zh="因欠费停止。"),
    }
    sentence = sentences.get(status)
    if sentence is not None:
        bad = status in (ServiceStatus.ABNORMAL, ServiceStatus.CREATE_FAILED, ServiceStatus.ARREARS_STOPPED)
        note(session, service.id, f"service_{status.value}", sentence, severity="warning" if bad else "normal")
