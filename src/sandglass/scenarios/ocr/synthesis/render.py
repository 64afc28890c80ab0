"""Draw placed texts on paper and photograph it: perspective, shade, blur, noise. Boxes follow every step exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from sandglass.core.picture import Picture
from sandglass.pretrained import locate
from sandglass.scenarios.ocr.synthesis.layout import Placed

LATIN = ("noto-sans", "roboto-mono", "roboto-condensed", "inconsolata", "pt-serif")
CJK = "noto-sans-cjk"
MARGIN = 0.06
LEADING = 1.45

Quad = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Paper:
    """A drawn page: grey picture (0 = ink, 255 = paper) and a quad (4, 2) for every placed text."""

    picture: npt.NDArray[np.uint8]
    quads: tuple[Quad, ...]


@lru_cache(maxsize=256)
def load_font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A font of the catalogue (``fonts/print/NAME``).

    Raises:
        Broken: ``weights_missing``.
    """
    suffix = ".otf" if name == CJK else ".ttf"
    return ImageFont.truetype(locate(f"fonts/print/{name}{suffix}"), size)


def draw(placed: Sequence[Placed], random: Random, *, cjk: bool) -> Paper:
    """Draw on white paper."""
    width = random.randint(520, 760)
    size = max(17, round(width / random.uniform(25, 31)))
    font_name = CJK if cjk else random.choice(LATIN)
    rows = max(item.row for item in placed) + 1
    margin = round(width * MARGIN)
    step = round(size * LEADING)
    height = rows * step + 2 * margin
    image = Image.new("L", (width, height), 255)
    canvas = ImageDraw.Draw(image)
    quads = []
    inner = width - 2 * margin
    ink = random.randint(10, 70)
    for item in placed:
        font = load_font(font_name, round(size * 1.12) if item.bold else size)
        # A text that would run over the page is set smaller, as tills do.
        length = font.getlength(item.text)
        if length > inner:
            font = load_font(font_name, max(12, int(font.size * inner / length)))
            length = font.getlength(item.text)
        anchor = margin + item.column * inner
        x = anchor - length / 2 if item.align == "centre" else anchor - length if item.align == "right" else anchor
        x = min(max(x, margin / 2), width - margin / 2 - length)
        y = margin + item.row * step
        canvas.text((x, y), item.text, font=font, fill=ink, stroke_width=int(item.bold and size > 22), stroke_fill=ink)
        left, top, right, bottom = canvas.textbbox((x, y), item.text, font=font)
        # People draw boxes a little wider than the ink.
        left, right, top, bottom = left - 2, right + 2, top - 0.14 * size, bottom + 0.14 * size
        quads.append(np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32))
    return Paper(np.asarray(image), tuple(quads))


def photograph(paper: Paper, random: Random, strength: float) -> tuple[Picture, list[Quad]]:
    """A photo of the paper on a table.

    Args:
        paper: what was drawn.
        random: source of all chance.
        strength: 0 = a clean scan, 1 = a careless photo.
    """
    height, width = paper.picture.shape
    generator = np.random.default_rng(random.randrange(2**32))
    border = round(width * 0.05)
    size = (width + 2 * border, height + 2 * border)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    shift = generator.uniform(-0.02, 0.02, (4, 2)).astype(np.float32) * np.array([width, width], np.float32) * strength
    angle = np.deg2rad(generator.uniform(-1.5, 1.5) * strength)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    centre = corners.mean(0)
    target = ((corners - centre) @ turn.T + centre + border + shift).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    ground = generator.uniform(60, 150)

    def warp(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_LINEAR, borderValue=0).astype(np.float32)

    page = warp(paper.picture)
    mask = warp(np.full_like(paper.picture, 255)) / 255.0
    shade = generator.uniform(0.86, 1.0)
    light = _light(size, generator, strength)
    photo = (page * shade * mask + ground * (1 - mask)) * light
    blur = generator.uniform(0.0, 0.9) * strength
    if blur > 0.2:
        photo = cv2.GaussianBlur(photo, (0, 0), blur)
    photo += generator.normal(0, 5 * strength + 0.5, photo.shape)
    tint = np.array([generator.uniform(0.93, 1.0), generator.uniform(0.97, 1.0), 1.0], np.float32)
    colour = np.clip(photo[:, :, None] * tint, 0, 255).astype(np.uint8)
    if strength > 0:
        quality = int(generator.uniform(70, 95))
        colour = cv2.imdecode(cv2.imencode(".jpg", colour, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    quads = [cv2.perspectiveTransform(quad[None], matrix)[0] for quad in paper.quads]
    return colour, quads


def _light(size: tuple[int, int], generator: np.random.Generator, strength: float) -> npt.NDArray[np.float32]:
    """A soft slope of light over the picture, with the edge of a shadow now and then."""
    width, height = size
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    slope = generator.uniform(-0.12, 0.12, 2) * strength
    light = 1 - 0.08 * strength + slope[0] * x + slope[1] * y
    if generator.random() < 0.4 * strength:
        edge = generator.uniform(-0.6, 0.6)
        angle = generator.uniform(0, np.pi)
        distance = x * np.cos(angle) + y * np.sin(angle) - edge
        light *= 1 - 0.22 * strength / (1 + np.exp(-distance * 14))
    return np.asarray(light, np.float32)


def font_path(name: str) -> Path:
    """The file of a catalogue font, ``print/…`` or ``hand/…``."""
    return locate(f"fonts/{name}")
