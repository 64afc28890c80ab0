"""Sentences for people, in Chinese and English at once, so that any floor can speak without knowing who listens."""

from typing import Literal

from sandglass.core.value import Value

Language = Literal["en", "zh-CN"]


class Text(Value):
    """One sentence in both languages.

    >>> Text(en="2 pictures", zh="2 张图片").to("zh-CN")
    '2 张图片'
    """

    en: str
    zh: str

    def to(self, language: Language) -> str:
        """Return the sentence in ``language``."""
        return self.zh if language == "zh-CN" else self.en

    def __str__(self) -> str:
        return self.en


def choose_language(accept_language: str | None) -> Language:
    """Pick a language from an ``Accept-Language`` header or a locale name: Chinese if it comes first, else English.

    >>> choose_language("zh-TW,zh;q=0.9,en;q=0.8")
    'zh-CN'
    >>> choose_language(None)
    'en'
    """
    weighted: list[tuple[float, int, str]] = []
    for position, part in enumerate((accept_language or "").split(",")):
        tag, _, weight = part.partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            quality = 0.0
        weighted.append((-quality, position, tag.strip().lower()))
    for _, _, tag in sorted(weighted):
        if tag.startswith("zh"):
            return "zh-CN"
        if tag.startswith("en"):
            return "en"
    return "en"
