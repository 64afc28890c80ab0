import pytest

from sandglass.scenarios.ocr.fields.normalise import day_comes_first, normalise_date, normalise_number
from sandglass.scenarios.ocr.fields.patterns import FieldPattern, ValueType, learn_pattern


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["12.50", "3.20", "100.00"], ValueType.NUMBER),
        (["1,20 €", "13,50 €", "7,00 €"], ValueType.NUMBER),
        (["RM 5.00", "RM12.10", "3.40"], ValueType.NUMBER),
        (["3", "12", "7"], ValueType.NUMBER),
        (["12/03/2018", "01/12/2019"], ValueType.DATE),
        (["22 MAY 2018", "3 JUNE 2019"], ValueType.DATE),
        (["2018年3月5日", "2020年12月1日"], ValueType.DATE),
        (["INV-2024-001", "INV-2024-117", "INV-2023-020"], ValueType.CODE),
        (["110101199003074512", "440106198812121234"], ValueType.CODE),
        (["Blue Harbour Trading", "Old Mill"], ValueType.TEXT),
        (["张伟", "王芳"], ValueType.TEXT),
        (["12 Long Lane, 41200 Milton", "3 Park Row, 50000 Ashford"], ValueType.TEXT),
        ([], ValueType.TEXT),
    ],
)
def test_type_is_recognised_from_values(values: list[str], expected: ValueType) -> None:
    assert learn_pattern(values).type is expected


@pytest.mark.parametrize(
    ("values", "text", "expected"),
    [
        (["12.50", "3.20"], "TOTAL 5.00 6.10", ["5.00", "6.10"]),
        (["12.50", "3.20"], "金额12.50元", ["12.50"]),
        (["12.50", "3.20"], "RM12.50", ["12.50"]),
        (["12.50", "3.20"], "sum 1,234,567.90", ["1,234,567.90"]),
        (["12.50", "3.20"], "12.505 1.2.3 112", []),
        (["12/03/2018"], "DATE:22-MAY-18 9:30", ["22-MAY-18"]),
        (["12/03/2018"], "日期2018年3月5日", ["2018年3月5日"]),
        (["INV-2024-001"], "No. INV-2025-022 x", ["INV-2025-022"]),
        (["RM 1.20", "4.50"], "RM 7.20", ["RM 7.20", "7.20"]),
    ],
)
def test_spans_have_the_shapes_of_values(values: list[str], text: str, expected: list[str]) -> None:
    assert [text[a:b] for a, b in learn_pattern(values).spans(text)] == expected


def test_pattern_survives_json() -> None:
    pattern = learn_pattern(["12.50", "RM 3.20"])
    again = FieldPattern.model_validate_json(pattern.model_dump_json())
    assert again == pattern
    assert again.spans("RM 3.20") == pattern.spans("RM 3.20")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12.50", "12.50"),
        ("RM 1,234.50", "1234.50"),
        ("1.234,50 €", "1234.50"),
        ("1.234.567", "1234567"),
        ("1,234", "1234"),
        ("12,5", "12.5"),
        ("1 234,50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("-3.00", "-3.00"),
        ("(12.00)", "-12.00"),
        ("１２．５０元", "12.50"),
        ("no number", None),
    ],
)
def test_numbers_become_plain_decimals(text: str, expected: str | None) -> None:
    assert normalise_number(text) == expected


@pytest.mark.parametrize(
    ("text", "day_first", "expected"),
    [
        ("03/04/2018", True, "2018-04-03"),
        ("03/04/2018", False, "2018-03-04"),
        ("22 MAY 2018", False, "2018-05-22"),
        ("May 3, 2019", True, "2019-05-03"),
        ("3 décembre 2019", True, "2019-12-03"),
        ("2018年3月5日", True, "2018-03-05"),
        ("20180305", True, "2018-03-05"),
        ("05.03.18", True, "2018-03-05"),
        ("12/25/2018", True, "2018-12-25"),
        ("31/02/2018", True, None),
        ("12.50", True, None),
        ("item 3 of 4 in 2018", True, None),
    ],
)
def test_dates_become_iso(text: str, day_first: bool, expected: str | None) -> None:
    assert normalise_date(text, day_first=day_first) == expected


def test_order_of_day_and_month_is_read_off_the_values() -> None:
    assert day_comes_first(["25/12/2018", "03/04/2018"])
    assert not day_comes_first(["12/25/2018", "03/04/2018"])
