import numpy as np
import pytest

from sandglass.scenarios.ocr.fields.months import month_number
from sandglass.scenarios.ocr.fields.numbers import KINDS, NUMBERS, number_features

TEXTS = ["Soap 3.20", "Rice 7.10", "Sum 10.30", "Rounded 10.35", "Cash 20.35", "Change 10.00", "No. 4711", "Thanks"]
THERE, COUNT, RANK, LARGEST, DIFFERENCE, FIVES, PAIR, RUNNING, SMALLER_NEAR, LARGER_NEAR, BELOW = range(KINDS)


def of(line: str) -> np.ndarray:
    return number_features(TEXTS)[TEXTS.index(line)]


def test_relations_between_amounts_are_seen() -> None:
    assert number_features(TEXTS).shape == (len(TEXTS), NUMBERS)
    assert of("Cash 20.35")[LARGEST] == 1
    assert of("Sum 10.30")[RUNNING] == 1
    assert of("Rounded 10.35")[RUNNING] == 0
    assert of("Rounded 10.35")[DIFFERENCE] == 1
    assert of("Rounded 10.35")[PAIR] == 0
    assert of("Cash 20.35")[PAIR] == 1
    assert of("Thanks").sum() == 0


def test_whole_numbers_do_not_disturb_amounts() -> None:
    assert of("No. 4711")[:KINDS].sum() == 0
    assert of("No. 4711")[KINDS + THERE] == 1
    assert of("No. 4711")[KINDS + LARGEST] == 1


def test_close_amounts_point_at_each_other() -> None:
    exact, rounded = number_features(["Total 17.22", "Rounded 17.20"])
    assert (exact[SMALLER_NEAR], exact[LARGER_NEAR], exact[FIVES]) == (1, 0, 0)
    assert (rounded[SMALLER_NEAR], rounded[LARGER_NEAR], rounded[FIVES]) == (0, 1, 1)


def test_repeated_amount_knows_that_it_stands_again_below() -> None:
    first, second = number_features(["5,00 €", "5,00 €"])
    assert (first[BELOW], second[BELOW]) == (1, 0)
    assert first[COUNT] == pytest.approx(np.log(2) / 2)


@pytest.mark.parametrize(
    ("word", "month"),
    [("JAN", 1), ("märz", 3), ("Mai", 5), ("août", 8), ("Ogos", 8), ("декабря", 12), ("the", None), ("ma", None)],
)
def test_month_names_of_several_languages(word: str, month: int | None) -> None:
    assert month_number(word) == month
