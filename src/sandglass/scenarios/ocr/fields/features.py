"""A page as arrays: one stream of characters with gaps between lines, and a row of numbers per line.

Nothing here is learnt; the same code serves training and answering. NumPy only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sandglass.scenarios.ocr.fields.characters import CharClass, char_class, plain, words
from sandglass.scenarios.ocr.fields.numbers import NUMBERS, number_features
from sandglass.scenarios.ocr.fields.patterns import FieldPattern
from sandglass.scenarios.ocr.fields.vocabulary import Vocabulary
from sandglass.scenarios.ocr.page import Page

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

GAP = 2
"""Empty positions between two lines, so that a convolution over the stream keeps lines apart."""
MAX_LINE = 128
"""Characters of a line that are looked at."""
LAYOUT = 12
FEATURES = LAYOUT + NUMBERS
"""Numbers per line before the pattern flags (one per field)."""
LETTERS = (CharClass.UPPER, CharClass.LOWER, CharClass.CJK, CharClass.LETTER)


@dataclass(frozen=True)
class LineArrays:
    """One line: character numbers, classes and word numbers, each (length,) int64."""

    characters: Ints
    classes: Ints
    words: Ints


@dataclass(frozen=True)
class PageArrays:
    """A page as arrays.

    Attributes:
        lines: one per line, in reading order.
        boxes: (lines, 4) float32, left, top, right, bottom in units of the text's extent.
        sizes: (lines, 2) float32, height and character width in units of the page's median line height.
        rows: (lines,) int64.
        numbers: (lines, NUMBERS + fields) float32, number features and pattern flags.
    """

    lines: tuple[LineArrays, ...]
    boxes: Floats
    sizes: Floats
    rows: Ints
    numbers: Floats


def page_arrays(page: Page, vocabulary: Vocabulary, patterns: Sequence[FieldPattern]) -> PageArrays:
    """Turn a page with at least one line into arrays."""
    texts = [text[:MAX_LINE] for text in page.texts]
    boxes = np.array(page.boxes, np.float32)
    left, top = boxes[:, 0].min(), boxes[:, 1].min()
    width, height = boxes[:, 2].max() - left + 1, boxes[:, 3].max() - top + 1
    heights = boxes[:, 3] - boxes[:, 1]
    median = float(np.median(heights)) + 1
    lengths = np.array([max(1, len(text)) for text in texts], np.float32)
    flags = np.array(
        [[float(bool(pattern.spans(text))) if pattern.shapes else 0.0 for pattern in patterns] for text in texts],
        np.float32,
    ).reshape(len(texts), len(patterns))
    return PageArrays(
        tuple(_line_arrays(text, vocabulary) for text in texts),
        ((boxes - (left, top, left, top)) / (width, height, width, height)).astype(np.float32),
        np.stack([heights / median - 1, (boxes[:, 2] - boxes[:, 0]) / lengths / median], 1).astype(np.float32),
        np.array(page.rows, np.int64),
        np.concatenate([number_features(texts), flags], 1),
    )


def _line_arrays(text: str, vocabulary: Vocabulary) -> LineArrays:
    word_of = np.zeros(len(text), np.int64)
    for start, end in words(text):
        word_of[start:end] = vocabulary.word(text[start:end])
    return LineArrays(
        np.array([vocabulary.character(char) for char in text], np.int64),
        np.array([char_class(plain(char)) for char in text], np.int64),
        word_of,
    )


@dataclass(frozen=True)
class Stream:
    """What the network is fed for one page.

    Attributes:
        characters: (length,) int64, 0 in gaps.
        classes: (length,) int64.
        words: (length,) int64.
        line_of: (length,) int64, the line of each position (gaps belong to the line before them).
        places: (lines, longest) int64, stream positions of each line's characters, padded with 0 (a gap).
        features: (lines, FEATURES + fields) float32.
        rows: (lines,) int64.
    """

    characters: Ints
    classes: Ints
    words: Ints
    line_of: Ints
    places: Ints
    features: Floats
    rows: Ints


def stream(arrays: PageArrays) -> Stream:
    """Lay the lines of a page into one stream."""
    lengths = np.array([len(line.characters) for line in arrays.lines])
    offsets = np.concatenate([[0], np.cumsum(lengths + GAP)[:-1]]) + GAP
    total = int(offsets[-1] + lengths[-1] + GAP)
    positions = np.concatenate([offset + np.arange(length) for offset, length in zip(offsets, lengths, strict=True)])

    def lay(parts: list[Ints]) -> Ints:
        laid = np.zeros(total, np.int64)
        laid[positions] = np.concatenate(parts)
        return laid

    longest = max(1, int(lengths.max()))
    places = np.where(np.arange(longest) < lengths[:, None], offsets[:, None] + np.arange(longest), 0)
    line_of = np.maximum(0, np.searchsorted(offsets, np.arange(total), side="right") - 1)
    return Stream(
        lay([line.characters for line in arrays.lines]),
        lay([line.classes for line in arrays.lines]),
        lay([line.words for line in arrays.lines]),
        line_of,
        places,
        _line_features(arrays, lengths),
        arrays.rows - arrays.rows[0],
    )


def _line_features(arrays: PageArrays, lengths: Ints) -> Floats:
    rows = arrays.rows - arrays.rows[0]
    last = max(1, int(rows[-1]))
    classes = np.concatenate([line.classes for line in arrays.lines])
    owner = np.repeat(np.arange(len(lengths)), lengths)
    digits = np.bincount(owner, classes == CharClass.DIGIT, len(lengths)) / np.maximum(1, lengths)
    letters = np.bincount(owner, np.isin(classes, LETTERS), len(lengths)) / np.maximum(1, lengths)
    columns = [np.minimum(rows, 12) / 12, (rows[-1] - rows) / last, rows / last, digits, letters, lengths / 40]
    layout = np.concatenate([arrays.boxes, arrays.sizes, np.stack(columns, 1)], 1)
    return np.concatenate([layout, arrays.numbers], 1).astype(np.float32)
