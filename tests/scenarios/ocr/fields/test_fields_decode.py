from collections.abc import Callable, Sequence

import numpy as np
import pytest

from sandglass.scenarios.ocr.fields.decode import Probabilities, decode
from sandglass.scenarios.ocr.fields.labelled import LabelledPage
from sandglass.scenarios.ocr.fields.style import learn_style, value_text

ROWS = [
    [(10, "ACME STORES SDN BHD (123-X)")],
    [(10, "12, LONG LANE,")],
    [(10, "TEL 03-4444")],
    [(10, "41200 MILTON")],
    [(10, "DATE"), (100, "05/03/2018 12:30")],
    [(10, "SOAP"), (100, "3.20")],
    [(10, "RICE"), (100, "7.10")],
    [(10, "TOTAL"), (100, "RM 10.30")],
]
VALUES = [
    ("shop", "ACME STORES SDN BHD"),
    ("address", "12, LONG LANE, 41200 MILTON"),
    ("day", "05/03/2018"),
    ("total", "10.30"),
    ("price", "3.20"),
    ("price", "7.10"),
]
FIELDS = ("shop", "address", "day", "total", "price")


def oracle(page: LabelledPage, sure: float = 0.97) -> Probabilities:
    """What a network would say that knows the truth, with some doubt."""
    count = len(page.page.lines)
    characters = [np.full((len(text), 1 + len(FIELDS)), (1 - sure) / 5, np.float32) for text in page.page.texts]
    lines = np.full((count, len(FIELDS), 3), 0.01, np.float32)
    missing = np.full(len(FIELDS), 0.01, np.float32)
    for index, name in enumerate(FIELDS):
        alignments = page.alignments.get(name, ())
        for alignment in alignments:
            assert alignment is not None
            pieces = alignment.occurrences[0]
            for piece in pieces:
                characters[piece.line][piece.start : piece.end, index + 1] = sure
                lines[piece.line, index, 0] = sure / len(pieces)
            lines[pieces[0].line, index, 1] = sure / len(alignments)
            lines[pieces[-1].line, index, 2] = sure / len(alignments)
        if name not in page.alignments:
            missing[index] = sure
    return Probabilities(characters, lines, missing)


def answers(page: LabelledPage, fields: Sequence[str] = FIELDS) -> dict[str, list[str]]:
    styles = {name: learn_style(name, [page]) for name in fields}
    result: dict[str, list[str]] = {}
    for value in decode(page.page, oracle(page), list(styles.values())):
        name = fields[value.field]
        result.setdefault(name, []).append(value_text(page.page, value.pieces, styles[name].separators))
    return result


def test_values_are_cut_out_whole(make_labelled: Callable[..., LabelledPage]) -> None:
    told = answers(make_labelled(ROWS, VALUES))
    assert told["shop"] == ["ACME STORES SDN BHD"]
    assert told["day"] == ["05/03/2018"]
    assert told["total"] == ["10.30"]


def test_value_over_several_lines_skips_the_line_between(make_labelled: Callable[..., LabelledPage]) -> None:
    assert answers(make_labelled(ROWS, VALUES))["address"] == ["12, LONG LANE, 41200 MILTON"]


def test_repeated_field_gives_every_value_in_reading_order(make_labelled: Callable[..., LabelledPage]) -> None:
    assert answers(make_labelled(ROWS, VALUES))["price"] == ["3.20", "7.10"]


def test_several_texts_in_adjacent_lines_are_parted_where_one_begins(
    make_labelled: Callable[..., LabelledPage],
) -> None:
    rows = [
        [(10, "Goods")],
        [(10, "Blue cotton shirt")],
        [(10, "with long sleeves")],
        [(10, "Wooden spoon")],
        [(10, "Paper towels")],
        [(10, "extra strong")],
        [(10, "Thank you")],
    ]
    goods = ["Blue cotton shirt with long sleeves", "Wooden spoon", "Paper towels extra strong"]
    page = make_labelled(rows, [("shop", text) for text in goods])
    assert answers(page, ("shop",))["shop"] == goods


@pytest.mark.parametrize(("value", "expected"), [("RM 10.30", "RM 10.30"), ("10.30", "10.30")])
def test_unit_before_a_number_is_kept_when_training_values_keep_it(
    make_labelled: Callable[..., LabelledPage], value: str, expected: str
) -> None:
    page = make_labelled(ROWS, [("total", value), ("total2", "9.99")])
    page = LabelledPage(page.page, {"total": (value,)})
    styles = [
        learn_style("total", [make_labelled(ROWS, [("total", "RM 10.30")]), make_labelled(ROWS, [("total", "3.20")])])
    ]
    found = decode(page.page, _only_total(page), styles)
    assert [value_text(page.page, item.pieces, {}) for item in found] == [expected]


def _only_total(page: LabelledPage) -> Probabilities:
    told = oracle(LabelledPage(page.page, {"shop": page.values["total"]}))
    return Probabilities([line[:, :2] for line in told.characters], told.lines[:, :1], told.missing[:1])


def test_the_same_value_at_a_second_place_speaks_for_it(make_labelled: Callable[..., LabelledPage]) -> None:
    def margin(second: str) -> float:
        rows = [*ROWS, [(10, "CASH"), (100, second)]]
        page = make_labelled(rows, [("total", "10.30")])
        style = learn_style("total", [page])
        told = oracle(page)
        index = FIELDS.index("total")
        for line, text in enumerate(page.page.texts):
            if "10.30" in text or text == second:
                start = text.index("1")
                told.characters[line][start : start + 5, index + 1] = 0.9
                told.lines[line, index, 0] = 0.45
        only = Probabilities(
            [c[:, [0, index + 1]] for c in told.characters], told.lines[:, [index]], told.missing[[index]]
        )
        (value,) = decode(page.page, only, [style])
        return value.evidence[2]

    assert margin("10.30") > margin("11.30") + 1
