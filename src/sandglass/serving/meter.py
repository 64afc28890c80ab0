"""Counts what callers of services got and how long it took, per service, version and instance; all in memory.

Whoever writes the numbers down takes them out, and gives them back when writing failed.
"""

import math
import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

STEP = 2.0**0.25
"""Ratio of neighbouring bounds: a quantile is at most about a tenth off."""
BOUNDS = tuple(0.5 * STEP**index for index in range(72))
"""Upper bounds of the latency buckets, milliseconds: 0.5 ms to about 110 s; one bucket more holds what is above."""
SERVICE = "service"
"""The subject that stands for the service as a whole."""


class Outcome(StrEnum):
    """What became of a call: answered, the caller's input refused, over a limit, or failed."""

    SUCCESS = "success"
    INVALID = "invalid"
    LIMITED = "limited"
    ERROR = "error"


@dataclass(frozen=True)
class Quality:
    """How sure an answer was: things that could be answered (fields, classes, objects), and how many were not surely."""

    answers: int = 0
    low: int = 0
    empty: int = 0


NOTHING = Quality()


@dataclass
class Counts:
    """Numbers of one subject over some time.

    Attributes:
        latency: bucket → calls, of calls that an instance answered.
        latency_ms: sum of their milliseconds.
        answers, low, empty: see `Quality`.
    """

    calls: int = 0
    success: int = 0
    invalid: int = 0
    limited: int = 0
    error: int = 0
    latency_ms: float = 0.0
    answers: int = 0
    low: int = 0
    empty: int = 0
    latency: dict[int, int] = field(default_factory=dict)

    def record(self, outcome: Outcome, milliseconds: float | None, quality: Quality) -> None:
        """Count one call."""
        self.calls += 1
        setattr(self, outcome.value, getattr(self, outcome.value) + 1)
        self.answers += quality.answers
        self.low += quality.low
        self.empty += quality.empty
        if milliseconds is not None:
            bucket = bisect_left(BOUNDS, milliseconds)
            self.latency[bucket] = self.latency.get(bucket, 0) + 1
            self.latency_ms += milliseconds

    def add(self, other: "Counts") -> None:
        """Count what ``other`` has counted."""
        for name in ("calls", "success", "invalid", "limited", "error", "latency_ms", "answers", "low", "empty"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for bucket, count in other.latency.items():
            self.latency[bucket] = self.latency.get(bucket, 0) + count


def quantile(latency: Mapping[int, int], share: float) -> float | None:
    """Milliseconds below which ``share`` (0..1) of the calls stayed, by interpolation in their bucket; None = no call."""
    total = sum(latency.values())
    if total == 0:
        return None
    rank = share * total
    seen = 0
    for bucket in sorted(latency):
        count = latency[bucket]
        if seen + count >= rank:
            upper = BOUNDS[min(bucket, len(BOUNDS) - 1)]
            lower = 0.0 if bucket == 0 else BOUNDS[bucket - 1]
            if bucket >= len(BOUNDS):
                return BOUNDS[-1]
            return lower + (upper - lower) * max(0.0, rank - seen) / count
        seen += count
    return BOUNDS[min(max(latency), len(BOUNDS) - 1)]


Taken = dict[str, dict[str, Counts]]
"""Service id → subject → numbers."""


class Meter:
    """The counters of a server; safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: defaultdict[str, defaultdict[str, Counts]] = _subjects()
        self._totals: defaultdict[str, defaultdict[str, Counts]] = _subjects()
        self._open: defaultdict[str, int] = defaultdict(int)
        self._waiting: defaultdict[str, int] = defaultdict(int)

    def record(
        self,
        service_id: str,
        outcome: Outcome,
        *,
        version: int | None = None,
        instance_id: str | None = None,
        milliseconds: float | None = None,
        quality: Quality = NOTHING,
    ) -> None:
        """Count one call of a service, and of the version and instance that answered it."""
        subjects = [SERVICE]
        if version is not None:
            subjects.append(f"v{version}")
        with self._lock:
            for subject in subjects:
                self._since[service_id][subject].record(outcome, milliseconds, quality)
                self._totals[service_id][subject].record(outcome, milliseconds, quality)
            if instance_id is not None:
                self._since[service_id][instance_id].record(outcome, milliseconds, quality)

    def opened(self, service_id: str, change: int) -> None:
        """One request more (1) or less (-1) is open."""
        with self._lock:
            self._open[service_id] += change

    def waits(self, service_id: str, change: int) -> None:
        """One request more (1) or less (-1) waits for a place."""
        with self._lock:
            self._waiting[service_id] += change

    def load(self, service_id: str) -> tuple[int, int]:
        """Requests that are open now, and how many of them wait."""
        with self._lock:
            return self._open.get(service_id, 0), self._waiting.get(service_id, 0)

    def calls(self, service_id: str) -> int:
        """Calls of a service since the server started."""
        with self._lock:
            return self._totals[service_id][SERVICE].calls if service_id in self._totals else 0

    def take(self) -> Taken:
        """The numbers since the last time, which are forgotten here."""
        with self._lock:
            taken, self._since = self._since, _subjects()
        return {service: dict(subjects) for service, subjects in taken.items()}

    def give_back(self, taken: Taken) -> None:
        """Count again what could not be written down."""
        with self._lock:
            for service, subjects in taken.items():
                for subject, counts in subjects.items():
                    self._since[service][subject].add(counts)

    def totals(self) -> Taken:
        """The numbers since the server started, by service and version."""
        with self._lock:
            copied: Taken = {}
            for service, subjects in self._totals.items():
                copied[service] = {}
                for subject, counts in subjects.items():
                    fresh = Counts()
                    fresh.add(counts)
                    copied[service][subject] = fresh
            return copied

    def forget(self, services: Iterable[str]) -> None:
        """Drop the totals of services that are gone."""
        with self._lock:
            for service in services:
                self._totals.pop(service, None)
                self._open.pop(service, None)
                self._waiting.pop(service, None)


def _subjects() -> "defaultdict[str, defaultdict[str, Counts]]":
    return defaultdict(lambda: defaultdict(Counts))


def retry_after(waiting: int, places: int, milliseconds: float) -> int:
    """Whole seconds after which a place is likely free: the queue's length at the present pace, 1 to 60."""
    return min(60, max(1, math.ceil(waiting * milliseconds / 1000 / max(1, places))))
