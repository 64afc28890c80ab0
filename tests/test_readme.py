import re
from pathlib import Path

import pytest
from typer.main import get_command

from sandglass.cli.main import app
from sandglass.pretrained import catalogue

ROOT = Path(__file__).parents[1]
READMES = ["README.md", "README.zh-CN.md"]


def commands(name):
    text = (ROOT / name).read_text("utf-8")
    return re.findall(r"^(?:\$ )?sandglass ([^#\n]+)", text, re.MULTILINE)


@pytest.mark.parametrize("name", READMES)
def test_every_command_of_the_readme_exists_with_its_options(name):
    found = commands(name)
    assert len(found) > 8
    for line in found:
        words = re.findall(r'"[^"]*"|\S+', line)
        command = get_command(app)
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        options = {flag for parameter in command.params for flag in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_both_readmes_have_the_same_parts():
    heads = [len(re.findall(r"^## ", (ROOT / name).read_text("utf-8"), re.MULTILINE)) for name in READMES]
    assert abs(heads[0] - heads[1]) <= 1
    assert [len(commands(name)) > 8 for name in READMES] == [True, True]


@pytest.mark.parametrize("name", READMES)
def test_every_pulled_package_stands_in_the_table_of_licences(name):
    text = (ROOT / name).read_text("utf-8")
    for item in catalogue().values():
        shown = "fontpkg-*" if item.package.startswith("fontpkg-") else item.package.split("/")[0]
        assert shown in text, item.package
        assert item.licence in text
