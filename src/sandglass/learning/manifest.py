"""The manifest of a model folder: what the model is, how good it is, and what it was made from."""

from datetime import datetime
from typing import Any

from sandglass.core.value import Value

FORMAT_VERSION = 1


class ModelManifest(Value):
    """``manifest.json``.

    Attributes:
        labels: labels or fields, in display order.
        threshold: recommended confidence threshold.
        main_metric: name of the metric that ``score`` is.
        score: on the validation part.
        metrics: overall metrics on the validation part, at the recommended threshold.
        candidate: name of the candidate that won.
        datasets: digests of the manifests learnt from.
        weights: base weights by name, with SHA-256.
        latency_ms: of one prediction, measured once when the model was exported.
    """

    format_version: int = FORMAT_VERSION
    scenario: str
    labels: tuple[str, ...]
    threshold: float
    main_metric: str
    score: float
    metrics: dict[str, float | None]
    candidate: str
    datasets: tuple[str, ...]
    weights: dict[str, str]
    code_version: str
    settings: dict[str, Any]
    seed: int
    train_count: int
    validation_count: int
    created_at: datetime
    latency_ms: float | None = None
