"""Lines cut into segments: what a colon, a wide gap or a trailing number sets apart inside one line."""

import re
from dataclasses import dataclass
from itertools import pairwise

from sandglass.core.geometry import Box, Polygon
from sandglass.scenarios.ocr.fields.align import Piece
from sandglass.scenarios.ocr.fields.characters import is_cjk
from sandglass.scenarios.ocr.fields.extractor import piece_polygon
from sandglass.scenarios.ocr.page import Page

COLON = re.compile(r"\s*[:：]\s*")
GAP = re.compile(r"\s{3,}|\t+|\s*\.{3,}\s*|\s*…+\s*|\s*-{3,}\s*|\s*_{2,}\s*")
"""What sets columns apart inside a line: wide white space, dot and dash leaders."""
NUMBER = re.compile(r"^[^\w\s]{0,2}\s?(?:[A-Za-z]{1,3}\s?)?[-+(]?\d[\d.,' ]*\)?\s?(?:%|[^\W\d_]{1,3})?$")
_TWO_DIGITS_END = re.compile(r"(?<!\d)\d\d?$")
_TWO_DIGITS_BEGIN = re.compile(r"\d\d(?!\d)")
LONGEST_KEY = 40
LONGEST_CJK_KEY = 10


BRACKETS = {"(": ")", "（": "）", "[": "]", "【": "】"}


@dataclass(frozen=True)
class Segment:
    """Part of a line: its text, characters ``start`` to ``end``, box and place in reading order."""

    line: int
    start: int
    end: int
    text: str
    box: Box
    row: int

    def polygon(self, page: Page) -> Polygon:
        """Where it stands on the page."""
        return piece_polygon(page, Piece(self.line, self.start, self.end))


def segment(page: Page, line: int, start: int, end: int) -> Segment | None:
    """Characters ``start`` to ``end`` of a line without outer white space and brackets; None when nothing is left."""
    text = page.texts[line]
    start, end = _trimmed(text, start, end)
    if start < end and (text[start] in BRACKETS and BRACKETS[text[start]] not in text[start : end - 1]):
        closed = text[end - 1] == BRACKETS[text[start]]
        start, end = _trimmed(text, start + 1, end - closed)
    if start == end:
        return None
    box = page.boxes[line]
    width = box.width / max(1, len(text))
    part = Box(box.left + start * width, box.top, box.left + end * width, box.bottom)
    return Segment(line, start, end, text[start:end], part, page.rows[line])


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def cut_at_gaps(page: Page, line: int) -> list[Segment]:
    """The segments of a line between wide gaps and leaders."""
    text = page.texts[line]
    edges = [(0, 0), *(match.span() for match in GAP.finditer(text)), (len(text), len(text))]
    parts = [segment(page, line, left[1], right[0]) for left, right in pairwise(edges)]
    return [part for part in parts if part is not None]


def separating_colons(text: str) -> list[tuple[int, int]]:
    """Spans of colons that set a key apart: not those of times (12:33, 12 : 33), ratios and addresses (http://)."""
    spans = []
    for match in COLON.finditer(text):
        before, after = text[: match.start()], text[match.end() :]
        tight = match.end() - match.start() == 1
        between_digits = tight and before[-1:].isdigit() and after[:1].isdigit()
        clock = bool(_TWO_DIGITS_END.search(before) and _TWO_DIGITS_BEGIN.match(after))
        if before.strip() and not between_digits and not clock and not after.startswith("//"):
            spans.append(match.span())
    return spans


def like_key(text: str) -> bool:
    """Whether a text could be a key: short, with letters, and with more letters than digits."""
    letters = sum(char.isalpha() for char in text)
    digits = sum(char.isdigit() for char in text)
    cjk = sum(map(is_cjk, text))
    length = LONGEST_CJK_KEY if cjk * 2 > letters else LONGEST_KEY
    short = len(text) <= length and len(text.split()) <= 5
    return letters >= (2 if cjk < 2 else 1) and letters > digits and short and not text.endswith((",", "，"))


def like_unit(text: str) -> bool:
    """Whether a text only says what a number beside it counts: ``RM``, ``¥``, ``USD``, ``kg``."""
    plain = text.strip()
    return 0 < len(plain) <= 3 and not any(char.isdigit() for char in plain)


def like_number(text: str) -> bool:
    """Whether a text is a number, maybe with a sign, a unit or a currency."""
    return bool(NUMBER.match(text.strip()))
