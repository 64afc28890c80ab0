"""The gateway: takes requests in within a service's limits and passes each on to the instance with the least to do."""

import asyncio
import logging
import math
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import httpx

from sandglass.core.errors import Busy, InvalidInput, Limited, SandglassError, TimedOut, TooLarge
from sandglass.core.text import Text
from sandglass.serving.limits import Limits, TokenBucket
from sandglass.serving.meter import Meter, Outcome, retry_after
from sandglass.serving.quality import QUALITY_HEADER, read_quality

log = logging.getLogger(__name__)

PASSED_ON = ("content-type", "accept-language")
"""Request headers that an instance needs."""
PASSED_BACK = ("content-type", "retry-after")
TIMEOUT_HEADER = "x-request-timeout"
"""Seconds that a caller gives a request; never more than the service's own deadline."""
ATTEMPTS = 2
"""Instances that a request is given to. It is given to another only when the first was lost before it answered, or refused
it: a prediction changes nothing, so working twice does no harm, but a picture that kills one instance must not kill all."""
PATIENCE_SECONDS = 15.0
"""How long requests wait for a service none of whose instances is ready."""
AVOID_SECONDS = 2.0
"""How long an address is not tried that refused the connection."""
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Backend:
    """A ready instance: its address, the traffic weight of its version (percent), and requests that it takes at a time."""

    instance_id: str
    address: str
    version_id: str
    weight: int
    version: int = 1
    places: int = 8


@dataclass(frozen=True)
class Route:
    """A service with its ready instances.

    Attributes:
        asleep: scaled to zero; the next request wakes it.
        keep_share: share of the requests whose pictures are kept, 0..1.
    """

    service_id: str
    name: str
    backends: tuple[Backend, ...]
    limits: Limits = field(default_factory=Limits)
    asleep: bool = False
    keep_share: float = 0.0


