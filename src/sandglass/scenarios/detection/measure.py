"""Average precision over all thresholds: COCO's definition through its own tool, and Pascal VOC's at half overlap."""

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from sandglass.core.annotation import ObjectsAnnotation, ObjectShape
from sandglass.core.geometry import Box
from sandglass.core.prediction import ObjectPrediction, ObjectsPrediction

MOST = 100
"""Objects of one picture that COCO looks at."""
HALF = 0.5
OUTSIDE = 1e11
"""An area above COCO's largest range: an object with it counts neither way."""


def coco_metrics(
    truths: Sequence[ObjectsAnnotation], predictions: Sequence[ObjectsPrediction], labels: Sequence[str]
) -> dict[str, float]:
    """``map`` (mean over overlaps 0.50 to 0.95), ``map50``, ``map75`` and ``map_small/medium/large`` where there are such.

    Crowds and objects marked as difficult count neither way. A dataset without any truth has no metrics.
    Source: https://cocodataset.org/#detection-eval
    """
    number = {label: index + 1 for index, label in enumerate(labels)}
    annotations: list[dict[str, Any]] = []
    for image, truth in enumerate(truths, 1):
        for shape in truth.objects:
            if shape.label in number and shape.box.area > 0:
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": image,
                        "category_id": number[shape.label],
                        "bbox": _frame(shape.box),
                        "area": OUTSIDE if shape.difficult else shape.box.area,
                        "iscrowd": int(shape.crowd),
                    }
                )
    if not any(not item["iscrowd"] and item["area"] < OUTSIDE for item in annotations):
        return {}
    answers = [
        {
            "image_id": image,
            "category_id": number[found.label],
            "bbox": _frame(found.box),
            "score": found.score,
        }
        for image, prediction in enumerate(predictions, 1)
        for found in prediction.objects
        if found.label in number
    ]
    if not answers:
        return {"map": 0.0, "map50": 0.0, "map75": 0.0}
    with contextlib.redirect_stdout(io.StringIO()):  # the tool reports to the terminal
        reference = COCO()
        reference.dataset = {
            "info": {},
            "images": [{"id": image + 1} for image in range(len(truths))],
            "annotations": annotations,
            "categories": [{"id": index, "name": label} for label, index in number.items()],
        }
        reference.createIndex()
        run = COCOeval(reference, reference.loadRes(answers), "bbox")
        run.params.maxDets = [1, 10, MOST]
        run.evaluate()
        run.accumulate()
        run.summarize()
    names = ("map", "map50", "map75", "map_small", "map_medium", "map_large")
    return {name: float(value) for name, value in zip(names, run.stats[:6], strict=True) if value >= 0}


def _frame(box: Box) -> list[float]:
    return [box.left, box.top, box.width, box.height]


def voc_ap50(
    truths: Sequence[ObjectsAnnotation], predictions: Sequence[ObjectsPrediction], labels: Sequence[str]
) -> float | None:
    """Mean over labels of Pascal VOC's average precision at an overlap of 0.5 (area under the curve, as since 2010).

    An answer goes to the object that it overlaps most; a second answer for an object is wrong; difficult objects count
    neither way. None when no label has an object.
    Source: Everingham et al., The Pascal Visual Object Classes Challenge (2010).
    """
    values = []
    for label in labels:
        shapes = [[shape for shape in truth.objects if shape.label == label] for truth in truths]
        support = sum(not (shape.difficult or shape.crowd) for own in shapes for shape in own)
        if support:
            values.append(_average_precision(_hits(shapes, predictions, label), support))
    return float(np.mean(values)) if values else None


def _hits(shapes: Sequence[Sequence[ObjectShape]], predictions: Sequence[ObjectsPrediction], label: str) -> np.ndarray:
    """Right (1) or wrong (0) answers for a label over all pictures, by falling score."""
    answers: list[tuple[float, int, ObjectPrediction]] = []
    for image, prediction in enumerate(predictions):
        answers += [(found.score, image, found) for found in prediction.objects if found.label == label]
    answers.sort(key=lambda item: -item[0])
    taken: set[tuple[int, int]] = set()
    hits = []
    for _, image, found in answers:
        overlaps = [shape.box.iou(found.box) for shape in shapes[image]]
        best = int(np.argmax(overlaps)) if overlaps else -1
        if best < 0 or overlaps[best] < HALF:
            hits.append(0)
        elif not (shapes[image][best].difficult or shapes[image][best].crowd):
            hits.append(int((image, best) not in taken))
            taken.add((image, best))
    return np.array(hits, np.float64)


def _average_precision(hits: np.ndarray, support: int) -> float:
    right = np.cumsum(hits)
    precision = right / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best[hits > 0].sum() / support)
