"""What the values of a field look like: number, date, code or free text, and the shapes that they take.

Nothing is known beforehand about any field, currency, date form or language: shapes are read off the training values.
``12/03/2018`` has the shape ``9/9/9`` with digit runs of 2, 2 and 4; ``2018年3月5日`` has ``9年9月9日``.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache

from sandglass.core.value import Value
from sandglass.scenarios.ocr.fields.characters import is_cjk, plain_text
from sandglass.scenarios.ocr.fields.normalise import parse_date_parts

COVERED = 0.8
"""Share of a field's values that shapes must cover for the field to be read by shape."""
MAX_TOKENS = 12
"""Values with more parts than this are free text."""
MAX_SHAPES = 60
WHOLE = 9
"""Digits that the whole part of a number may have at least, whatever the training values have."""


class ValueType(StrEnum):
    """Type of a field, from its training values."""

    NUMBER = "number"
    DATE = "date"
    CODE = "code"
    TEXT = "text"


_TOKEN = re.compile(r"\d+|[^\W\d_]+|\s+|[^\w\s]|_")


@dataclass(frozen=True)
class _Part:
    kind: str
    """``9`` digits, ``A`` letters, or a literal character."""
    length: int


def _parts(text: str) -> list[_Part]:
    parts: list[_Part] = []
    for token in _TOKEN.findall(plain_text(text.strip())):
        if token.isspace():
            parts.append(_Part(" ", 1))
        elif token[0].isdigit():
            parts.append(_Part("9", len(token)))
        elif token[0].isalpha() and not any(map(is_cjk, token)):
            parts.append(_Part("A", len(token)))
        else:
            parts += [_Part(char, 1) for char in token]
    return parts


class Shape(Value):
    """A shape with the lengths that its runs may have.

    Attributes:
        kinds: parts in order: ``9`` digits, ``A`` letters, or a literal.
        lengths: shortest and longest run of each part.
        count: training values that have this shape.
    """

    kinds: tuple[str, ...]
    lengths: tuple[tuple[int, int], ...]
    count: int

    def regex(self, type_: ValueType) -> str:
        """A pattern for `re` with one space allowed around literals, as reading adds or loses them."""
        pieces = []
        whole = self.kinds.index("9") if type_ is ValueType.NUMBER and "9" in self.kinds else -1
        for index, (kind, (least, most)) in enumerate(zip(self.kinds, self.lengths, strict=True)):
            if kind == "9":
                run = rf"\d{{{least},{most}}}"
                grouped = index == whole and not set(self.kinds[index + 1 : index + 2]) & set(GROUPING[:-1])
                # A number of a thousand or more may be grouped, whether or not the training values happen to have one.
                pieces.append(rf"(?:\d{{1,3}}(?:[{GROUPING}]\d{{3}})+|{run})" if grouped else run)
            elif kind == "A":
                pieces.append(rf"[^\W\d_]{{{least},{most}}}")
            elif kind == " ":
                pieces.append(r"\s{0,2}")
            else:
                pieces.append(rf"\s?{re.escape(kind)}\s?")
        return "".join(pieces)


class FieldPattern(Value):
    """Type and shapes of one field; free text has no shapes."""

    type: ValueType
    shapes: tuple[Shape, ...] = ()

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """Spans of ``text`` that have one of the shapes and cut no word or number in two; they may lie in each other.

        For dates, anything that reads as a date counts as well.
        """
        return self._find(text)

    @cached_property
    def _find(self) -> Callable[[str], tuple[tuple[int, int], ...]]:
        # A look-ahead finds overlapping candidates.
        shaped = {f"(?=({_LEFT}{shape.regex(self.type)}{_RIGHT}))" for shape in self.shapes}
        regexes = [re.compile(pattern) for pattern in sorted(shaped)]
        dates = [_NUMERIC_DATE, _NAMED_DATE] if self.type is ValueType.DATE else []

        @lru_cache(maxsize=REMEMBERED)
        def find(text: str) -> tuple[tuple[int, int], ...]:
            plain = plain_text(text)
            found = {_stripped(plain, *match.span(1)) for regex in regexes for match in regex.finditer(plain)}
            for regex in dates:
                found |= {
                    _stripped(plain, *match.span(1))
                    for match in regex.finditer(plain)
                    if parse_date_parts(match.group(1)) is not None
                }
            return tuple(sorted(span for span in found if span[1] > span[0]))

        return find


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


