"""How the command line shows findings and label counts."""

from typing import Any

from sandglass.cli.output import errors, print_table, say
from sandglass.core.text import Text


def print_findings(findings: list[dict[str, Any]], *, most: int = 12) -> None:
    """Findings grouped by code: how many, the first example, what happens to them."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for finding in findings:
        groups.setdefault(finding["code"], []).append(finding)
    for code, group in list(groups.items())[:most]:
        first = group[0]
        count = sum(finding["count"] for finding in group)
        where = (
            f" ({first['file']}{':' + str(first['line']) if first.get('line') else ''})" if first.get("file") else ""
        )
        message, outcome = sentence(first["message"]), sentence(first["outcome"])
        errors.print(f"  {first['severity']} {code} x{count}: {message}{where} → {outcome}", markup=False)


def sentence(value: str | dict[str, str]) -> str:
    """A sentence that the server sent in one language or in both."""
    return value if isinstance(value, str) else say(Text(**value))


def print_counts(dataset: dict[str, Any]) -> None:
    """Label counts of a dataset as a table."""
    counts = dataset.get("label_counts") or {}
    if counts:
        print_table(["label", "samples"], list(counts.items()))
