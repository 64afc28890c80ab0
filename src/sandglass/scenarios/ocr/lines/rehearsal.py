"""What the base recogniser can do and must not forget: printed lines that the project renders itself.

Some are rehearsed while new lines are learnt, others measure what was forgotten.
"""

import string
from collections.abc import Callable, Iterator, Sequence
from random import Random

import numpy as np

from sandglass.core.picture import Picture
from sandglass.scenarios.ocr.lines.augment import PRINT, vary
from sandglass.scenarios.ocr.synthesis import generate_lines
from sandglass.scenarios.ocr.synthesis.contents import make_merchant, make_receipt

LATIN_FONTS = tuple(
    f"fonts/print/{name}.ttf" for name in ("noto-sans", "roboto-mono", "roboto-condensed", "inconsolata", "pt-serif")
)
CJK_FONTS = ("fonts/print/noto-sans-cjk.otf",)
FIRST_IDEOGRAPH, LAST_IDEOGRAPH = 0x4E00, 0x9FA5


def printed_lines(seed: int, ideographs: Sequence[str]) -> Iterator[tuple[Picture, str]]:
    """Printed lines without end, Chinese and Latin by turns: picture and text.

    Args:
        seed: of all of them.
        ideographs: Chinese characters that the recogniser knows; single ones are mixed into phrases of every-day words.
    """
    random, generator = Random(seed), np.random.default_rng(seed)
    while True:
        latin = random.random() < 0.5
        text = _latin(random) if latin else _chinese(random, ideographs)
        fonts = LATIN_FONTS if latin else CJK_FONTS
        [(picture, _)] = generate_lines([text], seed=random.randrange(2**32), fonts=fonts, strength=0.3)
        yield vary(_coloured(picture, generator), generator, PRINT), text


def _latin(random: Random) -> str:
    receipt = make_receipt(random, make_merchant(random, "en"))
    merchant = receipt.merchant
    kinds: tuple[Callable[[], str], ...] = (
        lambda: merchant.name,
        lambda: random.choice(merchant.address),
        lambda: random.choice(receipt.items).name,
        lambda: f"{receipt.day} {receipt.time}",
        lambda: f"{random.choice(('Total', 'TOTAL', 'Amount due', 'Change', 'Tax'))}: {receipt.money(receipt.total)}",
        lambda: "".join(random.choices(string.ascii_uppercase + string.digits, k=random.randint(4, 12))),
        lambda: " ".join(_word(random) for _ in range(random.randint(1, 4))),
    )
    return random.choice(kinds)()


def _word(random: Random) -> str:
    word = "".join(random.choices("etaoinshrdlucmfwypvbgkqjxz", weights=range(26, 0, -1), k=random.randint(2, 9)))
    return random.choice((str.lower, str.title, str.upper))(word)


def _chinese(random: Random, ideographs: Sequence[str]) -> str:
    receipt = make_receipt(random, make_merchant(random, "zh"))
    merchant = receipt.merchant
    kinds: tuple[Callable[[], str], ...] = (
        lambda: merchant.name,
        lambda: random.choice(merchant.address),
        lambda: f"{random.choice(receipt.items).name}{random.randint(1, 9)}",
        lambda: f"{random.choice(('日期', '合计', '金额', '编号'))}：{random.choice((receipt.day, receipt.number))}",
        lambda: "".join(random.choices(ideographs, k=random.randint(2, 10))),
    )
    return random.choice(kinds)()


def _coloured(picture: Picture, generator: np.random.Generator) -> Picture:
    """Ink and paper in other colours, as on signs and screens; now and then light on dark."""
    grey = picture[..., :1].astype(np.float32) / 255
    ink, paper = generator.uniform(0, 110, 3), generator.uniform(140, 255, 3)
    if generator.random() < 0.25:
        ink, paper = paper, ink
    return np.clip(ink + grey * (paper - ink), 0, 255).astype(np.uint8)


def common_ideographs(characters: Sequence[str]) -> list[str]:
    """The Chinese characters among ``characters`` that GB 2312 has: those that people use."""
    found = []
    for character in characters:
        if len(character) == 1 and FIRST_IDEOGRAPH <= ord(character) <= LAST_IDEOGRAPH:
            try:
                character.encode("gb2312")
            except UnicodeEncodeError:
                continue
            found.append(character)
    return found
