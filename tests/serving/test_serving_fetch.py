import asyncio
import contextlib
import ipaddress

import pytest

from sandglass.core.errors import InvalidInput, TooLarge
from sandglass.serving.fetch import Fetcher, is_public

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
INSIDE = [
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
    *("::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    *("::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::", "::127.0.0.1"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_outside_are_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_not(address):
    assert not is_public(ipaddress.ip_address(address))


class Resolver:
    """Answers names from a table; an answer may change from one question to the next."""

    def __init__(self, **names):
        self.names = {name.replace("_", "."): answers for name, answers in names.items()}
        self.asked = []

    async def __call__(self, host, port):
        self.asked.append(host)
        answers = self.names[host]
        return answers.pop(0) if isinstance(answers[0], list) and len(answers) > 1 else answers[-1]


@contextlib.asynccontextmanager
async def web(*answers):
    """A server that gives these answers in order and notes what it was asked."""
    requests, left = [], list(answers)

    async def handle(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        requests.append(head)
        answer = left.pop(0) if len(left) > 1 else left[0]
        if callable(answer):
            await answer(writer)
        else:
            writer.write(answer)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], requests
    finally:
        server.close()


def ok(body):
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body


def moved(where):
    return f"HTTP/1.1 302 Found\r\nlocation: {where}\r\ncontent-length: 0\r\n\r\n".encode()


LOOPBACK = (ipaddress.ip_network("127.0.0.1/32"),)


async def refused(fetcher, url, code, *, most=1000):
    with pytest.raises((InvalidInput, TooLarge)) as caught:
        await fetcher.fetch(url, most=most)
    assert caught.value.code == code, caught.value
    return caught.value


def test_a_picture_is_fetched_from_the_checked_address_by_its_name():
    async def scene():
        async with web(ok(b"picture")) as (port, requests):
            resolver = Resolver(pictures_example=[["127.0.0.1"], ["10.0.0.1"]])
            fetcher = Fetcher(LOOPBACK, resolver)
            assert await fetcher.fetch(f"http://pictures.example:{port}/a.jpg?x=1", most=100) == b"picture"
            assert resolver.asked == ["pictures.example"]  # once: a second answer cannot lead elsewhere
            assert f"Host: pictures.example:{port}" in requests[0]
            assert requests[0].startswith("GET /a.jpg?x=1 ")

    asyncio.run(scene())


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x", "http://[::1]/x", "http://0/x", "http://[::ffff:127.0.0.1]/x", "http://169.254.169.254/meta",
        "http://192.168.0.1:8080/", "http://inside.example/x", "http://both.example/x", "http://mapped.example/x",
    ],
)  # fmt: skip
def test_addresses_inside_are_refused_whatever_they_are_called(url):
    async def scene():
        resolver = Resolver(
            inside_example=[["10.0.0.5"]],
            both_example=[["93.184.216.34", "127.0.0.1"]],
            mapped_example=[["::ffff:7f00:1"]],
        )
        resolver.names["0"] = [["0.0.0.0"]]
        await refused(Fetcher((), resolver), url, "url_refused")

    asyncio.run(scene())


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.com/x", "gopher://x/", "//example.com/x", "x", "http://", "http://[::1"],
)
def test_only_http_addresses_are_taken(url):
    asyncio.run(refused(Fetcher(LOOPBACK), url, "url_invalid"))


def test_each_redirect_is_checked_again():
    async def scene():
        resolver = Resolver(start_example=[["127.0.0.1"]], inside_example=[["127.0.0.2"]])
        fetcher = Fetcher(LOOPBACK, resolver)
        async with web(moved("http://inside.example/secret")) as (port, requests):
            await refused(fetcher, f"http://start.example:{port}/", "url_refused")
            assert len(requests) == 1
        async with web(moved("file:///etc/passwd")) as (port, _):
            await refused(fetcher, f"http://start.example:{port}/", "url_invalid")
        async with web(moved("/again"), ok(b"there")) as (port, requests):
            assert await fetcher.fetch(f"http://start.example:{port}/", most=100) == b"there"
            assert requests[1].startswith("GET /again ")
        async with web(moved("/round")) as (port, requests):
            await refused(fetcher, f"http://start.example:{port}/", "url_unreachable")
            assert len(requests) == 4

    asyncio.run(scene())


def test_size_and_time_are_limited():
    async def endless(writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"x" * 1000)
                await writer.drain()

    async def silent(writer):
        await asyncio.sleep(30)

    async def scene():
        resolver = Resolver(p_example=[["127.0.0.1"]])
        async with web(endless) as (port, _):
            await refused(Fetcher(LOOPBACK, resolver), f"http://p.example:{port}/", "picture_too_large")
        async with web(silent) as (port, _):
            await refused(Fetcher(LOOPBACK, resolver, 0.2), f"http://p.example:{port}/", "url_timed_out")
        async with web(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n") as (port, _):
            error = await refused(
                Fetcher(LOOPBACK, resolver), f"http://p.example:{port}/s?token=abc", "url_unreachable"
            )
            assert "404" in error.message.en
            assert "abc" not in error.message.en

    asyncio.run(scene())
