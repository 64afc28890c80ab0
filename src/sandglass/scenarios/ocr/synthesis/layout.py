"""Where the parts of a receipt stand: a template turns contents into placed texts, one layout per merchant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sandglass.core.annotation import Role
from sandglass.scenarios.ocr.synthesis.contents import Receipt

Align = Literal["left", "centre", "right"]

_NAMES = {
    "en": {
        "date": ("Date", "Date", "DATE", "Invoice date"),
        "time": ("Time", "Time", "TIME", "Time"),
        "number": ("Receipt No", "Invoice No.", "DOC NO", "Bill #"),
        "phone": ("Tel", "Phone", "TEL", "Tel"),
        "tax_id": ("Tax ID", "GST ID", "TAX REG NO", "VAT No"),
        "subtotal": ("Subtotal", "Sub total", "SUBTOTAL", "Net amount"),
        "tax": ("Tax 6%", "GST 6%", "TAX 6%", "VAT 6%"),
        "rounding": ("Rounding", "Rounding adj.", "ROUNDING", "Rounding"),
        "total": ("Total", "Grand total", "TOTAL", "Amount due"),
        "cash": ("Cash", "Cash tendered", "CASH", "Paid"),
        "change": ("Change", "Change", "CHANGE", "Change due"),
    },
    "zh": {
        "date": ("日期", "开票日期", "日期", "交易日期"),
        "time": ("时间", "时间", "时间", "时间"),
        "number": ("单号", "发票号码", "流水号", "小票号"),
        "phone": ("电话", "联系电话", "电话", "TEL"),
        "tax_id": ("税号", "纳税人识别号", "税号", "统一信用代码"),
        "subtotal": ("小计", "商品金额", "小计", "金额"),
        "tax": ("税额", "税额", "税金", "增值税"),
        "rounding": ("抹零", "舍入", "抹零", "舍入"),
        "total": ("合计", "总计", "应付金额", "实收合计"),
        "cash": ("现金", "实付", "收款", "现金支付"),
        "change": ("找零", "找零", "找零", "找回"),
    },
}
_THANKS = {"en": ("THANK YOU", "Please come again"), "zh": ("谢谢惠顾", "欢迎下次光临")}
_TITLES = {"en": ("RECEIPT", "TAX INVOICE", "CASH BILL", ""), "zh": ("购物小票", "销售单", "收款收据", "")}
_HEADS = {"en": ("Item", "Qty", "Amount"), "zh": ("商品", "数量", "金额")}


@dataclass(frozen=True)
class Placed:
    """A text to render.

    Attributes:
        column: 0..1, where it begins, is centred or ends, in shares of the page's width inside the margins.
        field: that it is (part of) a value of, or the key of.
        key: printed key of this value, as an index into the same list.
    """

    text: str
    row: int
    column: float = 0.0
    align: Align = "left"
    bold: bool = False
    role: Role = Role.BACKGROUND
    field: str | None = None
    key: int | None = None


def lay_out(receipt: Receipt) -> list[Placed]:
    """Place everything on rows from the top."""
    merchant = receipt.merchant
    layout, language = merchant.layout, merchant.language
    names = {key: forms[layout] for key, forms in _NAMES[language].items()}
    placed: list[Placed] = []
    row = 0
    align: Align = "centre" if layout in (0, 2) else "left"
    column = 0.5 if align == "centre" else 0.0
    for line in _wrap(merchant.name, 22 if language == "en" else 14):
        placed.append(Placed(line, row, column, align, bold=True, role=Role.VALUE, field="company"))
        row += 1
    for line in merchant.address:
        placed.append(Placed(line, row, column, align, role=Role.VALUE, field="address"))
        row += 1
    colon = "：" if language == "zh" and layout != 3 else ":"
    placed.append(Placed(f"{names['phone']}{colon} {merchant.phone}", row, column, align))
    row += 1
    if layout != 1:
        placed.append(Placed(f"{names['tax_id']}{colon} {merchant.tax_id}", row, column, align))
        row += 1
    if _TITLES[language][layout]:
        placed.append(Placed(_TITLES[language][layout], row, 0.5, "centre", bold=True))
        row += 1
    row += 1
    row = _heading(placed, receipt, names, colon, row)
    row = _goods(placed, receipt, language, row)
    row = _sums(placed, receipt, names, row)
    placed += [Placed(text, row + index, 0.5, "centre") for index, text in enumerate(_THANKS[language])]
    return placed


def _wrap(text: str, most: int) -> list[str]:
    if len(text) <= most:
        return [text]
    cut = text.rfind(" ", 0, most)
    return [text[:cut], text[cut + 1 :]] if cut > 0 else [text[:most], text[most:]]


def _pair(placed: list[Placed], key: Placed, value: Placed) -> None:
    placed.append(key)
    placed.append(
        Placed(value.text, value.row, value.column, value.align, value.bold, Role.VALUE, value.field, len(placed) - 1)
    )


def _heading(placed: list[Placed], receipt: Receipt, names: dict[str, str], colon: str, row: int) -> int:
    """Number, date and time: keys with their values to the right, some side by side, some below each other."""
    values = {"number": receipt.number, "date": receipt.day, "time": receipt.time}
    fields = {"number": "number", "date": "date", "time": None}
    order = ("number", "date", "time") if receipt.merchant.layout % 2 == 0 else ("date", "time", "number")
    for name in order:
        indent = 0.34 if receipt.merchant.layout != 3 else 0.42
        key = Placed(f"{names[name]}{colon}", row, role=Role.KEY, field=fields[name])
        _pair(placed, key, Placed(values[name], row, indent, field=fields[name]))
        row += 1
    return row + 1


def _goods(placed: list[Placed], receipt: Receipt, language: str, row: int) -> int:
    heads = _HEADS[language]
    placed += [Placed(heads[0], row), Placed(heads[1], row, 0.66, "right"), Placed(heads[2], row, 1.0, "right")]
    row += 1
    for item in receipt.items:
        placed += [
            Placed(item.name, row),
            Placed(str(item.count), row, 0.66, "right"),
            Placed(f"{item.amount:.2f}", row, 1.0, "right"),
        ]
        row += 1
    return row + 1


def _sums(placed: list[Placed], receipt: Receipt, names: dict[str, str], row: int) -> int:
    sums: Sequence[tuple[str, str]] = [
        ("subtotal", receipt.money(receipt.subtotal)),
        *([("tax", receipt.money(receipt.tax))] if receipt.tax else []),
        *([("rounding", f"{receipt.rounding:.2f}")] if receipt.rounding else []),
        ("total", receipt.money(receipt.total)),
        ("cash", receipt.money(receipt.cash)),
        ("change", receipt.money(receipt.cash - receipt.total)),
    ]
    start = 0.0 if receipt.merchant.layout < 2 else 0.3
    for name, text in sums:
        field = "total" if name == "total" else None
        key = Placed(names[name], row, start, bold=name == "total", role=Role.KEY, field=field)
        _pair(placed, key, Placed(text, row, 1.0, "right", bold=name == "total", field=field))
        row += 1
    return row + 1
