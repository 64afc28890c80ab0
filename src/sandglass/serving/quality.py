"""How sure an answer is, in a form that can be counted: a first sign that pictures are no longer like the training data."""

from collections.abc import Iterable

from sandglass.serving.answer import PictureAnswer
from sandglass.serving.meter import NOTHING, Quality

QUALITY_HEADER = "x-sandglass-quality"
LOW_CONFIDENCE = 0.7
"""Scores are calibrated probabilities, so this means the same for every model: at least three of ten such answers are wrong."""


def quality_of(answers: Iterable[PictureAnswer]) -> Quality:
    """Counts over pictures: each field of a document, the first class of a picture, each object (or none) is one answer."""
    count = low = empty = 0
    for answer in answers:
        if answer.error is not None:
            continue
        scores: list[float | None] = []
        if answer.fields is not None:
            scores = [None if field.value is None else field.score for field in answer.fields]
        elif answer.labels is not None:
            scores = [answer.labels[0].score if answer.labels else None]
        elif answer.objects is not None:
            scores = [found.score for found in answer.objects] or [None]
        count += len(scores)
        empty += sum(score is None for score in scores)
        low += sum(score is not None and score < LOW_CONFIDENCE for score in scores)
    return Quality(count, low, empty)


def write_quality(quality: Quality) -> str:
    """The header in which an instance tells how sure its answer was."""
    return f"{quality.answers} {quality.low} {quality.empty}"


def read_quality(header: str | None) -> Quality:
    """What `write_quality` wrote; nothing when it is missing."""
    parts = (header or "").split()
    return Quality(*map(int, parts)) if len(parts) == 3 else NOTHING
