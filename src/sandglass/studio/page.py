"""One page of a list, and opaque cursors."""

import base64
import binascii
import json
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """Some items of a list; ``next`` is the cursor of what follows, None at the end."""

    items: list[Item]
    total: int
    next: str | None = None


def encode_cursor(*parts: str | float) -> str:
    """A cursor that holds ``parts``; opaque to callers."""
    return base64.urlsafe_b64encode(json.dumps(parts, ensure_ascii=False).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type) -> list[Any]:
    """The parts of a cursor.

    Raises:
        InvalidInput: ``cursor_invalid``: it does not come from this list.
    """
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        parts = None
    if (
        not isinstance(parts, list)
        or len(parts) != len(kinds)
        or not all(isinstance(part, kind) for part, kind in zip(parts, kinds, strict=True))
    ):
        raise InvalidInput(
            "cursor_invalid",
            Text(en="The cursor does not belong to this list.", zh="游标不属于此列表。"),
            Text(en="Begin again without a cursor.", zh="请不带游标重新开始。"),
            field="cursor",
        )
    return parts
