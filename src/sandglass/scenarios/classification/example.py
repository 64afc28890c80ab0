"""Rendered pictures to try classification with: outlines of things on busy grounds, in six classes."""

import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from sandglass.core.annotation import ClassAnnotation
from sandglass.core.picture import Picture
from sandglass.core.sample import Part, Sample

Points = npt.NDArray[np.float64]

CLASSES = ("星 star", "心 heart", "齿轮 gear", "月 moon", "叶 leaf", "花 flower")
SIDE = 160
TRAIN_EACH, TEST_EACH = 40, 12


def example_pictures(
    each: int, *, seed: int, classes: Sequence[str] = CLASSES, side: int = SIDE
) -> Iterator[tuple[str, Picture]]:
    """``each`` pictures of every class, classes taking turns: label and (side, side, 3) uint8 BGR picture."""
    for number in range(each):
        for place, label in enumerate(classes):
            yield label, render(place % len(CLASSES), np.random.default_rng((seed, number, place)), side)


def example_samples() -> Iterator[tuple[Sample, bytes]]:
    """The example dataset, marked for training and test."""
    for part, each, seed in ((Part.TRAIN, TRAIN_EACH, 1), (Part.TEST, TEST_EACH, 2)):
        for number, (label, picture) in enumerate(example_pictures(each, seed=seed)):
            path = f"{part}/{label.split()[-1]}-{number // len(CLASSES):03d}.jpg"
            yield labelled(path, picture, (label,), part)


def labelled(path: str, picture: Picture, labels: tuple[str, ...], part: Part | None = None) -> tuple[Sample, bytes]:
    """A sample of a picture with its JPEG bytes."""
    encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    annotation = ClassAnnotation(labels=labels)
    height, width = picture.shape[:2]
    return Sample(path=path, width=width, height=height, annotation=annotation, part=part), encoded


def render(place: int, random: np.random.Generator, side: int = SIDE) -> Picture:
    """One picture of the class at ``place``: any size, turn, colour and ground; sometimes partly covered."""
    picture = _ground(random, side)
    colour = random.uniform(0, 255, 3)
    ground = picture.mean((0, 1))
    while float(np.abs(colour - ground).sum()) < 120:  # it must be possible to see it
        colour = random.uniform(0, 255, 3)
    radius = side * random.uniform(0.2, 0.42)
    centre = random.uniform(radius * 0.9, side - radius * 0.9, 2)
    angle = random.uniform(-math.pi, math.pi)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    stretch = np.diag(random.uniform(0.8, 1.2, 2))
    outline = _OUTLINES[place](random) @ stretch @ turn * radius + centre
    fixed = np.round(outline * 16).astype(np.int32)
    if random.random() < 0.3:
        thickness = int(random.integers(3, 7))
        cv2.polylines(picture, [fixed], True, tuple(colour.tolist()), thickness, cv2.LINE_AA, 4)
    else:
        cv2.fillPoly(picture, [fixed], tuple(colour.tolist()), cv2.LINE_AA, 4)
    if random.random() < 0.4:
        start, end = random.integers(0, side, (2, 2)).tolist()
        cv2.line(picture, start, end, random.uniform(0, 255, 3).tolist(), int(random.integers(4, 14)), cv2.LINE_AA)
    return _photographed(picture, random)


def _ground(random: np.random.Generator, side: int) -> Picture:
    """A blurred random texture with some bars and discs on it."""
    coarse = random.uniform(0, 255, (int(random.integers(2, 9)), int(random.integers(2, 9)), 3)).astype(np.float32)
    wide = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    tone = random.uniform(0, 255, 3)
    ground: Picture = np.asarray((0.35 * wide + 0.65 * tone).clip(0, 255), np.uint8)
    for _ in range(int(random.integers(0, 5))):
        start, end = random.integers(0, side, (2, 2)).tolist()
        shade = (tone + random.uniform(-60, 60, 3)).clip(0, 255).tolist()
        if random.random() < 0.5:
            cv2.line(ground, start, end, shade, int(random.integers(2, 12)), cv2.LINE_AA)
        else:
            cv2.circle(ground, start, int(random.integers(3, side // 6)), shade, -1, cv2.LINE_AA)
    return ground


def _photographed(picture: Picture, random: np.random.Generator) -> Picture:
    blur = float(random.uniform(0.2, 1.4))
    soft = cv2.GaussianBlur(picture, (0, 0), blur).astype(np.float32)
    noisy = soft * random.uniform(0.6, 1.15) + random.normal(0, random.uniform(1, 12), picture.shape)
    return np.asarray(noisy.clip(0, 255), np.uint8)


def _polar(radii: npt.NDArray[np.float64]) -> Points:
    angles = np.linspace(0, 2 * math.pi, len(radii), endpoint=False)
    return np.stack([np.cos(angles) * radii, np.sin(angles) * radii], 1)


def _star(random: np.random.Generator) -> Points:
    inner = random.uniform(0.36, 0.52)
    return _polar(np.tile([1.0, inner], 5))


def _heart(_: np.random.Generator) -> Points:
    t = np.linspace(0, 2 * math.pi, 90, endpoint=False)
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([16 * np.sin(t) ** 3, -y], 1) / 16


def _gear(random: np.random.Generator) -> Points:
    teeth = int(random.integers(7, 12))
    inner = random.uniform(0.7, 0.82)
    return _polar(np.tile([1.0, 1.0, inner, inner], teeth))


def _moon(random: np.random.Generator) -> Points:
    t = np.linspace(-0.75 * math.pi, 0.75 * math.pi, 60)
    outer = np.stack([-np.cos(t), np.sin(t)], 1)
    shift = random.uniform(0.3, 0.5)
    inner = np.stack([-np.cos(t) * 0.8 + shift, np.sin(t) * 0.8], 1)[::-1]
    return np.concatenate([outer, inner])


def _leaf(random: np.random.Generator) -> Points:
    t = np.linspace(0, math.pi, 40)
    width = random.uniform(0.3, 0.5)
    upper = np.stack([-np.cos(t), width * np.sin(t) ** 1.5], 1)
    stem = np.array([[1.0, 0.03], [1.35, 0.05], [1.35, -0.05], [1.0, -0.03]])
    return np.concatenate([upper, stem, upper[::-1] * [1, -1]])


def _flower(random: np.random.Generator) -> Points:
    petals = int(random.integers(5, 8))
    angles = np.linspace(0, 2 * math.pi, 160, endpoint=False)
    return _polar(0.68 + 0.32 * np.cos(petals * angles))


_OUTLINES = (_star, _heart, _gear, _moon, _leaf, _flower)
