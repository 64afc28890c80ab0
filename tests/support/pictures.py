"""Small real data sets, made on the spot: grey pictures in class folders, the grey saying the class."""

import io
from pathlib import Path

import numpy as np
from PIL import Image


def picture(grey, *, size=(32, 24), seed=0, kind="PNG"):
    noise = np.random.default_rng(seed).integers(-8, 9, (size[1], size[0], 3))
    pixels = (np.full((size[1], size[0], 3), grey) + noise).clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def class_folder(folder: Path, count=12, *, seed=0, classes=(("dark", 40), ("light", 210))):
    """``count`` pictures of each class, as ``LABEL/NNN.png``."""
    for number, (label, grey) in enumerate(classes):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            data = picture(grey, seed=seed * 100_000 + number * 10_000 + index)
            (folder / label / f"{index:04d}.png").write_bytes(data)
    return folder
