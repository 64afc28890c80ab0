"""The documentation's pages, and what stands in them to be checked or run."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))


def code(text: str, language: str) -> list[str]:
    """Blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def sandglass_commands(text: str) -> list[str]:
    """Every ``sandglass …`` that a person would type, in blocks and in sentences, without its first word."""
    typed = re.findall(r"^(?:\$ )?sandglass ([^#\n]+)", "\n".join(code(text, r"(?:sh|console)")), re.MULTILINE)
    named = re.findall(r"`sandglass ([a-z][^`]*)`", text)
    return [line.replace("…", "").strip() for line in (*typed, *named)]


def links(text: str) -> list[str]:
    """Targets of links and pictures inside the project."""
    found = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'<img[^>]* src="([^"]+)"', text)
    return [target for target in found if "://" not in target]
