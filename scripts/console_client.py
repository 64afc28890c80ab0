"""Renew the console's client: write the interface's OpenAPI description and generate the types from it."""

import json
import sys

import npm

from sandglass.api.app import create_app
from sandglass.core.settings import Settings


def description() -> str:
    """The OpenAPI description as it is kept in ``console/openapi.json``."""
    return json.dumps(create_app(Settings()).openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    (npm.CONSOLE / "openapi.json").write_text(description(), "utf-8")
    sys.exit(npm.run("run", "client"))
