"""A tableware model as a predictor: what detection finds, counted and totalled, or as the ratio of one eye."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sandglass.core.errors import Broken
from sandglass.core.prediction import ObjectsPrediction, Prediction
from sandglass.core.text import Text
from sandglass.scenarios.base import PredictOptions, Predictor, Query
from sandglass.scenarios.detection.predictor import DetectionPredictor
from sandglass.scenarios.detection.tableware.count import one_label_each, tally
from sandglass.scenarios.detection.tableware.names import eye_labels
from sandglass.scenarios.detection.tableware.parameters import TablewareParameters
from sandglass.scenarios.detection.tableware.ratio import cup_disc_ratio, one_pair

DESCRIPTION = "tableware.json"


@dataclass(frozen=True)
class Sense:
    """What is made of found objects.

    Attributes:
        labels: of the model, in display order.
        eye: labels of cup and disc, when an eye is meant; None = a table.
        prices: label → price of one.
        currency: of the prices.
    """

    labels: tuple[str, ...]
    eye: tuple[str, str] | None
    prices: Mapping[str, Decimal]
    currency: str


def sense_of(settings: TablewareParameters, labels: Sequence[str]) -> Sense:
    """What the settings of a task make of objects with ``labels``."""
    eye = None if settings.preset == "table" else eye_labels(labels)
    return Sense(tuple(labels), eye, settings.prices, settings.currency)


def description_of(sense: Sense) -> bytes:
    """`Sense` as a file of the model folder; labels stand in its manifest."""
    prices = {label: str(price) for label, price in sense.prices.items()}
    content = {"eye": sense.eye, "prices": prices, "currency": sense.currency}
    return json.dumps(content, ensure_ascii=False).encode()


def read_sense(folder: Path, labels: Sequence[str]) -> Sense:
    """What `description_of` wrote.

    Raises:
        Broken: ``model_damaged``.
    """
    try:
        content = json.loads((folder / DESCRIPTION).read_text("utf-8"))
        eye = content["eye"]
        prices = {str(label): Decimal(price) for label, price in content["prices"].items()}
        return Sense(tuple(labels), None if eye is None else (eye[0], eye[1]), prices, str(content["currency"]))
    except (OSError, ValueError, KeyError, TypeError, IndexError, ArithmeticError) as error:
        raise Broken(
            "model_damaged",
            Text(en=f"The model in {folder.name} cannot be loaded: {error}", zh=f"无法加载模型 {folder.name}：{error}"),
            Text(en="Train the task again, or publish another model.", zh="请重新训练任务，或发布其他模型。"),
        ) from error


def interpret(prediction: ObjectsPrediction, sense: Sense, counted_from: float) -> ObjectsPrediction:
    """Keep one answer per thing and add counts and total, or keep one pair and add its ratio.

    Args:
        prediction: what detection found.
        sense: what to make of it.
        counted_from: score from which an object is counted, or taken for part of an eye.
    """
    if sense.eye is None:
        things = one_label_each(prediction.objects)
        sure = [item for item in things if item.score >= counted_from]
        counted = tally(sure, sense.labels, sense.prices, sense.currency)
        return prediction.model_copy(update={"objects": things, "tally": counted})
    kept = one_pair(prediction.objects, *sense.eye)
    sure = [item for item in kept if item.score >= counted_from]
    ratio = cup_disc_ratio(sure, *sense.eye, width=prediction.width, height=prediction.height)
    return prediction.model_copy(update={"objects": kept, "ratio": ratio})


class TablewarePredictor(Predictor):
    """Detection with a sense; safe to call from several threads.

    When all answers are asked for, whatever their score, counts and ratio still follow the recommended threshold.
    """

    def __init__(self, detector: DetectionPredictor, sense: Sense) -> None:
        self._detector, self._sense = detector, sense

    def predict(self, queries: Sequence[Query], options: PredictOptions) -> list[Prediction]:
        counted_from = options.threshold or self._detector.threshold
        answers: list[Prediction] = []
        for found in self._detector.predict(queries, options):
            assert isinstance(found, ObjectsPrediction)
            answers.append(interpret(found, self._sense, counted_from))
        return answers

    def timings(self) -> dict[str, float]:
        return self._detector.timings()
