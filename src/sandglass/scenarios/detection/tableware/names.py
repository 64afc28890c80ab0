"""Under which names, English or Chinese, people label the parts of an eye and what stands on a table."""

import unicodedata
from collections.abc import Sequence

TABLE = ("cup", "bowl", "plate", "dish", "chopsticks", "spoon", "fork", "knife", "bottle")
"""Labels to start a table with."""
TABLE_KNOWN = ("cup", "bowl", "spoon", "fork", "knife", "bottle", "wine glass")
"""What the published network knows of a table."""
EYE = ("optic_cup", "optic_disc")
"""Labels of an eye."""
CUP = frozenset({"optic cup", "opticcup", "cup", "oc", "视杯", "杯"})
DISC = frozenset({"optic disc", "optic disk", "opticdisc", "opticdisk", "disc", "disk", "od", "视盘", "视乳头", "盘"})


def _plain(label: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", label).casefold().replace("_", " ").replace("-", " ").split())


def eye_labels(labels: Sequence[str]) -> tuple[str, str] | None:
    """The labels for optic cup and optic disc among ``labels``; None when one of them is missing.

    >>> eye_labels(["视盘", "视杯"])
    ('视杯', '视盘')
    """
    cup = next((label for label in labels if _plain(label) in CUP), None)
    disc = next((label for label in labels if _plain(label) in DISC), None)
    return None if cup is None or disc is None else (cup, disc)