GROUPING = ",'\u2019 "
"""Signs between thousands, beside the point."""
REMEMBERED = 4096
"""Texts of which the spans are kept: each line is looked at for its features and again for its values."""
_WORD = r"[^\W\d_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
"""A letter of a script that writes words as runs of letters."""
# Two digits or two letters side by side belong together, and so does a digit before a point and another digit.
_LEFT = rf"(?:(?<!\d)(?<!\d[.,])(?=\d)|(?<!{_WORD})(?={_WORD})|(?=[^\d])(?!{_WORD}))"
_RIGHT = rf"(?:(?<=\d)(?!\d)(?![.,]\d)|(?<={_WORD})(?!{_WORD})|(?<![\d])(?<!{_WORD}))"
_NUMERIC_DATE = re.compile(
    r"(?=((?<!\d)(?<!\d[.,])(?:\d{1,4}\s?(?P<sign>[/.-])\s?\d{1,2}\s?(?P=sign)\s?\d{2,4}"
    r"|\d{4}\s?年\s?\d{1,2}\s?月\s?\d{1,2}\s?日?)(?!\d)(?![./-]\d)|(?<!\d)\d{8}(?!\d)))"
)
_NAMED_DATE = re.compile(
    rf"(?=((?<!\d)\d{{1,2}}[\s/.,-]*{_WORD}{{3,10}}[\s/.,'-]*\d{{2,4}}(?!\d)"
    rf"|(?<!{_WORD}){_WORD}{{3,10}}[\s/.,-]*\d{{1,2}}[\s/.,-]+\d{{2,4}}(?!\d)))"
)


WORDS_OF_CODE = 1.5
"""Longer words per value from which a value with digits is free text and no code."""
ALIKE = 5
"""Digits from which values of equal length are taken for codes."""
_LONG_WORD = re.compile(rf"{_WORD}{{3,}}")
_NUMBER = re.compile(r"^[^\w\s]{0,3}\s?[^\W\d_]{0,4}\.?\s?[-+]?\d[\d.,' ]*\s?[^\W\d_]{0,3}[^\w\s]?$")


def innermost(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in which no other lies."""
    return [a for a in spans if not any(b != a and a[0] <= b[0] and b[1] <= a[1] for b in spans)]


def learn_pattern(values: Sequence[str]) -> FieldPattern:
    """Type and shapes of a field from its training values.

    A field is read by shape when its values are short, contain digits, and their shapes repeat.
    """
    shapes: dict[tuple[str, ...], list[tuple[int, ...]]] = {}
    for value in values:
        parts = _parts(value)
        if parts and len(parts) <= MAX_TOKENS:
            shapes.setdefault(tuple(part.kind for part in parts), []).append(tuple(part.length for part in parts))
    with_digits = {kinds: lengths for kinds, lengths in shapes.items() if "9" in kinds}
    repeated = {
        kinds: lengths for kinds, lengths in with_digits.items() if len(lengths) >= (2 if len(values) > 4 else 1)
    }
    covered = sum(map(len, repeated.values()))
    if not values or covered < COVERED * len(values):
        return FieldPattern(type=ValueType.TEXT)
    ordered = sorted(with_digits.items(), key=lambda item: -len(item[1]))[:MAX_SHAPES]
    kind = _type_of(values)
    words_each = sum(len(_LONG_WORD.findall(plain_text(value))) for value in values) / len(values)
    if kind is ValueType.CODE and words_each > WORDS_OF_CODE:
        return FieldPattern(type=ValueType.TEXT)
    return FieldPattern(type=kind, shapes=tuple(_shape(kinds, lengths, kind) for kinds, lengths in ordered))


def _shape(kinds: tuple[str, ...], lengths: list[tuple[int, ...]], kind: ValueType) -> Shape:
    ranges = []
    for index, part in enumerate(kinds):
        least, most = min(row[index] for row in lengths), max(row[index] for row in lengths)
        if part == "9" and kind is ValueType.NUMBER and index == next(i for i, p in enumerate(kinds) if p == "9"):
            least, most = 1, max(most, WHOLE)  # the whole part of a number may have any length
        elif part == "A" and kind is not ValueType.CODE:
            least, most = min(least, 3), most + 2
        elif part == "9" and most <= 2:
            least = 1
        ranges.append((least, most))
    return Shape(kinds=kinds, lengths=tuple(ranges), count=len(lengths))


def _type_of(values: Sequence[str]) -> ValueType:
    plain = [plain_text(value.strip()) for value in values]
    if sum(map(looks_like_date, plain)) >= COVERED * len(plain):
        return ValueType.DATE
    if sum(bool(_NUMBER.match(value)) for value in plain) < COVERED * len(plain):
        return ValueType.CODE
    digits = [value for value in plain if value.isdecimal()]
    if len(digits) < COVERED * len(plain):
        return ValueType.NUMBER
    # Bare digits count something, unless they are padded with zeros, too long for that, or long and all alike.
    lengths = set(map(len, digits))
    padded = any(value[0] == "0" and len(value) > 1 for value in digits)
    alike = len(lengths) == 1 and min(lengths) >= ALIKE
    return ValueType.CODE if padded or max(lengths) > WHOLE or alike else ValueType.NUMBER


def looks_like_date(value: str) -> bool:
    """Whether ``value`` has the build of a date: day, month and year in any usual order."""
    return parse_date_parts(value) is not None
