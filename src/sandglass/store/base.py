"""What all tables share: identifiers, instants, exact amounts of money, the base class."""

import secrets
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Json = Any
"""A JSON value; its shape is the pydantic model named beside the column."""


def new_id(prefix: str) -> str:
    """A fresh identifier such as ``run-9f86d081884c7d65``; unguessable, safe in URLs and file names."""
    return f"{prefix}-{secrets.token_hex(8)}"


class UtcDateTime(TypeDecorator[datetime]):
    """Aware instants in UTC on every database (SQLite itself drops the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Amount(TypeDecorator[Decimal]):
    """Money, exact on every database: stored as whole ten-thousandths of the currency's unit."""

    impl = BigInteger
    cache_ok = True
    PLACES = 4

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        scaled = value.scaleb(self.PLACES)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than {self.PLACES} decimals")
        return int(scaled)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-self.PLACES)


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map = {  # noqa: RUF012
        datetime: UtcDateTime,
        Decimal: Amount,
        Json: JSON,
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


def row_id(prefix: str) -> Mapped[str]:
    """The primary key of most tables."""
    return mapped_column(String(40), primary_key=True, default=lambda: new_id(prefix))
