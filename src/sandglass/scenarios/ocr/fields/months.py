"""Month names for reading dates: how January to December begin in several languages (locale data, no field knowledge).

Names are case folded, without accents, and as short as they are told apart; a word names a month when it begins so.
"""

import unicodedata

_NAMES = (
    # English, German, Dutch, Danish, Norwegian, Swedish, Malay and Indonesian
    ("jan",),
    ("feb",),
    ("mar", "maa", "mac", "mrz"),
    ("apr",),
    ("may", "mai", "mei", "maj"),
    ("jun",),
    ("jul",),
    ("aug", "ogo", "ags", "agt"),
    ("sep",),
    ("oct", "okt"),
    ("nov",),
    ("dec", "dez", "dis", "des"),
)
_FURTHER = (
    # French, Spanish, Portuguese, Italian where they differ, and Russian
    ("ene", "gen", "янв"),
    ("fev", "fevr", "фев"),
    ("мар",),
    ("abr", "avr", "апр"),
    ("mag", "май", "мая"),
    ("juin", "giu", "июн"),
    ("juil", "lug", "июл"),
    ("aou", "ago", "авг"),
    ("set", "сен"),
    ("out", "ott", "окт"),
    ("ноя",),
    ("dic", "дек"),
)
_BY_BEGIN = {
    begin: number for names in (_NAMES, _FURTHER) for number, begins in enumerate(names, start=1) for begin in begins
}
LONGEST = max(map(len, _BY_BEGIN))
LONGEST_NAME = 10
"""Letters of the longest month name; a longer word is none."""


def month_number(word: str) -> int | None:
    """1..12 for a month's name or its short form; None for any other word.

    >>> month_number("Décembre"), month_number("MAY"), month_number("total")
    (12, 5, None)
    """
    letters = "".join(
        char for char in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(char)
    )
    if not 3 <= len(letters) <= LONGEST_NAME:
        return None
    for length in range(min(LONGEST, len(letters)), 2, -1):
        if (number := _BY_BEGIN.get(letters[:length])) is not None:
            return number
    return None
