"""A failure as it is stored and sent: the same facts as a `SandglassError`, as a value."""

from pydantic import Field

from sandglass.core.errors import SandglassError
from sandglass.core.text import Text
from sandglass.core.value import Value


class Problem(Value):
    """Code, sentence and next step of a failure."""

    code: str
    message: Text
    action: Text | None = None
    field: str | None = None
    details: dict[str, str | int | float | bool | None] = Field(default_factory=dict)


def problem_of(error: BaseException) -> Problem:
    """Describe any exception; those that nobody expected become ``internal_error`` with their type and message."""
    if isinstance(error, SandglassError):
        return Problem(
            code=error.code, message=error.message, action=error.action, field=error.field, details=error.details
        )
    described = f"{type(error).__name__}: {error}"
    return Problem(
        code="internal_error",
        message=Text(en=f"Something went wrong: {described}", zh=f"内部错误：{described}"),
        action=Text(en="Look at the log; restart the run.", zh="请查看日志后重新启动。"),
    )