@dataclass(frozen=True)
class GatewayAnswer:
    """What an instance answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answered:
    """A request with its answer, for whoever keeps pictures."""

    service_id: str
    request_id: str
    content_type: str
    request: bytes
    answer: bytes


class Routes:
    """Where requests to services go; what the gateway asks for. See `studio.routes`."""

    def known(self, service: str) -> Route | None:
        """The route if it is at hand; returns at once."""
        raise NotImplementedError

    def lookup(self, service: str) -> Route:
        """The route; may wait for the database.

        Raises:
            NotFound, Conflict: there is no such service, or it is not running.
        """
        raise NotImplementedError

    def forget(self) -> None:
        """Look again at the next question: something has changed."""

    def wake(self, service_id: str) -> None:
        """A request waits for a service that is asleep."""


class _Lane:
    """The requests of one service: how many are open, and those that wait for a place, first come first served."""

    def __init__(self) -> None:
        self.open = 0
        self.queue: deque[asyncio.Event] = deque()
        self.milliseconds = 100.0
        self._bucket: TokenBucket | None = None

    def admit(self, limits: Limits) -> None:
        """Let a request in.

        Raises:
            Limited: ``rate_limited`` or ``concurrency_limited``.
        """
        if limits.concurrency is not None and self.open >= limits.concurrency:
            raise Limited(
                "concurrency_limited",
                Text(
                    en=f"{limits.concurrency} requests are open already, which is the most.",
                    zh=f"并发请求已达上限 {limits.concurrency}。",
                ),
                Text(en="Wait for an answer before the next request.", zh="请等待已有请求返回后再发送。"),
                retry_after=1,
            )
        if limits.rate_per_second is None:
            return
        burst = float(limits.burst or limits.rate_per_second)
        bucket = self._bucket
        if bucket is None or (bucket.rate, bucket.burst) != (limits.rate_per_second, max(1.0, burst)):
            bucket = self._bucket = TokenBucket(limits.rate_per_second, burst)
        wait = bucket.take()
        if wait > 0:
            raise Limited(
                "rate_limited",
                Text(
                    en=f"More than {limits.rate_per_second:g} requests per second.",
                    zh=f"请求频率超过每秒 {limits.rate_per_second:g} 次。",
                ),
                Text(en="Send requests more slowly.", zh="请降低请求频率。"),
                retry_after=math.ceil(wait),
            )

    def wake_first(self) -> None:
        if self.queue:
            self.queue[0].set()


class Gateway:
    """Passes prediction requests on. Lives in one event loop.

    Args:
        routes: says where requests go.
        meter: counts what becomes of them.
        keep: is given requests whose pictures are to be kept; must return at once.
        patience: seconds that requests wait for a service none of whose instances is ready.
    """

    def __init__(
        self,
        routes: Routes,
        meter: Meter,
        keep: Callable[[Answered], None] = lambda _: None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._routes = routes
        self._meter = meter
        self._keep = keep
        self._patience = patience
        self._lanes: dict[str, _Lane] = {}
        self._busy: dict[str, int] = {}
        self._avoid: dict[str, float] = {}
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=256, keepalive_expiry=30.0)
        self._http = httpx.AsyncClient(timeout=httpx.Timeout(None, connect=2.0), limits=limits, trust_env=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def predict(
        self,
        service: str,
        headers: Mapping[str, str],
        read: Callable[[int], Awaitable[bytes]],
        *,
        request_id: str,
    ) -> GatewayAnswer:
        """Pass one request on and return the answer.

        Args:
            service: name or id.
            headers: of the request, names in lower case.
            read: gives the body; is told the most bytes that it may have.
            request_id: passed on to the instance.

        Raises:
            NotFound, Conflict: there is no such service, or it is not running.
            Limited: ``rate_limited``, ``concurrency_limited``.
            TooLarge: ``request_too_large``.
            InvalidInput: ``invalid_timeout``.
            Busy: ``queue_full``, ``no_instance``, ``instance_lost``.
            TimedOut: ``deadline_exceeded``.
        """
        arrived = time.monotonic()
        route = await self._route(service)
        lane = self._lanes.setdefault(route.service_id, _Lane())
        try:
            deadline = arrived + _seconds(headers, route.limits)
            lane.admit(route.limits)
        except SandglassError as error:
            self._meter.record(route.service_id, _outcome_of(error))
            raise
        lane.open += 1
        self._meter.opened(route.service_id, 1)
        try:
            body = await read(route.limits.max_request_bytes)
            answer = await self._deliver(service, route, lane, body, headers, request_id, deadline, arrived)
        except SandglassError as error:
            self._meter.record(route.service_id, _outcome_of(error))
            raise
        finally:
            lane.open -= 1
            self._meter.opened(route.service_id, -1)
        if route.keep_share and answer.status == 200 and random.random() < route.keep_share:
            kind = headers.get("content-type", "")
            self._keep(Answered(route.service_id, request_id, kind, body, answer.body))
        return answer

    async def _route(self, service: str) -> Route:
        route = self._routes.known(service)
        return route if route is not None else await asyncio.to_thread(self._routes.lookup, service)

    async def _deliver(
        self,
        service: str,
        route: Route,
        lane: _Lane,
        body: bytes,
        headers: Mapping[str, str],
        request_id: str,
        deadline: float,
        arrived: float,
    ) -> GatewayAnswer:
        passed = {name: headers[name] for name in PASSED_ON if name in headers}
        passed |= {
            "x-request-id": request_id,
            "x-max-pictures": str(route.limits.max_pictures),
            "x-max-pixels": str(route.limits.max_picture_pixels),
            "x-max-bytes": str(route.limits.max_request_bytes),
        }
        attempts = 0
        give_up = time.monotonic() + self._patience
        while attempts < ATTEMPTS:
            backend = await self._place(service, lane, route, deadline)
            try:
                answer = await self._send(backend, body, passed, deadline)
            except httpx.TransportError as error:
                # A refused connection has cost nothing; one that broke before there was an answer is an attempt.
                refused = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                attempts += not refused
                if refused and time.monotonic() > give_up:
                    raise _no_instance(route) from error
                self._pass_over(backend, AVOID_SECONDS)
                self._routes.forget()
                log.warning("%s: instance %s is lost: %r", request_id, backend.instance_id, error)
                continue
            finally:
                self._release(backend)
                lane.wake_first()
            if answer.status_code == 503:
                attempts += 1
                self._pass_over(backend, LOOK_SECONDS)
                continue
            elapsed = (time.monotonic() - arrived) * 1000
            lane.milliseconds += (elapsed - lane.milliseconds) * 0.1
            self._meter.record(
                route.service_id,
                _outcome(answer.status_code),
                version=backend.version,
                instance_id=backend.instance_id,
                milliseconds=elapsed,
                quality=read_quality(answer.headers.get(QUALITY_HEADER)),
            )
            kept = {name: answer.headers[name] for name in PASSED_BACK if name in answer.headers}
            return GatewayAnswer(answer.status_code, kept, answer.content)
        raise Busy(
            "instance_lost",
            Text(
                en=f"{ATTEMPTS} instances of {route.name} were lost or refused while they had this request.",
                zh=f"{route.name} 的 {ATTEMPTS} 个实例在处理该请求时中断或拒绝。",
            ),
            Text(en="Try again in a moment; look at the service's events.", zh="请稍后再试，并查看服务事件。"),
            retry_after=1,
        )

    async def _send(self, backend: Backend, body: bytes, headers: Mapping[str, str], deadline: float) -> httpx.Response:
        left = deadline - time.monotonic()
        try:
            async with asyncio.timeout(max(0.001, left)):
                return await self._http.post(f"{backend.address}/predict", content=body, headers=headers)
        except TimeoutError as error:
            raise _too_late() from error

    async def _place(self, service: str, lane: _Lane, route: Route, deadline: float) -> Backend:
        """A place at an instance, waited for in order of arrival."""
        if not lane.queue:
            route = await self._route(service)
            backend = self._choose(route)
            if backend is not None:
                return self._take(backend)
        if len(lane.queue) >= route.limits.queue:
            places = sum(backend.places for backend in route.backends)
            raise Busy(
                "queue_full",
                Text(
                    en=f"{len(lane.queue)} requests to {route.name} wait already.",
                    zh=f"{route.name} 已有 {len(lane.queue)} 个请求在等待。",
                ),
                Text(en="Try again later, or add instances.", zh="请稍后再试，或增加实例。"),
                retry_after=retry_after(len(lane.queue), places, lane.milliseconds),
            )
        turn = asyncio.Event()
        lane.queue.append(turn)
        self._meter.waits(route.service_id, 1)
        try:
            return await self._wait(service, lane, turn, deadline)
        finally:
            lane.queue.remove(turn)
            self._meter.waits(route.service_id, -1)
            lane.wake_first()

    async def _wait(self, service: str, lane: _Lane, turn: asyncio.Event, deadline: float) -> Backend:
        began = time.monotonic()
        woken = False
        while True:
            if lane.queue[0] is turn:
                route = await self._route(service)
                backend = self._choose(route)
                if backend is not None:
                    return self._take(backend)
                if any(self._avoid.get(one.address, 0.0) <= time.monotonic() for one in route.backends):
                    began = time.monotonic()
                elif route.asleep or woken:
                    if not woken:
                        await asyncio.to_thread(self._routes.wake, route.service_id)
                        woken = True
                elif time.monotonic() - began > self._patience:
                    raise _no_instance(route)
            left = deadline - time.monotonic()
            if left <= 0:
                raise _too_late()
            turn.clear()
            try:
                async with asyncio.timeout(min(LOOK_SECONDS, left)):
                    await turn.wait()
            except TimeoutError:
                continue

    def _take(self, backend: Backend) -> Backend:
        self._busy[backend.address] = self._busy.get(backend.address, 0) + 1
        return backend

    def _pass_over(self, backend: Backend, seconds: float) -> None:
        now = time.monotonic()
        self._avoid = {address: until for address, until in self._avoid.items() if until > now}
        self._avoid[backend.address] = now + seconds

    def _release(self, backend: Backend) -> None:
        left = self._busy.get(backend.address, 0) - 1
        if left > 0:
            self._busy[backend.address] = left
        else:
            self._busy.pop(backend.address, None)

    def _choose(self, route: Route) -> Backend | None:
        """A version by its weight, then its instance with the fewest requests; versions without a free one are passed."""
        now = time.monotonic()
        free = [
            backend
            for backend in route.backends
            if self._busy.get(backend.address, 0) < backend.places and self._avoid.get(backend.address, 0.0) <= now
        ]
        if not free:
            return None
        weights = {backend.version_id: max(0, backend.weight) for backend in free}
        if any(weights.values()):
            version = random.choices(list(weights), list(weights.values()))[0]
            free = [backend for backend in free if backend.version_id == version]
        return min(free, key=lambda backend: (self._busy.get(backend.address, 0), random.random()))


def _seconds(headers: Mapping[str, str], limits: Limits) -> float:
    asked = headers.get(TIMEOUT_HEADER)
    if asked is None:
        return limits.deadline_seconds
    try:
        seconds = float(asked)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise InvalidInput(
            "invalid_timeout",
            Text(
                en=f"The header X-Request-Timeout holds '{asked[:40]}', which is no number of seconds.",
                zh=f"请求头 X-Request-Timeout 的值“{asked[:40]}”不是有效的秒数。",
            ),
            Text(en="Send seconds above zero, e.g. 2.5.", zh="请填写大于零的秒数，例如 2.5。"),
            field="X-Request-Timeout",
        )
    return min(seconds, limits.deadline_seconds)


def _outcome(status: int) -> Outcome:
    if status < 400:
        return Outcome.SUCCESS
    if status in (429, 503):
        return Outcome.LIMITED
    return Outcome.INVALID if status < 500 else Outcome.ERROR


def _outcome_of(error: SandglassError) -> Outcome:
    if isinstance(error, Limited) or error.code == "queue_full":
        return Outcome.LIMITED
    return Outcome.INVALID if isinstance(error, InvalidInput | TooLarge) else Outcome.ERROR


def _no_instance(route: Route) -> Busy:
    return Busy(
        "no_instance",
        Text(en=f"No instance of {route.name} is ready.", zh=f"{route.name} 没有就绪的实例。"),
        Text(en="Look at the service's events; try again later.", zh="请查看服务事件，稍后再试。"),
        retry_after=5,
    )


def _too_late() -> TimedOut:
    return TimedOut(
        "deadline_exceeded",
        Text(en="There was no answer within the time given.", zh="在限定时间内没有得到结果。"),
        Text(
            en="Allow more time (X-Request-Timeout, the service's deadline), or add instances.",
            zh="请放宽时限（X-Request-Timeout 或服务的截止时间），或增加实例。",
        ),
    )
