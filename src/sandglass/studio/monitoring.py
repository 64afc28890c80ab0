"""The numbers of services over time: taken from the meter and the processes each tick, kept in a ring in the database."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from sandglass.core.status import ServiceStatus
from sandglass.core.value import Value
from sandglass.serving.meter import SERVICE, Counts, Meter, quantile
from sandglass.store.db import Database
from sandglass.store.tables import Instance, Service, ServiceMetric, ServiceVersion

log = logging.getLogger(__name__)

TICK_SECONDS = 10
LONG_TICK_SECONDS = 300
RINGS = {TICK_SECONDS: 24 * 360, LONG_TICK_SECONDS: 14 * 288}
"""Slots by length of the tick: 24 hours of 10 s, 14 days of 5 min."""
ENDED = tuple(status.value for status in ServiceStatus if status.final)
RECENT_TICKS = 6
_COUNTED = ("calls", "success", "invalid", "limited", "error", "answers", "low", "empty")


class Usage(Value):
    """What a process takes at present: cores, and MiB of memory."""

    cpu: float
    memory_mb: float


class Recent(Value):
    """The last minute of a service.

    Attributes:
        calls_per_second: of all calls.
        p95_ms: None = no call was answered.
        error_share: of all calls, 0..1; None = no calls.
    """

    calls_per_second: float
    p95_ms: float | None
    error_share: float | None


class Monitor:
    """Takes the numbers of all services each tick. Used by one thread, the supervisor's; reads come from any.

    Args:
        database: keeps the ring.
        meter: counts calls.
        measure: processor seconds used so far and MiB of memory now of a piece of work; None = it is gone.
        clock: epoch seconds.
    """

    def __init__(
        self,
        database: Database,
        meter: Meter,
        measure: Callable[[str], tuple[float, float] | None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._meter = meter
        self._measure_work = measure
        self._clock = clock
        self._tick = int(clock() // TICK_SECONDS)
        self._cpu_before: dict[str, tuple[str, float, float]] = {}
        self._usage: dict[str, Usage] = {}
        self._recent: dict[str, deque[Counts]] = {}
        self._lock = threading.Lock()
        self._failing = False

    def usage(self, instance_id: str) -> Usage | None:
        """What an instance takes; None = not known yet."""
        with self._lock:
            return self._usage.get(instance_id)

    def recent(self, service_id: str) -> Recent | None:
        """The last minute of a service; None = not known yet."""
        with self._lock:
            ticks = list(self._recent.get(service_id, ()))
        if not ticks:
            return None
        together = Counts()
        for tick in ticks:
            together.add(tick)
        failed = together.error
        return Recent(
            calls_per_second=together.calls / (len(ticks) * TICK_SECONDS),
            p95_ms=quantile(together.latency, 0.95),
            error_share=failed / together.calls if together.calls else None,
        )

    def tick(self) -> None:
        """Write the tick that has ended, if one has."""
        now = self._clock()
        tick = int(now // TICK_SECONDS)
        if tick == self._tick:
            return
        ended = self._tick if tick == self._tick + 1 else tick - 1
        self._tick = tick
        taken = self._meter.take()
        measured = self._measure()
        samples: dict[str, dict[str, dict[str, Any]]] = {}
        for service_id in {*taken, *measured}:
            subjects = samples.setdefault(service_id, {SERVICE: {}})
            for subject, counts in taken.get(service_id, {}).items():
                subjects.setdefault(subject, {}).update(_packed(counts))
            for subject, used in measured.get(service_id, {}).items():
                subjects.setdefault(subject, {}).update(used)
        self._remember(taken, measured)
        try:
            self._write(ended * TICK_SECONDS, samples)
        except (SQLAlchemyError, OSError) as error:
            # The numbers are counted with the next tick instead.
            self._meter.give_back(taken)
            if not self._failing:
                log.warning("metrics cannot be written, they are kept until they can: %s", error)
            self._failing = True
        else:
            self._failing = False

    def _remember(self, taken: Mapping[str, Mapping[str, Counts]], measured: Mapping[str, object]) -> None:
        with self._lock:
            for service_id in {*taken, *measured}:
                latest = self._recent.setdefault(service_id, deque(maxlen=RECENT_TICKS))
                latest.append(taken.get(service_id, {}).get(SERVICE) or Counts())
            for gone in self._recent.keys() - taken.keys() - measured.keys():
                del self._recent[gone]

    def _measure(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Processor seconds since the last look and memory now, by service and subject."""
        now = time.monotonic()
        before, self._cpu_before = self._cpu_before, {}
        usage: dict[str, Usage] = {}
        with self._database.read() as session:
            live = session.scalars(select(Service.id).where(Service.status.not_in(ENDED))).all()
            processes = session.execute(
                select(Instance.service_id, Instance.id, ServiceVersion.number, Instance.work_id)
                .join(ServiceVersion, ServiceVersion.id == Instance.version_id)
                .where(Instance.work_id.is_not(None), Instance.ended_at.is_(None), Instance.service_id.in_(live))
            ).all()
        found: dict[str, dict[str, dict[str, Any]]] = {service_id: {} for service_id in live}
        for service_id, instance_id, version, work_id in processes:
            measured = self._measure_work(work_id or "")
            if measured is None:
                continue
            used, memory = measured
            self._cpu_before[instance_id] = (work_id or "", now, used)
            known, since, earlier = before.get(instance_id, ("", now - TICK_SECONDS, 0.0))
            cpu = max(0.0, used - earlier if known == work_id else used)
            usage[instance_id] = Usage(cpu=round(cpu / max(1e-3, now - since), 3), memory_mb=round(memory, 1))
            for subject in (SERVICE, f"v{version}", instance_id):
                sample = found[service_id].setdefault(subject, {"cpu": 0.0, "memory": 0.0})
                sample["cpu"] = round(sample["cpu"] + cpu, 3)
                sample["memory"] = round(sample["memory"] + memory, 1)
        with self._lock:
            self._usage = usage
        return found

    def _write(self, at: int, samples: Mapping[str, dict[str, dict[str, Any]]]) -> None:
        if not samples:
            return
        with self._database.write() as session:
            known = set(session.scalars(select(Service.id).where(Service.id.in_(samples))))
            for service_id in known:
                for seconds, slots in RINGS.items():
                    tick = at - at % seconds
                    slot = tick // seconds % slots
                    row = session.get(ServiceMetric, (service_id, seconds, slot))
                    if row is None:
                        row = ServiceMetric(service_id=service_id, seconds=seconds, slot=slot, tick=tick, data={})
                        session.add(row)
                    if row.tick != tick:
                        row.tick, row.data = tick, {}
                    row.data = merge(row.data, samples[service_id])


def _packed(counts: Counts) -> dict[str, Any]:
    """Only what is not zero."""
    packed: dict[str, Any] = {name: value for name in _COUNTED if (value := getattr(counts, name))}
    if counts.latency:
        packed["latency"] = {str(bucket): count for bucket, count in counts.latency.items()}
        packed["ms"] = round(counts.latency_ms, 1)
    return packed


def merge(one: Mapping[str, dict[str, Any]], other: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Two ticks as one: counts add up, memory is the larger."""
    result = {subject: dict(sample) for subject, sample in one.items()}
    for subject, sample in other.items():
        into = result.setdefault(subject, {})
        for name, value in sample.items():
            if name == "memory":
                into[name] = max(into.get(name, 0.0), value)
            elif name == "latency":
                into[name] = {
                    bucket: into.get(name, {}).get(bucket, 0) + value.get(bucket, 0)
                    for bucket in {*into.get(name, {}), *value}
                }
            else:
                into[name] = (
                    round(into.get(name, 0) + value, 3) if isinstance(value, float) else into.get(name, 0) + value
                )
    return result
