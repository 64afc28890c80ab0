"""Pictures that the project draws itself, with their boxes: tables from above, and the back of an eye.

For the examples of the home page and for tests; the same seed draws the same pictures.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from sandglass.core.annotation import ObjectsAnnotation, ObjectShape
from sandglass.core.geometry import Box
from sandglass.core.picture import Picture
from sandglass.core.sample import Part, Sample

WIDTH, HEIGHT = 480, 360
COUNT, TEST_EVERY = 60, 5
"""Pictures of an example, and that every fifth is for testing."""
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Drawn:
    """A picture and what is on it."""

    picture: Picture
    annotation: ObjectsAnnotation


def table_samples(
    count: int = COUNT, *, seed: int = 7, labels: tuple[str, str, str] = ("cup", "bowl", "plate")
) -> Iterator[tuple[Sample, bytes]]:
    """Tables as samples with JPEG bytes; ``labels`` name cups, bowls and plates."""
    for number in range(count):
        random = np.random.default_rng((seed, number))
        yield _sample(draw_table(random, labels), f"table-{number:03d}.jpg", number)


def eye_samples(
    count: int = COUNT, *, seed: int = 9, labels: tuple[str, str] = ("optic_cup", "optic_disc")
) -> Iterator[tuple[Sample, bytes]]:
    """Fundus pictures as samples with JPEG bytes; ``labels`` name cup and disc."""
    for number in range(count):
        random = np.random.default_rng((seed, number))
        yield _sample(draw_eye(random, labels), f"eye-{number:03d}.jpg", number)


def _sample(drawn: Drawn, path: str, number: int) -> tuple[Sample, bytes]:
    height, width = drawn.picture.shape[:2]
    part = Part.TEST if number % TEST_EVERY == TEST_EVERY - 1 else Part.TRAIN
    encoded = cv2.imencode(".jpg", drawn.picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
    return Sample(path=path, width=width, height=height, annotation=drawn.annotation, part=part), encoded


def draw_table(random: np.random.Generator, labels: tuple[str, str, str] = ("cup", "bowl", "plate")) -> Drawn:
    """A table from above with up to eight things to find, shadows, and clutter that is none of them; maybe empty."""
    canvas = _table_top(random)
    for _ in range(random.integers(1, 4)):
        _clutter(canvas, random)
    objects: list[ObjectShape] = []
    wanted = 0 if random.random() < 0.08 else int(random.integers(1, 8))
    light = random.uniform(0, 2 * math.pi)
    for _ in range(wanted * 4):
        if len(objects) == wanted:
            break
        kind = int(random.integers(3))
        radius = float((random.uniform(20, 34), random.uniform(30, 50), random.uniform(46, 72))[kind])
        x, y = random.uniform(radius, WIDTH - radius), random.uniform(radius, HEIGHT - radius)
        near = Box(x - radius, y - radius, x + radius, y + radius)
        if any(near.intersection(shape.box) > 0.05 * min(near.area, shape.box.area) for shape in objects):
            continue
        box = (_cup, _bowl, _plate)[kind](canvas, (x, y), radius, light, random)
        objects.append(ObjectShape(label=labels[kind], box=box.clip(WIDTH, HEIGHT)))
    return Drawn(_photograph(canvas, random), ObjectsAnnotation(objects=tuple(objects)))


def draw_eye(random: np.random.Generator, labels: tuple[str, str] = ("optic_cup", "optic_disc")) -> Drawn:
    """The back of an eye: a bright disc with a brighter cup in it, vessels, a dark macula on the other side."""
    size = 384
    canvas = np.zeros((size, size, 3), np.float32)
    middle = size / 2
    red = random.uniform(120, 190)
    tone = (red * random.uniform(0.2, 0.35), red * random.uniform(0.4, 0.55), red)
    cv2.circle(canvas, (size // 2, size // 2), int(size * 0.47), tone, -1, cv2.LINE_AA)
    canvas *= 1 + 0.08 * _cloud(random, canvas.shape[:2], 24)[..., None]
    side = 1 if random.random() < 0.5 else -1
    centre = (middle + side * random.uniform(0.14, 0.26) * size, middle + random.uniform(-0.06, 0.06) * size)
    down = random.uniform(24, 38)
    across = down * random.uniform(0.85, 1.0)
    macula = np.zeros((size, size), np.float32)
    place = (int(middle - side * 0.12 * size), int(middle))
    cv2.circle(macula, place, int(0.07 * size), 1.0, -1)
    canvas *= 1 - 0.35 * cv2.GaussianBlur(macula, (0, 0), 12)[..., None]
    disc = _ellipse_mask(size, size, centre, (across, down))
    ratio = random.uniform(0.3, 0.8)
    inner = (centre[0] + random.uniform(-2, 2), centre[1] + random.uniform(-2, 2))
    reach = (across * ratio * random.uniform(0.9, 1.05), down * ratio)
    cup = _ellipse_mask(size, size, inner, reach)
    bright = np.array([90, 175, 245], np.float32) * random.uniform(0.85, 1.0)
    canvas = canvas * (1 - disc[..., None]) + disc[..., None] * bright
    pale = np.array([190, 230, 255], np.float32) * random.uniform(0.92, 1.0)
    canvas = canvas * (1 - cup[..., None]) + cup[..., None] * pale
    for _ in range(int(random.integers(6, 10))):
        _vessel(canvas, centre, random)
    canvas[np.hypot(*(np.indices((size, size)) - middle)) > 0.47 * size] = 4
    objects = (
        ObjectShape(label=labels[0], box=_around(inner, reach)),
        ObjectShape(label=labels[1], box=_around(centre, (across, down))),
    )
    return Drawn(_photograph(canvas, random), ObjectsAnnotation(objects=objects))


def _around(centre: tuple[float, float], reach: tuple[float, float]) -> Box:
    (x, y), (across, down) = centre, reach
    return Box(round(x - across, 1), round(y - down, 1), round(x + across, 1), round(y + down, 1))


def _ellipse_mask(height: int, width: int, centre: tuple[float, float], reach: tuple[float, float]) -> np.ndarray:
    """Coverage 0..1 of an ellipse; eighths of a pixel are drawn."""
    mask = np.zeros((height, width), np.uint8)
    shift = 3
    point = (round(centre[0] * 8), round(centre[1] * 8))
    cv2.ellipse(mask, point, (round(reach[0] * 8), round(reach[1] * 8)), 0, 0, 360, 255, -1, cv2.LINE_AA, shift)
    return cv2.GaussianBlur(mask, (0, 0), 0.8).astype(np.float32) / 255


def _vessel(canvas: np.ndarray, start: tuple[float, float], random: np.random.Generator) -> None:
    angle = random.uniform(0, 2 * math.pi)
    x, y = start
    points = [(x, y)]
    for _ in range(22):
        angle += random.normal(0, 0.18)
        x, y = x + 11 * math.cos(angle), y + 11 * math.sin(angle)
        points.append((x, y))
    line = np.round(np.array(points)).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(canvas, [line], False, (25, 30, 95), int(random.integers(1, 4)), cv2.LINE_AA)


def _cloud(random: np.random.Generator, size: tuple[int, int], grain: int) -> np.ndarray:
    """Smooth noise, about -1..1."""
    coarse = random.normal(0, 0.5, (max(2, size[0] // grain), max(2, size[1] // grain))).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _table_top(random: np.random.Generator) -> np.ndarray:
    base = np.array([random.uniform(40, 190) for _ in range(3)], np.float32)
    if random.random() < 0.6:  # wood: brown, with grain along one direction
        base = np.array([60, 100, 150], np.float32) * random.uniform(0.6, 1.5)
        stretched = _cloud(random, (HEIGHT * 6, WIDTH), 30)
        grain = cv2.resize(stretched, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    else:
        grain = _cloud(random, (HEIGHT, WIDTH), 60) * 0.5
    return np.clip(base * (1 + 0.15 * grain[..., None]), 0, 255).astype(np.float32)


def _clutter(canvas: np.ndarray, random: np.random.Generator) -> None:
    """A napkin, a telephone, or a stick: nothing that is looked for."""
    colour = tuple(float(value) for value in random.uniform(20, 240, 3))
    centre = (float(random.uniform(0, WIDTH)), float(random.uniform(0, HEIGHT)))
    long = random.uniform(50, 110)
    wide = (long * 0.9, long * 0.5, 5.0)[int(random.integers(3))]
    corners = cv2.boxPoints((centre, (float(long), float(wide)), float(random.uniform(0, 180))))
    cv2.fillConvexPoly(canvas, np.round(corners).astype(np.int32), colour, cv2.LINE_AA)


def _shadow(canvas: np.ndarray, mask: np.ndarray, light: float, reach: float) -> None:
    moved = np.array([[1, 0, reach * math.cos(light)], [0, 1, reach * math.sin(light)]], np.float64)
    shade = cv2.GaussianBlur(
        cv2.warpAffine(mask, moved, (int(mask.shape[1]), int(mask.shape[0]))), (0, 0), 3 + reach / 2
    )
    canvas *= 1 - 0.45 * shade[..., None]


def _disc(canvas: np.ndarray, centre: tuple[float, float], reach: tuple[float, float], colour: Colour) -> np.ndarray:
    mask = _ellipse_mask(HEIGHT, WIDTH, centre, reach)
    canvas[:] = canvas * (1 - mask[..., None]) + mask[..., None] * np.array(colour, np.float32)
    return mask


def _ware(random: np.random.Generator) -> Colour:
    tone = random.uniform(150, 250)
    tint = random.uniform(0.75, 1.0, 3)
    return float(tone * tint[0]), float(tone * tint[1]), float(tone * tint[2])


def _times(colour: Colour, factor: float) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _plate(
    canvas: np.ndarray, centre: tuple[float, float], radius: float, light: float, random: np.random.Generator
) -> Box:
    reach = (radius, radius * random.uniform(0.88, 1.0))
    colour = _ware(random)
    _shadow(canvas, _ellipse_mask(HEIGHT, WIDTH, centre, reach), light, 4)
    _disc(canvas, centre, reach, colour)
    _disc(canvas, centre, (reach[0] * 0.7, reach[1] * 0.7), _times(colour, 0.88))
    _disc(canvas, centre, (reach[0] * 0.66, reach[1] * 0.66), _times(colour, 0.97))
    if random.random() < 0.5:
        for _ in range(int(random.integers(2, 6))):
            angle, far = random.uniform(0, 2 * math.pi), random.uniform(0, 0.4) * radius
            spot = (centre[0] + far * math.cos(angle), centre[1] + far * math.sin(angle))
            size = radius * random.uniform(0.1, 0.22)
            food = random.uniform(20, 200, 3)
            _disc(canvas, spot, (size, size * 0.8), (float(food[0]) * 0.5, float(food[1]), float(food[2])))
    return _around(centre, reach)


def _bowl(
    canvas: np.ndarray, centre: tuple[float, float], radius: float, light: float, random: np.random.Generator
) -> Box:
    reach = (radius, radius * random.uniform(0.9, 1.0))
    colour = _ware(random)
    _shadow(canvas, _ellipse_mask(HEIGHT, WIDTH, centre, reach), light, 9)
    _disc(canvas, centre, reach, colour)
    for step in range(6):  # the wall goes down into the dark
        share = 0.9 - 0.07 * step
        inner = (centre[0] - 1.5 * step * math.cos(light) / 3, centre[1] - 1.5 * step * math.sin(light) / 3)
        _disc(canvas, inner, (reach[0] * share, reach[1] * share), _times(colour, 0.85 - 0.07 * step))
    soup = random.uniform(30, 190, 3)
    _disc(canvas, centre, (reach[0] * 0.5, reach[1] * 0.5), (float(soup[0]) * 0.4, float(soup[1]), float(soup[2])))
    return _around(centre, reach)


def _cup(
    canvas: np.ndarray, centre: tuple[float, float], radius: float, light: float, random: np.random.Generator
) -> Box:
    angle = random.uniform(0, 2 * math.pi)
    body = radius * 0.78
    colour = _ware(random)
    handle = (centre[0] + body * 1.02 * math.cos(angle), centre[1] + body * 1.02 * math.sin(angle))
    grip = radius * 0.26
    _shadow(canvas, _ellipse_mask(HEIGHT, WIDTH, centre, (body, body)), light, 13)
    _disc(canvas, handle, (grip, grip), _times(colour, 0.8))
    _disc(canvas, centre, (body, body), colour)
    _disc(canvas, centre, (body * 0.86, body * 0.86), _times(colour, 0.55))
    drink = random.uniform(15, 110, 3)
    _disc(canvas, centre, (body * 0.8, body * 0.8), (float(drink[0]) * 0.4, float(drink[1]) * 0.7, float(drink[2])))
    round_body, round_grip = _around(centre, (body, body)), _around(handle, (grip, grip))
    return Box(
        min(round_body.left, round_grip.left),
        min(round_body.top, round_grip.top),
        max(round_body.right, round_grip.right),
        max(round_body.bottom, round_grip.bottom),
    )


def _photograph(canvas: np.ndarray, random: np.random.Generator) -> Picture:
    """Uneven light, a little blur and noise."""
    height, width = canvas.shape[:2]
    slope = np.linspace(random.uniform(0.8, 1.0), random.uniform(0.95, 1.15), width)[None, :, None]
    shown = cv2.GaussianBlur((canvas * slope).astype(np.float32), (0, 0), float(random.uniform(0.3, 0.9)))
    noise = random.normal(0, random.uniform(1, 6), (height, width, 3))
    return np.asarray(np.clip(shown + noise, 0, 255), np.uint8)
