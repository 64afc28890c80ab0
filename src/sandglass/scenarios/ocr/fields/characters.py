"""Characters as the field models see them: significant ones (letters and digits of any script), words, classes."""

import re
import unicodedata
from enum import IntEnum
from functools import lru_cache


class CharClass(IntEnum):
    """Coarse class of a character; 0 stands for the gap between lines."""

    GAP = 0
    SPACE = 1
    DIGIT = 2
    LOWER = 3
    UPPER = 4
    CJK = 5
    LETTER = 6
    POINT = 7
    BRACKET = 8
    SYMBOL = 9
    OTHER = 10


def is_cjk(char: str) -> bool:
    """Whether ``char`` is an ideograph or kana, written without spaces between words."""
    return (
        "\u3040" <= char <= "\u30ff"
        or "\u3400" <= char <= "\u9fff"
        or "\uf900" <= char <= "\ufaff"
        or char >= "\U00020000"
    )


@lru_cache(maxsize=65536)
def plain(char: str) -> str:
    """One character in its standard form: NFKC where that is a single character, else as it is."""
    normal = unicodedata.normalize("NFKC", char)
    return normal if len(normal) == 1 else char


def plain_text(text: str) -> str:
    """``text`` with every character in standard form; the same length, so that positions stay."""
    return "".join(map(plain, text))


@lru_cache(maxsize=65536)
def char_class(char: str) -> CharClass:
    """Class of a character in standard form."""
    if char.isspace():
        return CharClass.SPACE
    if char.isdigit():
        return CharClass.DIGIT
    if is_cjk(char):
        return CharClass.CJK
    category = unicodedata.category(char)
    if category == "Lu":
        return CharClass.UPPER
    if category == "Ll":
        return CharClass.LOWER
    if category[0] in "LM":
        return CharClass.LETTER
    if category in ("Ps", "Pe", "Pi", "Pf"):
        return CharClass.BRACKET
    if category[0] == "P":
        return CharClass.POINT
    return CharClass.SYMBOL if category[0] == "S" else CharClass.OTHER


@lru_cache(maxsize=65536)
def folded(char: str) -> str:
    """The significant form of a character: case folded letter or digit; empty for anything else."""
    standard = plain(char)
    if not standard.isalnum():
        return ""
    small = standard.casefold()
    return small if len(small) == 1 else standard


def has_ink(char: str) -> bool:
    """Whether a character tells something about a value: a letter, a digit or a sign such as ``$``."""
    return bool(folded(char)) or char_class(plain(char)) is CharClass.SYMBOL


def significant(text: str) -> tuple[str, list[int]]:
    """Letters and digits of ``text``, case folded, and the position of each in ``text``."""
    kept = [(folded(char), position) for position, char in enumerate(text)]
    kept = [(char, position) for char, position in kept if char]
    return "".join(char for char, _ in kept), [position for _, position in kept]


_RUN = re.compile(r"[^\W_]+")


def words(text: str) -> list[tuple[int, int]]:
    """Spans (start, end) of words: runs of letters and digits, each CJK character a word of its own.

    >>> words("No. 12 张三")
    [(0, 2), (4, 6), (7, 8), (8, 9)]
    """
    spans: list[tuple[int, int]] = []
    for run in _RUN.finditer(plain_text(text)):
        start = run.start()
        for position in range(run.start(), run.end()):
            if is_cjk(text[position]):
                if position > start:
                    spans.append((start, position))
                spans.append((position, position + 1))
                start = position + 1
        if start < run.end():
            spans.append((start, run.end()))
    return spans
