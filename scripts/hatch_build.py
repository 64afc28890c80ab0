"""Build hook: a wheel, an sdist and an editable install carry the built web console."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))
import console_build


class ConsoleBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the console where its sources changed; asks for a Node of its own only where it needs one."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Requirements of the build, beside hatchling."""
        needed = not console_build.is_built(Path(self.root)) and console_build.system_node() is None
        return [console_build.NODE_PACKAGE] if needed else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the console before the files of the package are gathered."""
        try:
            console_build.build(Path(self.root), say=self.app.display_info)
        except console_build.ConsoleBuildError as error:
            sys.exit(f"\n{error}\n")
