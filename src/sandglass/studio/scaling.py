"""How many processes a service should have now: by hand, by load, on a schedule, none when idle.

The decision is a function of rules, time and load; `Scaler` feeds it and writes down what it says.
"""

import math
from collections import deque
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter
from pydantic import Field, field_validator, model_validator

from sandglass.core.text import Text
from sandglass.core.value import Value

MOST_INSTANCES = 64
QUIET_SECONDS = 60.0
"""A schedule's 0 takes the last process away only after so long without a request."""


class ScheduleEntry(Value):
    """From each time that ``cron`` names (five fields) until the next entry's, ``instances`` processes are wanted."""

    cron: str = Field(max_length=100)
    instances: int = Field(ge=0, le=MOST_INSTANCES)

    @field_validator("cron")
    @classmethod
    def _check_cron(cls, value: str) -> str:
        if len(value.split()) != 5 or not croniter.is_valid(value):
            raise ValueError("a cron expression has five fields: minute hour day month weekday, e.g. 0 8 * * 1-5")
        return value


class ScalingRules(Value):
    """How a service scales.

    Attributes:
        mode: manual = as many processes as its setting says; load = between minimum and maximum; schedule = as the
            entries say.
        minimum: fewest processes (load).
        maximum: most processes (load).
        target_concurrency: requests that one process should have open on average (load).
        target_p95_ms: latency above which a process is added (load).
        cooldown_seconds: shortest time between two changes; processes are taken away only after three times as long.
        idle_seconds: after so long without a request there are no processes until the next one; None = never.
        schedule: entries (schedule); with mode load they set the minimum.
        timezone: of the schedule, e.g. ``Asia/Shanghai``.
    """

    mode: Literal["manual", "load", "schedule"] = "manual"
    minimum: int = Field(1, ge=1, le=MOST_INSTANCES)
    maximum: int = Field(4, ge=1, le=MOST_INSTANCES)
    target_concurrency: float | None = Field(2.0, gt=0, le=1000)
    target_p95_ms: float | None = Field(None, gt=0, le=3_600_000)
    cooldown_seconds: float = Field(30.0, ge=1, le=3600)
    idle_seconds: float | None = Field(None, ge=5, le=30 * 86400)
    schedule: tuple[ScheduleEntry, ...] = Field((), max_length=50)
    timezone: str = "UTC"

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"'{value}' is no time zone, e.g. UTC or Asia/Shanghai") from error
        return value

    @model_validator(mode="after")
    def _check_together(self) -> "ScalingRules":
        if self.maximum < self.minimum:
            raise ValueError("maximum is below minimum")
        if self.mode == "schedule" and not self.schedule:
            raise ValueError("mode schedule needs at least one schedule entry")
        if self.mode == "load" and self.target_concurrency is None and self.target_p95_ms is None:
            raise ValueError("mode load needs target_concurrency or target_p95_ms")
        return self

    @property
    def automatic(self) -> bool:
        """Whether anything but the person decides."""
        return self.mode != "manual" or self.idle_seconds is not None


class Load(Value):
    """What a service has to do.

    Attributes:
        concurrency: requests open, averaged over the last seconds.
        p95_ms: of the last minute; None = no calls.
        idle_seconds: since the last request ended; 0 while one is open.
        asked: a request waits for it to wake up.
    """

    concurrency: float
    p95_ms: float | None
    idle_seconds: float
    asked: bool = False


class Decision(Value):
    """Processes wanted, and why when that is a change."""

    wanted: int
    why: Text | None = None


def scheduled(rules: ScalingRules, now: datetime) -> ScheduleEntry | None:
    """The entry in force: the one whose latest time is the latest; a later one in the list wins a tie."""
    local = now.astimezone(ZoneInfo(rules.timezone))
    latest: tuple[datetime, int] | None = None
    for index, entry in enumerate(rules.schedule):
        try:
            # A moment later, so that a time that is now counts as past.
            at = croniter(entry.cron, local + timedelta(seconds=1), max_years_between_matches=5).get_prev(datetime)
        except CroniterError:
            continue  # a date that does not come, such as 30 February
        if latest is None or (at, index) >= latest:
            latest = (at, index)
    return None if latest is None else rules.schedule[latest[1]]


