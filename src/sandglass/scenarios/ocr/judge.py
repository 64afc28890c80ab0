"""Pair what stands on a page with what was answered, field by field or line by line, and say why an answer is wrong."""

from collections.abc import Sequence

from rapidfuzz import fuzz

from sandglass.core.annotation import DocumentAnnotation
from sandglass.core.geometry import Polygon, bounding_box
from sandglass.core.prediction import DocumentPrediction, FieldPrediction, TextLine
from sandglass.scenarios.base import Match
from sandglass.scenarios.ocr.fields.compare import exact, normalised

TEXT_LABEL = "text"
"""The one label of plain recognition, where a task has no fields."""

SAME_PLACE = 0.5
"""Intersection over union from which a read line stands for a labelled box."""

WHOLE_PICTURE = 0.9
"""Share of the picture from which a lone labelled box says that the picture is a single line."""

SIMILAR = 60.0
"""Similarity (0..100) from which a wrong value is taken for a misread or badly cut one and not for another text."""


def judge_fields(truth: DocumentAnnotation, prediction: DocumentPrediction, fields: Sequence[str]) -> list[Match]:
    """One `Match` per true value and per value answered too much.

    Within a field, predictions are taken by falling score; each takes an equal true value while there is one. What
    is left over is paired in the same order as wrong. So dropping predictions below a score changes no count above it.
    """
    matches: list[Match] = []
    page_text = "\n".join(line.text for line in prediction.lines)
    for name in fields:
        truths = [(value.text, _places(truth, value.box_ids)) for value in truth.values if value.field == name]
        answers = sorted(
            (answer for answer in prediction.fields if answer.key == name and answer.value is not None),
            key=lambda answer: -answer.score,
        )
        others = [value.text for value in truth.values if value.field != name]
        matches += _judge_one(name, truths, answers, others, page_text)
    return matches


def _places(truth: DocumentAnnotation, box_ids: Sequence[str]) -> tuple[Polygon, ...]:
    by_id = {box.id: box.polygon for box in truth.boxes}
    return tuple(by_id[box_id] for box_id in box_ids if box_id in by_id)


def _judge_one(
    name: str,
    truths: list[tuple[str, tuple[Polygon, ...]]],
    answers: list[FieldPrediction],
    others: Sequence[str],
    page_text: str,
) -> list[Match]:
    open_truths = list(truths)
    matches: list[Match] = []
    wrong: list[FieldPrediction] = []
    for answer in answers:
        equal = next((item for item in open_truths if normalised(item[0], answer.value or "")), None)
        if equal is None:
            wrong.append(answer)
            continue
        open_truths.remove(equal)
        matches.append(_match(name, equal, answer, right=True, cause=None))
    for answer in wrong:
        paired = open_truths.pop(0) if open_truths else None
        matches.append(_match(name, paired, answer, right=False, cause=_cause(paired, answer, others)))
    for text, places in open_truths:
        on_page = fuzz.partial_ratio(text.casefold(), page_text.casefold()) >= SIMILAR
        matches.append(
            Match(
                truth=name,
                predicted=None,
                score=0.0,
                exact=False,
                right=False,
                truth_text=text,
                truth_polygons=places,
                cause="missing" if on_page else "missed_box",
            )
        )
    return matches


def _cause(paired: tuple[str, tuple[Polygon, ...]] | None, answer: FieldPrediction, others: Sequence[str]) -> str:
    value = answer.value or ""
    if any(normalised(other, value) for other in others):
        return "wrong_field"
    if paired is None:
        return "extra"
    return "wrong_text" if fuzz.ratio(paired[0].casefold(), value.casefold()) >= SIMILAR else "wrong_field"


def _match(
    name: str,
    paired: tuple[str, tuple[Polygon, ...]] | None,
    answer: FieldPrediction,
    *,
    right: bool,
    cause: str | None,
) -> Match:
    return Match(
        truth=name if paired else None,
        predicted=name,
        score=answer.score,
        exact=bool(paired) and exact(paired[0] if paired else "", answer.value or ""),
        right=right,
        truth_text=paired[0] if paired else None,
        predicted_text=answer.value,
        truth_polygons=paired[1] if paired else (),
        predicted_polygons=answer.value_polygons,
        cause=cause,
    )


def pair_lines(truth: DocumentAnnotation, prediction: DocumentPrediction) -> list[tuple[int | None, int | None]]:
    """Pair labelled boxes with read lines one to one, by falling overlap; leftovers stand alone."""
    boxes = [bounding_box(box.polygon) for box in truth.boxes]
    lines = [bounding_box(line.polygon) for line in prediction.lines]
    overlaps = sorted(
        ((box.iou(line), i, j) for i, box in enumerate(boxes) for j, line in enumerate(lines)), reverse=True
    )
    free_boxes, free_lines = set(range(len(boxes))), set(range(len(lines)))
    pairs: list[tuple[int | None, int | None]] = []
    for overlap, i, j in overlaps:
        if overlap >= SAME_PLACE and i in free_boxes and j in free_lines:
            pairs.append((i, j))
            free_boxes.remove(i)
            free_lines.remove(j)
    pairs += [(i, None) for i in sorted(free_boxes)]
    pairs += [(None, j) for j in sorted(free_lines)]
    return pairs


def _join_if_single_line(truth: DocumentAnnotation, prediction: DocumentPrediction) -> DocumentPrediction:
    """Where the truth says that the whole picture is one line, all that was read is joined into one line."""
    if len(truth.boxes) != 1 or not prediction.lines:
        return prediction
    whole = bounding_box(truth.boxes[0].polygon)
    if whole.area < WHOLE_PICTURE * prediction.width * prediction.height:
        return prediction
    text = " ".join(line.text for line in prediction.lines)
    score = min(line.score for line in prediction.lines)
    line = TextLine(text=text, score=score, polygon=whole.to_polygon())
    return prediction.model_copy(update={"lines": (line,)})


def judge_lines(truth: DocumentAnnotation, prediction: DocumentPrediction) -> list[Match]:
    """One `Match` per labelled box and per line read too much, all under the label ``text``."""
    prediction = _join_if_single_line(truth, prediction)
    matches = []
    for i, j in pair_lines(truth, prediction):
        box = truth.boxes[i] if i is not None else None
        line = prediction.lines[j] if j is not None else None
        right = box is not None and line is not None and normalised(box.text, line.text)
        cause = None if right else "missed_box" if line is None else "extra" if box is None else "wrong_text"
        matches.append(
            Match(
                truth=TEXT_LABEL if box else None,
                predicted=TEXT_LABEL if line else None,
                score=line.score if line else 0.0,
                exact=box is not None and line is not None and exact(box.text, line.text),
                right=right,
                truth_text=box.text if box else None,
                predicted_text=line.text if line else None,
                truth_polygons=(box.polygon,) if box else (),
                predicted_polygons=(line.polygon,) if line else (),
                cause=cause,
            )
        )
    return matches
