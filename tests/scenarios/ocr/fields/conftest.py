"""Small made-up documents with known fields, in English and Chinese."""

import random
from collections.abc import Callable, Sequence

import pytest

from sandglass.core.annotation import DocumentAnnotation, FieldValue
from sandglass.core.geometry import Box
from sandglass.core.prediction import TextLine
from sandglass.scenarios.ocr.fields.labelled import LabelledPage, labelled_page
from sandglass.scenarios.ocr.page import Page, make_page

Cells = Sequence[Sequence[tuple[float, str]]]
"""Rows of (left edge, text)."""


def page_of(rows: Cells, *, width: int = 600, height: int = 800) -> Page:
    lines = []
    for number, row in enumerate(rows):
        for left, text in row:
            box = Box(left, 30 * number + 5, left + 11 * len(text), 30 * number + 25)
            lines.append(TextLine(text=text, score=1.0, polygon=box.to_polygon()))
    return make_page(width, height, lines)


def labelled_of(rows: Cells, values: Sequence[tuple[str, str]], *, group: str | None = None) -> LabelledPage:
    annotation = DocumentAnnotation(values=tuple(FieldValue(field=name, text=text) for name, text in values))
    return labelled_page(page_of(rows), annotation, group)


NAMES = ("Blue Harbour", "Green Valley", "Old Mill", "Silver Oak", "Red Lantern", "North Star", "Kite Hill", "Sun Gate")
KINDS = ("Trading", "Bakery", "Books", "Foods")
STREETS = ("Long Lane", "River Road", "High Street", "Station Way", "Park Row")
CITIES = ("Ashford", "Milton", "Bramley", "Oakdale")
CHINESE_NAMES = ("张伟", "王芳", "李娜", "刘洋", "陈静", "杨帆", "赵敏", "周杰")
CHINESE_CITIES = ("北京市", "上海市", "广州市", "成都市")
CHINESE_ROADS = ("人民路", "中山路", "解放路", "和平街")


def english(number: int) -> LabelledPage:
    pick = random.Random(number)
    shop = f"{pick.choice(NAMES)} {pick.choice(KINDS)}"
    street = f"{pick.randint(1, 99)} {pick.choice(STREETS)},"
    city = f"{pick.randint(10000, 99999)} {pick.choice(CITIES)}"
    day = f"{pick.randint(1, 28):02}/{pick.randint(1, 12):02}/20{pick.randint(10, 24)}"
    amounts = [round(pick.uniform(2, 90), 2) for _ in range(pick.randint(2, 4))]
    total = f"{sum(amounts):.2f}"
    rows = [
        [(150, shop)],
        [(150, street)],
        [(150, city)],
        [(20, "Date:"), (150, f"{day} 10:3{number % 10}")],
        *([(20, f"Item {index}"), (400, f"{amount:.2f}")] for index, amount in enumerate(amounts)),
        [(20, "Total"), (400, total)],
        [(20, "Cash"), (400, f"{sum(amounts) + 10:.2f}")],
        [(150, "Thank you")],
    ]
    values = [("shop", shop), ("address", f"{street} {city}"), ("day", day), ("total", total)]
    return labelled_of(rows, values)


def chinese(number: int) -> LabelledPage:
    pick = random.Random(number)
    name = pick.choice(CHINESE_NAMES)
    birth = f"{pick.randint(1960, 2004)}年{pick.randint(1, 12)}月{pick.randint(1, 28)}日"
    address = f"{pick.choice(CHINESE_CITIES)}{pick.choice(CHINESE_ROADS)}{pick.randint(1, 300)}号"
    code = "".join(pick.choice("0123456789") for _ in range(18))
    rows = [
        [(20, "姓名"), (120, name)],
        [(20, "出生"), (120, birth)],
        [(20, f"住址：{address}")],
        [(20, "公民身份号码"), (200, code)],
    ]
    return labelled_of(rows, [("姓名", name), ("出生", birth), ("住址", address), ("号码", code)])


@pytest.fixture(scope="session")
def english_pages() -> Callable[[range], list[LabelledPage]]:
    return lambda numbers: [english(number) for number in numbers]


@pytest.fixture(scope="session")
def chinese_pages() -> Callable[[range], list[LabelledPage]]:
    return lambda numbers: [chinese(number) for number in numbers]


@pytest.fixture(scope="session")
def make_labelled() -> Callable[..., LabelledPage]:
    return labelled_of


@pytest.fixture(scope="session")
def make_rows_page() -> Callable[..., Page]:
    return page_of
