"""The characters that a recogniser knows, and how texts are spelled in them."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

BLANK = 0
"""Class that says: no character here."""


@dataclass(frozen=True)
class Charset:
    """Characters by class number: the blank (an empty string) first, the space last.

    Raises:
        ValueError: a character stands there twice.
    """

    characters: tuple[str, ...]

    @cached_property
    def classes(self) -> dict[str, int]:
        """Character → class; the first one where the base dictionary has a character twice."""
        found: dict[str, int] = {}
        for number, character in enumerate(self.characters):
            if number != BLANK:
                found.setdefault(character, number)
        return found

    def __len__(self) -> int:
        return len(self.characters)

    def spelled(self, text: str) -> str:
        """``text`` with white space folded, and unknown characters replaced by their plain form where that is known.

        So a full-width letter is taught as the letter when the base never knew the wide one.
        """
        folded = " ".join(unicodedata.normalize("NFC", text).split())
        return "".join(self._known_form(character) for character in folded)

    def _known_form(self, character: str) -> str:
        if character in self.classes:
            return character
        plain = unicodedata.normalize("NFKC", character)
        return plain if plain and all(part in self.classes for part in plain) else character

    def encode(self, text: str) -> list[int]:
        """Classes of a text's characters; those that are not known are left out."""
        return [self.classes[character] for character in text if character in self.classes]

    def missing(self, texts: Iterable[str]) -> list[str]:
        """Characters of `spelled` texts that are not known, the most frequent first."""
        counts = Counter(character for text in texts for character in self.spelled(text))
        unknown = [(character, count) for character, count in counts.items() if character not in self.classes]
        return [character for character, _ in sorted(unknown, key=lambda item: (-item[1], item[0]))]

    def grown(self, further: Sequence[str]) -> tuple["Charset", list[int]]:
        """The charset with ``further`` characters before the space, and for every class its old class or -1."""
        last = len(self.characters) - 1
        characters = (*self.characters[:last], *further, self.characters[last])
        return Charset(characters), [*range(last), *([-1] * len(further)), last]
