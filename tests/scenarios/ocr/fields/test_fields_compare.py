import pytest

from sandglass.scenarios.ocr.fields.compare import exact, letters_and_digits, normal_form, normalised


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("ABC Sdn Bhd", "abc  sdn\nbhd.", True),
        ("Total：１２．５０", "total:12.50", True),
        ("张 三", "张三", True),
        ("(Blue Shop)", "Blue Shop", True),
        ("1.20", "120", False),
        ("1 20", "120", False),
        ("-5.00", "5.00", False),
        ("- remark", "remark", True),
        ("$8.20", "8.20", False),
        ("12/03/18", "12-03-18", False),
        ("No 6, Lane", "No 6 Lane", False),
        ("...", "---", False),
        ("", "", True),
    ],
)
def test_normalised_equality(left: str, right: str, same: bool) -> None:
    assert normalised(left, right) is same
    assert normalised(right, left) is same


def test_normal_form_is_stable() -> None:
    for text in ("  A.B. ", "（１ ２）", "-1 2-", "Straße"):
        assert normal_form(normal_form(text)) == normal_form(text)


def test_exact_keeps_case_and_punctuation_but_not_outer_space() -> None:
    assert exact(" A b ", "A b")
    assert not exact("A b.", "A b")
    assert not exact("a b", "A b")


def test_letters_and_digits_drop_everything_else() -> None:
    assert letters_and_digits(" RM 1,234.50 元 ") == "rm123450元"
