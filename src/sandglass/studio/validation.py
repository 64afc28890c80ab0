"""Rules that several subjects share: names, and turning pydantic's complaints into sentences for people."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text
from sandglass.core.value import Value

NAME_LENGTH = 60
_NAME = re.compile(r"[A-Za-z0-9㐀-䶿一-鿿][A-Za-z0-9_\-㐀-䶿一-鿿]*")

_SENTENCES: dict[str, Text] = {
    "missing": Text(en="This is required.", zh="此项必填。"),
    "extra_forbidden": Text(en="There is no such setting.", zh="没有这个设置项。"),
    "string_type": Text(en="Text is expected.", zh="应为文本。"),
    "string_too_short": Text(en="At least {min_length} characters are needed.", zh="至少需要 {min_length} 个字符。"),
    "string_too_long": Text(en="At most {max_length} characters are allowed.", zh="最多 {max_length} 个字符。"),
    "string_pattern_mismatch": Text(en="The form is not right: {pattern}.", zh="格式不符：{pattern}。"),
    "int_type": Text(en="A whole number is expected.", zh="应为整数。"),
    "int_parsing": Text(en="A whole number is expected.", zh="应为整数。"),
    "int_from_float": Text(en="A whole number is expected.", zh="应为整数。"),
    "float_type": Text(en="A number is expected.", zh="应为数字。"),
    "float_parsing": Text(en="A number is expected.", zh="应为数字。"),
    "finite_number": Text(en="A finite number is expected.", zh="应为有限的数字。"),
    "bool_type": Text(en="true or false is expected.", zh="应为 true 或 false。"),
    "bool_parsing": Text(en="true or false is expected.", zh="应为 true 或 false。"),
    "list_type": Text(en="A list is expected.", zh="应为列表。"),
    "tuple_type": Text(en="A list is expected.", zh="应为列表。"),
    "dict_type": Text(en="An object is expected.", zh="应为对象。"),
    "too_short": Text(en="At least {min_length} entries are needed.", zh="至少需要 {min_length} 项。"),
    "too_long": Text(en="At most {max_length} entries are allowed.", zh="最多 {max_length} 项。"),
    "greater_than": Text(en="It must be above {gt}.", zh="必须大于 {gt}。"),
    "greater_than_equal": Text(en="It must be {ge} or more.", zh="必须大于等于 {ge}。"),
    "less_than": Text(en="It must be below {lt}.", zh="必须小于 {lt}。"),
    "less_than_equal": Text(en="It must be {le} or less.", zh="必须小于等于 {le}。"),
    "literal_error": Text(en="It must be {expected}.", zh="必须是 {expected}。"),
    "enum": Text(en="It must be {expected}.", zh="必须是 {expected}。"),
    "json_invalid": Text(en="This is not valid JSON: {error}.", zh="不是有效的 JSON：{error}。"),
    "json_type": Text(en="JSON is expected.", zh="应为 JSON。"),
    "model_attributes_type": Text(en="An object is expected.", zh="应为对象。"),
    "model_type": Text(en="An object is expected.", zh="应为对象。"),
}


class FieldProblem(Value):
    """What is wrong with one field; ``field`` is its path, e.g. ``parameters.members``."""

    field: str
    message: Text


class InvalidFields(InvalidInput):
    """Several fields are wrong at once; ``problems`` says what is wrong with each."""

    def __init__(self, code: str, message: Text, problems: Sequence[FieldProblem]) -> None:
        super().__init__(
            code,
            message,
            Text(en="Correct the named fields and try again.", zh="请修改列出的字段后重试。"),
            field=problems[0].field if problems else None,
        )
        self.problems = tuple(problems)


def field_problem(error: Any, prefix: Sequence[str] = ()) -> FieldProblem:  # noqa: ANN401
    """One of pydantic's error details as a sentence in both languages.

    Args:
        error: an entry of ``ValidationError.errors()``.
        prefix: path of the validated value inside the request.
    """
    path = ".".join([*prefix, *(str(part) for part in error["loc"])])
    facts = {name: _plain(value) for name, value in (error.get("ctx") or {}).items()}
    template = _SENTENCES.get(error["type"])
    if template is None:
        message = Text(en=f"{error['msg']}.", zh=f"无效的值（{error['msg']}）。")
    else:
        message = Text(en=_fill(template.en, facts), zh=_fill(template.zh, facts))
    return FieldProblem(field=path or "body", message=message)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _fill(template: str, facts: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: facts.get(found[1], "?"), template)


def invalid_fields(error: ValidationError, code: str, message: Text, prefix: Sequence[str] = ()) -> InvalidFields:
    """A pydantic failure as an error that names every field at fault."""
    return InvalidFields(code, message, [field_problem(detail, prefix) for detail in error.errors(include_url=False)])


def check_name(name: str, *, field: str = "name") -> str:
    """Return ``name`` in Unicode's composed form if it may name a dataset, task or service.

    1 to 60 characters: Chinese, letters, digits, ``_`` and ``-``; the first one Chinese, a letter or a digit.

    Raises:
        InvalidInput: ``name_invalid``.
    """
    name = unicodedata.normalize("NFC", name)
    if len(name) <= NAME_LENGTH and _NAME.fullmatch(name):
        return name
    shown = name if len(name) <= NAME_LENGTH else name[:NAME_LENGTH] + "…"
    raise InvalidInput(
        "name_invalid",
        Text(en=f"'{shown}' cannot be used as a name.", zh=f"“{shown}”不能用作名称。"),
        Text(
            en=f"Use 1 to {NAME_LENGTH} Chinese characters, letters, digits, '_' or '-', "
            "beginning with a Chinese character, a letter or a digit.",
            zh=f"请使用 1–{NAME_LENGTH} 个中文、字母、数字、“_”或“-”，并以中文、字母或数字开头。",
        ),
        field=field,
    )
