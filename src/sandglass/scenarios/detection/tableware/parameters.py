"""Settings of the tableware scenario: those of detection, which of both senses is meant, and a price list."""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from pydantic import Field, field_validator

from sandglass.scenarios.detection.parameters import DetectionParameters, zh

Price = Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=12, decimal_places=4)]


class TablewareParameters(DetectionParameters):
    """Parameters of a tableware task.

    Attributes:
        preset: a table or an eye; auto = an eye when the labels are those of an eye.
        prices: label → price of one, to total a picture with.
        currency: of the prices, ISO 4217.
    """

    preset: Literal["auto", "table", "eye"] = Field(
        "auto",
        title="Preset",
        description="Table: count and total. Eye: cup-to-disc ratio. Auto: an eye when the labels are those of one.",
        json_schema_extra=zh(
            "用途", "餐具：计数并合计；眼底：计算杯盘比；自动：按标签判断。", auto="自动", table="餐具", eye="眼底"
        ),
    )
    prices: dict[str, Price] = Field(
        default_factory=dict,
        title="Price list",
        description="Price of one per label; an answer then totals the picture.",
        json_schema_extra=zh("价目表", "每个标签的单价；预测结果将给出整张图片的合计金额。"),
    )
    currency: str = Field(
        "CNY",
        pattern="^[A-Z]{3}$",
        title="Currency",
        description="Of the prices, as an ISO 4217 code.",
        json_schema_extra=zh("币种", "价格的货币，ISO 4217 代码。"),
    )

    @field_validator("prices", mode="before")
    @classmethod
    def _typed(cls, value: object) -> object:
        """Read a price list as it is typed on a command line: ``cup=3,bowl=5.50``."""
        if not isinstance(value, str):
            return value
        prices: dict[str, Decimal] = {}
        for part in filter(None, (part.strip() for part in re.split(r"[,，;；\n]", value))):
            label, separator, price = re.sub(r"[：:]", "=", part).rpartition("=")
            try:
                prices[label.strip()] = Decimal(price.strip())
            except InvalidOperation:
                separator = ""
            if not separator or not label.strip():
                raise ValueError(f"'{part}' is not of the form label=price")
        return prices
