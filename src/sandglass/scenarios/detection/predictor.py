"""A detection model folder as a predictor: picture to boxes, by onnxruntime alone."""

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandglass.core.errors import Broken
from sandglass.core.geometry import Box
from sandglass.core.prediction import ObjectPrediction, ObjectsPrediction, Prediction
from sandglass.core.text import Text
from sandglass.scenarios.base import PredictOptions, Predictor, Query
from sandglass.scenarios.detection.grid import Found
from sandglass.scenarios.detection.view import Infer, View, detect, lay
from sandglass.scenarios.neural.sessions import open_session

DESCRIPTION = "detection.json"
GRAPH = "detector.onnx"


def write_model(folder: Path, graph: bytes, view: View) -> None:
    """Write the files of a detection model."""
    (folder / GRAPH).write_bytes(graph)
    description = {"long_side": view.long_side, "tile": view.tile}
    (folder / DESCRIPTION).write_text(json.dumps(description), "utf-8")


def as_prediction(
    found: Found, size: tuple[int, int], labels: Sequence[str | None], threshold: float
) -> ObjectsPrediction:
    """Found objects as an answer.

    Args:
        found: in pixels of the picture.
        size: width and height of the picture, pixels.
        labels: by label number; objects of a label without a name are left out.
        threshold: lowest score that is answered.
    """
    objects = []
    for box, score, number in zip(found.boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True):
        label = labels[number]
        if label is not None and score >= threshold:
            corners = (round(value, 2) for value in box)
            objects.append(ObjectPrediction(label=label, score=round(score, 5), box=Box(*corners)))
    return ObjectsPrediction(width=size[0], height=size[1], objects=tuple(objects))


class DetectionPredictor(Predictor):
    """Finds objects; safe to call from several threads.

    Args:
        infer: the network.
        view: how large pictures are looked at.
        labels: by label number; None = not answered.
        threshold: recommended one.
    """

    def __init__(self, infer: Infer, view: View, labels: Sequence[str | None], *, threshold: float) -> None:
        self._infer, self._view, self._names = infer, view, labels
        self.labels = tuple(label for label in labels if label is not None)
        self.threshold = threshold
        self._local = threading.local()

    def predict(self, queries: Sequence[Query], options: PredictOptions) -> list[Prediction]:
        threshold = self.threshold if options.threshold is None else options.threshold
        started = time.perf_counter()
        answers: list[Prediction] = []
        for query in queries:
            found = detect(lay(query.picture(), self._view), self._infer, self._view)
            answers.append(as_prediction(found, (query.width, query.height), self._names, threshold))
        self._local.timings = {"objects": (time.perf_counter() - started) * 1000}
        return answers

    def timings(self) -> dict[str, float]:
        return dict(getattr(self._local, "timings", {}))


def load_predictor(folder: Path, *, threads: int) -> DetectionPredictor:
    """Load a model folder.

    Raises:
        Broken: a file is missing or damaged.
    """
    try:
        description: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text("utf-8"))
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
        view = View(int(description["long_side"]), int(description["tile"]))
        session = open_session((folder / GRAPH).read_bytes(), threads=threads, backend="onnxruntime")
        return DetectionPredictor(session, view, tuple(manifest["labels"]), threshold=float(manifest["threshold"]))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise Broken(
            "model_damaged",
            Text(en=f"The model in {folder.name} cannot be loaded: {error}", zh=f"无法加载模型 {folder.name}：{error}"),
            Text(en="Train the task again, or publish another model.", zh="请重新训练任务，或发布其他模型。"),
        ) from error
