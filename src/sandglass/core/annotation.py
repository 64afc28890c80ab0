"""What a person (or a pre-label run) says about one picture. One annotation type per kind of learning.

Coordinates are pixels of the picture as a person sees it, that is, after its EXIF rotation.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from sandglass.core.geometry import Box, Polygon
from sandglass.core.value import Value


class Role(StrEnum):
    """What a text box is to a document: a printed key, a value, or neither."""

    KEY = "key"
    VALUE = "value"
    BACKGROUND = "background"


class Direction(StrEnum):
    """Reading direction of a text box."""

    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"


class TextBox(Value):
    """One box of text on a page.

    Attributes:
        id: unique on the page.
        polygon: corners in reading order, the first is where the text begins; four points or more.
        field: canonical field that this box belongs to, for keys and values.
        key_ids: ids of the key boxes that a value is linked to (a value may have many).
    """

    id: str
    polygon: Polygon
    text: str = ""
    role: Role = Role.BACKGROUND
    field: str | None = None
    direction: Direction = Direction.HORIZONTAL
    key_ids: tuple[str, ...] = ()


class FieldValue(Value):
    """One value of a field on a page.

    Attributes:
        text: the value as a person would type it; may differ from the boxes' text.
        box_ids: the boxes it lies over, in reading order; empty when only the value is known.
    """

    field: str
    text: str
    box_ids: tuple[str, ...] = ()


class DocumentAnnotation(Value):
    """Text boxes and field values of one page.

    ``values`` may hold several entries for one field. ``absent`` names fields that a person says are not on the
    page. A picture that is a single text line has one box over the whole picture.
    """

    kind: Literal["document"] = "document"
    boxes: tuple[TextBox, ...] = ()
    values: tuple[FieldValue, ...] = ()
    absent: tuple[str, ...] = ()


class ClassAnnotation(Value):
    """Class labels of one picture, the most important first; several = multi-label."""

    kind: Literal["classes"] = "classes"
    labels: tuple[str, ...] = ()


class ObjectShape(Value):
    """One labelled object: its box and, where it was drawn as one, its polygon.

    ``id`` is unique on the picture; empty until somebody edits it in the browser.
    """

    label: str
    box: Box
    polygon: Polygon | None = None
    difficult: bool = False
    crowd: bool = False
    id: str = ""


class ObjectsAnnotation(Value):
    """Labelled objects of one picture; an empty tuple says that there is none."""

    kind: Literal["objects"] = "objects"
    objects: tuple[ObjectShape, ...] = ()


class Suggestion(Value):
    """A part of an annotation that a model proposed and no person has confirmed.

    Attributes:
        score: the model's confidence, 0..1.
        characters: confidence of each character of a text, 0..1; empty where it is not known.
    """

    score: float = Field(ge=0, le=1)
    characters: tuple[float, ...] = ()


Annotation = Annotated[DocumentAnnotation | ClassAnnotation | ObjectsAnnotation, Field(discriminator="kind")]


def empty_annotation(kind: str) -> DocumentAnnotation | ClassAnnotation | ObjectsAnnotation:
    """An annotation of a kind that says that nothing is there."""
    match kind:
        case "document":
            return DocumentAnnotation()
        case "classes":
            return ClassAnnotation()
        case _:
            return ObjectsAnnotation()


def annotation_labels(annotation: "DocumentAnnotation | ClassAnnotation | ObjectsAnnotation | None") -> list[str]:
    """Labels or fields that occur in ``annotation``, with repetition: what label counts are made from."""
    match annotation:
        case None:
            return []
        case DocumentAnnotation():
            return [value.field for value in annotation.values]
        case ClassAnnotation():
            return list(annotation.labels)
        case ObjectsAnnotation():
            return [shape.label for shape in annotation.objects]


def with_object_ids(annotation: ObjectsAnnotation) -> ObjectsAnnotation:
    """Every object with an id of its own; those that have one keep it."""
    taken = {shape.id for shape in annotation.objects if shape.id}
    if len(taken) == len(annotation.objects):
        return annotation
    free = (f"o{number}" for number in range(1, 2 * len(annotation.objects) + 2) if f"o{number}" not in taken)
    shapes = (shape if shape.id else shape.model_copy(update={"id": next(free)}) for shape in annotation.objects)
    return ObjectsAnnotation(objects=tuple(shapes))


def with_linked_values(annotation: DocumentAnnotation) -> DocumentAnnotation:
    """Values that follow from links alone: a value box with a field, or linked to keys, tells a value of that field.

    An annotation that names its values already is returned as it is.
    """
    if annotation.values:
        return annotation
    keys = {box.id: box for box in annotation.boxes if box.role is Role.KEY}
    values = []
    for box in annotation.boxes:
        if box.role is Role.VALUE and box.text.strip():
            linked = (keys[key_id] for key_id in box.key_ids if key_id in keys)
            name = box.field or next((key.field or key.text.strip() for key in linked), None)
            if name:
                values.append(FieldValue(field=name, text=box.text, box_ids=(box.id,)))
    return annotation.model_copy(update={"values": tuple(values)})
