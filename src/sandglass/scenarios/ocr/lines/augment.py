"""Variants of pictures of lines: what cameras, scanners and pens do to the same text.

Every function takes and answers (height, width, 3) uint8 BGR and draws from the generator that it is given.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sandglass.core.picture import Picture

Generator = np.random.Generator


@dataclass(frozen=True)
class Strength:
    """How far variants go from the original.

    Attributes:
        stretch: log of the largest change of width.
        slant: largest shear, pixels sideways per pixel of height.
        turn: largest rotation, degrees.
        shift: largest loss or margin at each edge, share of the height.
        elastic: largest local displacement, share of the height.
        stroke: share of lines whose strokes get thicker or thinner.
        photo: share of lines with each photographic change (blur, noise, JPEG, low resolution, light).
    """

    stretch: float
    slant: float
    turn: float
    shift: float
    elastic: float
    stroke: float
    photo: float


PRINT = Strength(stretch=0.15, slant=0.12, turn=1.5, shift=0.08, elastic=0.0, stroke=0.1, photo=0.3)
HANDWRITING = Strength(stretch=0.2, slant=0.25, turn=1.5, shift=0.08, elastic=0.05, stroke=0.25, photo=0.2)


def vary(line: Picture, generator: Generator, strength: Strength) -> Picture:
    """One variant of a line, of the same height and about the same width."""
    varied = _warp(line, generator, strength)
    if generator.random() < strength.stroke:
        varied = _stroke(varied, generator)
    for change in (_light, _blur, _resolution, _noise, _jpeg):
        if generator.random() < strength.photo:
            varied = change(varied, generator)
    return varied


def _warp(line: Picture, generator: Generator, strength: Strength) -> Picture:
    """Stretch, slant, turn, shift and bend in one resampling; what lies outside repeats the edge."""
    height, width = line.shape[:2]
    wide = max(8, round(width * float(np.exp(generator.uniform(-strength.stretch, strength.stretch)))))
    slant = generator.uniform(-strength.slant, strength.slant)
    # A long line turned by a degree leaves its own picture: the end must not move by more than a tenth of the height.
    turn = min(np.deg2rad(strength.turn), 0.2 * height / max(width, 1)) * generator.uniform(-1, 1)
    top, bottom, left, right = generator.uniform(-strength.shift, strength.shift, 4) * height
    x, y = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(height, dtype=np.float32))
    across = left + x * ((width - left - right) / wide)
    down = top + y * ((height - top - bottom) / height)
    middle = height / 2
    source_x = across + slant * (y - middle)
    source_y = down + turn * (across - width / 2)
    if strength.elastic:
        reach = generator.uniform(0, strength.elastic) * height
        source_x = source_x + reach * _waves(wide, height, generator)
        source_y = source_y + reach * _waves(wide, height, generator)
    return cv2.remap(  # type: ignore[return-value]
        line,
        source_x.astype(np.float32),
        source_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _waves(width: int, height: int, generator: Generator) -> npt.NDArray[np.float32]:
    """Smooth random displacement, -1..1: noise on a coarse grid, about one point every half line height."""
    grid = generator.uniform(-1, 1, (3, max(2, 2 * width // height))).astype(np.float32)
    return cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)  # type: ignore[return-value]


def _stroke(line: Picture, generator: Generator) -> Picture:
    """Thicker or thinner strokes, blended with the original."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    change: Callable[..., npt.NDArray[np.uint8]] = cv2.erode if generator.random() < 0.5 else cv2.dilate  # type: ignore[assignment]
    share = generator.uniform(0.2, 0.7)
    return cv2.addWeighted(change(line, kernel), share, line, 1 - share, 0)  # type: ignore[return-value]


def _light(line: Picture, generator: Generator) -> Picture:
    """Contrast, brightness, tint and a slope of light."""
    width = line.shape[1]
    gain = np.exp(generator.uniform(-0.35, 0.35)) * np.exp(generator.uniform(-0.06, 0.06, 3))
    left, right = generator.uniform(0.75, 1.15, 2).tolist()
    slope = np.linspace(left, right, width)[None, :, None]
    middle = float(line.mean())
    changed = (line.astype(np.float32) - middle) * gain + middle * generator.uniform(0.75, 1.2)
    return np.asarray(np.clip(changed * slope, 0, 255), np.uint8)


def _blur(line: Picture, generator: Generator) -> Picture:
    """Out of focus, or moved sideways."""
    if generator.random() < 0.6:
        return cv2.GaussianBlur(line, (0, 0), generator.uniform(0.4, 1.3))  # type: ignore[return-value]
    length = int(generator.integers(2, 6))
    return cv2.blur(line, (length, 1) if generator.random() < 0.7 else (1, max(2, length // 2)))  # type: ignore[return-value]


def _resolution(line: Picture, generator: Generator) -> Picture:
    """Taken from farther away: fewer pixels, enlarged again."""
    height, width = line.shape[:2]
    factor = generator.uniform(0.4, 0.85)
    size = (max(4, round(width * factor)), max(10, round(height * factor)))
    small = cv2.resize(line, size, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def _noise(line: Picture, generator: Generator) -> Picture:
    grain = generator.normal(0, generator.uniform(2, 12), line.shape[:2])[..., None]
    return np.clip(line + grain, 0, 255).astype(np.uint8)


def _jpeg(line: Picture, generator: Generator) -> Picture:
    _, data = cv2.imencode(".jpg", line, [cv2.IMWRITE_JPEG_QUALITY, int(generator.integers(30, 90))])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)  # type: ignore[return-value]
