"""Run npm in ``console/`` with the Node that builds the console, after its packages are installed: ``npm.py run check``."""

import subprocess
import sys
from pathlib import Path

import console_build

CONSOLE = Path(__file__).resolve().parents[1] / "console"


def run(*arguments: str) -> int:
    """The exit status of ``npm ARGUMENTS``."""
    try:
        node = console_build.find_node()
        console_build.install_packages(CONSOLE, node, print)
    except console_build.ConsoleBuildError as error:
        sys.exit(str(error))
    return subprocess.run([*node.npm, *arguments], cwd=CONSOLE, env=node.environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
