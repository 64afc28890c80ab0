"""The gateway: finds the instances behind a service and passes requests on to the one with the least to do."""

import asyncio
import random
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from sandglass.core.errors import Busy
from sandglass.core.text import Text

PASSED_ON = ("content-type", "accept-language")
"""Request headers that an instance needs."""
ATTEMPTS = 3
"""Instances that a request is tried on; a prediction has no side effects, so trying again is safe."""
PER_INSTANCE = 40
"""Requests that one instance may have at a time, running or waiting."""
REQUEST_SECONDS = 300.0
RING = 2048


@dataclass(frozen=True)
class Backend:
    """A ready instance: its address and the traffic weight of its version (percent)."""

    instance_id: str
    address: str
    version_id: str
    weight: int


@dataclass(frozen=True)
class Route:
    """A service with its ready instances."""

    service_id: str
    name: str
    backends: tuple[Backend, ...]


@dataclass
class ServiceCounters:
    """Calls of one service since the server started; ``latencies`` holds the latest, in milliseconds."""

    calls: int = 0
    success: int = 0
    errors: int = 0
    limited: int = 0
    latencies: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=RING))


@dataclass(frozen=True)
class GatewayAnswer:
    """What an instance answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Gateway:
    """Passes prediction requests on.

    Args:
        lookup: gives the route of a service by name or id.

    ``lookup`` raises for unknown or stopped services.
    """

    def __init__(self, lookup: Callable[[str], Route]) -> None:
        self._lookup = lookup
        self._busy: dict[str, int] = {}
        self.counters: dict[str, ServiceCounters] = {}
        limits = httpx.Limits(max_connections=512, max_keepalive_connections=128)
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(REQUEST_SECONDS, connect=2.0), limits=limits, trust_env=False
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def predict(self, service: str, body: bytes, headers: Mapping[str, str]) -> GatewayAnswer:
        """Pass one request on and return the answer.

        Raises:
            NotFound, Conflict: there is no such service, or it is not running (from ``lookup``).
            Busy: no instance is ready or all have too much to do.
        """
        route = await asyncio.to_thread(self._lookup, service)
        counters = self.counters.setdefault(route.service_id, ServiceCounters())
        counters.calls += 1
        started = time.perf_counter()
        request_id = headers.get("x-request-id") or uuid.uuid4().hex
        passed = {name: headers[name] for name in PASSED_ON if name in headers} | {"x-request-id": request_id}
        tried: set[str] = set()
        while len(tried) < ATTEMPTS:
            backend = self._choose(route, tried)
            if backend is None:
                break
            tried.add(backend.instance_id)
            self._busy[backend.instance_id] = self._busy.get(backend.instance_id, 0) + 1
            try:
                answer = await self._http.post(f"{backend.address}/predict", content=body, headers=passed)
            except httpx.TransportError:
                continue  # the instance died under the request: another one may answer it
            finally:
                self._busy[backend.instance_id] -= 1
            if answer.status_code == 503:
                continue
            self._count(counters, answer.status_code, started)
            kept = {name: answer.headers[name] for name in ("content-type", "retry-after") if name in answer.headers}
            return GatewayAnswer(answer.status_code, kept | {"x-request-id": request_id}, answer.content)
        counters.limited += 1
        raise Busy(
            "service_busy",
            Text(en=f"No instance of {route.name} is free.", zh=f"{route.name} 暂无空闲实例。"),
            Text(en="Try again in a moment, or add instances.", zh="请稍后再试，或增加实例。"),
        )

    def _choose(self, route: Route, tried: set[str]) -> Backend | None:
        """A version by its weight, then its instance with the fewest requests; versions without a free one are passed."""
        free = [
            backend
            for backend in route.backends
            if backend.instance_id not in tried and self._busy.get(backend.instance_id, 0) < PER_INSTANCE
        ]
        if not free:
            return None
        weights = {backend.version_id: max(0, backend.weight) for backend in free}
        if any(weights.values()):
            version = random.choices(list(weights), list(weights.values()))[0]
            free = [backend for backend in free if backend.version_id == version]
        return min(free, key=lambda backend: (self._busy.get(backend.instance_id, 0), random.random()))

    def _count(self, counters: ServiceCounters, status: int, started: float) -> None:
        if status < 500:
            counters.success += 1
        else:
            counters.errors += 1
        counters.latencies.append((time.time(), (time.perf_counter() - started) * 1000))
