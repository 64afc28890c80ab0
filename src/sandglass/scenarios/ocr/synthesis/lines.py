"""Single lines of text as pictures: what a recogniser is tested and trained on."""

from collections.abc import Iterator, Sequence
from random import Random

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sandglass.core.picture import Picture
from sandglass.pretrained import locate


def generate_lines(
    texts: Sequence[str], *, seed: int, fonts: Sequence[str], strength: float = 0.5
) -> Iterator[tuple[Picture, str]]:
    """One picture per text, in order.

    Args:
        texts: one line each.
        seed: of everything.
        fonts: catalogue names (``fonts/print/noto-sans.ttf``) to choose from; they must have the characters.
        strength: 0 = clean, 1 = blurred and noisy.
    """
    random = Random(seed)
    for text in texts:
        size = random.randint(28, 44)
        font = ImageFont.truetype(locate(random.choice(list(fonts))), size)
        left, top, right, bottom = font.getbbox(text)
        pad = random.randint(3, 9)
        image = Image.new("L", (int(right - left) + 2 * pad, int(bottom - top) + 2 * pad), random.randint(215, 255))
        ImageDraw.Draw(image).text((pad - left, pad - top), text, font=font, fill=random.randint(0, 70))
        grey = np.asarray(image).astype(np.float32)
        generator = np.random.default_rng(random.randrange(2**32))
        if strength > 0:
            blurred = cv2.GaussianBlur(grey, (0, 0), 0.3 + 0.7 * strength * random.random())
            grey = (blurred + generator.normal(0, 8 * strength, grey.shape)).astype(np.float32)
        yield cv2.cvtColor(np.clip(grey, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR), text  # type: ignore[misc]
