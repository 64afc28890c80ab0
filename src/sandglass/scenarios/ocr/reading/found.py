"""Read lines that were found on a page, those that stand on their heads as well."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandglass.core.picture import Picture
from sandglass.core.prediction import TextLine
from sandglass.scenarios.neural.sessions import Backend, open_session
from sandglass.scenarios.ocr.reading.recognise import Reading, Recogniser, graph_characters, greedy_graph

LEAST_SCORE = 0.5
"""Lines that are read with less confidence are left out."""
DOUBTFUL = 0.7
"""Below this score a line is read again upside down, and the better of the two readings is taken."""
UPSIDE_DOWN = 0.25
"""Share of a page's lines that read better upside down from which all of it is taken to stand on its head."""


@dataclass(frozen=True)
class Found:
    """A line that was found on a picture.

    Attributes:
        quad: (4, 2) float32 corners, from the top left, clockwise.
        picture: what is under them, upright.
        whole: the picture as a whole is this line.
    """

    quad: np.ndarray
    picture: Picture
    whole: bool = False

    def with_picture(self, picture: Picture) -> "Found":
        """The same place with another picture of it."""
        return Found(self.quad, picture, whole=self.whole)


class FoundReader:
    """Reads found lines; safe to call from several threads.

    Args:
        recogniser: network and characters.
    """

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser

    @classmethod
    def open(
        cls,
        graph: bytes,
        characters: Path | None,
        *,
        threads: int,
        pool: ThreadPoolExecutor | None = None,
        backend: Backend = "onnxruntime",
    ) -> "FoundReader":
        """A reader with the recogniser of that graph.

        Args:
            graph: ONNX bytes.
            characters: listed characters; None = they are in the graph.
            threads: CPU threads that one call uses.
            pool: runs batches side by side.
            backend: that runs the graph.
        """
        # One thread a batch and several batches side by side use the cores better than many threads on one batch.
        alone = pool is None or backend == "openvino"
        session = open_session(greedy_graph(graph), threads=threads if alone else 1, backend=backend, streams=threads)
        return cls(Recogniser(session, graph_characters(graph, characters), pool))

    def __call__(self, found: Sequence[Found]) -> list[TextLine]:
        """The text of found lines; those without text or confidence are left out."""
        if len(found) == 1 and found[0].whole:
            [(text, score)] = self._recogniser([found[0].picture])
            polygon = tuple((float(x), float(y)) for x, y in found[0].quad)
            return [TextLine(text=text.strip(), score=score, polygon=polygon)] if text.strip() else []
        readings = self._read_all([item.picture for item in found])
        return [
            TextLine(text=text, score=score, polygon=_polygon(item.quad, turned=turned))
            for item, (text, score, turned) in zip(found, readings, strict=True)
            if text.strip() and score >= LEAST_SCORE
        ]

    def read(self, lines: Sequence[Picture]) -> list[Reading]:
        """Text and score of pictures that are one line each, as they stand."""
        return self._recogniser(lines)

    def _read_all(self, lines: Sequence[Picture]) -> list[tuple[str, float, bool]]:
        readings = [(text, score, False) for text, score in self._recogniser(lines)]
        doubtful = [index for index, (_, score, _) in enumerate(readings) if score < DOUBTFUL]
        better = self._read_turned(lines, doubtful, readings)
        if better > UPSIDE_DOWN * len(lines):
            # The page stands on its head: short lines and numbers read well both ways, so all are asked.
            self._read_turned(lines, [i for i, reading in enumerate(readings) if not reading[2]], readings, lead=-0.1)
        return readings

    def _read_turned(
        self,
        lines: Sequence[Picture],
        chosen: Sequence[int],
        readings: list[tuple[str, float, bool]],
        lead: float = 0.1,
    ) -> int:
        """Read lines upside down and keep those readings that are surer by ``lead``; return how many were."""
        better = 0
        turned = [np.ascontiguousarray(lines[index][::-1, ::-1]) for index in chosen]
        for index, (text, score) in zip(chosen, self._recogniser(turned), strict=True):
            if score > readings[index][1] + lead:
                readings[index] = (text, score, True)
                better += 1
        return better


def _polygon(quad: np.ndarray, *, turned: bool) -> tuple[tuple[float, float], ...]:
    """Corners in reading order: an upside-down line begins at its lower right corner."""
    corners = [(float(x), float(y)) for x, y in quad]
    width = np.linalg.norm(quad[0] - quad[1])
    if np.linalg.norm(quad[0] - quad[3]) >= 1.5 * width:  # read from bottom to top
        corners = corners[3:] + corners[:3]
    return tuple(corners[2:] + corners[:2]) if turned else tuple(corners)
