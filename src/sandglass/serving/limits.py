"""What callers of one service may ask: how often, how much at once, how big, how long."""

import time
from collections.abc import Callable

from pydantic import Field

from sandglass.core.value import Value

MIB = 1024**2


class Limits(Value):
    """Limits of one service.

    Attributes:
        rate_per_second: requests that may begin per second on average; None = any number.
        burst: requests that may begin at once after a pause; None = one second's worth.
        concurrency: requests that may be open at a time, waiting ones included; None = any number.
        queue: requests that may wait for a free place before further ones are refused.
        deadline_seconds: most that a request may take; a caller may ask for less.
        max_request_mb: MiB of one request.
        max_pictures: pictures of one request.
        max_picture_megapixels: size of one picture, in millions of pixels.
    """

    rate_per_second: float | None = Field(None, gt=0, le=100_000)
    burst: int | None = Field(None, ge=1, le=100_000)
    concurrency: int | None = Field(None, ge=1, le=10_000)
    queue: int = Field(64, ge=0, le=10_000)
    deadline_seconds: float = Field(60.0, ge=0.1, le=3600)
    max_request_mb: int = Field(64, ge=1, le=256)
    max_pictures: int = Field(64, ge=1, le=64)
    max_picture_megapixels: float = Field(100.0, gt=0, le=100)

    @property
    def max_request_bytes(self) -> int:
        return self.max_request_mb * MIB

    @property
    def max_picture_pixels(self) -> int:
        return int(self.max_picture_megapixels * 1_000_000)


class TokenBucket:
    """Lets ``rate`` things a second begin on average, and ``burst`` at once after a pause.

    Args:
        rate: per second.
        burst: most that can be saved up.
        clock: monotonic seconds.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.burst = max(1.0, burst)
        self._clock = clock
        self._tokens = self.burst
        self._at = clock()

    def take(self) -> float:
        """Take one token and return 0, or return the seconds until there is one."""
        now = self._clock()
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self.rate