def decide(
    rules: ScalingRules, instances: int, present: int, load: Load, now: datetime, changed_at: datetime | None
) -> Decision:
    """How many processes there should be.

    Args:
        rules: of the service.
        instances: what the person set.
        present: wanted until now.
        load: of the service.
        now: aware instant.
        changed_at: when ``present`` was last changed.
    """
    entry = scheduled(rules, now) if rules.schedule and rules.mode != "manual" else None
    floor = instances if rules.mode == "manual" else rules.minimum
    if entry is not None:
        floor = entry.instances
    if load.asked:
        wanted = max(1, floor)
        if present == 0:
            return Decision(wanted=wanted, why=Text(en="a request came", zh="收到请求"))
    elif rules.idle_seconds is not None and load.idle_seconds >= rules.idle_seconds:
        if present == 0:
            return Decision(wanted=0)
        return Decision(
            wanted=0,
            why=Text(en=f"no request for {rules.idle_seconds:g} s", zh=f"已 {rules.idle_seconds:g} 秒没有请求"),
        )
    if rules.mode == "schedule":
        return _by_schedule(rules, floor, present, load)
    if present == 0:
        # Asleep: only a request wakes it, unless nothing may put it to sleep any more.
        return Decision(wanted=0) if rules.idle_seconds is not None else Decision(wanted=max(1, floor))
    if rules.mode == "manual":
        return Decision(wanted=floor)
    return _by_load(rules, max(1, floor), present, load, now, changed_at)


def _by_schedule(rules: ScalingRules, floor: int, present: int, load: Load) -> Decision:
    if present == 0 and rules.idle_seconds is not None and not load.asked:
        return Decision(wanted=0)  # asleep; only a request wakes it
    if floor == 0 and present > 0 and (load.asked or load.idle_seconds < QUIET_SECONDS):
        return Decision(wanted=1)
    why = None if floor == present else Text(en="the schedule says so", zh="按计划")
    return Decision(wanted=floor, why=why)


def _by_load(
    rules: ScalingRules, floor: int, present: int, load: Load, now: datetime, changed_at: datetime | None
) -> Decision:
    top = max(floor, rules.maximum)
    if not floor <= present <= top:
        return Decision(wanted=min(top, max(floor, present)), why=Text(en="minimum or maximum", zh="最小或最大实例数"))
    wanted, why = present, None
    if rules.target_concurrency is not None:
        wanted = math.ceil(load.concurrency / rules.target_concurrency - 1e-9)
        why = Text(
            en=f"{load.concurrency:.1f} requests open, target {rules.target_concurrency:g} per process",
            zh=f"并发请求 {load.concurrency:.1f}，每实例目标 {rules.target_concurrency:g}",
        )
    if rules.target_p95_ms is not None and load.p95_ms is not None:
        slow = load.p95_ms > rules.target_p95_ms
        if slow or rules.target_concurrency is None:
            by_latency = present + 1 if slow else (present - 1 if load.p95_ms < rules.target_p95_ms / 2 else present)
            if by_latency > wanted or rules.target_concurrency is None:
                wanted = by_latency
                why = Text(
                    en=f"p95 {load.p95_ms:.0f} ms, target {rules.target_p95_ms:g} ms",
                    zh=f"p95 为 {load.p95_ms:.0f} 毫秒，目标 {rules.target_p95_ms:g} 毫秒",
                )
    wanted = min(top, max(floor, wanted))
    if wanted == present:
        return Decision(wanted=present)
    pause = rules.cooldown_seconds * (1 if wanted > present else 3)
    if changed_at is not None and (now - changed_at).total_seconds() < pause:
        return Decision(wanted=present)
    # Down one at a time: what comes next is not known.
    return Decision(wanted=wanted if wanted > present else present - 1, why=why)


class LoadWindow:
    """The last seconds of one service's load, from samples of open requests."""

    def __init__(self, seconds: float = 10.0) -> None:
        self._seconds = seconds
        self._samples: deque[tuple[float, int]] = deque()
        self.last_request = -math.inf

    def add(self, at: float, open_requests: int, *, called: bool) -> None:
        """One sample at monotonic seconds ``at``; ``called`` = requests have come since the last sample."""
        self._samples.append((at, open_requests))
        while self._samples and self._samples[0][0] < at - self._seconds:
            self._samples.popleft()
        if open_requests or called or self.last_request == -math.inf:
            self.last_request = at

    @property
    def concurrency(self) -> float:
        """Mean of the samples."""
        return sum(count for _, count in self._samples) / len(self._samples) if self._samples else 0.0
