"""One picture with what is known about it."""

from enum import StrEnum

from pydantic import Field

from sandglass.core.annotation import Annotation
from sandglass.core.value import Value


class Part(StrEnum):
    """The mark of a sample: what it may be used for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Sample(Value):
    """One picture of a dataset.

    Attributes:
        path: name inside the dataset, relative, POSIX separators; unique there.
        width: pixels of the upright picture; 0 while unknown.
        height: pixels of the upright picture; 0 while unknown.
        digest: SHA-256 of the picture's bytes, hexadecimal; empty while the picture is not stored.
        annotation: None = unlabelled.
        part: mark train / validation / test, if any.
        group: samples of one group (merchant, writer, photographer) never stand on both sides of a split.
    """

    path: str
    width: int = 0
    height: int = 0
    digest: str = ""
    annotation: Annotation | None = Field(default=None)
    part: Part | None = None
    group: str | None = None
