"""Find the server of an installation, or start one in the background that leaves by itself when nothing is to be done."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from sandglass.cli.output import language
from sandglass.client import Client
from sandglass.core.errors import Broken
from sandglass.core.settings import Settings
from sandglass.core.text import Text

START_SECONDS = 60.0
IDLE_EXIT_SECONDS = 300
SERVER_VARIABLE, TOKEN_VARIABLE = "SANDGLASS_SERVER", "SANDGLASS_TOKEN"


def running_server(home: Path) -> str | None:
    """Address of the server that serves ``home``, or None."""
    try:
        state = json.loads((home / "server.json").read_text("utf-8"))
        process = psutil.Process(state["pid"])
        alive = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        return str(state["address"]) if alive else None
    except (OSError, ValueError, KeyError, psutil.Error):
        return None


@contextmanager
def connect(settings: Settings | None = None) -> Iterator[Client]:
    """A client of the installation's server; starts one in the background when none runs.

    Such a server goes away by itself after some minutes in which nothing runs and nobody asks. On the machine itself the
    owner's token in the home opens it; another server (``sandglass --server``, ``SANDGLASS_SERVER``) is opened by the token in
    ``SANDGLASS_TOKEN``, which is also used here if it is set.

    Raises:
        Broken: the server could not be started; the error holds the end of its log.
    """
    settings = settings or Settings()
    remote, token = os.environ.get(SERVER_VARIABLE), os.environ.get(TOKEN_VARIABLE)
    address = remote or running_server(settings.home) or _start(settings)
    if token is None and remote is None:
        token = _owner_token(settings.home)
    with Client(address, language=language(), token=token) as client:
        yield client


def _owner_token(home: Path) -> str | None:
    try:
        return (home / "owner.token").read_text("utf-8").strip()
    except OSError:
        return None


def _start(settings: Settings) -> str:
    settings.home.mkdir(parents=True, exist_ok=True)
    log_path = settings.home / "server.log"
    command = [sys.executable, "-m", "sandglass.cli", "up", "--port", "0", "--idle-exit", str(IDLE_EXIT_SECONDS)]
    environment = os.environ | {"SANDGLASS_HOME": str(settings.home)}
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, env=environment
        )
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        address = running_server(settings.home)
        if address is not None and _answers(address):
            return address
        if process.poll() is not None and running_server(settings.home) is None:
            break
        time.sleep(0.05)
    tail = log_path.read_text("utf-8", errors="replace")[-1500:]
    raise Broken(
        "server_not_started",
        Text(
            en=f"The server could not be started. The end of its log:\n{tail}", zh=f"服务器无法启动，日志末尾：\n{tail}"
        ),
        Text(en="Start it by hand with 'sandglass up' to see more.", zh="请用 sandglass up 手动启动以查看详情。"),
    )


def _answers(address: str) -> bool:
    try:
        with Client(address, timeout=2.0) as client:
            client.request("GET", "/health")
    except Broken:
        return False
    return True
