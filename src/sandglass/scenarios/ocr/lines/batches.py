"""Lines in batches of like width, in an order that depends on nothing but seed and epoch."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from sandglass.core.picture import Picture
from sandglass.scenarios.ocr.reading.recognise import HEIGHT, padded_width

PIXELS = 32 * 320
"""Sum of padded widths of a batch."""


def epoch_batches(widths: Sequence[int], generator: np.random.Generator, pixels: int = PIXELS) -> list[list[int]]:
    """Numbers of lines in batches, every line once.

    Lines are sorted by width with a little noise, so that a batch holds others in every epoch and little is padded.
    """
    noise = np.exp(generator.uniform(-0.1, 0.1, len(widths)))
    order = np.argsort(np.asarray(widths) * noise, kind="stable")
    batches: list[list[int]] = [[]]
    widest = 0
    for number in order:
        wide = max(widest, padded_width_of(widths[number]))
        if batches[-1] and wide * (len(batches[-1]) + 1) > pixels:
            batches.append([])
            wide = padded_width_of(widths[number])
        batches[-1].append(int(number))
        widest = wide
    return [batches[index] for index in generator.permutation(len(batches))]


def padded_width_of(width: int) -> int:
    """The width that the recogniser pads a line of ``width`` pixels to."""
    return padded_width(np.empty((HEIGHT, max(1, width), 0), np.uint8))


def collate(lines: Sequence[Picture]) -> Tensor:
    """(lines, 3, 48, widest) float32, -1..1, 0 to the right of a line, as the recogniser lays them."""
    width = max(padded_width(line) for line in lines)
    stack = np.zeros((len(lines), HEIGHT, width, 3), np.float32)
    for row, line in enumerate(lines):
        kept = min(width, max(1, -(-HEIGHT * line.shape[1] // line.shape[0])))
        resized = line if line.shape[:2] == (HEIGHT, kept) else cv2.resize(line, (kept, HEIGHT))
        stack[row, :, :kept] = resized * np.float32(1 / 127.5) - 1
    return torch.from_numpy(stack).permute(0, 3, 1, 2)
