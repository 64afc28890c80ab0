"""What a request must be before anything looks at it: for this host, not forged by another site, not over a size."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandglass.api.problems import error_response, problem_response
from sandglass.core.errors import TooLarge
from sandglass.core.text import Text

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LARGEST_JSON = 8 * 1024**2
"""Bytes of a request that carries no pictures."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


class SameOrigin:
    """Refuses requests that a foreign web page makes through the person's browser.

    A server on loopback answers to loopback names only, so a foreign name that was pointed at 127.0.0.1 (DNS rebinding)
    gets nothing; a changing request whose ``Origin`` is another site is refused on every address.

    Args:
        app: what is protected.
        host: address that the server listens on.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._loopback = host in LOOPBACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._loopback and _hostname(host) not in LOOPBACK:
            refused = problem_response(
                403,
                "host_refused",
                Text(en=f"This server does not answer as '{host}'.", zh=f"本服务器不以“{host}”的名义应答。"),
                Text(
                    en="Open it as http://127.0.0.1 or http://localhost.",
                    zh="请用 http://127.0.0.1 或 http://localhost 打开。",
                ),
            )
            await refused(scope, receive, send)
            return
        origin = headers.get("origin")
        if scope["method"] not in _SAFE and origin is not None and urlsplit(origin).netloc != host:
            refused = problem_response(
                403,
                "origin_refused",
                Text(en=f"Requests from {origin} are not taken.", zh=f"不接受来自 {origin} 的请求。"),
                Text(en="Use the console of this server.", zh="请使用本服务器的控制台。"),
            )
            await refused(scope, receive, send)
            return

        async def harden(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    answer.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, harden)


class BodyLimit:
    """Refuses request bodies over a size, by what the caller declares; those that stream count for themselves.

    Args:
        app: what is protected.
        streamed: ends of paths whose handlers read the body piece by piece with a limit of their own.
    """

    def __init__(self, app: ASGIApp, streamed: tuple[str, ...]) -> None:
        self._app = app
        self._streamed = streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].endswith(self._streamed):
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length) > LARGEST_JSON:
            await error_response(_too_large())(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > LARGEST_JSON:
                raise _too_large()
            return message

        await self._app(scope, counted, send)


def _too_large() -> TooLarge:
    limit = LARGEST_JSON >> 20
    return TooLarge(
        "request_too_large",
        Text(en=f"The request has more than {limit} MB.", zh=f"请求超过 {limit} MB。"),
        Text(en="Send less at once; pictures are sent to /v1/imports.", zh="请减少内容；图片请发送到 /v1/imports。"),
    )


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
