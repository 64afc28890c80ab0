"""What the numbers of a page are to each other: largest, repeated, sums and differences. Arithmetic only, no words.

Totals, changes, taxes and roundings betray themselves by such relations in any language.
"""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sandglass.scenarios.ocr.fields.characters import plain_text

KINDS = 11
"""Features of each of the two kinds of numbers, those with decimals and whole ones."""
NUMBERS = 2 * KINDS
"""Features per line."""

_DECIMAL = re.compile(r"(?<![\d.,])\d[\d,.' ]*?[.,]\s?(\d{2}|\d)(?![\d]|[.,]\d)")
_WHOLE = re.compile(r"(?<![\d.,])\d{1,9}(?![\d]|[.,]\s?\d)")
_NEAR = 4
"""Hundredths by which a rounded amount may differ from the exact one."""
_MOST = 200
"""Distinct numbers of a page, from the largest, that are added and subtracted."""


def number_features(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """(lines, NUMBERS) float32, of the last number of each line; zeros where a line has none.

    Per kind: there is one; how often it stands on the page; rank from the largest; is the largest; is the difference of
    two others; ends with 0 or 5; is the sum of two others; is the sum of the numbers right above it; another number is
    a little smaller, a little larger; stands again on the same page below.
    """
    plain = [plain_text(text) for text in texts]
    decimals = [_hundredths(text) for text in plain]
    whole = [0 if decimal else _last_whole(text) for text, decimal in zip(plain, decimals, strict=True)]
    return np.concatenate([_relations(decimals), _relations(whole)], 1)


def _hundredths(text: str) -> int:
    found = list(_DECIMAL.finditer(text))
    if not found:
        return 0
    digits = re.sub(r"\D", "", found[-1].group())[-12:]
    return int(digits) * (1 if len(found[-1].group(1)) == 2 else 10)


def _last_whole(text: str) -> int:
    found = _WHOLE.findall(text)
    return int(found[-1]) if found else 0


def _relations(amounts: Sequence[int]) -> npt.NDArray[np.float32]:
    features = np.zeros((len(amounts), KINDS), np.float32)
    distinct = sorted({amount for amount in amounts if amount}, reverse=True)[:_MOST]
    known = set(distinct)
    rank = {amount: index for index, amount in enumerate(distinct)}
    sums = {a + b for index, a in enumerate(distinct[:40]) for b in distinct[index + 1 : 40]}
    for index, amount in enumerate(amounts):
        if amount not in rank:
            continue
        features[index] = (
            1.0,
            np.log(amounts.count(amount)) / 2,
            min(rank[amount], 8) / 8,
            amount == distinct[0],
            any(a > amount and a - amount in known and a != 2 * amount for a in distinct[:12]),
            amount % 5 == 0,
            amount in sums,
            _is_running_sum(amounts[:index], amount),
            any(amount - step in known for step in range(1, _NEAR + 1)),
            any(amount + step in known for step in range(1, _NEAR + 1)),
            amount in amounts[index + 1 :],
        )
    return features


def _is_running_sum(above: Sequence[int], amount: int) -> bool:
    """Whether two or more numbers that stand one below the other somewhere above add up to ``amount``."""
    numbers = [number for number in above if number]
    low, total = 0, 0
    for high, number in enumerate(numbers):
        total += number
        while total > amount:
            total -= numbers[low]
            low += 1
        if total == amount and high > low:
            return True
    return False
