"""Values of a type in standard form: numbers as plain decimals, dates as year-month-day."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from sandglass.scenarios.ocr.fields.characters import is_cjk, plain_text
from sandglass.scenarios.ocr.fields.months import month_number

_TOKENS = re.compile(r"\d+|[^\W\d_]+")
_NUMBER = re.compile(r"\d[\d.,'’ ]*")
_CENTURY = 100
_THIS_CENTURY = 2000
_LAST_DAY, _LAST_MONTH = 31, 12


def parse_date_parts(text: str) -> tuple[int, int, int] | None:
    """Numbers of a date in the order in which they stand, a month name as its number; None if it is no date.

    Any signs may stand between them, and single ideographs (``2018年3月5日``), but no other word; a time may follow.

    >>> parse_date_parts("22 MAY 2018")
    (22, 5, 2018)
    """
    parts: list[int] = []
    years: list[int] = []
    for token in _TOKENS.findall(plain_text(text)):
        if len(parts) == 3:
            break
        if token.isdecimal():
            if len(token) == 8 and not parts:
                parts += _split_compact(token)
                years.append(max(parts))
            elif len(token) in (1, 2, 4):
                parts.append(int(token))
                years += [int(token)] if len(token) == 4 else []
            else:
                return None
        elif (month := month_number(token)) is not None:
            parts.append(month)
        elif len(token) > 1 or not is_cjk(token):
            return None
    if len(parts) != 3:
        return None
    first, second, third = parts
    if len(years) > 1 or second > _LAST_DAY or (years and years[0] == second):
        return None
    year, others = (first, (second, third)) if first > _LAST_DAY else (third, (first, second))
    if not (year < _CENTURY or 1000 <= year <= 2999):
        return None
    plausible = 1 <= min(others) <= _LAST_MONTH and max(others) <= _LAST_DAY
    return (first, second, third) if plausible else None


def _split_compact(token: str) -> list[int]:
    if token[:2] in ("19", "20"):
        return [int(token[:4]), int(token[4:6]), int(token[6:])]
    return [int(token[:2]), int(token[2:4]), int(token[4:])]


def normalise_date(text: str, *, day_first: bool) -> str | None:
    """The date as ``YYYY-MM-DD``; None if it is none.

    Args:
        text: as it stands on the page.
        day_first: what the training values say of dates such as 03/04/2018.
    """
    parts = parse_date_parts(text)
    if parts is None:
        return None
    first, second, third = parts
    if first > _LAST_DAY:
        year, month, day = first, second, third
    else:
        year = third
        day, month = (first, second) if day_first else (second, first)
        # A month's name, or a number that can be no month, says which is which.
        if month > _LAST_MONTH or _begins_with_month(text):
            day, month = second, first
        if month > _LAST_MONTH:
            day, month = month, day
    try:
        return date(year if year >= _CENTURY else _THIS_CENTURY + year, month, day).isoformat()
    except ValueError:
        return None


def _begins_with_month(text: str) -> bool:
    tokens = _TOKENS.findall(plain_text(text))
    return bool(tokens) and month_number(tokens[0]) is not None


def day_comes_first(values: Sequence[str]) -> bool:
    """Whether dates are written day before month, by the values in which that can be told."""
    votes = 0
    for value in values:
        parts = parse_date_parts(value)
        if parts and parts[0] <= _LAST_DAY and not _begins_with_month(value):
            votes += (parts[0] > _LAST_MONTH) - (parts[1] > _LAST_MONTH)
    return votes >= 0


def normalise_number(text: str) -> str | None:
    """The first number of ``text`` as a plain decimal; None if there is none.

    The last point or comma is the decimal sign, unless it stands before three digits and either is the only one of a
    comma, or repeats. A minus before the number, or brackets around it, make it negative.

    >>> normalise_number("RM 1,234.50"), normalise_number("1.234,50 €"), normalise_number("(12.00)")
    ('1234.50', '1234.50', '-12.00')
    """
    plain = plain_text(text).replace("\u2212", "-")
    match = _NUMBER.search(plain)
    if not match:
        return None
    digits = re.sub(r"[\s'’]", "", match.group()).rstrip(".,")
    before = plain[: match.start()]
    negative = "-" in before[-4:] or ("(" in before and ")" in plain[match.end() - 1 :])
    sign = max(digits.rfind("."), digits.rfind(","))
    if sign >= 0:
        grouping = len(digits) - sign - 1 == 3 and (digits[sign] == "," or digits.count(".") > 1)
        whole = re.sub(r"[.,]", "", digits[:sign])
        digits = whole + digits[sign + 1 :] if grouping else f"{whole or '0'}.{digits[sign + 1 :]}"
    try:
        number = Decimal(digits)
    except InvalidOperation:
        return None
    return format(-number if negative and number else number, "f")
