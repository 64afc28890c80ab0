"""Curves of a service's numbers over a range: read from the ring, summed into steps, quantiles from summed buckets."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import select

from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.serving.meter import SERVICE, quantile
from sandglass.store.db import Database
from sandglass.store.tables import ServiceMetric
from sandglass.studio.monitoring import LONG_TICK_SECONDS, RINGS, TICK_SECONDS, merge
from sandglass.studio.serviceviews import find_service

MOST_POINTS = 400
SHORT_RANGE = timedelta(hours=3)
"""Ranges up to this long are drawn from the ticks of 10 s."""
RANGES = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
MOST_SUBJECTS = 50
By = Literal["service", "version", "instance"]


class MetricPoint(Value):
    """One step.

    Attributes:
        calls: success + invalid + limited + errors.
        qps: calls per second.
        p50, p95, p99: milliseconds of answered calls; None = there were none.
        cpu: cores used on average; None = no process was seen.
        memory_mb: the most that was seen.
        low_share: share of the answers with low confidence, 0..1; None = no answers.
        empty_share: share of the answers that found nothing.
    """

    calls: int
    success: int
    invalid: int
    limited: int
    errors: int
    qps: float
    p50: float | None
    p95: float | None
    p99: float | None
    cpu: float | None
    memory_mb: float | None
    low_share: float | None
    empty_share: float | None


class MetricSeries(Value):
    """The points of one subject, one per step; None = nothing was recorded (the server or the service did not run)."""

    subject: str
    points: tuple[MetricPoint | None, ...]
    total: MetricPoint | None


class ServiceMetrics(Value):
    """Curves over a range: point ``i`` covers ``step`` seconds from ``start + i * step``."""

    start: datetime
    end: datetime
    step: int
    series: tuple[MetricSeries, ...]


class MetricReader:
    """Reads the ring."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(
        self,
        service: str,
        *,
        range: str | None = None,  # noqa: A002 - what a caller writes
        start: datetime | None = None,
        end: datetime | None = None,
        by: By = "service",
    ) -> ServiceMetrics:
        """Curves of a service.

        Args:
            service: name or id.
            range: ``1h``, ``24h`` or ``7d`` up to now; or give ``start`` and maybe ``end``.
            start: aware instant.
            end: aware instant; now unless given.
            by: one curve for the service, or one per version or instance.

        Raises:
            NotFound: ``service_not_found``.
            InvalidInput: ``range_invalid``.
        """
        began, until = _range(range, start, end)
        short = until - began <= SHORT_RANGE and began >= utc_now() - timedelta(seconds=RINGS[TICK_SECONDS] * 10)
        seconds = TICK_SECONDS if short else LONG_TICK_SECONDS
        first = int(began.timestamp()) // seconds * seconds
        last = int(until.timestamp())
        count = max(1, -(-(last - first) // seconds))
        step = -(-count // MOST_POINTS) * seconds
        with self._database.read() as session:
            service_id = find_service(session, service).id
            rows = session.execute(
                select(ServiceMetric.tick, ServiceMetric.data).where(
                    ServiceMetric.service_id == service_id,
                    ServiceMetric.seconds == seconds,
                    ServiceMetric.tick >= first,
                    ServiceMetric.tick < last,
                )
            ).all()
        steps: dict[int, Mapping[str, dict[str, Any]]] = {}
        seen: dict[int, int] = {}
        for tick, data in sorted((int(tick), data) for tick, data in rows):
            index = (tick - first) // step
            steps[index] = merge(steps.get(index, {}), data)
            seen[index] = seen.get(index, 0) + seconds
        subjects = _subjects(steps, by)
        length = -(-(last - first) // step)
        return ServiceMetrics(
            start=datetime.fromtimestamp(first, UTC),
            end=datetime.fromtimestamp(first + length * step, UTC),
            step=step,
            series=tuple(_series(subject, steps, seen, length) for subject in subjects),
        )


def _range(name: str | None, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    until = end or utc_now()
    if start is None:
        length = RANGES.get(name or "1h")
        start = None if length is None else until - length
    if start is None or start.tzinfo is None or until.tzinfo is None or start >= until:
        raise InvalidInput(
            "range_invalid",
            Text(en="The range of time is wrong.", zh="时间范围有误。"),
            Text(
                en="Use range 1h, 24h or 7d, or a start before the end, both with a zone.",
                zh="请使用 1h、24h、7d，或带时区且早于结束时间的开始时间。",
            ),
            field="range",
        )
    longest = timedelta(seconds=RINGS[LONG_TICK_SECONDS] * LONG_TICK_SECONDS)
    return max(start, until - longest), until


def _subjects(steps: Mapping[int, Mapping[str, object]], by: By) -> list[str]:
    if by == "service":
        return [SERVICE]
    latest: dict[str, int] = {}
    for index, data in sorted(steps.items()):
        for subject in data:
            version = subject.startswith("v") and subject[1:].isdecimal()
            if subject != SERVICE and version == (by == "version"):
                latest[subject] = index
    recent = sorted(latest, key=lambda subject: (-latest[subject], subject))[:MOST_SUBJECTS]
    return sorted(recent)


def _series(
    subject: str, steps: Mapping[int, Mapping[str, dict[str, Any]]], seen: Mapping[int, int], length: int
) -> MetricSeries:
    points: list[MetricPoint | None] = []
    whole: Mapping[str, dict[str, Any]] = {}
    seconds = 0
    for index in range(length):
        sample = steps.get(index, {}).get(subject)
        points.append(None if sample is None else _point(sample, seen[index]))
        if sample is not None:
            whole = merge(whole, {subject: sample})
            seconds += seen[index]
    total = _point(whole[subject], seconds) if subject in whole else None
    return MetricSeries(subject=subject, points=tuple(points), total=total)


def _point(sample: Mapping[str, Any], seconds: int) -> MetricPoint:
    latency = {int(bucket): count for bucket, count in sample.get("latency", {}).items()}
    answers = sample.get("answers", 0)
    calls = sample.get("calls", 0)

    def percentile(share: float) -> float | None:
        value = quantile(latency, share)
        return None if value is None else round(value, 2)

    return MetricPoint(
        calls=calls,
        success=sample.get("success", 0),
        invalid=sample.get("invalid", 0),
        limited=sample.get("limited", 0),
        errors=sample.get("error", 0),
        qps=round(calls / seconds, 4),
        p50=percentile(0.5),
        p95=percentile(0.95),
        p99=percentile(0.99),
        cpu=round(sample["cpu"] / seconds, 3) if "cpu" in sample else None,
        memory_mb=sample.get("memory"),
        low_share=round(sample.get("low", 0) / answers, 4) if answers else None,
        empty_share=round(sample.get("empty", 0) / answers, 4) if answers else None,
    )
