import pytest

from sandglass.scenarios.ocr.pairs.wording import begins_known, concepts, is_known, wording_similarity, words_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Invoice No.", "INV. NUMBER"),
        ("Tax Invoice #", "tax invoice no"),
        ("GST Registration No", "gst reg. no."),
        ("Subtotal", "SUB-TOTAL"),
        ("GST @6%", "GST"),
        ("Total (incl. GST)", "TOTAL"),
    ],
)
def test_words_have_one_form(one, other):
    assert words_of(one) == words_of(other)
    assert wording_similarity(one, other) == 1.0


@pytest.mark.parametrize(
    ("asked", "printed"),
    [
        ("税号", "GST ID"),
        ("Telephone", "电话"),
        ("发票号码", "Invoice No."),
        ("找零", "CHANGE DUE"),
        ("Total amount", "合计"),
        ("date of birth", "出生"),
    ],
)
def test_names_of_one_thing_find_each_other(asked, printed):
    assert concepts(asked) & concepts(printed)
    assert wording_similarity(asked, printed) == wording_similarity(printed, asked) == 0.9


@pytest.mark.parametrize(
    ("asked", "printed"),
    [("税务登记号", "Tax Invoice No"), ("Date", "Time"), ("no", "Table No"), ("", "Date"), ("%", "Tax")],
)
def test_names_of_different_things_do_not(asked, printed):
    assert wording_similarity(asked, printed) == 0.0


def test_a_part_of_a_key_is_weaker_than_the_key():
    whole, longer = wording_similarity("Change", "CHANGE"), wording_similarity("Change", "SMALL CHANGE")
    assert 0.6 < longer < whole


def test_known_keys():
    assert is_known("CASHIER #")
    assert not is_known("Golden Bakery")
    assert begins_known("TOTAL SALES INCLUSIVE OF GST")
    assert not begins_known("White bread")
