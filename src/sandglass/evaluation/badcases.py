"""Samples that a model got wrong at a threshold, filtered by what was there, what was said and why it is wrong."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from sandglass.core.value import Value
from sandglass.scenarios.base import Match

Key = TypeVar("Key")


class BadcaseFilter(Value):
    """Which errors to look at; empty = all.

    Attributes:
        truth: label of the truth; the empty string = nothing is there.
        predicted: label of the answer; the empty string = nothing was answered.
        cause: why it is wrong.
    """

    truth: str | None = None
    predicted: str | None = None
    cause: str | None = None


def wrong_matches(matches: Sequence[Match], threshold: float, *, exact: bool = False) -> list[Match]:
    """What is wrong with one sample at ``threshold``, as it looks there: an answer below it counts as not given."""
    wrong = []
    for match in matches:
        if match.predicted is not None and match.score >= threshold:
            if not (match.right and (match.exact or not exact)):
                cause = match.cause or ("wrong_text" if match.right else None)
                wrong.append(match.model_copy(update={"cause": cause}))
        elif match.truth is not None:
            cause = match.cause if match.predicted is None else "missing"
            wrong.append(match.model_copy(update={"predicted": None, "predicted_text": None, "cause": cause}))
    return wrong


def is_badcase(matches: Sequence[Match], threshold: float, *, exact: bool = False) -> bool:
    """Whether anything is wrong with a sample at ``threshold``."""
    return bool(wrong_matches(matches, threshold, exact=exact))


def select_badcases(
    samples: Iterable[tuple[Key, Sequence[Match]]], threshold: float, wanted: BadcaseFilter, *, exact: bool = False
) -> Iterator[tuple[Key, list[Match]]]:
    """Samples with an error that fits ``wanted``, with their fitting errors."""
    for key, matches in samples:
        wrong = [match for match in wrong_matches(matches, threshold, exact=exact) if _fits(match, wanted)]
        if wrong:
            yield key, wrong


def _fits(match: Match, wanted: BadcaseFilter) -> bool:
    return (
        (wanted.truth is None or (match.truth or "") == wanted.truth)
        and (wanted.predicted is None or (match.predicted or "") == wanted.predicted)
        and (wanted.cause is None or match.cause == wanted.cause)
    )
