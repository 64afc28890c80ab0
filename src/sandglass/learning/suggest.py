"""From a prediction to what a person is shown as a suggestion: an annotation, the confidence of its parts, and a doubt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sandglass.core.annotation import (
    Annotation,
    ClassAnnotation,
    DocumentAnnotation,
    FieldValue,
    ObjectsAnnotation,
    ObjectShape,
    Role,
    Suggestion,
    TextBox,
)
from sandglass.core.geometry import Box, Polygon, bounding_box
from sandglass.core.prediction import (
    ClassPrediction,
    DocumentPrediction,
    FieldPrediction,
    ObjectsPrediction,
    Prediction,
    Source,
    TextLine,
)

SHOWN_SCORE = 0.3
"""Objects below this confidence are not suggested; they still count as doubt."""
SHOWN_LABELS = 5
"""Class labels whose confidence is kept."""
WHOLE_LINE = 0.6
"""Share of a line's width from which a value is all of the line."""
NOTHING_READ = 1.0
"""Doubt of a page on which nothing was read."""


@dataclass(frozen=True)
class Suggested:
    """What a model suggests for one picture.

    Attributes:
        annotation: with all suggested parts in it.
        scores: box id (or class label) → confidence.
        doubt: 0..1, how unsure the model is about the picture as a whole.
    """

    annotation: Annotation
    scores: Mapping[str, Suggestion]
    doubt: float


def suggest(prediction: Prediction, fields: Sequence[str] = ()) -> Suggested:
    """Turn a prediction into suggestions.

    Args:
        prediction: with answers of any score.
        fields: fields of the dataset; a printed key of one of these names gets that field.
    """
    match prediction:
        case DocumentPrediction():
            return _document(prediction, {name.casefold().strip(" .:："): name for name in fields})
        case ClassPrediction():
            return _classes(prediction)
        case ObjectsPrediction():
            return _objects(prediction)


def _classes(prediction: ClassPrediction) -> Suggested:
    ranked = sorted(prediction.labels, key=lambda item: -item.score)
    scores = {item.label: _score(item.score) for item in ranked[:SHOWN_LABELS]}
    first = ranked[0].score if ranked else 0.0
    second = ranked[1].score if len(ranked) > 1 else 0.0
    labels = (ranked[0].label,) if ranked else ()
    return Suggested(ClassAnnotation(labels=labels), scores, _share(1 - (first - second)))


def _objects(prediction: ObjectsPrediction) -> Suggested:
    shown = [item for item in prediction.objects if item.score >= SHOWN_SCORE]
    shapes = tuple(ObjectShape(id=f"s{number}", label=item.label, box=item.box) for number, item in enumerate(shown, 1))
    scores = {shape.id: _score(item.score) for shape, item in zip(shapes, shown, strict=True)}
    # An object is most doubtful where the model would toss a coin. Nothing found at all is as doubtful as a coin's fall.
    doubts = [1 - abs(2 * item.score - 1) for item in prediction.objects]
    return Suggested(ObjectsAnnotation(objects=shapes), scores, _share(max(doubts, default=0.5)))


def _document(prediction: DocumentPrediction, fields: Mapping[str, str]) -> Suggested:
    page = _Page(prediction.lines)
    values: list[FieldValue] = []
    labelled: list[float] = []
    for answer in prediction.fields:
        if answer.source is Source.LABELLED:
            labelled.append(answer.score)
        if answer.value is None:
            continue
        if answer.source is Source.LABELLED:
            values.append(
                FieldValue(field=answer.key, text=answer.value, box_ids=page.value_boxes(answer, answer.key, ()))
            )
        else:
            page.add_pair(answer, fields.get(answer.key.casefold().strip(" .:：")))
    annotation = DocumentAnnotation(boxes=tuple(page.boxes.values()), values=tuple(values))
    return Suggested(annotation, page.scores, _share(_document_doubt(prediction.lines, labelled)))


def _document_doubt(lines: Sequence[TextLine], fields: Sequence[float]) -> float:
    """Mean uncertainty of the fields where some were learnt, else of the quarter of the lines that was read worst."""
    if fields:
        return float(np.mean([1 - score for score in fields]))
    if not lines:
        return NOTHING_READ
    unsure = sorted((1 - line.score for line in lines), reverse=True)
    return float(np.mean(unsure[: max(1, len(unsure) // 4)]))


class _Page:
    """Boxes of a page in reading order, one per line, until keys and values divide some of them."""

    def __init__(self, lines: Sequence[TextLine]) -> None:
        self.boxes: dict[str, TextBox] = {}
        self.scores: dict[str, Suggestion] = {}
        self._places: dict[str, Box] = {}
        for line in lines:
            self._add(line.text, line.polygon, line.score)

    def _add(self, text: str, polygon: Polygon, score: float) -> str:
        name = f"s{len(self._places) + 1}"
        self.boxes[name] = TextBox(id=name, polygon=polygon, text=text)
        self.scores[name] = _score(score)
        self._places[name] = bounding_box(polygon)
        return name

    def _change(self, name: str, **parts: object) -> None:
        self.boxes[name] = self.boxes[name].model_copy(update=parts)

    def _line_at(self, polygon: Polygon) -> str | None:
        """The box of a whole line that a piece of text lies in."""
        piece = bounding_box(polygon)
        shares = {
            name: place.intersection(piece) / max(1.0, piece.area)
            for name, place in self._places.items()
            if name in self.boxes
        }
        best = max(shares, key=lambda name: shares[name], default=None)
        return best if best is not None and shares[best] > 0.5 else None

    def value_boxes(self, answer: FieldPrediction, field: str | None, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Mark the lines of a value as such and return their ids; what lies beside the lines gets boxes of its own."""
        found = []
        for number, polygon in enumerate(answer.value_polygons):
            name = self._line_at(polygon)
            if name is None:
                name = self._add(answer.value if number == 0 and answer.value else "", polygon, answer.score)
            elif self.boxes[name].role is Role.KEY:
                continue
            self._change(name, role=Role.VALUE, field=field, key_ids=keys)
            found.append(name)
        return tuple(dict.fromkeys(found))

    def add_pair(self, answer: FieldPrediction, field: str | None) -> None:
        """Boxes of a printed key and its value, linked; a line that holds both is divided."""
        if answer.key_polygon is None or not answer.value_polygons:
            return
        key_line, value_line = self._line_at(answer.key_polygon), self._line_at(answer.value_polygons[0])
        if key_line is not None and self.boxes[key_line].role is not Role.BACKGROUND:
            return
        if key_line is not None and key_line == value_line:
            score = self.scores[key_line].score
            del self.boxes[key_line], self.scores[key_line]
            key = self._add(answer.key, answer.key_polygon, score)
            value = self._add(answer.value or "", answer.value_polygons[0], score)
            self._change(key, role=Role.KEY, field=field)
            self._change(value, role=Role.VALUE, field=field, key_ids=(key,))
            rest = answer.model_copy(update={"value_polygons": answer.value_polygons[1:]})
            self.value_boxes(rest, field, (key,))
            return
        key = key_line if key_line is not None else self._add(answer.key, answer.key_polygon, answer.score)
        self._change(key, role=Role.KEY, field=field)
        self.value_boxes(answer, field, (key,))


def _score(value: float) -> Suggestion:
    return Suggestion(score=_share(value))


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, float(value))), 4)
