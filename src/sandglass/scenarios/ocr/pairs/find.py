"""Find key-value pairs on a page without having learnt anything: by colons, by rows, by what stands below.

The score of a pair is what its kind of evidence was right in on labelled receipts and forms, a rough probability:
a key and a value around a colon 0.9; a key that ends with a colon and the text to its right 0.85, below it 0.6; a label
at the left of a row whose right end is a number 0.6, more when further rows line up; two lone segments on a row 0.45.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sandglass.core.geometry import Polygon
from sandglass.scenarios.ocr.fields.characters import is_cjk
from sandglass.scenarios.ocr.page import Page
from sandglass.scenarios.ocr.pairs.segments import (
    Segment,
    cut_at_gaps,
    like_key,
    like_number,
    like_unit,
    segment,
    separating_colons,
)
from sandglass.scenarios.ocr.pairs.wording import begins_known, is_known

_KEY_END = re.compile(r"[:：.\-\s]+$")
INLINE, RIGHT, BELOW, NUMBER_ROW, PLAIN_ROW = 0.9, 0.85, 0.6, 0.6, 0.45
KNOWN = 0.15
"""Bonus for a key that people use in every-day documents (`wording`)."""
LINED_UP = 0.1
"""Bonus for a row whose value lines up with those of two or more other rows."""
NEAR_BELOW = 2.2
"""Distance in line heights within which a value below its key is looked for."""
MOST_LINES = 4
"""Lines of a value."""
MOST_WORDS_BELOW = 4
"""Words of a value below its key; more of them are a sentence that has nothing to do with it."""
LONGEST_KNOWN, MOST_WORDS_KNOWN = 60, 8
"""Characters and words of a key that begins with a known one: ``TOTAL SALES INCLUSIVE OF 6% GST``."""
HEAD_OF_TABLE = 3
"""Segments on the row below from which that row belongs to a table."""


@dataclass(frozen=True)
class Pair:
    """A key with its value, both as printed."""

    key: str
    value: str
    score: float
    key_polygon: Polygon
    value_polygons: tuple[Polygon, ...]


@dataclass(frozen=True)
class _Draft:
    key: Segment
    values: tuple[Segment, ...]
    score: float


def find_pairs(page: Page) -> tuple[Pair, ...]:
    """All pairs of a page in reading order of their keys; every part of the page is in one pair at most."""
    lines = [cut_at_gaps(page, line) for line in range(len(page.lines))]
    rows: dict[int, list[Segment]] = {}
    answered: dict[int, list[Segment]] = {}
    drafts: list[_Draft] = []
    open_keys: list[Segment] = []
    for parts in lines:
        for part in parts:
            if part.text[0] in ":：":  # some readers give the colon to the value's box
                answered.setdefault(part.row, []).append(part)
                continue
            found, open_key, plain = _split_at_colons(page, part)
            drafts += found
            if open_key is not None:
                open_keys.append(open_key)
                rows.setdefault(part.row, []).append(open_key)
            rows.setdefault(part.row, []).extend(plain)
    open_keys += _before_colons(page, rows, answered, open_keys)
    ordered = {number: sorted(row, key=lambda item: item.box.left) for number, row in rows.items()}
    taken: set[tuple[int, int]] = {_at(value) for draft in drafts for value in draft.values}
    drafts = [_continued(_with_number(draft, ordered, taken), ordered, taken) for draft in drafts]
    for key in open_keys:
        draft = _right_of(key, ordered, taken, open_keys) or _below(key, ordered, taken, open_keys)
        if draft is not None:
            taken.update(map(_at, draft.values))
            drafts.append(_continued(draft, ordered, taken))
    used = taken | {_at(draft.key) for draft in drafts} | {_at(key) for key in open_keys}
    drafts += _row_pairs(page, ordered, used)
    drafts.sort(key=lambda draft: (draft.key.row, draft.key.box.left))
    return tuple(_pair(page, draft) for draft in drafts)


def _before_colons(
    page: Page, rows: dict[int, list[Segment]], answered: dict[int, list[Segment]], open_keys: Sequence[Segment]
) -> list[Segment]:
    """Segments to the left of a box that begins with a colon: they are keys. What follows the colon joins the row."""
    keys: list[Segment] = []
    for number, parts in answered.items():
        row = rows.setdefault(number, [])
        for part in sorted(parts, key=lambda item: item.box.left):
            left = [item for item in row if item.box.right <= part.box.left + 0.5 * part.box.height]
            nearest = max(left, key=lambda item: item.box.right, default=None)
            if nearest is not None and nearest not in open_keys and _is_key(nearest.text):
                keys.append(nearest)
            colons = len(part.text) - len(part.text.lstrip(":： "))
            value = segment(page, part.line, part.start + colons, part.end)
            if value is not None:
                row.append(value)
    return keys


def _is_key(text: str) -> bool:
    """Whether a text could be a key; one that begins with a known key may be longer than others."""
    if like_key(text):
        return True
    long = len(text) <= LONGEST_KNOWN and len(text.split()) <= MOST_WORDS_KNOWN
    return long and not text.endswith(",") and begins_known(text) and sum(map(str.isdigit, text)) <= 4


def _at(part: Segment) -> tuple[int, int]:
    return part.line, part.start


def _pair(page: Page, draft: _Draft) -> Pair:
    texts = [value.text for value in draft.values]
    joined = texts[0]
    for text in texts[1:]:
        joined += text if is_cjk(joined[-1]) and is_cjk(text[0]) else f" {text}"
    key = _KEY_END.sub("", draft.key.text) or draft.key.text
    polygons = tuple(value.polygon(page) for value in draft.values)
    return Pair(key, joined, round(draft.score, 3), draft.key.polygon(page), polygons)


def _split_at_colons(page: Page, part: Segment) -> tuple[list[_Draft], Segment | None, list[Segment]]:
    """Pairs inside a segment, a key whose value must stand elsewhere, and what has nothing to do with colons."""
    spans = [(a, b) for a, b in separating_colons(part.text)]
    if not spans:
        return [], None, [part]
    drafts: list[_Draft] = []
    plain: list[Segment] = []
    key_start = 0
    open_key: Segment | None = None
    for number, (colon, after) in enumerate(spans):
        key = segment(page, part.line, part.start + key_start, part.start + colon)
        end = spans[number + 1][0] if number + 1 < len(spans) else len(part.text)
        split = end if number + 1 == len(spans) else after + _key_start(part.text[after:end])
        value = segment(page, part.line, part.start + after, part.start + split)
        key_start = split
        if key is None or not _is_key(key.text):
            whole = segment(
                page, part.line, part.start + (key.start - part.start if key else colon), part.start + split
            )
            plain += [whole] if whole else []
        elif value is None:
            open_key = key
        else:
            drafts.append(_Draft(key, (value,), INLINE))
    return drafts, open_key, plain


def _key_start(between: str) -> int:
    """Where the next key begins in the text between two colons: its last word, or last run of words behind a number."""
    words = between.split(" ")
    start = len(between)
    for word in reversed(words):
        if any(char.isdigit() for char in word):
            break
        start -= len(word) + 1
        letters = [char for char in word if char.isalpha()]
        behind = between[: max(0, start)].split(" ")[-1]
        if letters and not any(char.isdigit() for char in behind):
            break  # the value before is made of words too: only the last one is the key
    return max(0, start)


def _right_of(
    key: Segment, rows: dict[int, list[Segment]], taken: set[tuple[int, int]], open_keys: Iterable[Segment]
) -> _Draft | None:
    keys = {_at(item) for item in open_keys}
    right = [
        item for item in rows.get(key.row, []) if item.box.left >= key.box.right - 0.5 * key.box.height and item != key
    ]
    if not right or _at(right[0]) in taken or _at(right[0]) in keys:
        return None
    if len(right) > 1 and like_unit(right[0].text) and like_number(right[1].text) and _at(right[1]) not in taken:
        return _Draft(key, (right[0], right[1]), RIGHT)
    return _Draft(key, (right[0],), RIGHT)


def _below(
    key: Segment, rows: dict[int, list[Segment]], taken: set[tuple[int, int]], open_keys: Iterable[Segment]
) -> _Draft | None:
    keys = {_at(item) for item in open_keys}
    height = max(1.0, key.box.height)
    beneath = rows.get(key.row + 1, [])
    if len(beneath) >= HEAD_OF_TABLE:
        return None
    for item in beneath:
        if is_known(item.text) or len(item.text.split()) > MOST_WORDS_BELOW:
            continue
        near = item.box.top - key.box.bottom <= NEAR_BELOW * height
        overlap = min(item.box.right, key.box.right) - max(item.box.left, key.box.left)
        aligned = abs(item.box.left - key.box.left) <= 1.5 * height or overlap > 0.5 * min(
            item.box.width, key.box.width
        )
        if near and aligned and _at(item) not in taken and _at(item) not in keys:
            return _Draft(key, (item,), BELOW)
    return None


def _with_number(draft: _Draft, rows: dict[int, list[Segment]], taken: set[tuple[int, int]]) -> _Draft:
    """A value that is only a unit gets the number beside it: ``CASH: RM`` and, in a box of its own, ``5.00``."""
    [value] = draft.values
    right = [item for item in rows.get(value.row, []) if item.box.left >= value.box.right - 0.5 * value.box.height]
    if not like_unit(value.text) or not right or not like_number(right[0].text) or _at(right[0]) in taken:
        return draft
    taken.add(_at(right[0]))
    return _Draft(draft.key, (value, right[0]), draft.score)


def _continued(draft: _Draft, rows: dict[int, list[Segment]], taken: set[tuple[int, int]]) -> _Draft:
    """Add the lines below a value that begin where it begins, well to the right of its key."""
    values = list(draft.values)
    first = values[0]
    height = max(1.0, first.box.height)
    if len(values) > 1:
        return draft
    # A value under its key or at the page's margin has nothing by which its continuation could be told.
    if first.box.left - draft.key.box.left < 3 * height or like_number(first.text):
        return draft
    while len(values) < MOST_LINES:
        last = values[-1]
        below = [item for item in rows.get(last.row + 1, []) if _at(item) not in taken]
        fitting = [
            item
            for item in below
            if abs(item.box.left - first.box.left) <= 1.2 * height and item.box.top - last.box.bottom <= 0.9 * height
        ]
        if len(below) != 1 or len(fitting) != 1 or like_number(fitting[0].text):
            break
        values.append(fitting[0])
        taken.add(_at(fitting[0]))
    return _Draft(draft.key, tuple(values), draft.score)


def _row_pairs(page: Page, rows: dict[int, list[Segment]], used: set[tuple[int, int]]) -> list[_Draft]:
    """Rows of a label at the left and one value at the right, without any colon."""
    drafts: list[_Draft] = []
    for row in rows.values():
        free = [item for item in row if _at(item) not in used]
        if len(free) == 1:
            split = _trailing_value(page, free[0])
            if split is not None:
                drafts.append(_Draft(split[0], (split[1],), NUMBER_ROW - 0.05))
            continue
        drafts += _in_row(free)
    if not drafts:
        return []
    height = max(draft.key.box.height for draft in drafts)
    ends = Counter(round(draft.values[-1].box.right / height) for draft in drafts)
    near = {end: ends[end - 1] + ends[end] + ends[end + 1] for end in ends}
    return [
        _Draft(
            draft.key, draft.values, draft.score + LINED_UP * (near[round(draft.values[-1].box.right / height)] >= 3)
        )
        for draft in drafts
    ]


def _in_row(free: Sequence[Segment]) -> list[_Draft]:
    """Pairs among what stands on a row: a key and what follows it."""
    drafts: list[_Draft] = []
    place = 0
    while place + 1 < len(free):
        key, value = free[place], free[place + 1]
        further = free[place + 2] if place + 2 < len(free) else None
        known = is_known(key.text)
        if not _is_key(key.text) or (key.text[0].isdigit() and "%" not in key.text):
            place += 1
        elif like_unit(value.text) and further is not None and like_number(further.text) and not is_known(value.text):
            drafts.append(_Draft(key, (value, further), NUMBER_ROW))
            place += 3
        elif like_number(value.text) and (known or len(free) == 2):
            drafts.append(_Draft(key, (value,), NUMBER_ROW + KNOWN * known))
            place += 2
        elif like_unit(value.text):
            place += 1
        elif len(value.text.split()) <= MOST_WORDS_BELOW and not is_known(value.text) and _fits(key, value, free):
            drafts.append(_Draft(key, (value,), PLAIN_ROW + KNOWN * known))
            place += 2
        else:
            place += 1
    return drafts


def _fits(key: Segment, value: Segment, free: Sequence[Segment]) -> bool:
    """Whether a text that is no number may be the value of the text to its left."""
    if is_known(key.text):
        return True
    return len(free) == 2 and (not like_key(value.text) or sum(map(is_cjk, key.text)) >= 2)


_TRAILING = re.compile(
    r"^(?P<key>.*?[^\W\d].*?)(?P<gap>\s*[#\-.]\s*|\s+)(?P<value>[#+]?[A-Z]{0,3}\d[\d\-/., ]*[A-Z]?)$"
)
"""Words and then a number or an identifier that ends the segment."""
LONG_NUMBER = 5
"""Digits from which a number behind words is an identifier and no amount of goods."""


def _trailing_value(page: Page, part: Segment) -> tuple[Segment, Segment] | None:
    """A lone segment such as ``TOTAL 12.50`` or ``GST ID 000241512448``: a key and then a number, with nothing between."""
    match = _TRAILING.match(part.text)
    if match is None or not _is_key(match["key"]) or any(char.isdigit() for char in match["key"]):
        return None
    digits = sum(char.isdigit() for char in match["value"])
    amount = match["gap"].isspace() and "." in match["value"] and digits >= 3
    if not is_known(match["key"]) and not (amount and begins_known(match["key"])):
        return None
    if not amount and digits < LONG_NUMBER and "#" not in match["gap"] + match["value"]:
        return None
    key = segment(page, part.line, part.start, part.start + match.end("key"))
    value = segment(page, part.line, part.start + match.start("value"), part.end)
    return None if key is None or value is None else (key, value)
