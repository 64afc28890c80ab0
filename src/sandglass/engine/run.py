"""Runs one command for the engine and writes down how it ended.

``python -m sandglass.engine.run EXIT_FILE MEMORY COMMAND…``; MEMORY is ``-``, MiB of writable memory, or a cgroup's folder.

It outlives the engine, so the end of work is known even when nobody watched. It starts in milliseconds: it imports
nothing of the rest. Signals go to the whole process group, so the command gets them by itself.
"""

import os
import resource
import signal
import subprocess
import sys


def main() -> int:
    """Run the command and return its exit code (128 + signal when a signal ended it, 127 when it is not found)."""
    exit_file, memory, *command = sys.argv[1:]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)

    def prepare() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        if memory.isdecimal():
            limit = int(memory) << 20
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        elif memory != "-":
            with open(f"{memory}/cgroup.procs", "w") as group:  # noqa: PTH123
                group.write(str(os.getpid()))
        die_with_parent()

    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=prepare)
        code = process.wait()
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        code = 127
    code = 128 - code if code < 0 else code
    temporary = f"{exit_file}.{os.getpid()}"
    with open(temporary, "w") as file:  # noqa: PTH123 - pathlib would cost a tenth of the start-up time
        file.write(str(code))
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, exit_file)  # noqa: PTH105
    return code


def die_with_parent() -> None:
    """Linux: have the kernel kill this process when its parent dies, so that no orphan goes on unseen."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
