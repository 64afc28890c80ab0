"""What a model answers for one picture. Scores are calibrated probabilities, 0..1."""

from decimal import Decimal
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
    """Classes by falling probability; none at or above the threshold = unknown.

    Attributes:
        several: labels are independent of each other, so that several may hold at once; else exactly one does.
    """

    kind: Literal["classes"] = "classes"
    width: int
    height: int
    labels: tuple[LabelScore, ...] = ()
    several: bool = False


class ObjectPrediction(Value):
    """One object found."""

    label: str
    score: float
    box: Box


class LabelCount(Value):
    """How often a label was found on a picture.

    Attributes:
        price: of one, by the model's price list; None when the list has no price for the label.
        amount: price times count.
    """

    label: str
    count: int
    price: Decimal | None = None
    amount: Decimal | None = None


class Tally(Value):
    """Objects of one picture, counted per label and added up by a price list.

    Attributes:
        counts: labels that were found, in the model's label order.
        total: sum of all amounts; None without a price list.
        currency: of prices and total (ISO 4217), None without a price list.
        unpriced: labels that were found and have no price, so that ``total`` leaves them out.
    """

    counts: tuple[LabelCount, ...]
    total: Decimal | None = None
    currency: str | None = None
    unpriced: tuple[str, ...] = ()


class CupDiscRatio(Value):
    """The vertical cup-to-disc ratio of one eye, from its optic cup and its optic disc.

    Attributes:
        vertical: height of the cup over height of the disc.
        score: that both boxes are right: the product of their scores.
        cup: box of the optic cup.
        disc: box of the optic disc.
        eye: which eye it is, as far as the disc's place in the picture tells (see the tableware scenario), else None.
    """

    vertical: float
    score: float
    cup: Box
    disc: Box
    eye: Literal["left", "right"] | None = None


class ObjectsPrediction(Value):
    """Objects by falling score, and what a preset of the tableware scenario makes of them.

    Attributes:
        tally: counts and total of a table; None where nothing is counted.
        ratio: cup-to-disc ratio of an eye; None where there is no pair of both.
    """

    kind: Literal["objects"] = "objects"
    width: int
    height: int
    objects: tuple[ObjectPrediction, ...] = ()
    tally: Tally | None = None
    ratio: CupDiscRatio | None = None


Prediction = Annotated[DocumentPrediction | ClassPrediction | ObjectsPrediction, Field(discriminator="kind")]
