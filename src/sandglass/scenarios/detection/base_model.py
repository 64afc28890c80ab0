"""Detection before any training: the published network answers those labels that it knows under whatever name."""

from collections.abc import Sequence

from sandglass.scenarios.detection.coco import COCO, coco_number
from sandglass.scenarios.detection.predictor import DetectionPredictor
from sandglass.scenarios.detection.view import Infer, View
from sandglass.scenarios.neural.sessions import open_session

VIEW = View(416, 416)
"""The size that the published network was trained with."""
THRESHOLD = 0.35
"""Score from which the published network's answers are worth a person's look."""


def known_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Those of ``labels`` that the published network knows; its own 80 when none are given."""
    return tuple(label for label in labels if coco_number(label) is not None) if labels else COCO


def base_predictor(labels: Sequence[str], *, threads: int) -> DetectionPredictor:
    """The published network, answering under the names in ``labels``.

    Raises:
        Broken: ``weights_missing``.
    """
    names: list[str | None] = [None] * len(COCO)
    for label in labels:
        number = coco_number(label)
        if number is not None and names[number] is None:
            names[number] = label
    return DetectionPredictor(_infer(threads), VIEW, names, threshold=THRESHOLD)


def _infer(threads: int) -> Infer:
    """The published network in onnxruntime; torch turns it into a graph, and is imported for nothing else."""
    from sandglass.scenarios.detection.network.export import detector_graph
    from sandglass.scenarios.detection.network.published import published_network

    return open_session(detector_graph(published_network()), threads=threads, backend="onnxruntime")
