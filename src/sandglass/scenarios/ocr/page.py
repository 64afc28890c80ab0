"""A page as the field models see it: lines of text with their places, in reading order, grouped into rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sandglass.core.annotation import DocumentAnnotation
from sandglass.core.geometry import Box, bounding_box
from sandglass.core.prediction import TextLine


@dataclass(frozen=True)
class Page:
    """Lines in reading order: rows from the top, lines of a row from the left.

    Attributes:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        lines: in reading order.
        boxes: bounding box of each line.
        rows: row number of each line, from 0, never falling.
    """

    width: int
    height: int
    lines: tuple[TextLine, ...]
    boxes: tuple[Box, ...] = field(repr=False)
    rows: tuple[int, ...] = field(repr=False)

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.lines]


def make_page(width: int, height: int, lines: Iterable[TextLine]) -> Page:
    """Put ``lines`` into reading order; lines without any visible character are dropped.

    Two lines share a row when their vertical centres are closer than half the height of the smaller one.
    """
    placed = [(bounding_box(line.polygon), line) for line in lines if line.text.strip()]
    placed.sort(key=lambda item: (item[0].top + item[0].bottom, item[0].left))
    rows: list[list[tuple[Box, TextLine]]] = []
    for box, line in placed:
        if rows:
            first = rows[-1][0][0]
            distance = abs((box.top + box.bottom) - (first.top + first.bottom)) / 2
            if distance < 0.5 * min(box.height, first.height):
                rows[-1].append((box, line))
                continue
        rows.append([(box, line)])
    ordered = [
        (number, box, line)
        for number, row in enumerate(rows)
        for box, line in sorted(row, key=lambda item: (item[0].left, item[0].top))
    ]
    return Page(
        width,
        height,
        tuple(line for _, _, line in ordered),
        tuple(box for _, box, _ in ordered),
        tuple(number for number, _, _ in ordered),
    )


def page_from_annotation(width: int, height: int, annotation: DocumentAnnotation) -> Page:
    """The page as its labelled boxes tell it (given text): every box with text becomes a line of score 1."""
    lines = (TextLine(text=box.text, score=1.0, polygon=box.polygon) for box in annotation.boxes)
    return make_page(width, height, lines)
