"""The log of an instance: JSON lines on standard output, held within bounds and never the reason that a request fails."""

import json
import sys
import time

from sandglass.core.time import utc_now
from sandglass.serving.limits import TokenBucket

LINES_PER_SECOND = 5.0
"""Requests that are written down one by one; beyond that they are counted."""
MOST_BYTES = 32 << 20
"""Bytes of request lines in one process's life; warnings are written beyond it."""


class Journal:
    """Writes lines; those that the disk refuses are counted and told with the next one that it takes."""

    def __init__(self) -> None:
        self._bucket = TokenBucket(LINES_PER_SECOND, LINES_PER_SECOND * 4)
        self._left_out = 0
        self._lost = 0
        self._bytes = 0

    def say(self, message: str, level: str = "info", **facts: object) -> None:
        """One line."""
        if self._lost:
            message += f" ({self._lost} lines before this one could not be written)"
        line = {"at": utc_now().isoformat(timespec="milliseconds"), "level": level, "message": message, **facts}
        text = json.dumps(line, ensure_ascii=False) + "\n"
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:  # the disk is full
            self._lost += 1
            return
        self._lost = 0
        self._bytes += len(text)

    def request(self, request_id: str, status: int, pictures: int, began: float, why: str = "") -> None:
        """One line about a request; refused and failed ones are always written within the pace."""
        level = "info" if status < 400 else "warning"
        if (level == "info" and self._bytes > MOST_BYTES) or self._bucket.take() > 0:
            self._left_out += 1
            return
        more = f", {self._left_out} more not written" if self._left_out else ""
        self._left_out = 0
        milliseconds = (time.perf_counter() - began) * 1000
        self.say(
            f"{status} {pictures} picture{'' if pictures == 1 else 's'} {milliseconds:.0f} ms {request_id}"
            + (f": {why}" if why else "")
            + more,
            level,
        )
