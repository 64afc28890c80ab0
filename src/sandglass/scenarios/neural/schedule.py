"""How fast to learn and how far one can get: learning-rate factors, and a pace that is measured and fits a deadline."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SLOW_FIRST = 2
"""First steps that are not timed: they also set things up."""


def one_cycle(progress: float, *, warm: float = 0.1, start: float = 0.04, end: float = 1e-3) -> float:
    """Factor 0..1 of the highest learning rate: up in a straight line, then down along half a cosine.

    Args:
        progress: share 0..1 of the steps that is done.
        warm: share of the steps on the way up.
        start: factor at the beginning.
        end: factor at the end.

    Source: L. N. Smith and N. Topin, Super-Convergence (2018).

    >>> [round(one_cycle(progress), 3) for progress in (0.0, 0.1, 0.55, 1.0)]
    [0.04, 1.0, 0.5, 0.001]
    """
    if progress < warm:
        return start + (1 - start) * progress / warm
    return max(end, 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - warm) / (1 - warm)))))


@dataclass
class Pace:
    """Steps that are taken in bounded pieces, and planned anew as it shows how long one takes.

    Attributes:
        most: steps after which more would bring nothing.
        least: steps below which the plan is not cut, however short the time.
        planned: steps of the present plan; the learning rate comes down towards them.
        done: steps taken.
        step_seconds: running mean; None before it was measured.
    """

    most: int
    least: int = 1
    planned: int = 0
    done: int = 0
    step_seconds: float | None = None
    _timed: int = 0

    def __post_init__(self) -> None:
        self.planned = self.planned or self.most

    @property
    def finished(self) -> bool:
        return self.done >= self.planned

    @property
    def fraction(self) -> float:
        """Share 0..1 of the plan that is done."""
        return min(1.0, self.done / max(1, self.planned))

    def fit_within(self, seconds: float) -> None:
        """Plan as many further steps as fit into ``seconds``; more than `most` are never planned.

        The plan follows the measured pace; before it is known, nothing changes.
        """
        if self.step_seconds is None or math.isinf(seconds):
            return
        further = int(max(0.0, seconds) / self.step_seconds)
        self.planned = max(min(self.most, self.done + further), min(self.least, self.most), self.done)

    def run(self, seconds: float, over: Callable[[], bool], step: Callable[[float], float]) -> float:
        """Take steps for about ``seconds``; return the mean of what ``step`` returned (NaN without any step).

        Args:
            seconds: of this piece; no step begins that is expected to end later, except the first one of all.
            over: whether to stop now; looked at before every step.
            step: one step, told the share 0..1 of the plan that is done; returns its loss.
        """
        end = time.monotonic() + seconds
        total, count = 0.0, 0
        while not self.finished and not over():
            started = time.monotonic()
            if started + (self.step_seconds or 0.0) > end and (count or self.done):
                break
            total += step(self.fraction)
            count += 1
            self.done += 1
            self._time(time.monotonic() - started)
        return total / count if count else math.nan

    def _time(self, seconds: float) -> None:
        self._timed += 1
        if self.step_seconds is None or self._timed <= SLOW_FIRST:
            self.step_seconds = seconds
        else:
            share = max(0.05, 1 / (self._timed - 1))
            self.step_seconds += share * (seconds - self.step_seconds)

    def state(self) -> dict[str, Any]:
        """All that `restore` needs; the pace is measured anew, maybe on another machine."""
        return {"planned": self.planned, "done": self.done}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.planned, self.done = int(state["planned"]), int(state["done"])
