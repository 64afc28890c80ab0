"""``sandglass`` commands as a person types them, each in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path


class Shell:
    """Runs ``sandglass`` commands in a home of their own."""

    def __init__(self, home):
        self.environment = os.environ | {"SANDGLASS_HOME": str(home), "SANDGLASS_LANGUAGE": "en", "COLUMNS": "160"}

    def __call__(self, *arguments, code=0, seconds=400):
        command = [sys.executable, "-m", "sandglass.cli", *map(str, arguments)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=seconds)
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    def stop(self):
        """End the server that the first command started."""
        state = json.loads(Path(self.environment["SANDGLASS_HOME"], "server.json").read_text())
        os.kill(state["pid"], 15)
