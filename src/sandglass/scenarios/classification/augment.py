"""Varied versions of a picture: one warp (crop, flip, turn) and one change of colour, from a seed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sandglass.core.picture import Picture
from sandglass.scenarios.classification.preprocess import MEAN, Shape


@dataclass(frozen=True)
class Symmetries:
    """Changes that leave the label of a picture of this data as it is.

    Attributes:
        mirror: left and right.
        upside_down: top and bottom.
        quarter_turns: by 90 degrees.
    """

    mirror: bool = False
    upside_down: bool = False
    quarter_turns: bool = False


@dataclass(frozen=True)
class Strength:
    """How far pictures are varied.

    Attributes:
        least_area: smallest share of the picture that a crop keeps.
        aspect: largest factor by which a crop's aspect changes.
        turn: largest rotation, degrees.
        light: largest relative change of brightness and contrast.
        colour: largest relative change of saturation and of single channels.
        erase: chance of a grey rectangle over a part.
        mix: chance that a batch is mixed (mixup or cutmix).
    """

    least_area: float = 0.4
    aspect: float = 1.3
    turn: float = 10.0
    light: float = 0.25
    colour: float = 0.15
    erase: float = 0.1
    mix: float = 0.0


LIGHT = Strength(least_area=0.6, aspect=1.2, turn=6.0, light=0.2, colour=0.1, erase=0.0)
MIDDLE = Strength()
STRONG = Strength(least_area=0.25, aspect=1.4, turn=15.0, light=0.35, colour=0.25, erase=0.25, mix=0.5)


def varied(
    picture: Picture, shape: Shape, strength: Strength, symmetries: Symmetries, random: np.random.Generator
) -> Picture:
    """One version of ``picture`` in ``shape``."""
    height, width = picture.shape[:2]
    matrix = _warp(width, height, shape, strength, symmetries, random)
    warped = cv2.warpAffine(
        picture, matrix, (shape.width, shape.height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    result = _coloured(np.asarray(warped, np.uint8), strength, random)
    if random.random() < strength.erase:
        _erase(result, random)
    return result


def _warp(
    width: int, height: int, shape: Shape, strength: Strength, symmetries: Symmetries, random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """From input coordinates of the picture to coordinates of the result: a random crop, flipped and turned."""
    area = random.uniform(strength.least_area, 1.0)
    stretch = math.exp(random.uniform(-1, 1) * math.log(strength.aspect))
    crop_width = width * min(1.0, math.sqrt(area * stretch))
    crop_height = height * min(1.0, math.sqrt(area / stretch))
    centre = (
        random.uniform(crop_width / 2, width - crop_width / 2),
        random.uniform(crop_height / 2, height - crop_height / 2),
    )
    to_origin = np.array([[1, 0, -centre[0]], [0, 1, -centre[1]], [0, 0, 1]])
    angle = math.radians(random.uniform(-strength.turn, strength.turn))
    turn = np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
    scale = np.diag([1 / crop_width, 1 / crop_height, 1.0])
    flip = np.diag(
        [
            -1.0 if symmetries.mirror and random.random() < 0.5 else 1.0,
            -1.0 if symmetries.upside_down and random.random() < 0.5 else 1.0,
            1.0,
        ]
    )
    quarter = np.eye(3)
    if symmetries.quarter_turns and random.random() < 0.5:
        quarter = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    place = np.array([[shape.width, 0, shape.width / 2], [0, shape.height, shape.height / 2], [0, 0, 1.0]])
    return np.asarray((place @ quarter @ flip @ scale @ turn @ to_origin)[:2], np.float64)


def _coloured(picture: npt.NDArray[np.uint8], strength: Strength, random: np.random.Generator) -> Picture:
    """Brightness, contrast, saturation and tint as one linear map of the three channels."""
    contrast = 1 + random.uniform(-strength.light, strength.light)
    bright = 255 * random.uniform(-strength.light, strength.light) * 0.5
    saturation = 1 + 2 * random.uniform(-strength.colour, strength.colour)
    tint = 1 + random.uniform(-strength.colour, strength.colour, 3) * 0.5
    grey = np.array([0.114, 0.587, 0.299])
    mix = saturation * np.eye(3) + (1 - saturation) * np.tile(grey, (3, 1))
    matrix = contrast * tint[:, None] * mix
    shift = MEAN - contrast * MEAN + bright
    changed = cv2.transform(picture, np.column_stack([matrix, np.full(3, shift)]))
    return np.asarray(changed, np.uint8)


def _erase(picture: Picture, random: np.random.Generator) -> None:
    height, width = picture.shape[:2]
    tall, wide = (max(1, int(size * random.uniform(0.15, 0.45))) for size in (height, width))
    top, left = int(random.integers(0, height - tall + 1)), int(random.integers(0, width - wide + 1))
    picture[top : top + tall, left : left + wide] = int(MEAN)


def seen_from(pictures: npt.NDArray[np.uint8], symmetry: str) -> npt.NDArray[np.uint8]:
    """(N, H, W, 3) pictures changed by one symmetry; a quarter turn keeps the shape by a resize."""
    if symmetry == "mirror":
        return pictures[:, :, ::-1]
    if symmetry == "upside_down":
        return pictures[:, ::-1]
    size = (pictures.shape[2], pictures.shape[1])
    turned: Sequence[npt.NDArray[np.uint8]] = [
        np.asarray(cv2.resize(np.ascontiguousarray(np.rot90(picture)), size, interpolation=cv2.INTER_LINEAR), np.uint8)
        for picture in pictures
    ]
    return np.stack(turned)


def mixed(
    pictures: npt.NDArray[np.float32],
    targets: npt.NDArray[np.float32],
    random: np.random.Generator,
    *,
    alpha: float = 0.4,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """A batch mixed with itself: blended (mixup) or with a rectangle pasted in (cutmix), targets in the same shares.

    Sources: Zhang et al., mixup (2018); Yun et al., CutMix (2019).
    """
    order = random.permutation(len(pictures))
    share = float(random.beta(alpha, alpha))
    if random.random() < 0.5:
        pictures = share * pictures + (1 - share) * pictures[order]
    else:
        height, width = pictures.shape[2:]
        tall, wide = int(height * math.sqrt(1 - share)), int(width * math.sqrt(1 - share))
        top, left = int(random.integers(0, height - tall + 1)), int(random.integers(0, width - wide + 1))
        pictures = pictures.copy()
        pictures[:, :, top : top + tall, left : left + wide] = pictures[order, :, top : top + tall, left : left + wide]
        share = 1 - tall * wide / (height * width)
    return pictures.astype(np.float32), (share * targets + (1 - share) * targets[order]).astype(np.float32)
