"""The base of all value types: frozen, strict about unknown keys, compact as JSON."""

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable value. Equal when its contents are equal; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
