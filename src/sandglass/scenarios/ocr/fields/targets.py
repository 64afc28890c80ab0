"""What the network should say about a labelled page: a field for every character, and the lines of every value."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sandglass.scenarios.ocr.fields.align import Piece
from sandglass.scenarios.ocr.fields.characters import significant
from sandglass.scenarios.ocr.fields.features import MAX_LINE, Ints, PageArrays, page_arrays
from sandglass.scenarios.ocr.fields.labelled import LabelledPage
from sandglass.scenarios.ocr.fields.patterns import FieldPattern
from sandglass.scenarios.ocr.fields.vocabulary import Vocabulary

NOT_ASKED = -1
"""Mark of a character of which it is not known whether it belongs to a field."""


@dataclass(frozen=True)
class LineTarget:
    """Per character: the field (0 = none, 1 + index of the field, or `NOT_ASKED`) and the occurrence (-1 = none)."""

    fields: Ints
    occurrences: Ints


@dataclass(frozen=True)
class Occurrence:
    """One place where a value stands: which value, of which field, on which lines (in reading order)."""

    value: int
    field: int
    lines: tuple[int, ...]


@dataclass(frozen=True)
class TrainingPage:
    """A page with its targets.

    Attributes:
        lines: one target per line.
        occurrences: all places of all values; a value may stand in several, of which any one will do.
        missing: fields that are known not to be on this page.
    """

    arrays: PageArrays
    lines: tuple[LineTarget, ...]
    occurrences: tuple[Occurrence, ...]
    missing: tuple[int, ...]

    @property
    def size(self) -> int:
        return len(self.lines)


def training_page(
    labelled: LabelledPage, fields: Sequence[str], vocabulary: Vocabulary, patterns: Sequence[FieldPattern]
) -> TrainingPage | None:
    """Targets of a labelled page; None when it has no lines, or nothing is known of its fields.

    A page with any value counts as labelled in full: its other fields are missing, and characters outside its values
    belong to no field. On a page of which only absences are known, its characters teach nothing. A value that is not
    found on the page teaches nothing about its field.
    """
    if not labelled.page.lines or not (labelled.values or labelled.absent):
        return None
    arrays = page_arrays(labelled.page, vocabulary, patterns)
    known = 0 if labelled.values else NOT_ASKED
    marks = [np.full(len(line.characters), known, np.int64) for line in arrays.lines]
    owners = [np.full(len(line.characters), -1, np.int64) for line in arrays.lines]
    occurrences: list[Occurrence] = []
    for value, (field, places) in enumerate(_values(labelled, fields)):
        for pieces in places:
            inside = [piece for piece in pieces if piece.start < MAX_LINE]
            if not inside:
                continue
            number = len(occurrences)
            for piece in inside:
                mark, owner = marks[piece.line][piece.start : piece.end], owners[piece.line][piece.start : piece.end]
                free = mark == 0
                # Where two values claim a character (two equal amounts), it is left open which of them it belongs to.
                owner[:] = np.where(free, number, -1)
                mark[:] = np.where(free | (mark == field + 1), field + 1, NOT_ASKED)
            occurrences.append(Occurrence(value, field, tuple(piece.line for piece in inside)))
    missing = tuple(
        index
        for index, name in enumerate(fields)
        if not labelled.values.get(name) and (labelled.values or name in labelled.absent)
    )
    targets = tuple(LineTarget(mark, owner) for mark, owner in zip(marks, owners, strict=True))
    return TrainingPage(arrays, targets, tuple(occurrences), missing)


def _values(labelled: LabelledPage, fields: Sequence[str]) -> list[tuple[int, tuple[tuple[Piece, ...], ...]]]:
    """Field and possible places of every value; equal values of a field share out their places in reading order."""
    values = []
    for index, name in enumerate(fields):
        texts = [significant(text)[0] for text in labelled.values.get(name, ())]
        seen: Counter[str] = Counter()
        for text, alignment in zip(texts, labelled.alignments.get(name, ()), strict=True):
            places = alignment.occurrences if alignment else ()
            if texts.count(text) > 1 and len(places) >= texts.count(text):
                rank, alike = seen[text], texts.count(text)
                places = (
                    places[rank : rank + 1] if len(places) == alike else places[rank : len(places) - alike + rank + 1]
                )
            seen[text] += 1
            values.append((index, places))
    return values


def keep_lines(page: TrainingPage, keep: Sequence[int]) -> TrainingPage:
    """The page with some of its lines only; a value that loses a line is shortened, one that loses all is unknown."""
    new_number = {old: new for new, old in enumerate(keep)}
    occurrences: list[Occurrence] = []
    renamed: dict[int, int] = {}
    for number, occurrence in enumerate(page.occurrences):
        lines = tuple(new_number[line] for line in occurrence.lines if line in new_number)
        if lines:
            renamed[number] = len(occurrences)
            occurrences.append(replace(occurrence, lines=lines))
    lookup = np.array([renamed.get(number, -1) for number in range(len(page.occurrences))] + [-1], np.int64)
    arrays = page.arrays
    chosen = np.array(keep, np.int64)
    return TrainingPage(
        PageArrays(
            tuple(arrays.lines[index] for index in keep),
            arrays.boxes[chosen],
            arrays.sizes[chosen],
            arrays.rows[chosen],
            arrays.numbers[chosen],
        ),
        tuple(LineTarget(page.lines[index].fields, lookup[page.lines[index].occurrences]) for index in keep),
        tuple(occurrences),
        page.missing,
    )
