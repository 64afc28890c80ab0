"""What a model answers for one picture. Scores are calibrated probabilities, 0..1."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from sandglass.core.geometry import Box, Polygon
from sandglass.core.value import Value


class TextLine(Value):
    """One line of text read from a page; ``polygon`` has four corners in reading order."""

    text: str
    score: float
    polygon: Polygon


class Source(StrEnum):
    """Where a field's value comes from: a trained field, a pair found on the page, or a key typed by the caller."""

    LABELLED = "labelled"
    FOUND = "found"
    CUSTOM = "custom"


class FieldPrediction(Value):
    """One key with its value.

    Attributes:
        key: field name, printed key or typed key, depending on ``source``.
        value: text as read; None = looked for and not on this page.
        normalised: the value in its type's standard form (ISO date, plain decimal), when the type has one.
        score: probability that the answer is right (for ``value`` None: that it is missing).
        key_polygon: where the printed key stands, if there is one.
        value_polygons: where the value stands, in reading order.
    """

    key: str
    value: str | None
    score: float
    source: Source
    normalised: str | None = None
    key_polygon: Polygon | None = None
    value_polygons: tuple[Polygon, ...] = ()


class DocumentPrediction(Value):
    """Lines and fields of one page. Width and height are those of the upright picture, in pixels."""

    kind: Literal["document"] = "document"
    width: int
    height: int
    lines: tuple[TextLine, ...] = ()
    fields: tuple[FieldPrediction, ...] = ()


class LabelScore(Value):
    """One class with its probability."""

    label: str
    score: float


class ClassPrediction(Value):
    """Classes by falling probability."""

    kind: Literal["classes"] = "classes"
    width: int
    height: int
    labels: tuple[LabelScore, ...] = ()


class ObjectPrediction(Value):
    """One object found."""

    label: str
    score: float
    box: Box


class ObjectsPrediction(Value):
    """Objects by falling score; ``extras`` holds what a preset adds (counts, cup-to-disc ratio)."""

    kind: Literal["objects"] = "objects"
    width: int
    height: int
    objects: tuple[ObjectPrediction, ...] = ()
    extras: dict[str, float | str] = Field(default_factory=dict)


Prediction = Annotated[DocumentPrediction | ClassPrediction | ObjectsPrediction, Field(discriminator="kind")]
