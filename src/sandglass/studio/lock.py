"""One server per home: an advisory file lock that the kernel releases when the process ends, however it ends."""

import fcntl
import json
import os
from pathlib import Path
from typing import Self

from sandglass.core.errors import Broken, Conflict
from sandglass.core.text import Text


class HomeLock:
    """Holds ``home/server.lock`` until closed.

    Raises:
        Conflict: ``server_already_running``, naming the process that holds the home.
        Broken: ``home_unwritable``.
    """

    def __init__(self, home: Path) -> None:
        path = home / "server.lock"
        try:
            home.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+")
        except OSError as error:
            raise Broken(
                "home_unwritable",
                Text(en=f"{home} cannot be written: {error.strerror}.", zh=f"无法写入 {home}：{error.strerror}。"),
                Text(
                    en="Choose another folder with --home, or correct its rights.",
                    zh="请用 --home 换一个文件夹，或修改其权限。",
                ),
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read().strip() or "?"
            self._file.close()
            address = _address(home)
            at = f" at {address}" if address else ""
            raise Conflict(
                "server_already_running",
                Text(
                    en=f"A server (process {holder}) already serves {home}{at}.",
                    zh=f"已有服务器（进程 {holder}）在使用 {home}{'，地址 ' + address if address else ''}。",
                ),
                Text(
                    en="Use that one, stop it first, or choose another --home.",
                    zh="请使用它、先停止它，或用 --home 另选文件夹。",
                ),
            ) from error
        self._file.seek(0)
        self._file.truncate()
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def close(self) -> None:
        """Let another server take the home."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _address(home: Path) -> str | None:
    try:
        return str(json.loads((home / "server.json").read_text("utf-8"))["address"])
    except (OSError, ValueError, KeyError):
        return None
