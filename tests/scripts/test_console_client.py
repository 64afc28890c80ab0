"""The console's typed client is the interface's own description, not an older one."""

import subprocess

import console_build
import console_client
import npm
import pytest


def test_the_kept_description_is_the_present_one():
    kept = (npm.CONSOLE / "openapi.json").read_text("utf-8")
    assert kept == console_client.description(), "The interface has changed: run 'make client'."


@pytest.fixture(scope="module")
def node():
    found = console_build.find_node()
    console_build.install_packages(npm.CONSOLE, found, print)
    return found


def test_the_types_are_made_from_the_kept_description(node, tmp_path):
    program = npm.CONSOLE / "node_modules/openapi-typescript/bin/cli.js"
    made = tmp_path / "schema.ts"
    command = [node.program, program, npm.CONSOLE / "openapi.json", "-o", made]
    subprocess.run(command, cwd=npm.CONSOLE, check=True, capture_output=True, timeout=120)
    kept = (npm.CONSOLE / "src/shared/api/schema.ts").read_text("utf-8")
    assert kept == made.read_text("utf-8"), "The description has changed: run 'make client'."
