"""Points, boxes and polygons in pixels of the upright picture: x to the right, y down, corners as floats."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

Point = tuple[float, float]
Polygon = tuple[Point, ...]


class Box(NamedTuple):
    """An axis-parallel rectangle; ``right`` and ``bottom`` are exclusive edges, so width = right - left."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def area(self) -> float:
        return max(0.0, self.width) * max(0.0, self.height)

    def to_polygon(self) -> Polygon:
        """Four corners, clockwise from the top left."""
        return ((self.left, self.top), (self.right, self.top), (self.right, self.bottom), (self.left, self.bottom))

    def clip(self, width: float, height: float) -> "Box":
        """The part inside a picture of ``width`` x ``height`` pixels (may be empty)."""
        return Box(
            min(max(self.left, 0.0), width),
            min(max(self.top, 0.0), height),
            min(max(self.right, 0.0), width),
            min(max(self.bottom, 0.0), height),
        )

    def intersection(self, other: "Box") -> float:
        """Area common to both, in square pixels."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)

    def iou(self, other: "Box") -> float:
        """Intersection over union, 0..1; 0 when both are empty."""
        common = self.intersection(other)
        union = self.area + other.area - common
        return common / union if union > 0 else 0.0


def bounding_box(points: Iterable[Point]) -> Box:
    """The smallest box around ``points``.

    Raises:
        ValueError: there are no points.
    """
    xs, ys = zip(*points, strict=True)
    return Box(min(xs), min(ys), max(xs), max(ys))


def polygon_area(polygon: Sequence[Point]) -> float:
    """Area in square pixels by the shoelace formula, without sign."""
    total = 0.0
    for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], *polygon[:1]], strict=True):
        total += x1 * y2 - x2 * y1
    return abs(total) / 2


def clip_polygon(polygon: Sequence[Point], width: float, height: float) -> Polygon:
    """Move every corner into the picture of ``width`` x ``height`` pixels (corners are clamped, none is added)."""
    return tuple((min(max(x, 0.0), width), min(max(y, 0.0), height)) for x, y in polygon)
