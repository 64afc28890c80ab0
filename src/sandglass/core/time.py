"""Wall-clock instants in UTC, durations as people write them, and the deadline that is handed down a run."""

import re
import time
from datetime import UTC, datetime

from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text

_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def parse_duration(text: str) -> float | None:
    """Seconds from ``90``, ``90s``, ``10m``, ``1.5h``, ``1h30m``, ``2d``; ``-1`` means no limit and gives None.

    >>> parse_duration("1h30m")
    5400.0

    Raises:
        InvalidInput: ``text`` is no duration, or not above zero.
    """
    stripped = text.strip().lower()
    if stripped == "-1":
        return None
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(min|[smhd])?", stripped)
    if not parts or re.sub(r"\d+(?:\.\d+)?\s*(?:min|[smhd])?|\s", "", stripped):
        seconds = 0.0
    else:
        seconds = sum(float(number) * _UNITS[unit or "s"] for number, unit in parts)
    if seconds <= 0:
        raise InvalidInput(
            "invalid_duration",
            Text(en=f"'{text}' is not a duration.", zh=f"“{text}”不是有效的时长。"),
            Text(
                en="Write 90s, 10m, 1.5h or 1h30m; -1 for no limit.", zh="请写成 90s、10m、1.5h 或 1h30m；-1 表示不限。"
            ),
        )
    return seconds


class Deadline:
    """A point on the monotonic clock at which work must have ended; handed down, never re-read from settings.

    Args:
        seconds: from now; None = no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds left, never below zero; infinite without a limit."""
        return float("inf") if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def expired(self) -> bool:
        return self.remaining <= 0.0

    def reserve(self, seconds: float) -> "Deadline":
        """A deadline ``seconds`` earlier than this one: what is left for work that something must follow."""
        earlier = Deadline(None)
        earlier._end = None if self._end is None else self._end - seconds
        return earlier

    def within(self, seconds: float) -> "Deadline":
        """The earlier of this deadline and ``seconds`` from now."""
        return Deadline(min(self.remaining, seconds))

    def share(self, fraction: float) -> "Deadline":
        """A deadline after ``fraction`` (0..1) of what is left."""
        return Deadline(None if self._end is None else self.remaining * fraction)
