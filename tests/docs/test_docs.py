"""The documentation says what is true: commands and settings exist, links lead somewhere, every page is linked."""

import re
from pathlib import Path

import pytest
from documents import PAGES, ROOT, code, links, sandglass_commands
from typer.main import get_command

from sandglass.cli.main import app
from sandglass.core.settings import Settings

READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]


@pytest.mark.parametrize("page", [*PAGES, *READMES], ids=lambda page: page.name)
def test_every_command_exists_with_its_options(page):
    for line in sandglass_commands(page.read_text("utf-8")):
        words = re.findall(r'"[^"]*"|\S+', line)
        command = get_command(app)
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert not getattr(command, "commands", None) or words[:1] in ([], ["--help"]), line
        options = {flag for one in command.params for flag in (*one.opts, *one.secondary_opts)} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= options, line


@pytest.mark.parametrize("page", [*PAGES, *READMES], ids=lambda page: page.name)
def test_every_link_and_picture_is_there(page):
    for target in links(page.read_text("utf-8")):
        path, _, heading = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        if heading:
            heads = re.findall(r"^#+ (.+)$", found.read_text("utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}


def test_the_index_links_every_page():
    linked = set(links((ROOT / "docs/index.md").read_text("utf-8")))
    assert {page.name for page in PAGES} - {"index.md"} <= linked
    for readme in READMES:
        assert "docs/index.md" in links(readme.read_text("utf-8")), readme.name


def test_every_setting_is_described_with_its_default():
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    for name, field in Settings.model_fields.items():
        row = re.search(rf"^\| `SANDGLASS_{name.upper()}` \| (.+) \| (.+) \|$", text, re.MULTILINE)
        assert row, f"SANDGLASS_{name.upper()} is not described"
        if isinstance(field.default, str | bool) or (isinstance(field.default, int) and field.default < 1 << 20):
            shown = str(field.default).lower() if isinstance(field.default, bool) else field.default
            assert row[2] == f"`{shown}`"


def test_python_examples_are_programs():
    for page in PAGES:
        for text in code(page.read_text("utf-8"), "python"):
            compile(text, page.name, "exec")


def test_scripts_that_are_named_are_there():
    named = {
        word for page in PAGES for word in re.findall(r"\b(?:benchmarks|scripts)/\w+\.py", page.read_text("utf-8"))
    }
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []
    assert all(Path(ROOT / name).stat().st_size > 0 for name in named)
