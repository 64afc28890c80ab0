"""A page with the truth about its fields, and where on the page that truth stands: what the extractor learns from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sandglass.core.annotation import DocumentAnnotation, with_linked_values
from sandglass.core.geometry import Box, bounding_box
from sandglass.scenarios.ocr.fields.align import Alignment, Piece, align
from sandglass.scenarios.ocr.page import Page

OVERLAP = 0.4
"""Share of the smaller of a labelled box and a line from which the line belongs to the box."""
INSIDE = 0.8
"""Share of a line inside marked boxes from which all of it belongs to the value."""


@dataclass(frozen=True)
class LabelledPage:
    """A page and the true values of its fields.

    Attributes:
        values: field → values on this page, in reading order where boxes tell it; a field without values has no entry.
        boxes: field → for each of its values the boxes that mark it, in pixels of the page, empty where the value is
            known without its place; None = no value has boxes.
        absent: fields that a person says are not on the page.
        group: documents of one origin; they never stand on both sides of a split. None = unknown.
    """

    page: Page
    values: Mapping[str, tuple[str, ...]]
    boxes: Mapping[str, tuple[tuple[Box, ...], ...]] | None = None
    absent: frozenset[str] = frozenset()
    group: str | None = None

    @cached_property
    def alignments(self) -> Mapping[str, tuple[Alignment | None, ...]]:
        """Field → for each value where it stands; None where the page does not hold it (badly read, not printed)."""
        found: dict[str, tuple[Alignment | None, ...]] = {}
        for name, texts in self.values.items():
            marks = (self.boxes or {}).get(name) or ((),) * len(texts)
            found[name] = tuple(self._align(text, mark) for text, mark in zip(texts, marks, strict=True))
        return found

    def _align(self, text: str, boxes: Sequence[Box]) -> Alignment | None:
        lines = _lines_at(self.page, boxes)
        marked = align(self.page.texts, text, lines=lines) if lines else None
        return marked or align(self.page.texts, text) or self._whole_lines(lines, boxes)

    def _whole_lines(self, lines: Sequence[int], boxes: Sequence[Box]) -> Alignment | None:
        """Lines that lie inside the marked boxes, for a value whose text was read too badly to be recognised."""
        inside = [
            line
            for line in lines
            if sum(self.page.boxes[line].intersection(box) for box in boxes) >= INSIDE * self.page.boxes[line].area
        ]
        if not inside or len(inside) < len(lines):
            return None
        return Alignment((tuple(Piece(line, 0, len(self.page.lines[line].text)) for line in inside),), 0.0)


def labelled_page(page: Page, annotation: DocumentAnnotation, group: str | None = None) -> LabelledPage:
    """The truth of ``annotation`` beside ``page``.

    Where labelled boxes mark a value, it is looked for in the lines at that place first, so this works for the labels'
    own text as well as for text that was read; otherwise, and when it is not there, on the whole page.
    """
    annotation = with_linked_values(annotation)
    places = {box.id: bounding_box(box.polygon) for box in annotation.boxes}
    values: dict[str, list[str]] = {}
    boxes: dict[str, list[tuple[Box, ...]]] = {}
    for value in annotation.values:
        if not value.text.strip():
            continue
        values.setdefault(value.field, []).append(value.text)
        boxes.setdefault(value.field, []).append(tuple(places[name] for name in value.box_ids if name in places))
    marked = any(mark for marks in boxes.values() for mark in marks)
    return LabelledPage(
        page,
        {name: tuple(texts) for name, texts in values.items()},
        {name: tuple(marks) for name, marks in boxes.items()} if marked else None,
        frozenset(annotation.absent),
        group,
    )


def _lines_at(page: Page, boxes: Sequence[Box]) -> list[int]:
    def touches(line: Box, box: Box) -> bool:
        smaller = min(line.area, box.area)
        return smaller > 0 and line.intersection(box) >= OVERLAP * smaller

    return [number for number, line in enumerate(page.boxes) if any(touches(line, box) for box in boxes)]
