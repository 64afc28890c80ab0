"""How the values of one field are written: their type and shapes, on how many lines, how lines are joined."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from sandglass.core.value import Value
from sandglass.scenarios.ocr.fields.align import Alignment, Piece
from sandglass.scenarios.ocr.fields.characters import is_cjk, plain, significant
from sandglass.scenarios.ocr.fields.labelled import LabelledPage
from sandglass.scenarios.ocr.fields.normalise import day_comes_first, normalise_date, normalise_number
from sandglass.scenarios.ocr.fields.patterns import FieldPattern, ValueType, innermost, learn_pattern
from sandglass.scenarios.ocr.page import Page

REPEATED = 0.02
"""Share of the pages with a field from which it counts as one that may have several values."""
SMOOTHING = 0.5
"""Groups that are added to each number of lines, so that none is impossible."""
CLOSING = {")": "(", "]": "[", "}": "{", "）": "（", "】": "【", "》": "《"}
OPENING = frozenset(CLOSING.values())


class FieldStyle(Value):
    """What training values say about one field.

    Attributes:
        pattern: type and shapes.
        repeated: whether a page may hold several values.
        heights: how often values reach over 1, 2, ... lines, those that they skip included; sums to 1, smoothed.
        shortest: letters and digits of the shortest value.
        separators: what stands between two lines of a value when the page has no punctuation there, by what the next
            line begins with (``digit`` or ``other``).
        day_first: order of day and month in dates.
        kept: how often training values keep what a larger shape has beyond the smaller one inside it (a unit, a sign),
            by whether it is attached to it or set apart.
    """

    pattern: FieldPattern
    repeated: bool = False
    heights: tuple[float, ...] = (1.0,)
    shortest: int = 1
    separators: dict[str, str] = {}  # noqa: RUF012
    day_first: bool = True
    kept: dict[str, float] = {}  # noqa: RUF012

    def normalise(self, text: str) -> str | None:
        """The value in its type's standard form."""
        if self.pattern.type is ValueType.DATE:
            return normalise_date(text, day_first=self.day_first)
        return normalise_number(text) if self.pattern.type is ValueType.NUMBER else None


def learn_style(name: str, pages: Sequence[LabelledPage]) -> FieldStyle:
    """Read a field's style off its training values."""
    texts = [text for page in pages for text in page.values.get(name, ())]
    placed = [
        (page, text, found)
        for page in pages
        for text, found in zip(page.values.get(name, ()), page.alignments.get(name, ()), strict=True)
    ]
    counts: Counter[tuple[str, str]] = Counter()
    for page, text, found in placed:
        if found and found.score > 0.9:
            counts.update(_separators(page.page, text, found))
    pattern = learn_pattern(texts)
    separators = {}
    for kind in ("digit", "other"):
        seen = [(count, separator) for (of, separator), count in counts.items() if of == kind]
        if seen:
            separators[kind] = max(seen)[1]
    return FieldStyle(
        pattern=pattern,
        repeated=_is_repeated([len(page.values.get(name, ())) for page in pages]),
        heights=_heights(placed),
        shortest=min((len(significant(text)[0]) for text in texts), default=1),
        separators=separators,
        day_first=day_comes_first(texts),
        kept=_kept_shares(pattern, placed),
    )


def _is_repeated(counts: Sequence[int]) -> bool:
    """Whether enough pages hold several values for that to be no slip of the labels."""
    several = sum(count > 1 for count in counts)
    return several > 0 and several >= REPEATED * sum(count > 0 for count in counts)


def _heights(placed: Sequence[tuple[LabelledPage, str, Alignment | None]]) -> tuple[float, ...]:
    """Shares of groups, not of documents: one large group must not decide; one more line than seen stays possible."""
    by_group: dict[str, Counter[int]] = {}
    for number, (labelled, _, found) in enumerate(placed):
        group = labelled.group if labelled.group is not None else f"page {number}"
        for pieces in found.occurrences if found else ():
            by_group.setdefault(group, Counter())[pieces[-1].line - pieces[0].line + 1] += 1
    tallest = max((height for counts in by_group.values() for height in counts), default=1)
    shares = np.full(tallest + 1, SMOOTHING)
    for counts in by_group.values():
        for height, count in counts.items():
            shares[height - 1] += count / counts.total()
    return tuple((shares / shares.sum()).tolist())


