"""Cells of the detector's three levels, and how what it says of them becomes boxes. NumPy only: serving needs no more."""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

STRIDES = (8, 16, 32)
"""Pixels between two cells of a level."""
BINS = 11
"""Bins of a distance: 0 to 10 strides."""
OVERLAP = 0.6
"""Intersection over union from which the lower of two boxes of one label goes."""
CANDIDATES = 1000
"""Best-scored cells of a picture that are looked at."""
MOST = 300
"""Objects answered of one picture."""
LEAST_SCORE = 0.01
"""Score below which a cell is never looked at."""


class Cells(NamedTuple):
    """Centres (N, 2) in pixels and strides (N,) of all cells, level by level, row by row."""

    centres: Floats
    strides: Floats


class Found(NamedTuple):
    """Objects by falling score: boxes (N, 4) left, top, right, bottom; scores (N,); label numbers (N,)."""

    boxes: Floats
    scores: Floats
    labels: npt.NDArray[np.int64]


def padded_size(height: int, width: int) -> tuple[int, int]:
    """The smallest size that the network takes: whole cells of the coarsest level."""
    coarse = STRIDES[-1]
    return -(-height // coarse) * coarse, -(-width // coarse) * coarse


@lru_cache(maxsize=64)
def cells(height: int, width: int) -> Cells:
    """Cells of an input of ``height`` x ``width`` pixels (multiples of the coarsest stride)."""
    centres, strides = [], []
    for stride in STRIDES:
        rows, columns = np.meshgrid(np.arange(height // stride), np.arange(width // stride), indexing="ij")
        centres.append((np.stack([columns.ravel(), rows.ravel()], 1) + 0.5) * stride)
        strides.append(np.full(rows.size, stride))
    return Cells(np.concatenate(centres).astype(np.float32), np.concatenate(strides).astype(np.float32))


def distances(sides: Floats) -> Floats:
    """Mean distance (N, 4), in strides, of bin logits (N, 4 * bins)."""
    logits = sides.reshape(-1, 4, BINS)
    shares = np.exp(logits - logits.max(-1, keepdims=True))
    result: Floats = (shares @ np.arange(BINS, dtype=np.float32)) / shares.sum(-1)
    return result


def decode(scores: Floats, sides: Floats, size: tuple[int, int]) -> Found:
    """Candidates of one input, before `suppress`.

    Args:
        scores: (N, labels), 0..1.
        sides: (N, 4 * bins) logits.
        size: height and width of the input, pixels.
    """
    rows, labels = np.nonzero(scores > LEAST_SCORE)
    values = scores[rows, labels]
    if len(values) > CANDIDATES:
        best = np.argpartition(-values, CANDIDATES)[:CANDIDATES]
        rows, labels, values = rows[best], labels[best], values[best]
    order = np.argsort(-values, kind="stable")
    rows, labels, values = rows[order], labels[order], values[order]
    centres, strides = cells(*size)
    reach = distances(sides[rows]) * strides[rows, None]
    boxes = np.concatenate([centres[rows] - reach[:, :2], centres[rows] + reach[:, 2:]], 1)
    return Found(boxes.astype(np.float32), values.astype(np.float32), labels.astype(np.int64))


def suppress(found: Found, *, overlap: float = OVERLAP, most: int = MOST) -> Found:
    """Keep the best of boxes of one label that overlap (non-maximum suppression), at most ``most``."""
    if not len(found.scores):
        return found
    corners = found.boxes.astype(np.float64)
    frames = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1)
    kept = cv2.dnn.NMSBoxesBatched(
        frames.tolist(), found.scores.astype(float).tolist(), found.labels.tolist(), 0.0, overlap
    )
    index = np.sort(np.asarray(kept, np.int64).reshape(-1))
    index = index[np.argsort(-found.scores[index], kind="stable")][:most]
    return Found(found.boxes[index], found.scores[index], found.labels[index])
