"""The wording of keys: brings ``Inv. No.``, ``INVOICE #`` and ``发票号码`` together, and knows what people use as keys."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

_TOKEN = re.compile(r"[^\W\d_]+|\d+|#|%|№")
_SPLIT_CJK = re.compile(r"([\u3400-\u9fff]+)")

_FORMS = {
    "no": "num number nr nbr # № no",
    "reg": "registration registered register regn",
    "tel": "telephone phone tele",
    "inv": "invoice",
    "rcpt": "receipt",
    "doc": "document",
    "amt": "amount",
    "qty": "quantity",
    "acct": "account acc",
    "adj": "adjustment adjusment adjust",
    "ref": "reference",
    "cust": "customer",
    "trans": "transaction transac",
    "co": "company",
    "dept": "department",
    "incl": "inclusive including included includes inc",
    "excl": "exclusive excluding excluded exc exclude",
    "disc": "discount",
    "chg": "charge charges chrg",
    "svc": "service serv srv svr",
    "date": "dt",
    "auth": "authorisation authorization",
    "add": "address addr",
    "id": "identification identity",
    "tax": "taxes",
    "item": "items",
    "point": "points",
    "rounding": "rounded round rnd",
    "pay": "payable payment paid",
    "licence": "license",
    "member": "membership",
    "order": "ord",
    "tender": "tendered",
    "mobile": "cellphone cell",
    "centre": "center",
    "total": "tot ttl tl",
    "net": "nett",
    "sub": "subtotal",
}
_FORM = {word: form for form, words in _FORMS.items() for word in words.split()}
_EMPTY = frozenset({"of", "the", "and", "s", "at", "to", "be", "a", "in", "for", "rm", "usd", "cny", "rmb"})
"""Words that do not tell keys apart; codes of currencies among them, which some forms print behind the key."""

Words = tuple[str, ...]


def words_of(key: str) -> Words:
    """The words of a key in one form, without filling words, percentages and what stands in brackets.

    >>> words_of("Tax Invoice No.") == words_of("TAX INVOICE #")
    True
    """
    plain = re.sub(r"[\d.]+\s*%", " ", key.casefold())
    outer = re.sub(r"[(（][^)）]*[)）]", " ", plain)
    found = _tokens(outer) or _tokens(plain)
    kept = tuple(word for word in found if word not in _EMPTY)
    return kept or found


def _tokens(text: str) -> Words:
    spaced = re.sub(r"\bsub[\s-]?total\b", "sub total", text)
    return tuple(
        form
        for piece in _SPLIT_CJK.split(spaced)
        for word in ([piece] if _SPLIT_CJK.fullmatch(piece) else _TOKEN.findall(piece))
        for form in (_FORM.get(word, word),)
    )


@cache
def _concepts() -> dict[Words, frozenset[int]]:
    """Name in words → numbers of the things that it is a name of."""
    text = (files("sandglass.scenarios.ocr.pairs") / "concepts.txt").read_text("utf-8")
    names: dict[Words, set[int]] = {}
    for number, line in enumerate(text.splitlines()):
        if line and not line.startswith("#"):
            for name in line.split(" | "):
                names.setdefault(words_of(name), set()).add(number)
    return {name: frozenset(numbers) for name, numbers in names.items()}


def concepts(key: str) -> frozenset[int]:
    """Numbers of the things that a key is a name of; empty = it is none of the every-day ones."""
    words = words_of(key)
    bare = tuple(word for word in words if word != "no")
    return _concepts().get(words, frozenset()) or _concepts().get(bare, frozenset())


def is_known(key: str) -> bool:
    """Whether a text is what people use as a key."""
    return bool(concepts(key))


def begins_known(key: str) -> bool:
    """Whether its first words or its last ones are a known key: ``TOTAL SALES (INCL. GST)``, ``CARD TYPE VISA``."""
    words = words_of(key)
    parts: Iterable[Words] = (words[:end] for end in range(1, len(words) + 1))
    return any(part in _concepts() for part in parts) or any(
        words[start:] in _concepts() for start in range(1, len(words))
    )


def wording_similarity(asked: str, printed: str) -> float:
    """How surely two keys are one by their words, 0..1; 0 = nothing speaks for it.

    The same words: 1. Names of the same thing: 0.9. All words of one among those of the other: 0.6 to 0.85, the more
    they share.
    """
    left, right = words_of(asked), words_of(printed)
    if not left or not right:
        return 0.0
    if sorted(left) == sorted(right):
        return 1.0
    if concepts(asked) & concepts(printed):
        return 0.9
    shared = set(left) & set(right)
    if shared and shared in (set(left), set(right)) and shared != {"no"}:
        return 0.6 + 0.25 * len(shared) / max(len(set(left)), len(set(right)))
    if any(_is_part(asked, part) for part in _parts(right)):
        return 0.65
    return 0.0


def _parts(words: Words) -> list[Words]:
    """Runs of words at the beginning or the end, not the whole."""
    return [*(words[:end] for end in range(1, len(words))), *(words[start:] for start in range(1, len(words)))]


def _is_part(asked: str, part: Words) -> bool:
    return bool(concepts(asked) & _concepts().get(part, frozenset()))
