import pytest
from pydantic import BaseModel, Field, ValidationError

from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text
from sandglass.studio.page import decode_cursor, encode_cursor
from sandglass.studio.validation import check_name, invalid_fields


@pytest.mark.parametrize("name", ["a", "发票", "发票-2_b", "0", "x" * 60, "㐂"])
def test_names_that_may_be_used(name):
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "_a", "a b", "a/b", "a@v1", "x" * 61, "a.b", "é", "a\n", "，a", "../a"])
def test_names_that_may_not_be_used(name):
    with pytest.raises(InvalidInput) as caught:
        check_name(name)
    assert caught.value.code == "name_invalid"
    assert caught.value.field == "name"


class Inner(BaseModel):
    members: int = Field(ge=1, le=8)


class Outer(BaseModel):
    inner: Inner
    mode: str


def test_every_field_at_fault_is_named_in_both_languages():
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"inner": {"members": 9}})
    error = invalid_fields(caught.value, "bad", Text(en="Bad.", zh="错。"), ["parameters"])
    assert {problem.field: problem.message.en for problem in error.problems} == {
        "parameters.inner.members": "It must be 8 or less.",
        "parameters.mode": "This is required.",
    }
    assert error.problems[0].message.zh == "必须小于等于 8。"


def test_a_cursor_gives_back_what_it_holds():
    assert decode_cursor(encode_cursor("目录/a.png", 3), str, int) == ["目录/a.png", 3]


@pytest.mark.parametrize("cursor", ["x", "!!", encode_cursor(3), encode_cursor("a", "b")])
def test_a_foreign_cursor_is_refused(cursor):
    with pytest.raises(InvalidInput) as caught:
        decode_cursor(cursor, str)
    assert caught.value.code == "cursor_invalid"
