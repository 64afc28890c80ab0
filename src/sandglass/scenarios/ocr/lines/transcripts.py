"""From labelled documents to lines with their texts, and from validation pages to what a reader finds on them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from sandglass.core.annotation import DocumentAnnotation
from sandglass.core.errors import InvalidInput, TooLarge
from sandglass.core.geometry import bounding_box
from sandglass.core.prediction import TextLine
from sandglass.scenarios.base import Example, Report
from sandglass.scenarios.ocr.judge import WHOLE_PICTURE
from sandglass.scenarios.ocr.lines.store import LineStore
from sandglass.scenarios.ocr.reading.boxes import as_quad
from sandglass.scenarios.ocr.reading.detect import cut
from sandglass.scenarios.ocr.reading.found import Found, FoundReader
from sandglass.scenarios.ocr.reading.reader import Reader

MOSTLY = 0.9
"""Share of pictures that are one line each from which a model takes every picture for one."""


@dataclass
class Transcripts:
    """Lines to learn from.

    Attributes:
        store: their pictures.
        texts: what stands on each.
    """

    store: LineStore
    texts: list[str] = field(default_factory=list)


def is_whole(annotation: DocumentAnnotation, width: int, height: int) -> bool:
    """Whether the labels say that the picture is a single line of text."""
    if len(annotation.boxes) != 1:
        return False
    return bounding_box(annotation.boxes[0].polygon).area >= WHOLE_PICTURE * width * height


def single_lines(examples: Sequence[Example]) -> bool:
    """Whether the pictures of a dataset are single lines, nearly all of them."""
    labelled = [item for item in examples if isinstance(item.sample.annotation, DocumentAnnotation)]
    whole = sum(
        is_whole(item.sample.annotation, item.sample.width, item.sample.height)
        for item in labelled
        if isinstance(item.sample.annotation, DocumentAnnotation)
    )
    return bool(labelled) and whole >= MOSTLY * len(labelled)


def cutting(examples: Sequence[Example], into: Transcripts, report: Report) -> Iterator[None]:
    """Cut out the labelled lines of one example after the other; a picture that cannot be read is reported."""
    for example in examples:
        annotation = example.sample.annotation
        boxes = (
            [box for box in annotation.boxes if box.text.strip()] if isinstance(annotation, DocumentAnnotation) else []
        )
        if not isinstance(annotation, DocumentAnnotation) or not boxes:
            continue
        try:
            picture = example.picture()
        except (InvalidInput, TooLarge) as error:
            report.log(f"{example.sample.path}: {error}", level="warning")
            continue
        if is_whole(annotation, example.sample.width, example.sample.height):
            into.store.add(picture)
            into.texts.append(boxes[0].text)
        else:
            for box in boxes:
                into.store.add(cut(picture, as_quad(box.polygon)))
                into.texts.append(box.text)
        yield


@dataclass(frozen=True)
class _Place:
    """A found line: its number in the store and where it was found."""

    number: int
    found: Found


class FoundLines:
    """What a reader finds on pages, kept so that several recognisers can be asked about the very same lines."""

    def __init__(self, store: LineStore) -> None:
        self._store = store
        self._pages: list[list[_Place]] = []

    def finding(self, examples: Sequence[Example], reader: Reader, report: Report) -> Iterator[None]:
        """Find the lines of one example after the other; a picture that cannot be read has none."""
        for example in examples:
            try:
                found = reader.find(example.picture())
            except (InvalidInput, TooLarge) as error:
                report.log(f"{example.sample.path}: {error}", level="warning")
                found = []
            self._pages.append([_Place(self._store.add(item.picture), _placed(item)) for item in found])
            yield

    def read(self, reader: FoundReader) -> list[list[TextLine]]:
        """What ``reader`` reads there, page by page."""
        return [reader([place.found.with_picture(self._store[place.number]) for place in page]) for page in self._pages]


def _placed(found: Found) -> Found:
    """The place alone: the picture is in the store."""
    return found.with_picture(np.zeros((1, 1, 3), np.uint8))
