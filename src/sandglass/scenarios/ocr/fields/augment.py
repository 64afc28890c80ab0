"""Variations of a training page that keep its truth: other digits, other names in the same places, small damage.

They teach that a value is found by where and how it stands, not by what it says. Nothing here knows any field.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from sandglass.scenarios.ocr.fields.characters import CharClass
from sandglass.scenarios.ocr.fields.features import MAX_LINE, Ints, LineArrays
from sandglass.scenarios.ocr.fields.targets import LineTarget, TrainingPage, keep_lines

LEAST_WORD = 3
"""Letters of a word from which it may stand for a name."""


@dataclass(frozen=True)
class Strength:
    """Shares of pages, lines or characters that are varied."""

    digits: float = 0.3
    swap: float = 0.3
    invent: float = 0.3
    noisy_lines: float = 0.25
    noisy_letters: float = 0.3
    drop_lines: float = 0.03
    hide: float = 0.02
    hide_words: float = 0.2


@dataclass(frozen=True)
class DonorLine:
    """A line that holds a piece of a value, to be put in another page's place."""

    line: LineArrays
    target: LineTarget
    place: str
    """first, middle, last or only piece of its value."""


class Augmenter:
    """Varies pages with material of the other pages.

    Args:
        pages: training pages with the group of each.
        text_fields: indices of fields with free text; only their lines are swapped and disturbed.
        strength: of every kind of variation.
    """

    def __init__(
        self, pages: Sequence[tuple[str, TrainingPage]], text_fields: Sequence[int], strength: Strength
    ) -> None:
        self._strength = strength
        self._text_fields = frozenset(text_fields)
        self._donors: dict[int, dict[str, list[DonorLine]]] = {field: {} for field in text_fields}
        by_class: dict[int, list[np.ndarray]] = {}
        self._names: list[LineArrays] = []
        for group, page in pages:
            for occurrence in page.occurrences:
                if occurrence.field in self._text_fields:
                    for order, line in enumerate(occurrence.lines):
                        donor = DonorLine(
                            page.arrays.lines[line], page.lines[line], _place(order, len(occurrence.lines))
                        )
                        self._donors[occurrence.field].setdefault(group, []).append(donor)
            for line_arrays in page.arrays.lines:
                for char_class in np.unique(line_arrays.classes):
                    chars = line_arrays.characters[line_arrays.classes == char_class]
                    by_class.setdefault(int(char_class), []).append(chars)
                self._names += [
                    _cut(line_arrays, start, end)
                    for start, end in _letter_runs(line_arrays)
                    if end - start >= LEAST_WORD and line_arrays.words[start] <= 1
                ]
        self._alphabet = {char_class: np.concatenate(chars) for char_class, chars in by_class.items()}
        self._groups = {field: sorted(groups) for field, groups in self._donors.items()}

    def vary(self, page: TrainingPage, random: Generator) -> TrainingPage:
        """A new page; the given one is not changed."""
        strength = self._strength
        lines, targets = list(page.arrays.lines), list(page.lines)
        boxes = page.arrays.boxes.copy()
        for field in sorted(self._text_fields):
            if self._groups[field] and random.random() < strength.swap:
                self._swap(page, field, lines, targets, boxes, random)
        for index, target in enumerate(targets):
            of_text = any(field - 1 in self._text_fields for field in np.unique(target.fields).tolist() if field > 0)
            noisy = of_text and random.random() < strength.noisy_lines
            lines[index] = self._damage(lines[index], random, noisy=noisy)
        boxes[:, [0, 2]] += random.normal(0, 0.006, (len(boxes), 1)).astype(np.float32)
        boxes[:, [0, 2]] = boxes[:, [0, 2]] * (1 + random.uniform(-0.08, 0.08)) + random.uniform(-0.02, 0.02)
        boxes[:, [1, 3]] *= 1 + random.uniform(-0.1, 0.1)
        arrays = replace(page.arrays, lines=tuple(lines), boxes=boxes)
        varied = replace(page, arrays=arrays, lines=tuple(targets))
        keep = np.nonzero(random.random(len(lines)) >= strength.drop_lines)[0].tolist()
        return keep_lines(varied, keep) if keep and len(keep) < len(lines) else varied

    def _swap(
        self,
        page: TrainingPage,
        field: int,
        lines: list[LineArrays],
        targets: list[LineTarget],
        boxes: np.ndarray,
        random: Generator,
    ) -> None:
        values = {occurrence.value for occurrence in page.occurrences if occurrence.field == field}
        for number, occurrence in enumerate(page.occurrences):
            alone = sum(other.value == occurrence.value for other in page.occurrences) == 1
            if occurrence.field != field or not alone or len(values) > 1:
                continue
            for order, index in enumerate(occurrence.lines):
                others = set(targets[index].occurrences.tolist()) - {-1, number}
                if others:
                    continue
                place = _place(order, len(occurrence.lines))
                if random.random() < self._strength.invent:
                    line, marked = self._invent(lines[index], targets[index].fields, field + 1, random)
                else:
                    donors = self._donors[field][self._groups[field][random.integers(len(self._groups[field]))]]
                    fitting = [donor for donor in donors if donor.place == place] or donors
                    donor = fitting[random.integers(len(fitting))]
                    line = donor.line
                    marked = np.where(donor.target.fields == field + 1, field + 1, 0)
                if not marked.any():
                    continue
                before = max(1, len(lines[index].characters))
                width = (boxes[index, 2] - boxes[index, 0]) * len(marked) / before
                centred = boxes[index, 0] > 0.08
                middle = (boxes[index, 0] + boxes[index, 2]) / 2 if centred else boxes[index, 0] + width / 2
                boxes[index, 0], boxes[index, 2] = middle - width / 2, middle + width / 2
                lines[index] = line
                targets[index] = LineTarget(marked, np.where(marked > 0, number, -1))

    def _invent(self, line: LineArrays, fields: Ints, mark: int, random: Generator) -> tuple[LineArrays, Ints]:
        """Other names in the same build: words of the value that are no common words become words of other pages."""
        parts: list[LineArrays] = []
        marks: list[Ints] = []
        at = 0
        for start, end in _letter_runs(line):
            if self._names and fields[start] == mark and int(line.words[start]) <= 1 and end - start >= LEAST_WORD:
                parts += [_cut(line, at, start), self._names[random.integers(len(self._names))]]
                marks += [fields[at:start], np.full(len(parts[-1].characters), mark)]
                at = end
        parts.append(_cut(line, at, len(line.characters)))
        marks.append(fields[at:])
        joined, kept = _join(parts), np.concatenate(marks)[:MAX_LINE]
        return joined, np.where(kept == mark, mark, 0)

    def _damage(self, line: LineArrays, random: Generator, *, noisy: bool) -> LineArrays:
        strength = self._strength
        characters, words = line.characters.copy(), line.words.copy()
        length = len(characters)
        digits = (line.classes == CharClass.DIGIT) & (random.random(length) < strength.digits)
        self._redraw(characters, digits, CharClass.DIGIT, random)
        if noisy:
            for char_class in (CharClass.UPPER, CharClass.LOWER, CharClass.CJK, CharClass.LETTER):
                chosen = (line.classes == char_class) & (random.random(length) < strength.noisy_letters)
                self._redraw(characters, chosen, char_class, random)
                words[chosen] = np.minimum(words[chosen], 1)
        characters[random.random(length) < strength.hide] = 1
        if random.random() < strength.hide_words:
            words = np.minimum(words, 1)
        return LineArrays(characters, line.classes, words)

    def _redraw(self, characters: np.ndarray, chosen: np.ndarray, char_class: CharClass, random: Generator) -> None:
        count, pool = int(chosen.sum()), self._alphabet.get(int(char_class))
        if count and pool is not None:
            characters[chosen] = pool[random.integers(len(pool), size=count)]


def _place(order: int, count: int) -> str:
    if count == 1:
        return "only"
    return "first" if order == 0 else "last" if order == count - 1 else "middle"


def _letter_runs(line: LineArrays) -> list[tuple[int, int]]:
    """Runs of letters of scripts that write words; ideographs stand for themselves and are not replaced."""
    letter = np.isin(line.classes, (CharClass.UPPER, CharClass.LOWER, CharClass.LETTER))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], letter.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _cut(line: LineArrays, start: int, end: int) -> LineArrays:
    return LineArrays(line.characters[start:end], line.classes[start:end], line.words[start:end])


def _join(parts: Sequence[LineArrays]) -> LineArrays:
    return LineArrays(
        np.concatenate([part.characters for part in parts])[:MAX_LINE],
        np.concatenate([part.classes for part in parts])[:MAX_LINE],
        np.concatenate([part.words for part in parts])[:MAX_LINE],
    )
