"""From a picture to the network's input: the same code while learning and while serving; needs OpenCV and NumPy only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sandglass.core.picture import Picture

MEAN, SCALE = 127.0, 128.0
"""Pixels are fed as ``(x - MEAN) / SCALE``, RGB: what the networks' weights were learnt with."""
STEP = 16
"""Sides of the input are multiples of this, pixels."""
WIDEST = 2.0
"""Largest ratio of the input's sides."""
DISTORTION = 1.6
"""Largest change of a picture's aspect; what would need more is padded instead."""


@dataclass(frozen=True)
class Shape:
    """Height and width of the network's input, pixels."""

    height: int
    width: int

    @property
    def area(self) -> int:
        return self.height * self.width

    def scaled(self, share: float) -> "Shape":
        """Both sides times ``share``."""
        return Shape(_rounded(self.height * share), _rounded(self.width * share))


def input_shape(side: float, sizes: Sequence[tuple[int, int]]) -> Shape:
    """The shape of about ``side`` x ``side`` pixels with the aspect that the data's pictures typically have.

    Args:
        side: square root of the wanted area, pixels.
        sizes: width and height of the data's pictures; those without (0) do not count.
    """
    logs = [math.log(width / height) for width, height in sizes if width > 0 and height > 0]
    aspect = math.exp(float(np.median(logs))) if logs else 1.0
    aspect = min(WIDEST, max(1 / WIDEST, aspect))
    return Shape(_rounded(side / math.sqrt(aspect)), _rounded(side * math.sqrt(aspect)))


def _rounded(pixels: float) -> int:
    return max(2 * STEP, round(pixels / STEP) * STEP)


def typical_side(sizes: Sequence[tuple[int, int]]) -> float:
    """Median over pictures of the square root of their area, pixels; 0 when no size is known."""
    sides = [math.sqrt(width * height) for width, height in sizes if width > 0 and height > 0]
    return float(np.median(sides)) if sides else 0.0


def fitted(picture: Picture, shape: Shape) -> Picture:
    """The whole picture in ``shape``: stretched, and padded with grey where stretching would distort it too much."""
    height, width = picture.shape[:2]
    ratio = (width / height) / (shape.width / shape.height)
    if ratio > DISTORTION:
        picture = _padded(picture, math.ceil(height * ratio / DISTORTION) - height, 0)
    elif ratio < 1 / DISTORTION:
        picture = _padded(picture, 0, math.ceil(width / ratio / DISTORTION) - width)
    shrinks = picture.shape[0] * picture.shape[1] > shape.area
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (shape.width, shape.height), interpolation=method), np.uint8)


def _padded(picture: Picture, rows: int, columns: int) -> Picture:
    top, left = rows // 2, columns // 2
    grey = (MEAN, MEAN, MEAN)
    return np.asarray(
        cv2.copyMakeBorder(picture, top, rows - top, left, columns - left, cv2.BORDER_CONSTANT, value=grey), np.uint8
    )


def normalised(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """(N, H, W, 3) uint8 BGR → (N, 3, H, W) float32 RGB, as the network takes it."""
    planes = np.ascontiguousarray(pictures[..., ::-1].transpose(0, 3, 1, 2)).astype(np.float32)
    planes -= MEAN
    planes /= SCALE
    return planes
