"""Boxes and polygons from label files: numbers checked, cut at the picture's edge, empty ones left out."""

import math
from collections.abc import Sequence
from pathlib import Path

from sandglass.core.finding import Finding
from sandglass.core.geometry import Box, Polygon, bounding_box, clip_polygon, polygon_area
from sandglass.formats.findings import report

TOLERANCE = 1.0
"""Pixels that a coordinate may lie outside without a word: label tools count edges differently."""


def numbers(values: Sequence[object]) -> list[float]:
    """Finite numbers, also when they come as text.

    Raises:
        ValueError: one is none.
    """
    result = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError(f"{value!r} is no number")  # noqa: TRY004 - callers report any bad value alike
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"{value!r} is no number")
        result.append(number)
    return result


def fit_box(
    box: Box, size: tuple[int, int], what: str, file: Path | str, line: int | None = None
) -> tuple[Box | None, list[Finding]]:
    """The part of a box inside the picture; None when nothing is left."""
    ordered = Box(
        min(box.left, box.right), min(box.top, box.bottom), max(box.left, box.right), max(box.top, box.bottom)
    )
    if ordered.area <= 0:
        return None, [report("box_without_area", file, line=line, what=what)]
    cut = ordered.clip(*size)
    if cut.area <= 0:
        return None, [report("box_without_area", file, line=line, what=what)]
    moved = max(abs(a - b) for a, b in zip(cut, ordered, strict=True))
    return cut, [report("box_outside", file, line=line, what=what)] if moved > TOLERANCE else []


def fit_polygon(
    points: Sequence[tuple[float, float]],
    size: tuple[int, int],
    what: str,
    file: Path | str,
    line: int | None = None,
) -> tuple[Polygon | None, list[Finding]]:
    """A polygon with its corners moved into the picture; two points are the corners of a rectangle; None when empty."""
    if len(points) == 2:
        points = bounding_box(points).to_polygon()
    if len(points) < 3:
        return None, [report("box_unreadable", file, line=line, what=f"{len(points)} points")]
    cut = clip_polygon(points, *size)
    if polygon_area(cut) <= 0:
        return None, [report("box_without_area", file, line=line, what=what)]
    moved = max(max(abs(a - c), abs(b - d)) for (a, b), (c, d) in zip(points, cut, strict=True))
    return cut, [report("box_outside", file, line=line, what=what)] if moved > TOLERANCE else []


def pairs(values: Sequence[float]) -> list[tuple[float, float]]:
    """Points from coordinates in a row: x1, y1, x2, y2 and so on.

    Raises:
        ValueError: an odd number of values.
    """
    if len(values) % 2:
        raise ValueError(f"{len(values)} coordinates")
    return list(zip(values[::2], values[1::2], strict=True))
