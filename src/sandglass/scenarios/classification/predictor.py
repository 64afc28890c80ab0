"""A classification model folder as a predictor; needs onnxruntime, OpenCV and NumPy only."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sandglass.core.errors import Broken
from sandglass.core.picture import Picture
from sandglass.core.prediction import ClassPrediction, LabelScore, Prediction
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.scenarios.base import PredictOptions, Predictor, Query
from sandglass.scenarios.classification.preprocess import Shape, fitted, normalised
from sandglass.scenarios.neural.sessions import OnnxSession

DESCRIPTION = "classification.json"


class MemberFile(Value):
    """One network of a model: its graph (picture → logits) and its input's shape."""

    graph: str
    height: int
    width: int


class Description(Value):
    """``classification.json``.

    Attributes:
        labels: in the order of the logits.
        several: independent labels instead of exactly one a picture.
        temperature: that logits are divided by.
        mirror: whether a picture and its mirror image are asked and averaged.
        members: networks whose logits are averaged.
    """

    labels: tuple[str, ...]
    several: bool
    temperature: float
    mirror: bool
    members: tuple[MemberFile, ...]


@dataclass(frozen=True)
class Member:
    """A loaded network."""

    session: OnnxSession
    shape: Shape


class ClassPredictor(Predictor):
    """Answers with the labels at or above the threshold; none of them = unknown. Safe to call from several threads."""

    def __init__(self, description: Description, members: Sequence[Member], *, threshold: float) -> None:
        self._description = description
        self._members = members
        self._threshold = threshold
        self._local = threading.local()

    def predict(self, queries: Sequence[Query], options: PredictOptions) -> list[Prediction]:
        threshold = self._threshold if options.threshold is None else options.threshold
        network_ms = 0.0
        predictions: list[Prediction] = []
        for query in queries:  # one by one: then an answer cannot depend on the others, to the last bit
            picture = query.picture()
            started = time.perf_counter()
            logits = self.logits(picture)
            network_ms += (time.perf_counter() - started) * 1000
            predictions.append(class_prediction(self._description, logits, query.width, query.height, threshold))
        self._local.timings = {"network": network_ms}
        return predictions

    def logits(self, picture: Picture) -> npt.NDArray[np.float64]:
        """(K,) logits of a picture, mean over networks and views, before the temperature."""
        answers = []
        for member in self._members:
            batch = normalised(fitted(picture, member.shape)[None])
            if self._description.mirror:
                batch = np.concatenate([batch, batch[..., ::-1]])
            answers.append(member.session(batch)[0].astype(np.float64).mean(0))
        return np.asarray(np.mean(answers, axis=0))

    def timings(self) -> dict[str, float]:
        return dict(getattr(self._local, "timings", {}))


def class_prediction(
    description: Description, logits: npt.NDArray[np.floating], width: int, height: int, threshold: float
) -> ClassPrediction:
    """The answer for one picture from its logits (K,)."""
    scaled = np.asarray(logits, np.float64) / description.temperature
    if description.several:
        scores = 1 / (1 + np.exp(-scaled))
    else:
        powers = np.exp(scaled - scaled.max())
        scores = powers / powers.sum()
    order = np.argsort(-scores, kind="stable")
    labels = tuple(
        LabelScore(label=description.labels[index], score=float(scores[index]))
        for index in order
        if scores[index] >= threshold
    )
    return ClassPrediction(width=width, height=height, labels=labels, several=description.several)


def load_predictor(folder: Path, *, threads: int) -> ClassPredictor:
    """Load a model folder.

    Raises:
        Broken: a file is missing or damaged.
    """
    try:
        description = Description.model_validate_json((folder / DESCRIPTION).read_bytes())
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        members = [
            Member(OnnxSession((folder / item.graph).read_bytes(), threads), Shape(item.height, item.width))
            for item in description.members
        ]
        return ClassPredictor(description, members, threshold=float(manifest["threshold"]))
    except Exception as error:  # onnxruntime raises kinds of its own for a damaged graph
        raise Broken(
            "model_damaged",
            Text(en=f"The model in {folder.name} cannot be loaded: {error}", zh=f"无法加载模型 {folder.name}：{error}"),
            Text(en="Train the task again, or publish another model.", zh="请重新训练任务，或发布其他模型。"),
        ) from error
