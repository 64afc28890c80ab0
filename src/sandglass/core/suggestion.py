"""A prediction as the annotation that a person would have to make to agree with it."""

from sandglass.core.annotation import (
    Annotation,
    ClassAnnotation,
    DocumentAnnotation,
    FieldValue,
    ObjectsAnnotation,
    ObjectShape,
    Role,
    TextBox,
)
from sandglass.core.geometry import Polygon, bounding_box
from sandglass.core.prediction import (
    ClassPrediction,
    DocumentPrediction,
    ObjectsPrediction,
    Prediction,
    Source,
)


def suggest(prediction: Prediction) -> Annotation:
    """The annotation that says what ``prediction`` says.

    Documents: each line is a box; labelled fields become values over the lines that they lie on, those that were not
    found become absent. Pictures: the first class. Objects: one shape each.
    """
    match prediction:
        case DocumentPrediction():
            return _document(prediction)
        case ClassPrediction():
            return ClassAnnotation(labels=tuple(label.label for label in prediction.labels[:1]))
        case ObjectsPrediction():
            return ObjectsAnnotation(
                objects=tuple(ObjectShape(label=found.label, box=found.box) for found in prediction.objects)
            )


def _document(prediction: DocumentPrediction) -> DocumentAnnotation:
    boxes = [
        TextBox(id=f"b{number}", polygon=line.polygon, text=line.text)
        for number, line in enumerate(prediction.lines, 1)
    ]
    values: list[FieldValue] = []
    absent: list[str] = []
    for answer in prediction.fields:
        if answer.source is not Source.LABELLED:
            continue
        if answer.value is None:
            absent.append(answer.key)
            continue
        ids = []
        for polygon in answer.value_polygons:
            index = _at(boxes, polygon)
            if index is None:
                index = len(boxes)
                boxes.append(TextBox(id=f"b{index + 1}", polygon=polygon, text=answer.value))
            boxes[index] = boxes[index].model_copy(update={"role": Role.VALUE, "field": answer.key})
            ids.append(boxes[index].id)
        values.append(FieldValue(field=answer.key, text=answer.value, box_ids=tuple(ids)))
    return DocumentAnnotation(boxes=tuple(boxes), values=tuple(values), absent=tuple(absent))


def _at(boxes: list[TextBox], polygon: Polygon) -> int | None:
    """The box that is the same place as ``polygon``."""
    wanted = bounding_box(polygon)
    best, place = 0.8, None
    for index, box in enumerate(boxes):
        overlap = bounding_box(box.polygon).iou(wanted)
        if overlap > best:
            best, place = overlap, index
    return place
