"""Findings: what a check noticed about data, and what happens to it. Used by imports and data checks alike."""

from enum import StrEnum

from sandglass.core.text import Text
from sandglass.core.value import Value


class Severity(StrEnum):
    """How a finding weighs: an error stops the work, a warning leaves something out, a note only informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(Value):
    """One thing that is wrong or worth knowing.

    Attributes:
        code: stable identifier that groups equal findings, e.g. ``label_without_picture``.
        message: what is wrong.
        outcome: what happens to it (left out, read as …) or what to do about it.
        file: path relative to the folder that was read, POSIX separators.
        line: 1-based line in ``file``.
        count: how many times, where one finding stands for many.
        label: the label or field concerned, when there is one.
    """

    code: str
    severity: Severity
    message: Text
    outcome: Text
    file: str | None = None
    line: int | None = None
    count: int = 1
    label: str | None = None
