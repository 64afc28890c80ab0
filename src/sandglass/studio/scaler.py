"""Scales services: feeds the rules with load and time, and writes down how many processes are wanted."""

import logging
import threading
import time

from sqlalchemy import select

from sandglass.core.status import ServiceStatus
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.serving.meter import Meter
from sandglass.store.db import Database
from sandglass.store.tables import Service
from sandglass.studio.monitoring import ENDED, Monitor
from sandglass.studio.scaling import Load, LoadWindow, ScalingRules, decide
from sandglass.studio.serviceevents import note

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


class Scaler:
    """Used by one thread, the supervisor's, but for `wake`."""

    def __init__(self, database: Database, meter: Meter, monitor: Monitor) -> None:
        self._database = database
        self._meter = meter
        self._monitor = monitor
        self._windows: dict[str, LoadWindow] = {}
        self._calls: dict[str, int] = {}
        self._asked: set[str] = set()
        self._lock = threading.Lock()
        self._next = 0.0

    def wake(self, service_id: str) -> None:
        """A request waits for a service that is asleep."""
        with self._lock:
            self._asked.add(service_id)
            self._next = 0.0

    def tick(self) -> None:
        """Look at every service once a second; at once after `wake`."""
        now = time.monotonic()
        with self._lock:
            if now < self._next:
                return
            self._next = now + LOOK_SECONDS
            asked, self._asked = self._asked, set()
        with self._database.read() as session:
            services = session.scalars(select(Service).where(Service.status.not_in(ENDED))).all()
        for gone in self._windows.keys() - {service.id for service in services}:
            del self._windows[gone]
            self._calls.pop(gone, None)
        for service in services:
            self._scale(service, now, service.id in asked)

    def _scale(self, service: Service, now: float, asked: bool) -> None:
        rules = ScalingRules.model_validate(service.scaling)
        window = self._windows.setdefault(service.id, LoadWindow())
        open_requests, _ = self._meter.load(service.id)
        calls = self._meter.calls(service.id)
        coming_up = service.status in (ServiceStatus.CREATING, ServiceStatus.STARTING)
        window.add(now, open_requests, called=coming_up or calls != self._calls.get(service.id, 0))
        self._calls[service.id] = calls
        if not rules.automatic:
            if service.scaled is not None:
                self._set(service.id, None, Text(en="scaled by hand", zh="手动扩缩容"), rules)
            return
        present = service.instances if service.scaled is None else service.scaled
        recent = self._monitor.recent(service.id)
        load = Load(
            concurrency=window.concurrency,
            p95_ms=None if recent is None else recent.p95_ms,
            idle_seconds=0.0 if open_requests else now - window.last_request,
            asked=asked,
        )
        decision = decide(rules, service.instances, present, load, utc_now(), service.scaled_at)
        if service.scaled is None or decision.wanted != present:
            self._set(service.id, decision.wanted, decision.why, rules)

    def _set(self, service_id: str, wanted: int | None, why: Text | None, rules: ScalingRules) -> None:
        with self._database.write() as session:
            fresh = session.get(Service, service_id)
            if fresh is None or fresh.status in ENDED or ScalingRules.model_validate(fresh.scaling) != rules:
                return  # the rules have changed in between
            before = fresh.instances if fresh.scaled is None else fresh.scaled
            fresh.scaled, fresh.scaled_at = wanted, utc_now()
            after = fresh.instances if wanted is None else wanted
            if before == after:
                return
            reason = why or Text(en="rules", zh="规则")
            note(
                session,
                service_id,
                "scaled",
                Text(
                    en=f"From {before} to {after} processes: {reason.en}.",
                    zh=f"实例数由 {before} 变为 {after}：{reason.zh}。",
                ),
                key=f"{before}-{after}",
            )
        log.info("service %s: %d -> %d processes", service_id, before, after)
