"""Contents of made-up receipts: names, streets, goods and prices that add up, in Chinese and English."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Literal

Language = Literal["en", "zh"]
CENT = Decimal("0.01")

_EN_FIRST = ("Golden", "River", "North", "Blue", "Corner", "Harbour", "Maple", "Silver", "Garden", "Old Town", "Sunrise",
             "Union", "Cedar", "Lucky", "Prime", "Hill", "Ocean", "Orchard", "Royal", "Station")  # fmt: skip
_EN_SECOND = ("Bakery", "Stationery", "Hardware", "Mart", "Coffee", "Books", "Pharmacy", "Grocer", "Kitchen", "Electrics",
              "Supplies", "Noodle House", "Flowers", "Auto Parts", "Textiles", "Fruits")  # fmt: skip
_EN_LEGAL = ("Ltd.", "LLC", "Pte Ltd", "Inc.", "& Sons", "Co.", "Trading", "")
_EN_STREETS = ("Main Street", "Bridge Road", "Market Lane", "Church Street", "Park Avenue", "Mill Road", "Kings Road",
               "Station Road", "Lake View", "Victoria Street", "Oak Drive", "Elm Court")  # fmt: skip
_EN_CITIES = ("Springfield", "Riverton", "Ashford", "Lakewood", "Fairview", "Milton", "Newport", "Kingston", "Oxley",
              "Clayton", "Burnside", "Dover")  # fmt: skip
_EN_GOODS = ("White bread", "Espresso", "Notebook A5", "Ball pen blue", "Light bulb 9W", "Hammer", "Olive oil 1L", "Rice 5kg",
             "Green tea", "Batteries AA", "Hand soap", "Tape 50m", "Apples", "Chocolate", "Paint brush", "Envelope C5",
             "Candle", "Screws 4x40", "Milk 1L", "Tomato soup", "Umbrella", "Glue stick")  # fmt: skip
_ZH_CITIES = ("北京市", "上海市", "广州市", "深圳市", "杭州市", "成都市", "武汉市", "南京市", "西安市", "苏州市")
_ZH_DISTRICTS = ("朝阳区", "海淀区", "天河区", "南山区", "西湖区", "高新区", "江岸区", "鼓楼区", "雁塔区", "工业园区")
_ZH_STREETS = ("人民路", "解放路", "中山路", "建设大街", "和平路", "文化路", "长江路", "新华路", "学府路", "科技路")
_ZH_FIRST = (
    "鑫源",
    "华联",
    "永辉",
    "百味",
    "东方",
    "宏达",
    "新世纪",
    "好邻居",
    "福满楼",
    "吉祥",
    "万家",
    "天天",
    "金桥",
    "绿叶",
)
_ZH_SECOND = ("超市", "餐饮管理", "五金", "书店", "大药房", "便利店", "食品", "文具", "电器", "茶业", "水果", "百货")
_ZH_LEGAL = ("有限公司", "有限责任公司", "商行", "连锁店", "经营部")
_ZH_GOODS = ("白面包", "鲜牛奶", "笔记本", "中性笔", "节能灯", "东北大米", "绿茶", "洗手液", "电池", "苹果", "红烧牛肉面",
             "矿泉水", "酱油", "螺丝刀", "胶带", "巧克力", "毛巾", "西红柿", "鸡蛋", "雨伞")  # fmt: skip


@dataclass(frozen=True)
class Item:
    """One line of goods."""

    name: str
    count: int
    price: Decimal

    @property
    def amount(self) -> Decimal:
        return self.price * self.count


@dataclass(frozen=True)
class Merchant:
    """Who issues receipts: name, address lines, and its ways of writing dates and amounts."""

    name: str
    address: tuple[str, ...]
    phone: str
    tax_id: str
    language: Language
    layout: int
    date_form: int
    currency: str


@dataclass(frozen=True)
class Receipt:
    """What one receipt says; amounts add up: total = goods + tax + rounding, change = cash - total."""

    merchant: Merchant
    number: str
    day: str
    time: str
    items: tuple[Item, ...]
    tax: Decimal
    rounding: Decimal
    cash: Decimal

    @property
    def subtotal(self) -> Decimal:
        return sum((item.amount for item in self.items), Decimal(0))

    @property
    def total(self) -> Decimal:
        return self.subtotal + self.tax + self.rounding

    def money(self, amount: Decimal) -> str:
        """An amount as this merchant writes it."""
        return f"{self.merchant.currency}{amount.quantize(CENT):,}"


def make_merchant(random: Random, language: Language) -> Merchant:
    """A made-up merchant with its own layout and habits."""
    pick = random.choice
    if language == "en":
        name = " ".join(filter(None, (pick(_EN_FIRST), pick(_EN_SECOND), pick(_EN_LEGAL))))
        street = f"{random.randint(1, 240)} {pick(_EN_STREETS)}"
        if random.random() < 0.4:
            street = f"Unit {random.randint(1, 40)}, {street}"
        city = f"{pick(_EN_CITIES)} {random.randint(10000, 99999)}"
        phone = f"{random.randint(20, 99)}-{random.randint(2000, 9999)} {random.randint(1000, 9999)}"
        tax_id = f"{random.randint(10**8, 10**9 - 1)}"
        upper = random.random() < 0.5
        if upper:
            name, street, city = name.upper(), street.upper(), city.upper()
        return Merchant(
            name,
            (f"{street},", city),
            phone,
            tax_id,
            "en",
            random.randrange(4),
            random.randrange(4),
            pick(("", "$", "")),
        )
    city = pick(_ZH_CITIES)
    name = f"{city[:2] if random.random() < 0.6 else ''}{pick(_ZH_FIRST)}{pick(_ZH_SECOND)}{pick(_ZH_LEGAL)}"
    address = f"{city}{pick(_ZH_DISTRICTS)}{pick(_ZH_STREETS)}{random.randint(1, 300)}号"
    more = f"{random.randint(1, 9)}号楼{random.randint(1, 30)}层" if random.random() < 0.4 else ""
    phone = f"0{random.randint(10, 99)}-{random.randint(10**7, 10**8 - 1)}"
    tax_id = f"91{random.randint(10**13, 10**14 - 1)}{pick('ABCDEFGHJK')}{random.randint(0, 9)}"
    lines = (address, more) if more else (address,)
    return Merchant(name, lines, phone, tax_id, "zh", random.randrange(4), random.randrange(4), pick(("", "¥", "￥")))


def make_receipt(random: Random, merchant: Merchant) -> Receipt:
    """A receipt of a merchant."""
    goods = _EN_GOODS if merchant.language == "en" else _ZH_GOODS
    items = tuple(
        Item(name, random.choice((1, 1, 1, 2, 3)), Decimal(random.randint(80, 9900)) / 100)
        for name in random.sample(goods, random.randint(2, 7))
    )
    subtotal = sum((item.amount for item in items), Decimal(0))
    tax = (subtotal * Decimal("0.06")).quantize(CENT, ROUND_HALF_UP) if merchant.layout % 2 else Decimal(0)
    rounded = ((subtotal + tax) * 20).quantize(Decimal(1), ROUND_HALF_UP) / 20
    total = rounded.quantize(CENT)
    step = random.choice((1, 10, 50))
    cash = (total // step + 1) * step
    day = date(2019, 1, 1) + timedelta(days=random.randrange(2500))
    return Receipt(
        merchant,
        f"{random.choice(('INV', 'NO', 'R', ''))}{random.randint(10**5, 10**8)}",
        _write_date(day, merchant),
        f"{random.randint(8, 21):02}:{random.randint(0, 59):02}",
        items,
        tax,
        (total - subtotal - tax).quantize(CENT),
        Decimal(cash).quantize(CENT),
    )


def _write_date(day: date, merchant: Merchant) -> str:
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    if merchant.language == "en":
        forms = (
            f"{day:%d/%m/%Y}",
            f"{day:%d-%m-%Y}",
            f"{day.day:02} {months[day.month - 1]} {day.year}",
            f"{day:%Y-%m-%d}",
        )
    else:
        forms = (f"{day:%Y-%m-%d}", f"{day.year}年{day.month:02}月{day.day:02}日", f"{day:%Y/%m/%d}", f"{day:%Y.%m.%d}")
    return forms[merchant.date_form]
