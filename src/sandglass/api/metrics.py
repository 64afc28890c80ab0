"""``/metrics`` in the Prometheus text format, and the list of targets for its HTTP service discovery."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sandglass.api.permissions import needs
from sandglass.api.problems import responses
from sandglass.api.studio import OpenStudio
from sandglass.core.actor import Role
from sandglass.core.status import InstanceStatus
from sandglass.serving.meter import BOUNDS, SERVICE, Counts, Outcome
from sandglass.studio.serviceviews import ServiceView
from sandglass.studio.studio import Studio

router = APIRouter(tags=["system"], responses=responses(404))

_LABELS = ("service", "version")


class _Services(Collector):
    """What is known of services, as Prometheus metrics.

    Args:
        studio: knows it.
        only: name of the one service that is asked for; None = all.
    """

    def __init__(self, studio: Studio, only: str | None) -> None:
        self._studio = studio
        self._only = only

    def collect(self) -> Iterator[Metric]:
        """All metrics."""
        found = [self._studio.services.get(self._only)] if self._only else self._studio.services.list(limit=1000).items
        totals = self._studio.meter.totals()
        yield from _calls(found, totals)
        yield from _instances(found)
        opened = GaugeMetricFamily("sandglass_requests_open", "Requests that are open.", labels=["service"])
        waiting = GaugeMetricFamily(
            "sandglass_requests_waiting", "Requests that wait for a place at an instance.", labels=["service"]
        )
        for service in found:
            now, queued = self._studio.meter.load(service.id)
            opened.add_metric([service.name], now)
            waiting.add_metric([service.name], queued)
        yield from (opened, waiting)


def _calls(services: list[ServiceView], totals: dict[str, dict[str, Counts]]) -> Iterator[Metric]:
    calls = CounterMetricFamily(
        "sandglass_calls", "Calls by outcome: success, invalid, limited, error.", labels=[*_LABELS, "outcome"]
    )
    latency = HistogramMetricFamily(
        "sandglass_call_seconds", "From the arrival of a request to its answer.", labels=list(_LABELS)
    )
    answers = CounterMetricFamily(
        "sandglass_answers", "Fields, classes or objects answered, by how sure.", labels=[*_LABELS, "kind"]
    )
    for service in services:
        for subject, counts in totals.get(service.id, {}).items():
            labels = [service.name, "" if subject == SERVICE else subject]
            for outcome in Outcome:
                calls.add_metric([*labels, outcome], getattr(counts, outcome.value))
            latency.add_metric(labels, _buckets(counts), counts.latency_ms / 1000)
            sure = counts.answers - counts.low - counts.empty
            for kind, value in (("sure", sure), ("low_confidence", counts.low), ("empty", counts.empty)):
                answers.add_metric([*labels, kind], value)
    yield from (calls, latency, answers)


def _buckets(counts: Counts) -> list[tuple[str, float]]:
    """Every fourth bound (each twice the one before): what a Prometheus needs, at a quarter of its memory."""
    result: list[tuple[str, float]] = []
    seen = 0
    for index, bound in enumerate(BOUNDS):
        seen += counts.latency.get(index, 0)
        if index % 4 == 0:
            result.append((f"{bound / 1000:g}", seen))
    return [*result, ("+Inf", sum(counts.latency.values()))]


def _instances(services: list[ServiceView]) -> Iterator[Metric]:
    count = GaugeMetricFamily("sandglass_instances", "Processes by status.", labels=["service", "status"])
    cpu = GaugeMetricFamily("sandglass_instance_cpu_cores", "Cores in use.", labels=["service", "instance"])
    memory = GaugeMetricFamily("sandglass_instance_memory_bytes", "Resident memory.", labels=["service", "instance"])
    restarts = CounterMetricFamily("sandglass_instance_restarts", "Restarts.", labels=["service", "instance"])
    for service in services:
        for status in InstanceStatus:
            count.add_metric([service.name, status], sum(one.status == status for one in service.instances))
        for one in service.instances:
            if one.cpu is not None and one.memory_mb is not None:
                cpu.add_metric([service.name, one.id], one.cpu)
                memory.add_metric([service.name, one.id], one.memory_mb * 2**20)
            restarts.add_metric([service.name, one.id], one.restarts)
    yield from (count, cpu, memory, restarts)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
    dependencies=[needs(Role.VIEWER)],
)
def get_metrics(
    studio: OpenStudio,
    service: Annotated[str | None, Query(max_length=200, description="Only this service.")] = None,
) -> Response:
    """Numbers of services for Prometheus, since the server started."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Services(studio, service))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/metrics/targets", response_class=JSONResponse, dependencies=[needs(Role.VIEWER)])
def get_metrics_targets(request: Request, studio: OpenStudio) -> list[dict[str, Any]]:
    """One target per running service. Source: https://prometheus.io/docs/prometheus/latest/http_sd/."""
    target = request.headers.get("host", "")
    return [
        {
            "targets": [target],
            "labels": {
                "__metrics_path__": "/metrics",
                "__param_service": service.name,
                "sandglass_service": service.name,
                "sandglass_scenario": service.scenario,
            },
        }
        for service in studio.services.list(limit=1000).items
        if not service.status.final
    ]
