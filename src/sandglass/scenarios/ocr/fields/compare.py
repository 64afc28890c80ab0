"""When two texts count as the same value: to the letter, after normalisation, or by letters and digits alone."""

import re
import unicodedata

_SPACE = re.compile(r"\s+")


def normal_form(text: str) -> str:
    """NFKC, case folded, without white space and without punctuation at either end.

    White space between two digits stays as one space, so that ``1 20`` is not ``120``; so does a minus before the first
    digit. A value of nothing but punctuation keeps it.

    >>> normal_form(" Total：RM 1,234.50. ")
    'total:rm1,234.50'
    """
    folded = _SPACE.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
    start, end = 0, len(folded)
    while start < end and _is_outer(folded[start]) and not _is_sign(folded, start):
        start += 1
    while end > start and _is_outer(folded[end - 1]):
        end -= 1
    inside = folded[start:end] or folded
    return "".join(
        char
        for position, char in enumerate(inside)
        if char != " " or (inside[position - 1].isdigit() and inside[position + 1 : position + 2].isdigit())
    )


def _is_outer(char: str) -> bool:
    return char == " " or unicodedata.category(char)[0] == "P"


def _is_sign(text: str, position: int) -> bool:
    return text[position] in "-\u2212" and text[position + 1 : position + 2].isdigit()


def letters_and_digits(text: str) -> str:
    """NFKC, case folded, letters and digits only.

    >>> letters_and_digits("Jalan 6, Klang.")
    'jalan6klang'
    """
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())


def exact(left: str, right: str) -> bool:
    """The same to the letter, outer white space aside."""
    return left.strip() == right.strip()


def normalised(left: str, right: str) -> bool:
    """The same after `normal_form`: what a value is judged by."""
    return normal_form(left) == normal_form(right)
