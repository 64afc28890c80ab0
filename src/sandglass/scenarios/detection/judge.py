"""Pair labelled objects with answers, whatever the threshold, and say why an answer is wrong."""

from collections.abc import Sequence

from sandglass.core.annotation import ObjectsAnnotation, ObjectShape
from sandglass.core.geometry import Box
from sandglass.core.prediction import ObjectPrediction, ObjectsPrediction
from sandglass.core.text import Text
from sandglass.scenarios.base import Match

SAME_PLACE = 0.5
"""Intersection over union from which an answer stands for an object."""
NEAR = 0.1
"""Overlap from which an answer meant an object, but its box is poor."""

CAUSES = {
    "missing": Text(en="missed", zh="漏检"),
    "extra": Text(en="extra", zh="误检"),
    "wrong_label": Text(en="wrong label", zh="类别错误"),
    "poor_box": Text(en="poor box", zh="定位偏差"),
}


def judge(truth: ObjectsAnnotation, prediction: ObjectsPrediction, labels: Sequence[str]) -> list[Match]:
    """One `Match` per object and per answer too much.

    By falling score, each answer takes the object of its label that it overlaps most, if that is by half or more and
    nothing took it before: what has a lower score changes nothing above it. Answers that are left over are then paired
    with objects that are left over, to tell why they are wrong; that changes no count at any threshold. Objects marked
    as difficult and crowds count neither way, nor do answers that found them.
    """
    shapes = [shape for shape in truth.objects if shape.label in labels and shape.box.area > 0]
    counted = [shape for shape in shapes if not (shape.difficult or shape.crowd)]
    uncounted = [shape for shape in shapes if shape.difficult or shape.crowd]
    answers = sorted((found for found in prediction.objects if found.label in labels), key=lambda found: -found.score)
    free = set(range(len(counted)))
    matches: list[Match] = []
    left: list[ObjectPrediction] = []
    for found in answers:
        best = _best(found, counted, free, same_label=True)
        if best is not None and counted[best].box.iou(found.box) >= SAME_PLACE:
            free.remove(best)
            matches.append(_match(counted[best], found, None))
        elif not any(_excused(found, shape) for shape in uncounted):
            left.append(found)
    for found in left:
        cause, index = _why(found, counted, free)
        if index is not None:
            free.remove(index)
        matches.append(_match(None if index is None else counted[index], found, cause))
    matches += [_match(counted[index], None, "missing") for index in sorted(free)]
    return matches


def _best(found: ObjectPrediction, shapes: Sequence[ObjectShape], among: set[int], *, same_label: bool) -> int | None:
    fitting = [i for i in among if (shapes[i].label == found.label) == same_label]
    return max(fitting, key=lambda i: (shapes[i].box.iou(found.box), -i), default=None)


def _excused(found: ObjectPrediction, shape: ObjectShape) -> bool:
    """Whether an answer found something that counts neither way; a crowd may be answered by many boxes inside it."""
    if shape.label != found.label:
        return False
    if shape.crowd:
        return shape.box.intersection(found.box) >= SAME_PLACE * max(found.box.area, 1e-9)
    return shape.box.iou(found.box) >= SAME_PLACE


def _why(found: ObjectPrediction, shapes: Sequence[ObjectShape], free: set[int]) -> tuple[str, int | None]:
    """Why a left-over answer is wrong, and the left-over object that it stands beside."""
    other = _best(found, shapes, free, same_label=False)
    if other is not None and shapes[other].box.iou(found.box) >= SAME_PLACE:
        return "wrong_label", other
    same = _best(found, shapes, free, same_label=True)
    if same is not None and shapes[same].box.iou(found.box) >= NEAR:
        return "poor_box", same
    return "extra", None


def _match(shape: ObjectShape | None, found: ObjectPrediction | None, cause: str | None) -> Match:
    return Match(
        truth=shape.label if shape else None,
        predicted=found.label if found else None,
        score=found.score if found else 0.0,
        exact=cause is None,
        right=cause is None,
        truth_polygons=(_outline(shape.box),) if shape else (),
        predicted_polygons=(_outline(found.box),) if found else (),
        cause=cause,
    )


def _outline(box: Box) -> tuple[tuple[float, float], ...]:
    return tuple((round(x, 2), round(y, 2)) for x, y in box.to_polygon())