def extension_kind(text: str, inner: tuple[int, int], outer: tuple[int, int]) -> str:
    """Whether what ``outer`` has beyond ``inner`` is ``attached`` to it or ``apart``."""
    before, behind = text[outer[0] : inner[0]], text[inner[1] : outer[1]]
    return "apart" if before[-1:].isspace() or behind[:1].isspace() else "attached"


def _kept_shares(
    pattern: FieldPattern, placed: Sequence[tuple[LabelledPage, str, Alignment | None]]
) -> dict[str, float]:
    """Share of the groups whose values keep an extension, over groups in which the page has one; smoothed."""
    votes: dict[str, dict[str, list[bool]]] = {}
    for number, (labelled, _, found) in enumerate(placed):
        group = labelled.group if labelled.group is not None else f"page {number}"
        for piece in {pieces[0] for pieces in found.occurrences} if found else ():
            text = labelled.page.texts[piece.line]
            spans = pattern.spans(text)
            for inner in innermost(spans):
                larger = [span for span in spans if span != inner and span[0] <= inner[0] and inner[1] <= span[1]]
                if larger and piece.start <= inner[0] and inner[1] <= piece.end:
                    kind = extension_kind(text, inner, max(larger, key=lambda span: span[1] - span[0]))
                    votes.setdefault(kind, {}).setdefault(group, []).append((piece.start, piece.end) != inner)
    return {
        kind: (1 + sum(sum(kept) / len(kept) for kept in groups.values())) / (2 + len(groups))
        for kind, groups in votes.items()
    }


def _separators(page: Page, text: str, alignment: Alignment) -> list[tuple[str, str]]:
    """What the typed value has between the lines it was copied from, where the page itself has no punctuation."""
    _, positions = significant(text)
    pieces = alignment.occurrences[0]
    found, used = [], 0
    for piece, following in pairwise(pieces):
        used += len(significant(page.texts[piece.line][piece.start : piece.end])[0])
        if not 0 < used < len(positions):
            break
        between = text[positions[used - 1] + 1 : positions[used]]
        if not _tail(page.texts[piece.line], piece.end):
            found.append((_kind(page.texts[following.line][following.start]), between))
    return found


def _kind(char: str) -> str:
    return "digit" if plain(char).isdigit() else "other"


def _tail(line: str, end: int) -> str:
    """Punctuation that ends a line behind ``end``; empty when more words follow."""
    rest = line[end:]
    return rest.strip() if rest.strip() and not significant(rest)[0] else ""


def value_text(page: Page, pieces: Sequence[Piece], separators: Mapping[str, str]) -> str:
    """The text of a value over its pieces, as a person would type it.

    Brackets that a piece cuts open are closed; between lines stands the page's own punctuation or else what training
    values have there; CJK lines are joined without a space.
    """
    parts: list[str] = []
    for order, piece in enumerate(pieces):
        line = page.texts[piece.line]
        start, end = _whole_brackets(line, piece.start, piece.end)
        part = line[start:end]
        if order + 1 < len(pieces):
            following = page.texts[pieces[order + 1].line][pieces[order + 1].start]
            tail = _tail(line, end)
            part += f"{tail} " if tail else separators.get(_kind(following), " ")
            if not tail and part.rstrip() and is_cjk(part.rstrip()[-1]) and is_cjk(following):
                part = part.rstrip()
        parts.append(part)
    return "".join(parts).strip()


def _whole_brackets(line: str, start: int, end: int) -> tuple[int, int]:
    inside = line[start:end]
    for closing, opening in CLOSING.items():
        if inside.count(opening) > inside.count(closing) and line[end : end + 1] == closing:
            end += 1
        if inside.count(closing) > inside.count(opening) and start and line[start - 1] == opening:
            start -= 1
    # A value whose last word stands in brackets includes both; one that begins right behind a bracket likewise.
    if start and line[start - 1] in OPENING and CLOSING.get(line[end : end + 1]) == line[start - 1]:
        start, end = start - 1, end + 1
    return start, end
