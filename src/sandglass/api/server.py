"""Runs the server process: one home, one address, told to others by a file while it lasts."""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from sandglass.api.app import create_app
from sandglass.api.security import LOOPBACK
from sandglass.core.errors import Conflict, InvalidInput
from sandglass.core.settings import Settings
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.studio.accounts import NewPassword
from sandglass.studio.studio import Studio, open_studio

log = logging.getLogger(__name__)

DRAIN_SECONDS = 5
IDLE_LOOK_SECONDS = 1.0


class _Presence:
    """Notes when the last request came and how many are being answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = 0
        self._last = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._open += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1
            self._last = time.monotonic()

    @property
    def silent_seconds(self) -> float:
        return 0.0 if self._open else time.monotonic() - self._last


class _Server(uvicorn.Server):
    """Tells when it accepts requests, and ends live streams as soon as it is asked to end."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._api = app
        self._ready = ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn raises the signal again once it has shut down, which would end the process before the home is let go.
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        feed = getattr(self._api.state, "feed", None)
        if feed is not None:
            await feed.close()
        await super().shutdown(sockets)


def serve(
    settings: Settings,
    on_ready: Callable[[str, NewPassword | None], None] = lambda _address, _first: None,
    *,
    idle_exit_seconds: float | None = None,
) -> None:
    """Serve until a signal comes.

    Args:
        settings: home, address and port; port 0 = any free one.
        on_ready: is told the address once requests are answered, and the first admin's one-time password where it was made now.
        idle_exit_seconds: leave after so many seconds without a request, a run, an import or a service; None = never.

    Raises:
        Conflict: ``server_already_running`` or ``port_taken``.
        InvalidInput: ``address_invalid``, or ``login_needed``.
        Broken: the home or a store cannot be written.
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if not settings.login and settings.host not in LOOPBACK:
        raise InvalidInput(
            "login_needed",
            Text(
                en=f"Without sign-in everybody who reaches {settings.host} would be the admin.",
                zh=f"不登录时，任何能访问 {settings.host} 的人都将成为管理员。",
            ),
            Text(en="Listen on 127.0.0.1, or leave --no-login out.", zh="请监听 127.0.0.1，或去掉 --no-login。"),
            field="host",
        )
    studio = open_studio(settings)
    try:
        with _listen(settings) as listening:
            address = _address(settings, listening)
            _run(settings, studio, listening, address, on_ready, idle_exit_seconds)
    finally:
        _forget(settings.home)
        studio.close()


def _run(
    settings: Settings,
    studio: Studio,
    listening: socket.socket,
    address: str,
    on_ready: Callable[[str, NewPassword | None], None],
    idle_exit_seconds: float | None,
) -> None:
    app = create_app(settings, studio=studio)
    presence = _Presence(app)

    def ready() -> None:
        _announce(settings.home, address)
        on_ready(address, studio.first_admin)

    config = uvicorn.Config(
        presence,
        loop="uvloop" if sys.platform != "win32" else "auto",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        lifespan="on",
    )
    server = _Server(config, app, ready)

    async def main() -> None:
        watch = None
        if idle_exit_seconds is not None:
            watch = asyncio.create_task(_leave_when_idle(server, presence, studio, idle_exit_seconds))
        try:
            await server.serve([listening])
        finally:
            if watch is not None:
                watch.cancel()

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(main())


async def _leave_when_idle(server: uvicorn.Server, presence: _Presence, studio: Studio, seconds: float) -> None:
    while not server.should_exit:
        await asyncio.sleep(min(IDLE_LOOK_SECONDS, seconds))
        if presence.silent_seconds >= seconds and (await asyncio.to_thread(studio.activity)).idle:
            log.info("nothing to do for %.0f s: leaving", seconds)
            server.should_exit = True


def _listen(settings: Settings) -> socket.socket:
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise InvalidInput(
            "address_invalid",
            Text(en=f"'{settings.host}' is no address of this machine.", zh=f"“{settings.host}”不是本机地址。"),
            Text(
                en="Use 127.0.0.1, or 0.0.0.0 to be reached from other machines.",
                zh="请使用 127.0.0.1；如需从其他机器访问，请使用 0.0.0.0。",
            ),
            field="host",
        ) from error
    family, kind, protocol, _, target = found[0]
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(target)
    except OSError as error:
        listening.close()
        raise Conflict(
            "port_taken",
            Text(
                en=f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}.",
                zh=f"无法监听 {settings.host}:{settings.port}：{error.strerror}。",
            ),
            Text(en="Choose another port, 0 for any free one.", zh="请换一个端口，0 表示任意空闲端口。"),
            field="port",
        ) from error
    listening.listen(2048)
    listening.setblocking(False)
    return listening


def _address(settings: Settings, listening: socket.socket) -> str:
    host = settings.host if settings.host in LOOPBACK else "127.0.0.1"
    if settings.host not in (*LOOPBACK, "0.0.0.0", "::", ""):  # noqa: S104 - compared with, not bound to
        host = settings.host
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}"


def _announce(home: Path, address: str) -> None:
    """Tell other processes where this home is served; written whole or not at all."""
    temporary = home / f"server.json.{os.getpid()}"
    state = {"address": address, "pid": os.getpid(), "started": utc_now().isoformat()}
    temporary.write_text(json.dumps(state), "utf-8")
    temporary.replace(home / "server.json")


def _forget(home: Path) -> None:
    path = home / "server.json"
    try:
        mine = json.loads(path.read_text("utf-8"))["pid"] == os.getpid()
    except (OSError, ValueError, KeyError):
        return
    if mine:
        path.unlink(missing_ok=True)
