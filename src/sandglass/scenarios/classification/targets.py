"""What is to be learnt, as numbers: one row of shares (one label a picture) or of zeros and ones (several)."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from sandglass.core.annotation import ClassAnnotation
from sandglass.core.sample import Sample
from sandglass.scenarios.base import Example

Floats = npt.NDArray[np.float32]


def labels_of(sample: Sample) -> tuple[str, ...]:
    """Labels of a sample; none when it is not labelled."""
    return sample.annotation.labels if isinstance(sample.annotation, ClassAnnotation) else ()


def learns_several(
    samples: Sequence[Sample], wish: Literal["auto", "one", "several"] = "auto", labels: Sequence[str] = ()
) -> bool:
    """Whether labels are independent: as wished, or when any sample carries several.

    With a single label in ``labels`` and pictures without it, it must be possible to answer neither.
    """
    if wish == "auto":
        if len(labels) == 1 and any(labels[0] not in labels_of(sample) for sample in samples):
            return True
        return any(len(labels_of(sample)) > 1 for sample in samples)
    return wish == "several"


def target_rows(examples: Sequence[Example], labels: Sequence[str], *, several: bool) -> Floats:
    """(N, K) targets.

    With one label a picture, a row sums to one: a picture with several labels shares itself among them, and one with
    none of them belongs nowhere, so that all are equally unlikely. With several, a label is 1 where it stands.
    """
    place = {label: index for index, label in enumerate(labels)}
    rows = np.zeros((len(examples), len(labels)), np.float32)
    for row, example in zip(rows, examples, strict=True):
        for label in labels_of(example.sample):
            if label in place:
                row[place[label]] = 1.0
    if several:
        return rows
    totals = rows.sum(1, keepdims=True)
    return np.where(totals > 0, rows / np.maximum(totals, 1.0), 1.0 / len(labels)).astype(np.float32)


def sampling_weights(rows: Floats, *, balance: float) -> npt.NDArray[np.float64]:
    """(N,) chances of being drawn: rare labels more often.

    Args:
        rows: (N, K) targets.
        balance: 0 = every picture alike, 1 = every label alike.
    """
    exact = rows.astype(np.float64)  # chances must sum to one more exactly than 32 bits tell
    counts = np.maximum(exact.sum(0), 1.0)
    share = exact / np.maximum(exact.sum(1, keepdims=True), 1e-6)
    weights = (share * (counts.max() / counts) ** balance).sum(1)
    weights = np.where(exact.sum(1) > 0, weights, 1.0)
    return np.asarray(weights / weights.sum(), np.float64)
