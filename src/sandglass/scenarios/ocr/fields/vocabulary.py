"""What a field model knows of characters and words: learnt from the training pages, everything else by its class."""

from collections import Counter
from collections.abc import Iterable

from sandglass.core.value import Value
from sandglass.scenarios.ocr.fields.characters import folded, is_cjk, plain, words
from sandglass.scenarios.ocr.page import Page

CHARACTERS = 4000
WORDS = 2000
MIN_COUNT = 2


class Vocabulary(Value):
    """Characters (in standard form, case folded) and words (letters and digits, case folded) by number.

    Number 0 is the gap between lines, 1 stands for everything unknown.
    """

    characters: dict[str, int]
    words: dict[str, int]

    @property
    def character_count(self) -> int:
        return len(self.characters) + 2

    @property
    def word_count(self) -> int:
        return len(self.words) + 2

    def character(self, char: str) -> int:
        """Number of a character."""
        return self.characters.get(_key(char), 1)

    def word(self, text: str) -> int:
        """Number of a word."""
        return self.words.get("".join(map(folded, text)), 1)


def _key(char: str) -> str:
    return folded(char) or plain(char)


def learn_vocabulary(documents: Iterable[tuple[str, Page]]) -> Vocabulary:
    """Characters that occur twice or more, and words that occur in several documents of different origin.

    Args:
        documents: (group, page); a word of one group only is a name, not a clue.
    """
    characters: Counter[str] = Counter()
    spread: dict[str, set[str]] = {}
    groups = set()
    for group, page in documents:
        groups.add(group)
        for text in page.texts:
            characters.update(map(_key, text))
            for start, end in words(text):
                word = "".join(map(folded, text[start:end]))
                if len(word) > 1 and not word.isdigit() and not is_cjk(word[0]):
                    spread.setdefault(word, set()).add(group)
    least = 3 if len(groups) > 20 else 2
    common = sorted((-len(where), word) for word, where in spread.items() if len(where) >= least)[:WORDS]
    kept = sorted((-count, char) for char, count in characters.items() if count >= MIN_COUNT and char.strip())
    return Vocabulary(
        characters={char: number for number, (_, char) in enumerate(kept[:CHARACTERS], start=2)},
        words={word: number for number, (_, word) in enumerate(common, start=2)},
    )
