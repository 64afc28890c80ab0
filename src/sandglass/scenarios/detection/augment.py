"""Pictures as they might also have been taken: another crop, size, side and light; the boxes go with them.

Made for small data: what a picture shows stays one scene (no mosaics), and no object is taught that is hardly seen.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from sandglass.core.picture import Picture
from sandglass.scenarios.detection.grid import Floats
from sandglass.scenarios.detection.shelf import Labelled
from sandglass.scenarios.detection.view import MEAN

SEEN = 0.5
"""Share of an object that must be seen for it to be taught; with less it is ignored."""
FOCUS = 0.7
"""Share of crops that are placed so that one of the objects stays whole."""
HINT = 0.1
"""Share below which what is seen of an object counts as background."""


@dataclass(frozen=True)
class Variation:
    """How much training pictures vary.

    Attributes:
        smallest, largest: factor of size.
        stretch: largest change of the aspect, as a factor above 1.
        flip: mirror left and right.
        upright: pictures have a top; otherwise they are also turned upside down.
        light: strength 0..1 of changes of brightness, contrast and colour.
    """

    smallest: float = 0.7
    largest: float = 1.4
    stretch: float = 1.15
    flip: bool = True
    upright: bool = True
    light: float = 0.5


@dataclass(frozen=True)
class Shown:
    """One training picture: pixels (H, W, 3), boxes (G, 4) in pixels, labels (G,), ignored regions (I, 4)."""

    picture: Picture
    boxes: Floats
    labels: np.ndarray
    ignore: Floats


def vary(
    picture: Picture,
    truth: Labelled,
    size: tuple[int, int],
    long_side: float,
    how: Variation,
    random: np.random.Generator,
) -> Shown:
    """One variation of a picture.

    Args:
        picture: decoded.
        truth: what is labelled on it.
        size: height and width of the result.
        long_side: pixels that the picture's longer side has before its size varies.
        how: strength.
        random: all randomness.
    """
    height, width = picture.shape[:2]
    base = long_side / max(height, width)
    factor = base * float(np.exp(random.uniform(np.log(how.smallest), np.log(how.largest))))
    skew = float(np.exp(random.uniform(-np.log(how.stretch), np.log(how.stretch)) / 2))
    across, down = factor * skew, factor / skew
    mirrored = how.flip and random.random() < 0.5
    turned = not how.upright and random.random() < 0.5
    kept = truth.boxes[random.integers(len(truth.boxes))] if len(truth.boxes) and random.random() < FOCUS else None
    left = _place(width * across, size[1], _span(kept, 0, mirrored), random)
    top = _place(height * down, size[0], _span(kept, 1, turned), random)
    # One affine map: scale, mirror, move. Pixel centres lie at half pixels.
    matrix = np.array([[across, 0, left], [0, down, top]], np.float64)
    if mirrored:
        matrix[0] = [-across, 0, left + width * across]
    if turned:
        matrix[1] = [0, -down, top + height * down]
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2].sum(1) * 0.5 - 0.5
    filled = cv2.warpAffine(
        picture, moved, (size[1], size[0]), flags=cv2.INTER_LINEAR, borderValue=tuple(map(float, MEAN))
    )
    scale = np.array([width, height], np.float32)
    boxes = _moved(truth.boxes, scale, matrix)
    crowds = _moved(truth.crowds, scale, matrix)
    taught, ignore, seen = _seen(boxes, size)
    shown = lit(np.asarray(filled, np.uint8), how.light, random)
    return Shown(shown, taught, truth.labels[seen], np.concatenate([ignore, _clipped(crowds, size)]))


def _span(box: Floats | None, axis: int, mirrored: bool) -> tuple[float, float] | None:
    """Where a box begins and ends on an axis, as shares of the picture's length."""
    if box is None:
        return None
    low, high = float(box[axis]), float(box[axis + 2])
    return (1 - high, 1 - low) if mirrored else (low, high)


def _place(length: float, room: int, kept: tuple[float, float] | None, random: np.random.Generator) -> float:
    """Where the picture begins: somewhere inside when it is smaller, somewhere before when it is larger.

    Of a larger one, what is ``kept`` stays in sight if it can.
    """
    low, high = min(0.0, room - length), max(0.0, room - length)
    if kept is not None and low < 0 and (kept[1] - kept[0]) * length <= room:
        low, high = max(low, -kept[0] * length), min(high, room - kept[1] * length)
        low, high = min(low, high), max(low, high)
    return float(random.uniform(low, high))


def _moved(shares: Floats, scale: Floats, matrix: np.ndarray) -> Floats:
    if not len(shares):
        return shares.reshape(0, 4)
    corners = shares.reshape(-1, 2, 2) * scale
    placed = corners @ matrix[:, :2].T + matrix[:, 2]
    result: Floats = np.concatenate([placed.min(1), placed.max(1)], 1).astype(np.float32)
    return result


def _clipped(boxes: Floats, size: tuple[int, int]) -> Floats:
    result: Floats = np.clip(boxes, 0, np.array([size[1], size[0]] * 2, np.float32))
    return result[(result[:, 2] > result[:, 0]) & (result[:, 3] > result[:, 1])]


def _seen(boxes: Floats, size: tuple[int, int]) -> tuple[Floats, Floats, np.ndarray]:
    """Boxes to teach, boxes to ignore (both clipped), and which objects are taught."""
    if not len(boxes):
        return boxes, boxes, np.zeros(0, bool)
    inside = np.clip(boxes, 0, np.array([size[1], size[0]] * 2, np.float32))
    area = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1e-6)
    shared = np.maximum(inside[:, 2:] - inside[:, :2], 0).prod(1) / area
    big = (inside[:, 2:] - inside[:, :2]).min(1) >= 2
    taught = (shared >= SEEN) & big
    return inside[taught], inside[(shared >= HINT) & ~taught & big], taught


def lit(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Another brightness, contrast, gamma and tint, by one table per channel."""
    if strength <= 0:
        return picture
    levels = np.arange(256, dtype=np.float32) / 255
    gamma = np.exp(random.uniform(-0.4, 0.4) * strength)
    contrast = 1 + random.uniform(-0.5, 0.5) * strength
    bright = random.uniform(-0.25, 0.25) * strength
    tables = []
    for _ in range(3):
        tint = 1 + random.uniform(-0.2, 0.2) * strength
        tables.append((((levels**gamma) * tint - 0.5) * contrast + 0.5 + bright).clip(0, 1) * 255)
    table = np.stack(tables, 1).astype(np.uint8).reshape(1, 256, 3)
    changed = np.asarray(cv2.LUT(picture, table), np.uint8)
    if random.random() < 0.15 * strength:
        return np.repeat(cv2.cvtColor(changed, cv2.COLOR_BGR2GRAY)[..., None], 3, 2)
    if random.random() < 0.15 * strength:
        return np.asarray(cv2.GaussianBlur(changed, (0, 0), float(random.uniform(0.4, 1.2))), np.uint8)
    return changed
