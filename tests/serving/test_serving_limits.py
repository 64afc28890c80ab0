import asyncio
import contextlib
import json

import pytest

from sandglass.core.errors import Busy, InvalidInput, Limited, TimedOut, TooLarge
from sandglass.serving.gateway import Backend, Gateway, Route, Routes
from sandglass.serving.intake import too_large
from sandglass.serving.limits import Limits, TokenBucket
from sandglass.serving.meter import BOUNDS, Counts, Meter, Outcome, Quality, quantile


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_a_bucket_gives_its_rate_and_saves_up_to_its_burst():
    clock = Clock()
    bucket = TokenBucket(2.0, 3, clock)
    assert [bucket.take() for _ in range(3)] == [0, 0, 0]
    assert bucket.take() == pytest.approx(0.5)
    clock.now += 0.5
    assert bucket.take() == 0
    clock.now += 3600
    assert [bucket.take() == 0 for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize("values", [[5.0] * 10, [1.0, 2.0, 3.0, 400.0], list(range(1, 200)), [0.01], [200_000.0]])
@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_quantiles_from_buckets_are_within_a_bucket_of_the_exact_ones(values, share):
    counts = Counts()
    for value in values:
        counts.record(Outcome.SUCCESS, value, Quality())
    exact = sorted(values)[max(0, -(-int(share * len(values) * 1000) // 1000) - 1)]
    found = quantile(counts.latency, share)
    assert found <= BOUNDS[-1]
    if BOUNDS[0] <= exact <= BOUNDS[-1]:
        assert exact / 1.2 <= found <= exact * 1.2


def test_numbers_that_could_not_be_written_are_counted_with_the_next():
    meter = Meter()
    meter.record("s", Outcome.SUCCESS, version=1, instance_id="i", milliseconds=7, quality=Quality(3, 1, 1))
    taken = meter.take()
    meter.record("s", Outcome.ERROR)
    meter.give_back(taken)
    counts = meter.take()["s"]["service"]
    assert (counts.calls, counts.success, counts.error, counts.answers, counts.low) == (2, 1, 1, 3, 1)
    assert meter.take() == {}
    assert meter.totals()["s"]["service"].calls == 2


class Slow:
    """An instance that answers after `gate` is opened; counts what it had at a time."""

    def __init__(self):
        self.gate = asyncio.Event()
        self.now = self.most = self.asked = 0

    async def __call__(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                await reader.readexactly(length)
                self.now += 1
                self.asked += 1
                self.most = max(self.most, self.now)
                await self.gate.wait()
                self.now -= 1
                body = json.dumps({"ok": True}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()


class FixedRoutes(Routes):
    def __init__(self, route):
        self.route = route

    def known(self, service):
        return self.route


@contextlib.asynccontextmanager
async def slow_service(places=2, **limits):
    slow = Slow()
    server = await asyncio.start_server(slow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    backend = Backend("i", f"http://127.0.0.1:{port}", "v", 100, places=places)
    meter = Meter()
    gateway = Gateway(FixedRoutes(Route("sv", "s", (backend,), limits=Limits(**limits))), meter)
    try:
        yield slow, gateway, meter
    finally:
        slow.gate.set()
        await gateway.close()
        server.close()


def ask(gateway, body=b"x", **headers):
    async def read(most):
        if len(body) > most:
            raise too_large(most)
        return body

    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return gateway.predict("s", named, read, request_id="r")


async def settle(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


def test_an_instance_gets_no_more_than_its_places_and_the_queue_is_bounded():
    async def scene():
        async with slow_service(places=2, queue=3) as (slow, gateway, meter):
            tasks = [asyncio.create_task(ask(gateway)) for _ in range(5)]
            await settle(lambda: meter.load("sv") == (5, 3) and slow.now == 2)
            with pytest.raises(Busy) as caught:
                await ask(gateway)
            assert caught.value.code == "queue_full"
            assert caught.value.retry_after >= 1
            slow.gate.set()
            answers = await asyncio.gather(*tasks)
            assert [answer.status for answer in answers] == [200] * 5
            assert slow.most == 2
            counts = meter.take()["sv"]["service"]
            assert (counts.calls, counts.success, counts.limited) == (6, 5, 1)
            assert meter.load("sv") == (0, 0)

    asyncio.run(scene())


def test_concurrency_and_rate_limits_answer_429_with_a_time():
    async def scene():
        async with slow_service(places=9, concurrency=2) as (slow, gateway, _):
            tasks = [asyncio.create_task(ask(gateway)) for _ in range(2)]
            await settle(lambda: slow.asked == 2)
            with pytest.raises(Limited) as caught:
                await ask(gateway)
            assert caught.value.code == "concurrency_limited"
            slow.gate.set()
            await asyncio.gather(*tasks)
            assert (await ask(gateway)).status == 200
        async with slow_service(rate_per_second=0.5, burst=2) as (slow, gateway, _):
            slow.gate.set()
            assert [(await ask(gateway)).status for _ in range(2)] == [200, 200]
            with pytest.raises(Limited) as caught:
                await ask(gateway)
            assert (caught.value.code, caught.value.retry_after) == ("rate_limited", 2)

    asyncio.run(scene())


def test_a_deadline_ends_a_request_wherever_it_is():
    async def scene():
        async with slow_service(places=1, deadline_seconds=0.4) as (slow, gateway, _):
            working = asyncio.create_task(ask(gateway))
            await settle(lambda: slow.asked == 1)
            waiting = asyncio.create_task(ask(gateway, x_request_timeout="0.1"))
            for task in (waiting, working):
                with pytest.raises(TimedOut) as caught:
                    await task
                assert caught.value.code == "deadline_exceeded"
            assert slow.asked == 1
            for bad in ("soon", "-1", "0", "nan", "inf"):
                with pytest.raises(InvalidInput, match="X-Request-Timeout"):
                    await ask(gateway, x_request_timeout=bad)

    asyncio.run(scene())


def test_a_request_over_the_size_is_refused():
    async def scene():
        async with slow_service(max_request_mb=1) as (slow, gateway, meter):
            slow.gate.set()
            assert (await ask(gateway, b"x" * 2**20)).status == 200
            with pytest.raises(TooLarge):
                await ask(gateway, b"x" * (2**20 + 1))
            assert meter.take()["sv"]["service"].invalid == 1

    asyncio.run(scene())


def test_a_request_whose_instance_breaks_is_tried_once_more_and_no_further():
    async def scene():
        asked = [0]

        async def breaks(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            asked[0] += 1
            writer.close()

        servers = [await asyncio.start_server(breaks, "127.0.0.1", 0) for _ in range(3)]
        backends = tuple(
            Backend(f"i{n}", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "v", 100)
            for n, server in enumerate(servers)
        )
        gateway = Gateway(FixedRoutes(Route("sv", "s", backends)), Meter())
        with pytest.raises(Busy) as caught:
            await ask(gateway)
        assert (caught.value.code, asked[0]) == ("instance_lost", 2)
        await gateway.close()
        for server in servers:
            server.close()

    asyncio.run(scene())


def test_requests_wait_for_a_service_that_wakes_up():
    async def scene():
        async with slow_service() as (slow, gateway, _):
            slow.gate.set()
            routes = gateway._routes
            awake, woken = routes.route, []
            routes.route = Route("sv", "s", (), asleep=True)

            def wake(service_id):
                woken.append(service_id)
                routes.route = awake

            routes.wake = wake
            answers = await asyncio.gather(*(ask(gateway) for _ in range(4)))
            assert [answer.status for answer in answers] == [200] * 4
            assert woken == ["sv"]

    asyncio.run(scene())


def test_what_the_gateway_passes_on_is_its_own():
    seen = {}

    async def record(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        seen.update(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    async def scene():
        server = await asyncio.start_server(record, "127.0.0.1", 0)
        backend = Backend("i", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "v", 100)
        limits = Limits(max_pictures=3, max_picture_megapixels=2)
        gateway = Gateway(FixedRoutes(Route("sv", "s", (backend,), limits=limits)), Meter())
        await ask(gateway, x_max_pixels="999999999", x_max_pictures="64", authorization="secret", cookie="c")
        await gateway.close()
        server.close()

    asyncio.run(scene())
    assert (seen["x-max-pixels"], seen["x-max-pictures"]) == ("2000000", "3")
    assert "authorization" not in seen
    assert "cookie" not in seen
