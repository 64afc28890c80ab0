"""Pair the labels of a picture with the answer of a model."""

from collections.abc import Sequence

import numpy as np

from sandglass.core.annotation import Annotation, ClassAnnotation
from sandglass.core.prediction import ClassPrediction, Prediction
from sandglass.core.text import Text
from sandglass.scenarios.base import Match

CAUSES = {
    "wrong_label": Text(en="wrong label", zh="类别错误"),
    "missing": Text(en="unknown (below the threshold)", zh="未知（低于阈值）"),
    "extra": Text(en="extra label", zh="多余标签"),
}


def judge_classes(truth: ClassAnnotation, prediction: ClassPrediction, labels: Sequence[str]) -> list[Match]:
    """Matches of one picture.

    One label a picture: the first answer beside the truth. Several: each label by itself.
    """
    expected = [label for label in truth.labels if label in labels]
    if prediction.several:
        return _each_label(expected, prediction)
    best = prediction.labels[0] if prediction.labels else None
    if best is None:
        return [_match(label, None, 0.0, "missing") for label in expected[:1]]
    if best.label in expected:
        return [_match(best.label, best.label, best.score, None)]
    if not expected:
        return [_match(None, best.label, best.score, "extra")]
    return [_match(expected[0], best.label, best.score, "wrong_label")]


def _each_label(expected: Sequence[str], prediction: ClassPrediction) -> list[Match]:
    given = {item.label: item.score for item in prediction.labels}
    matches = [
        _match(label, label, given[label], None) if label in given else _match(label, None, 0.0, "missing")
        for label in expected
    ]
    matches += [_match(None, label, score, "extra") for label, score in given.items() if label not in expected]
    return matches


def _match(truth: str | None, predicted: str | None, score: float, cause: str | None) -> Match:
    right = cause is None
    return Match(truth=truth, predicted=predicted, score=score, exact=right, right=right, cause=cause)


def class_metrics(
    truths: Sequence[Annotation], predictions: Sequence[Prediction], labels: Sequence[str]
) -> dict[str, float]:
    """``accuracy``: share of labelled pictures whose first answer is right, whatever its confidence (top-1).

    ``calibration_error``: mean gap between confidence and share of right answers, in ten groups of equal size. Both are
    told for one label a picture only. Source: Guo et al., On calibration of modern neural networks (2017).
    """
    right: list[bool] = []
    score: list[float] = []
    for truth, prediction in zip(truths, predictions, strict=True):
        assert isinstance(truth, ClassAnnotation)
        assert isinstance(prediction, ClassPrediction)
        expected = [label for label in truth.labels if label in labels]
        if prediction.several or not expected:
            continue
        best = prediction.labels[0] if prediction.labels else None
        right.append(best is not None and best.label in expected)
        score.append(0.0 if best is None else best.score)
    if not right:
        return {}
    order = np.argsort(score)
    groups = np.array_split(order, min(10, len(order)))
    gaps = [abs(np.mean(np.array(right)[g]) - np.mean(np.array(score)[g])) * len(g) for g in groups]
    return {"accuracy": float(np.mean(right)), "calibration_error": float(sum(gaps) / len(right))}
