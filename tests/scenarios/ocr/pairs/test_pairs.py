import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandglass.core.geometry import Box
from sandglass.core.prediction import FieldPrediction, Source, TextLine
from sandglass.scenarios.ocr.page import make_page
from sandglass.scenarios.ocr.pairs import SentenceEmbedder, answer_all, answer_custom, find_pairs


def page(*rows):
    """Rows of texts; a text may be given with its left edge."""
    lines = []
    for number, row in enumerate(rows):
        x = 20
        for item in row if isinstance(row, tuple) else (row,):
            text, left = item if isinstance(item, tuple) else (item, x)
            box = Box(left, 40 * number, left + 10 * len(text), 40 * number + 24)
            lines.append(TextLine(text=text, score=1.0, polygon=box.to_polygon()))
            x = int(box.right) + 60
    return make_page(1000, 1400, lines)


CASES = [
    (("Date: 01/02/2018",), {"Date": "01/02/2018"}),
    (("Date : 01/02/2018 Time: 12:33",), {"Date": "01/02/2018", "Time": "12:33"}),
    (("姓名：张三",), {"姓名": "张三"}),
    (("发票号码：12345678 开票日期：2024年05月01日",), {"发票号码": "12345678", "开票日期": "2024年05月01日"}),
    ((("Invoice No:", "A-17"),), {"Invoice No": "A-17"}),
    ((("Invoice No", ": A-17"),), {"Invoice No": "A-17"}),
    ((("TOTAL", ("12.50", 700)),), {"TOTAL": "12.50"}),
    (("SUBTOTAL 12.50",), {"SUBTOTAL": "12.50"}),
    (("Cash ........ 20.00",), {"Cash": "20.00"}),
    ((("合计", ("¥88.00", 700)),), {"合计": "¥88.00"}),
    (("Remarks:", (("nothing to add", 24),)), {"Remarks": "nothing to add"}),
    ((("CASHIER", ": USER"), ("姓名", "：张三")), {"CASHIER": "USER", "姓名": "张三"}),
    ((("TOTAL", ":", "RM", "12.50"),), {"TOTAL": "RM 12.50"}),
    ((("CASH: RM", "5.00"),), {"CASH": "RM 5.00"}),
    ((("DOC NO", "CS00038813", "DATE: 01/02/2018"),), {"DOC NO": "CS00038813", "DATE": "01/02/2018"}),
    (("(GST NO. 000150511616)", "TEL-03 7728 2288"), {"GST NO": "000150511616", "TEL": "03 7728 2288"}),
    (("INV# 003281900229170",), {"INV": "003281900229170"}),
    (("DATE : 2018/02/22 13 : 34 : 14",), {"DATE": "2018/02/22 13 : 34 : 14"}),
    ((("TOTAL SALES INCLUSIVE OF 6% GST", ("39.90", 700)),), {"TOTAL SALES INCLUSIVE OF 6% GST": "39.90"}),
    (("SALESPERSON:", ("ITEM", "QTY", "PRICE")), {}),
    (("TOTAL:", "GOODS SOLD ARE NOT RETURNABLE, THANK YOU"), {}),
    ((("2 Espresso", ("7.60", 700)),), {}),
    (("BANDAR BUKIT RAJA, 41050",), {}),
    (("Open 12:33",), {}),
    (("see http://example.org/a",), {}),
    (("THANK YOU",), {}),
    ((), {}),
]


@pytest.mark.parametrize(("rows", "expected"), CASES)
def test_pairs_are_found(rows, expected):
    found = {pair.key: pair.value for pair in find_pairs(page(*rows))}
    assert found == expected


def test_a_value_goes_on_below_where_it_began():
    laid = page((("Address:", 20), ("12 High Street", 200)), (("Oldtown 4711", 200),), ("Tel: 555",))
    pairs = {pair.key: pair for pair in find_pairs(laid)}
    assert pairs["Address"].value == "12 High Street Oldtown 4711"
    assert len(pairs["Address"].value_polygons) == 2
    assert pairs["Tel"].value == "555"


def test_columns_that_line_up_are_surer():
    rows = [(name, (amount, 700)) for name, amount in (("Net", "10.00"), ("Tax", "10.60"), ("Total", "20.60"))]
    alone = find_pairs(page(rows[0]))[0].score
    assert all(pair.score > alone for pair in find_pairs(page(*rows)))


texts = st.text(st.sampled_from("ab1: ：.-/张金 \t%€"), max_size=20)


@settings(deadline=None)
@given(st.lists(st.lists(texts, min_size=1, max_size=3).map(tuple), max_size=6))
def test_whatever_stands_on_a_page_pairs_are_made_of_its_text(rows):
    laid = page(*rows)
    for answer in answer_all(laid):
        assert any(answer.key in text for text in laid.texts)
        assert answer.value is not None
        assert 0 < answer.score <= 1
        assert answer.source is Source.FOUND
        for polygon in answer.value_polygons:
            assert len(polygon) == 4


RECEIPT = page("Invoice No.: A-17", "Date: 2024-05-01", "Tel: 555-1234", ("Total", ("12.50", 700)), "Cashier: Ann")


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        ("Date", "2024-05-01"),
        ("date", "2024-05-01"),
        ("日期", "2024-05-01"),
        ("Inv. No.", "A-17"),
        ("电话", "555-1234"),
        ("Telephone", "555-1234"),
        ("总计", "12.50"),
        ("Total amount", "12.50"),
        ("收银员", "Ann"),
        ("Blood group", None),
        ("颜色", None),
    ],
)
def test_typed_keys_find_the_printed_one_in_either_language(asked, value):
    [answer] = answer_custom(RECEIPT, [asked], (), SentenceEmbedder())
    assert (answer.key, answer.value, answer.source) == (asked, value, Source.CUSTOM)


def test_a_trained_field_goes_before_what_is_printed():
    trained = FieldPrediction(key="date", value="2024-05-02", score=0.99, source=Source.LABELLED)
    [answer] = answer_custom(RECEIPT, ["Date"], (trained,), SentenceEmbedder())
    assert answer.value == "2024-05-02"


def test_an_empty_page_answers_every_typed_key_as_missing():
    assert [a.value for a in answer_custom(page(), ["Date", "Total"], (), SentenceEmbedder())] == [None, None]
