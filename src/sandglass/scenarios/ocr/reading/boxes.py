"""Read the text of boxes that a person drew: each is set upright, read as one line, and as several where that is surer."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from sandglass.core.geometry import Polygon
from sandglass.core.picture import Picture
from sandglass.scenarios.base import BoxText
from sandglass.scenarios.neural.sessions import open_session
from sandglass.scenarios.ocr.reading.detect import cut
from sandglass.scenarios.ocr.reading.files import CHARACTERS, RECOGNISER, reader_files
from sandglass.scenarios.ocr.reading.recognise import Characters, Recogniser, graph_characters, greedy_graph

SURER = 0.1
"""By how much another way of reading a box must be surer than reading it as one upright line."""
DOUBTFUL = 0.7
"""Below this score other ways are tried."""
LEAST_ROW = 0.35
"""Height of a row of ink, as a share of the highest one, from which it is a line of its own."""


class LineReader:
    """Reads boxes with the recogniser alone; safe to call from several threads.

    Args:
        files: by name (`reader_files`).
        threads: CPU threads that one call uses.
    """

    def __init__(self, files: dict[str, Path], *, threads: int) -> None:
        graph = files[RECOGNISER].read_bytes()
        pool = ThreadPoolExecutor(threads, "read") if threads > 1 else None
        session = open_session(greedy_graph(graph), threads=1, backend="onnxruntime", streams=threads)
        self._recogniser = Recogniser(session, graph_characters(graph, files.get(CHARACTERS)), pool)

    @classmethod
    def from_weights(cls, mode: str, *, threads: int) -> "LineReader":
        """The base reader of a mode.

        Raises:
            Broken: ``weights_missing``.
        """
        return cls(reader_files(mode), threads=threads)

    def __call__(self, picture: Picture, polygons: Sequence[Polygon]) -> list[BoxText]:
        """One text per polygon, in order; empty with score 0 where nothing can be read."""
        pieces = [cut(picture, as_quad(polygon)) for polygon in polygons]
        whole = [_text([reading]) for reading in self._recogniser.characters(pieces)]
        return [
            first if first.score >= DOUBTFUL else self._other_ways(piece, first)
            for piece, first in zip(pieces, whole, strict=True)
        ]

    def _other_ways(self, piece: Picture, first: BoxText) -> BoxText:
        turned = np.ascontiguousarray(piece[::-1, ::-1])
        ways = [_text(self._recogniser.characters([turned]))]
        rows = text_rows(piece)
        if len(rows) > 1:
            ways.append(_text(self._recogniser.characters([piece[top:bottom] for top, bottom in rows])))
        best = max(ways, key=lambda way: way.score)
        return best if best.score > first.score + SURER else first


def as_quad(polygon: Polygon) -> npt.NDArray[np.float32]:
    """Four corners from where the text begins, (4, 2) float32; of more corners, the smallest rectangle around them."""
    points = np.asarray(polygon, np.float32)
    if len(points) == 4:
        return points
    corners = np.asarray(cv2.boxPoints(cv2.minAreaRect(points)), np.float32)
    first = int(np.argmin(np.linalg.norm(corners - points[0], axis=1)))
    return np.roll(corners, -first, axis=0)


def text_rows(piece: Picture) -> list[tuple[int, int]]:
    """Tops and bottoms of the rows of ink in a box, in pixels of ``piece``; a margin stays around each."""
    grey = cv2.cvtColor(piece, cv2.COLOR_BGR2GRAY)
    _, ink = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    ink = np.asarray(ink)
    if ink.mean() > 0.5:
        ink = 1 - ink  # light text on a dark ground
    filled = np.concatenate([[False], ink.mean(axis=1) > 0.01, [False]])
    edges = np.flatnonzero(filled[1:] != filled[:-1]).reshape(-1, 2)
    if not len(edges):
        return []
    least = LEAST_ROW * (edges[:, 1] - edges[:, 0]).max()
    kept = [(int(top), int(bottom)) for top, bottom in edges if bottom - top >= max(6.0, least)]
    margin = 2
    return [(max(0, top - margin), min(len(piece), bottom + margin)) for top, bottom in kept]


def _text(readings: Sequence[Characters]) -> BoxText:
    lines: list[str] = []
    sure: list[float] = []
    for text, scores in readings:
        start = len(text) - len(text.lstrip())
        stripped = text.strip()
        if stripped:
            sure += [1.0] * bool(lines) + list(scores[start : start + len(stripped)])
            lines.append(stripped)
    joined = " ".join(lines)
    told = tuple(round(float(score), 4) for score in sure)
    score = float(np.mean(told)) if told else 0.0
    return BoxText(text=joined, score=round(score, 4), characters=told if len(told) == len(joined) else ())
