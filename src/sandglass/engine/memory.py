"""Holds work to its memory: by a cgroup where one may be made, else by watching what its processes use.

A cgroup's limit is the kernel's and exact. Where none may be made, the resident memory of the process group is looked at
twice a second, and `RLIMIT_DATA` stops an allocation that would run far past the limit between two looks. Address space
(`RLIMIT_AS`) is no measure: learning libraries reserve many times what they use.
"""

import contextlib
import os
from pathlib import Path

import psutil

CGROUPS = Path("/sys/fs/cgroup")
PREFIX = "sandglass-"
BACKSTOP_FACTOR = 2
BACKSTOP_MB = 1024


def backstop_mb(limit_mb: int) -> int:
    """Writable memory (MiB) at which the kernel refuses more, where there is no cgroup."""
    return limit_mb * BACKSTOP_FACTOR + BACKSTOP_MB


class Cgroups:
    """Memory cgroups (version 2) of work, made under the one that this process is in.

    Args:
        root: where the hierarchy is mounted.
    """

    def __init__(self, root: Path = CGROUPS) -> None:
        self._parent = _parent(root)

    @property
    def usable(self) -> bool:
        """Whether cgroups with a memory limit can be made here."""
        return self._parent is not None

    def make(self, work_id: str, limit_mb: int) -> Path | None:
        """A group for a piece of work; None where it cannot be made."""
        if self._parent is None:
            return None
        group = self._parent / f"{PREFIX}{work_id}"
        try:
            group.mkdir(exist_ok=True)
            (group / "memory.max").write_text(str(limit_mb << 20))
            with contextlib.suppress(OSError):  # no swap accounting here
                (group / "memory.swap.max").write_text("0")
            with contextlib.suppress(OSError):  # older kernels
                (group / "memory.oom.group").write_text("1")
        except OSError:
            with contextlib.suppress(OSError):
                group.rmdir()
            return None
        return group

    def ran_out(self, work_id: str) -> bool:
        """Whether the kernel ended the work because it took more than its limit."""
        if self._parent is None:
            return False
        try:
            lines = (self._parent / f"{PREFIX}{work_id}" / "memory.events").read_text().splitlines()
        except OSError:
            return False
        return any(line.split()[0] == "oom_kill" and line.split()[1] != "0" for line in lines if len(line.split()) == 2)

    def remove(self, work_id: str) -> None:
        """Remove the group of work that is over."""
        if self._parent is not None:
            with contextlib.suppress(OSError):
                (self._parent / f"{PREFIX}{work_id}").rmdir()


def _parent(root: Path) -> Path | None:
    """The group in which children with a memory limit may be made, if there is one."""
    try:
        own = next(
            line.removeprefix("0::").strip()
            for line in Path("/proc/self/cgroup").read_text().splitlines()
            if line.startswith("0::")
        )
        group = root / own.lstrip("/")
        controllers = (group / "cgroup.subtree_control").read_text().split()
    except (OSError, StopIteration):
        return None
    return group if "memory" in controllers and os.access(group, os.W_OK) else None


def processes_of(pid: int) -> list[psutil.Process]:
    """What a wrapper runs: its children and theirs, without itself."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def usage_of(pid: int) -> tuple[float, float]:
    """Processor seconds used so far, and MiB of resident memory now, of what a wrapper runs."""
    seconds = memory = 0.0
    for process in processes_of(pid):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            seconds += times.user + times.system
            memory += process.memory_info().rss / 2**20
    return seconds, memory
