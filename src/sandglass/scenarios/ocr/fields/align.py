"""Find a field's value among the lines of a page: which characters of which lines it was copied from.

A value may be part of a line, span lines, skip a line, stand several times on the page, and differ from the page's text
by reading errors or typing mistakes. Only letters and digits are compared, without case.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sandglass.scenarios.ocr.fields.characters import folded, is_cjk, plain_text, significant, words

MATCH, EDIT = 1.0, -1.0
SKIP = -0.7
"""Cost of a character of the value that no line holds, between two pieces."""
NEXT_LINE, LATER_LINE = -0.3, -2.0
"""Cost of a new piece when the line before ended the piece before it, and otherwise."""
GOOD = 0.4
"""Score per character below which an alignment is no alignment."""
MAX_VALUE = 400
"""Longest value, in letters and digits, that is aligned; longer ones are cut there."""


@dataclass(frozen=True)
class Piece:
    """Characters ``start`` to ``end`` (exclusive) of line ``line``."""

    line: int
    start: int
    end: int


@dataclass(frozen=True)
class Alignment:
    """Where a value stands.

    Attributes:
        occurrences: the places where it stands in full, in reading order; each has one piece or, where the value spans
            lines, several.
        score: 0..1, share of the value that was found; 1 for an exact find.
    """

    occurrences: tuple[tuple[Piece, ...], ...]
    score: float


def align(texts: Sequence[str], value: str, *, lines: Sequence[int] | None = None) -> Alignment | None:
    """Find ``value`` in ``texts``.

    Args:
        texts: lines of the page in reading order.
        value: as typed by a person.
        lines: look in these lines only.

    Returns:
        All exact occurrences inside single lines if there are any, else the best fuzzy one; None if there is none.
    """
    wanted = significant(value)[0][:MAX_VALUE]
    if not wanted:
        return None
    allowed = range(len(texts)) if lines is None else sorted(set(lines))
    exact = tuple(
        (_with_edges(texts, piece, value),)
        for number in allowed
        for piece in _find_exact(texts[number], wanted, value, number)
    )
    if exact:
        return Alignment(exact, 1.0)
    pieces, score = _align_fuzzy([texts[number] for number in allowed], wanted)
    if not pieces or score < GOOD * len(wanted) or (len(wanted) < 4 and score < len(wanted)):
        return None
    placed = [Piece(allowed[piece.line], piece.start, piece.end) for piece in pieces]
    placed[0] = replace(placed[0], start=_with_edges(texts, placed[0], value).start)
    placed[-1] = replace(placed[-1], end=_with_edges(texts, placed[-1], value).end)
    return Alignment((tuple(placed),), max(0.0, score / len(wanted)))


def _with_edges(texts: Sequence[str], piece: Piece, value: str) -> Piece:
    """The piece with the signs before and behind it that the value has as well (``$``, ``%``, ``-``, brackets)."""
    line, wanted = plain_text(texts[piece.line]), plain_text(value.strip())
    letters = [position for position, char in enumerate(wanted) if folded(char)]
    before, behind = wanted[: letters[0]].strip(), wanted[letters[-1] + 1 :].strip()
    start, end = piece.start, piece.end
    left, right = line[:start].rstrip(), line[end:]
    if before and left.endswith(before):
        start = len(left) - len(before)
    if behind and right.lstrip().startswith(behind):
        end += len(right) - len(right.lstrip()) + len(behind)
    return Piece(piece.line, start, end)


def _find_exact(text: str, wanted: str, value: str, number: int) -> list[Piece]:
    letters, positions = significant(text)
    pieces = []
    at = letters.find(wanted)
    while at >= 0:
        start, end = positions[at], positions[at + len(wanted) - 1] + 1
        if _is_whole(text, start, end, value):
            pieces.append(Piece(number, start, end))
        at = letters.find(wanted, at + 1)
    return pieces


def _is_whole(text: str, start: int, end: int, value: str) -> bool:
    """Whether text[start:end] cuts no word or number in two, and reads as the value does.

    ``1.20`` does not stand in ``11.20`` nor in ``1.205`` nor in ``5,1.20``; ``120`` is not ``1.20``.
    """
    inside = text[start:end]
    before, after = text[:start], text[end:]
    for outer, edge in ((before[-1:], inside[:1]), (after[:1], inside[-1:])):
        if outer.isdigit() and edge.isdigit():
            return False
        if outer.isalpha() and edge.isalpha() and not is_cjk(outer) and not is_cjk(edge):
            return False
    if inside[:1].isdigit() and before[-1:] in (".", ",") and before[-2:-1].isdigit():
        return False
    if inside[-1:].isdigit() and after[:1] in (".", ",") and after[1:2].isdigit():
        return False
    if value.replace(" ", "").isdigit() or not any(char.isdigit() for char in value):
        return True
    return not (_is_number(value) and ("." in value) != ("." in inside))


def _is_number(value: str) -> bool:
    return all(char.isdigit() or char in ".,-+ " for char in value) and any(char.isdigit() for char in value)


Scores = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


def _align_fuzzy(texts: Sequence[str], value: str) -> tuple[list[Piece], float]:
    """Best monotone alignment with at most one piece a line, pieces beginning and ending at word boundaries.

    Dynamic programme over lines; the state is how many characters of the value are used up, so each character of the
    page costs a few vector operations. Returns pieces and score.
    """
    codes = np.array([ord(char) for char in value])
    length = len(codes)
    steps = np.arange(length + 1)
    nothing = -1e9
    best = np.full(length + 1, nothing)
    best[0] = 0.0
    best_node: Indices = np.full(length + 1, -1, np.int64)
    last = np.full(length + 1, nothing)
    last_node = np.full(length + 1, -1)
    nodes: list[tuple[int, int, int, int]] = []

    for number, text in enumerate(texts):
        spans = words(text)
        if not spans:
            last, last_node = np.full(length + 1, nothing), np.full(length + 1, -1)
            continue
        starts, ends = {start for start, _ in spans}, {end for _, end in spans}
        later, later_from = _skipping(best, steps)
        following, following_from = _skipping(last, steps)
        from_last = following + NEXT_LINE > later + LATER_LINE
        enter = np.where(from_last, following + NEXT_LINE, later + LATER_LINE)
        enter_node = np.where(from_last, last_node[following_from], best_node[later_from])
        letters, positions = significant(text)

        here = np.full(length + 1, nothing)
        node, begun = np.full(length + 1, -1), np.full(length + 1, -1)
        out = np.full(length + 1, nothing)
        out_node, out_start, out_end = (np.full(length + 1, -1) for _ in range(3))
        for char, position in zip(letters, positions, strict=True):
            if position in starts:
                better = enter > here
                here = np.where(better, enter, here)
                node = np.where(better, enter_node, node)
                begun = np.where(better, position, begun)
            here, node, begun = _consume(here, node, begun, codes == ord(char))
            if position + 1 in ends:
                better = here > out
                out = np.where(better, here, out)
                out_node, out_start = np.where(better, node, out_node), np.where(better, begun, out_start)
                out_end = np.where(better, position + 1, out_end)
        ids = np.full(length + 1, -1)
        for at in np.nonzero(out > 0)[0]:
            nodes.append((number, int(out_start[at]), int(out_end[at]), int(out_node[at])))
            ids[at] = len(nodes) - 1
        out = np.where(ids >= 0, out, nothing)
        last, last_node = out, ids
        better = out > best + 1e-6
        best, best_node = np.where(better, out, best), np.where(better, ids, best_node)

    final: Scores = best + SKIP * (length - steps)
    used = int(final.argmax())
    pieces: list[Piece] = []
    current = int(best_node[used])
    while current >= 0:
        line, start, end, current = nodes[current]
        pieces.append(Piece(line, start, end))
    return pieces[::-1], float(final[used])


def _skipping(scores: Scores, steps: Indices) -> tuple[Scores, Indices]:
    """Best score of having used up ``p`` characters when any number of the latest may be skipped."""
    lifted = scores - SKIP * steps
    top = np.maximum.accumulate(lifted)
    source = np.maximum.accumulate(np.where(lifted >= top, steps, 0))
    return top + SKIP * steps, source


def _consume(
    here: Scores, node: Indices, begun: Indices, same: npt.NDArray[np.bool_]
) -> tuple[Scores, Indices, Indices]:
    """Take one character of the page: as one of the value, or as an extra one; then allow two missing ones."""
    new, new_node, new_begun = here + EDIT, node.copy(), begun.copy()
    taken = np.where(same, MATCH, EDIT) + here[:-1]
    better = taken > new[1:]
    new[1:] = np.where(better, taken, new[1:])
    new_node[1:] = np.where(better, node[:-1], new_node[1:])
    new_begun[1:] = np.where(better, begun[:-1], new_begun[1:])
    for _ in range(2):
        better = new[:-1] + EDIT > new[1:]
        new[1:] = np.where(better, new[:-1] + EDIT, new[1:])
        new_node[1:] = np.where(better, new_node[:-1], new_node[1:])
        new_begun[1:] = np.where(better, new_begun[:-1], new_begun[1:])
    return new, new_node, new_begun
