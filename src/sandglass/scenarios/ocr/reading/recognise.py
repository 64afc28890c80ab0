"""Read cut-out lines: a network with a CTC head, in batches of lines of like width.

A line is always padded to the same width, whatever stands beside it in a batch, so its text does not depend on the
other lines. The arg max over the characters happens inside the graph: only two numbers per position come out.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper

from sandglass.core.picture import Picture
from sandglass.scenarios.neural.sessions import Session

HEIGHT = 48
NARROWEST = 320
"""Least padded width; the base networks were trained with it and read short lines worse when cut closer."""
STEP = 64
"""Padded widths are multiples of it."""
WIDEST = 3200
MOST_PIXELS = 6 * 640
"""Sum of padded widths of a batch: larger batches leave the processor's caches."""

Reading = tuple[str, float]
Characters = tuple[str, tuple[float, ...]]
"""A text and the probability of each of its characters, 0..1."""


def greedy_graph(graph: bytes) -> bytes:
    """Append arg max and max over characters to a CTC recogniser.

    Then (lines, positions) integers and floats come out instead of (lines, positions, characters) probabilities.
    """
    model = onnx.load_from_string(graph)
    probabilities = model.graph.output[0].name
    model.graph.node.append(helper.make_node("ArgMax", [probabilities], ["best"], axis=2, keepdims=0))
    model.graph.node.append(helper.make_node("ReduceMax", [probabilities], ["score"], axes=[2], keepdims=0))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("best", TensorProto.INT64, [None, None]))
    model.graph.output.append(helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, None]))
    return bytes(model.SerializeToString())


def graph_characters(graph: bytes, listed: Path | None) -> list[str]:
    """Characters by class number: blank first, space last, between them those of the file or of the graph's metadata.

    Raises:
        ValueError: neither says.
    """
    if listed is not None:
        lines = listed.read_text("utf-8").split("\n")
        lines = lines[:-1] if lines and not lines[-1] else lines
    else:
        metadata = {item.key: item.value for item in onnx.load_from_string(graph).metadata_props}
        if "character" not in metadata:
            raise ValueError("the recogniser does not say which characters it knows")
        lines = metadata["character"].splitlines()
    return ["", *lines, " "]


class Recogniser:
    """Reads lines.

    Args:
        session: of a graph made by `greedy_graph`.
        characters: by class number.
        pool: runs batches side by side; None = one after the other.
    """

    def __init__(self, session: Session, characters: Sequence[str], pool: ThreadPoolExecutor | None) -> None:
        self._session = session
        self._characters = np.array(characters, dtype=object)
        self._pool = pool

    def __call__(self, lines: Sequence[Picture]) -> list[Reading]:
        """Text and score (mean probability of its characters, 0..1) of each line."""
        return [(text, float(np.mean(sure)) if sure else 0.0) for text, sure in self.characters(lines)]

    def characters(self, lines: Sequence[Picture]) -> list[Characters]:
        """Text of each line, with the probability of each of its characters."""
        widths = [padded_width(line) for line in lines]
        order = sorted(range(len(lines)), key=lambda index: -widths[index])
        batches: list[list[int]] = []
        for index in order:
            current = batches[-1] if batches else []
            if current and widths[current[0]] == widths[index] and len(current) * widths[index] < MOST_PIXELS:
                current.append(index)
            else:
                batches.append([index])
        run = map if self._pool is None else self._pool.map
        readings: list[Characters] = [("", ())] * len(lines)
        for batch, results in zip(batches, run(lambda item: self._read(lines, item, widths), batches), strict=True):
            for index, reading in zip(batch, results, strict=True):
                readings[index] = reading
        return readings

    def _read(self, lines: Sequence[Picture], batch: Sequence[int], widths: Sequence[int]) -> list[Characters]:
        stack = np.zeros((len(batch), 3, HEIGHT, widths[batch[0]]), np.float32)
        for row, index in enumerate(batch):
            line = lines[index]
            width = min(widths[index], max(1, -(-HEIGHT * line.shape[1] // line.shape[0])))
            resized = cv2.resize(line, (width, HEIGHT)).astype(np.float32)
            np.multiply(resized.transpose(2, 0, 1), 1 / 127.5, out=stack[row, :, :, :width])
            stack[row, :, :, :width] -= 1
        best, score = self._session(stack)
        return [self._decode(best[row], score[row]) for row in range(len(batch))]

    def _decode(self, best: np.ndarray, score: np.ndarray) -> Characters:
        kept = best > 0
        kept[1:] &= best[1:] != best[:-1]
        return "".join(self._characters[best[kept]]), tuple(score[kept].tolist())


def padded_width(line: Picture) -> int:
    """The width that a line is always padded to, at a height of 48 pixels."""
    width = -(-HEIGHT * line.shape[1] // max(1, line.shape[0]))
    return int(min(WIDEST, max(NARROWEST, -(-width // STEP) * STEP)))
