"""What every dataset format is: a pure reader and writer of folders."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from sandglass.core.finding import Finding
from sandglass.core.sample import Sample
from sandglass.core.text import Text

Kind = Literal["document", "classes", "objects"]
"""What a sample is annotated with; the ``kind`` of `core.annotation`."""


@dataclass(frozen=True)
class FoundSample:
    """A sample in a folder; ``source`` is its picture on disk. The sample's digest is not known yet."""

    sample: Sample
    source: Path


Found = Iterator[FoundSample | Finding]
"""What a reader yields, in the order in which it comes upon it: memory does not grow with the number of pictures."""

WrittenSample = tuple[Sample, Callable[[], bytes]]
"""A sample to write, with a function that gives its picture's bytes."""


class Format(ABC):
    """One dataset format.

    Class attributes:
        id: stable name.
        name: for people.
        kinds: annotation kinds that it can hold.
    """

    id: ClassVar[str]
    name: ClassVar[Text]
    kinds: ClassVar[frozenset[Kind]]

    @abstractmethod
    def detect(self, folder: Path) -> float:
        """How sure it is, 0..1, that ``folder`` is of this format; looks at names and the heads of few files."""

    @abstractmethod
    def read(self, folder: Path, kind: Kind) -> Found:
        """Samples and findings of a folder. Boxes refer to the upright picture, after its EXIF rotation."""

    @abstractmethod
    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        """Write samples into ``folder``; what the format cannot hold is reported."""
