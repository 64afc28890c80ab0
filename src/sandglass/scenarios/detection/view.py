"""How a picture is laid before the network, whole or in tiles, and how its answers come back into the picture."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from sandglass.core.picture import Picture
from sandglass.scenarios.detection.grid import Floats, Found, decode, padded_size, suppress

MEAN = np.array([103.53, 116.28, 123.675], np.float32)
DEVIATION = np.array([57.375, 57.12, 58.395], np.float32)
"""Of blue, green and red, as the pretrained network was trained with."""
TILE_OVERLAP = 0.2
"""Share of a tile that its neighbour shows too."""

Infer = Callable[[np.ndarray], Sequence[np.ndarray]]
"""(1, 3, H, W) float32 to scores (1, N, labels) and side logits (1, N, 4 * bins)."""


@dataclass(frozen=True)
class View:
    """How large a picture is looked at.

    Attributes:
        long_side: pixels to which a picture's longer side is scaled.
        tile: longest side of what is looked at in one piece; pictures that are larger are cut into tiles.
    """

    long_side: int
    tile: int

    @property
    def tiled(self) -> bool:
        return self.tile < self.long_side


def scaled(picture: Picture, long_side: int) -> tuple[Picture, float]:
    """The picture with its longer side ``long_side`` pixels long, and the factor."""
    height, width = picture.shape[:2]
    factor = long_side / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if size == (width, height):
        return picture, 1.0
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8), factor


def network_input(picture: Picture) -> Floats:
    """(1, 3, H, W) float32, normalised, with whole cells: what is missing at the right and at the bottom is zero."""
    height, width = picture.shape[:2]
    full = padded_size(height, width)
    values = np.zeros((1, 3, *full), np.float32)
    values[0, :, :height, :width] = ((picture - MEAN) / DEVIATION).transpose(2, 0, 1)
    return values


def tiles(height: int, width: int, tile: int) -> Iterator[tuple[int, int, int, int]]:
    """Top, left, bottom, right of overlapping tiles that cover a picture; one tile when it is small enough."""
    for top, bottom in _spans(height, tile):
        for left, right in _spans(width, tile):
            yield top, left, bottom, right


def _spans(length: int, tile: int) -> list[tuple[int, int]]:
    if length <= tile:
        return [(0, length)]
    count = 1 + int(np.ceil((length - tile) / (tile * (1 - TILE_OVERLAP))))
    starts = np.linspace(0, length - tile, count).round().astype(int)
    return [(int(start), int(start) + tile) for start in starts]


@dataclass(frozen=True)
class Laid:
    """A picture scaled for a view, and the width and height, pixels, that it had."""

    whole: Picture
    width: int
    height: int


def lay(picture: Picture, view: View) -> Laid:
    """Scale a picture for a view."""
    whole, _ = scaled(picture, view.long_side)
    return Laid(whole, picture.shape[1], picture.shape[0])


def joined(parts: Sequence[Found]) -> Found:
    """Objects of several tiles, by falling score."""
    boxes, scores, labels = (np.concatenate([part[index] for part in parts]) for index in range(3))
    order = np.argsort(-scores, kind="stable")
    return Found(boxes[order], scores[order], labels[order])


def detect(laid: Laid, infer: Infer, view: View) -> Found:
    """Objects in pixels of the picture, clipped to it; boxes that are empty there are left out."""
    whole = laid.whole
    parts: list[Found] = []
    for top, left, bottom, right in tiles(whole.shape[0], whole.shape[1], view.tile):
        values = network_input(whole[top:bottom, left:right])
        scores, sides = infer(values)
        part = decode(scores[0], sides[0], (values.shape[2], values.shape[3]))
        parts.append(part._replace(boxes=part.boxes + np.array([left, top, left, top], np.float32)))
    kept = suppress(joined(parts))
    # Each axis has its own factor: sizes were rounded to whole pixels.
    back = np.array([laid.width / whole.shape[1], laid.height / whole.shape[0]] * 2, np.float32)
    boxes = np.clip(kept.boxes * back, 0, np.array([laid.width, laid.height] * 2, np.float32))
    full = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return Found(boxes[full], kept.scores[full], kept.labels[full])
