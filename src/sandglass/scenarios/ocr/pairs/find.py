"""Find key-value pairs on a page without having learnt anything: by colons, by rows, by what stands below.

The score of a pair is what its kind of evidence was right in on labelled receipts and forms, a rough probability:
a key and a value around a colon 0.9; a key that ends with a colon and the text to its right 0.85, below it 0.6; a label
at the left of a row whose right end is a number 0.6, more when further rows line up; two lone segments on a row 0.45.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sandglass.core.geometry import Polygon
from sandglass.scenarios.ocr.fields.characters import is_cjk
from sandglass.scenarios.ocr.page import Page
from sandglass.scenarios.ocr.pairs.segments import (
    Segment,
    cut_at_gaps,
    like_key,
    like_number,
    segment,
    separating_colons,
)

_KEY_END = re.compile(r"[:：.\-\s]+$")
INLINE, RIGHT, BELOW, NUMBER_ROW, PLAIN_ROW = 0.9, 0.85, 0.6, 0.6, 0.45
LINED_UP = 0.1
"""Bonus for a row whose value lines up with those of two or more other rows."""
NEAR_BELOW = 2.2
"""Distance in line heights within which a value below its key is looked for."""
MOST_LINES = 4
"""Lines of a value."""


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
    drafts: list[_Draft] = []
    open_keys: list[Segment] = []
    for parts in lines:
        for part in parts:
            found, open_key, plain = _split_at_colons(page, part)
            drafts += found
            if open_key is not None:
                open_keys.append(open_key)
                rows.setdefault(part.row, []).append(open_key)
            rows.setdefault(part.row, []).extend(plain)
    ordered = {number: sorted(row, key=lambda item: item.box.left) for number, row in rows.items()}
    taken: set[tuple[int, int]] = {_at(value) for draft in drafts for value in draft.values}
    drafts = [_continued(draft, ordered, taken) for draft in drafts]
    for key in open_keys:
        draft = _right_of(key, ordered, taken, open_keys) or _below(key, ordered, taken, open_keys)
        if draft is not None:
            taken.update(map(_at, draft.values))
            drafts.append(_continued(draft, ordered, taken))
    used = taken | {_at(draft.key) for draft in drafts} | {_at(key) for key in open_keys}
    drafts += _row_pairs(page, ordered, used)
    drafts.sort(key=lambda draft: (draft.key.row, draft.key.box.left))
    return tuple(_pair(page, draft) for draft in drafts)


def _at(part: Segment) -> tuple[int, int]:
    return part.line, part.start


def _pair(page: Page, draft: _Draft) -> Pair:
    texts = [value.text for value in draft.values]
    joined = texts[0].lstrip(":： ") or texts[0]  # some readers give the colon to the value's box
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
        if key is None or not like_key(key.text):
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
    return _Draft(key, (right[0],), RIGHT)


def _below(
    key: Segment, rows: dict[int, list[Segment]], taken: set[tuple[int, int]], open_keys: Iterable[Segment]
) -> _Draft | None:
    keys = {_at(item) for item in open_keys}
    height = max(1.0, key.box.height)
    for item in rows.get(key.row + 1, []):
        near = item.box.top - key.box.bottom <= NEAR_BELOW * height
        overlap = min(item.box.right, key.box.right) - max(item.box.left, key.box.left)
        aligned = abs(item.box.left - key.box.left) <= 1.5 * height or overlap > 0.5 * min(
            item.box.width, key.box.width
        )
        if near and aligned and _at(item) not in taken and _at(item) not in keys:
            return _Draft(key, (item,), BELOW)
    return None


def _continued(draft: _Draft, rows: dict[int, list[Segment]], taken: set[tuple[int, int]]) -> _Draft:
    """Add the lines below a value that begin where it begins, well to the right of its key."""
    values = list(draft.values)
    first = values[0]
    height = max(1.0, first.box.height)
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
            split = _trailing_number(page, free[0])
            if split is not None:
                drafts.append(_Draft(split[0], (split[1],), NUMBER_ROW - 0.05))
        elif len(free) == 2 and like_key(free[0].text):
            key, value = free
            if like_number(value.text):
                drafts.append(_Draft(key, (value,), NUMBER_ROW))
            elif not like_key(value.text) or sum(map(is_cjk, key.text)) >= 2:
                drafts.append(_Draft(key, (value,), PLAIN_ROW))
    height = max((draft.key.box.height for draft in drafts), default=1.0)
    ends = Counter(round(draft.values[0].box.right / height) for draft in drafts)
    near = {end: ends[end - 1] + ends[end] + ends[end + 1] for end in ends}
    return [
        _Draft(draft.key, draft.values, draft.score + LINED_UP * (near[round(draft.values[0].box.right / height)] >= 3))
        for draft in drafts
    ]


def _trailing_number(page: Page, part: Segment) -> tuple[Segment, Segment] | None:
    """A lone segment such as ``TOTAL 12.50``: words and then one number that ends it."""
    head, space, tail = part.text.rpartition(" ")
    if space and len(tail) >= 3 and like_number(tail) and like_key(head) and not any(char.isdigit() for char in head):
        key = segment(page, part.line, part.start, part.start + len(head))
        value = segment(page, part.line, part.start + len(head) + 1, part.end)
        if key is not None and value is not None:
            return key, value
    return None
