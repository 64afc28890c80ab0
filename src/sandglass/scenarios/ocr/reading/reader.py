"""The reader: a picture in, lines of text out."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from sandglass.core.picture import Picture
from sandglass.core.prediction import TextLine
from sandglass.scenarios.neural.sessions import Backend, open_session
from sandglass.scenarios.ocr.reading.detect import Detector, DetectorSettings, cut
from sandglass.scenarios.ocr.reading.files import CHARACTERS, DETECTOR, RECOGNISER, folder_files, reader_files
from sandglass.scenarios.ocr.reading.recognise import Recogniser, graph_characters, greedy_graph

LEAST_SCORE = 0.5
"""Lines that are read with less confidence are left out."""
DOUBTFUL = 0.7
"""Below this score a line is read again upside down, and the better of the two readings is taken."""
UPSIDE_DOWN = 0.25
"""Share of a page's lines that read better upside down from which all of it is taken to stand on its head."""
LINE_HEIGHT = 72
"""A picture that is not higher is a single line of text."""
LINE_RATIO = 8
"""So is one that is this many times wider than high, up to three times that height."""

SETTINGS = {"accurate": DetectorSettings(longest=1600), "fast": DetectorSettings(longest=1600)}
_FASTER: Backend = "openvino" if find_spec("openvino") else "onnxruntime"
BACKENDS: dict[str, tuple[Backend, Backend]] = {
    "accurate": (_FASTER, "onnxruntime"),
    "fast": ("onnxruntime", "onnxruntime"),
}
"""Backend of detector and recogniser. The small detector took 452 ms a page in OpenVINO (32 bits) and 1569 ms in
onnxruntime on the same twelve receipts and busy cores, with the same boxes; for the other three networks OpenVINO was no
faster. OpenVINO has no build for every processor; without it the small detector runs in onnxruntime as well."""


class Reader:
    """Reads pages and single lines; safe to call from several threads.

    Args:
        files: by name (`reader_files`).
        mode: ``accurate`` or ``fast``.
        threads: CPU threads that one call uses.
    """

    def __init__(self, files: dict[str, Path], *, mode: str, threads: int) -> None:
        detector, recogniser = files[DETECTOR].read_bytes(), files[RECOGNISER].read_bytes()
        find_with, read_with = BACKENDS[mode]
        self._pool = ThreadPoolExecutor(threads, "read") if threads > 1 else None
        characters = graph_characters(recogniser, files.get(CHARACTERS))
        self._detector = Detector(open_session(detector, threads=threads, backend=find_with), SETTINGS[mode])
        # One thread a batch and several batches side by side use the cores better than many threads on one batch.
        session = open_session(
            greedy_graph(recogniser),
            threads=threads if read_with == "openvino" else 1,
            backend=read_with,
            streams=threads,
        )
        self._recogniser = Recogniser(session, characters, self._pool)

    @classmethod
    def from_weights(cls, mode: str, *, threads: int) -> "Reader":
        """The base reader of a mode.

        Raises:
            Broken: ``weights_missing``.
        """
        return cls(reader_files(mode), mode=mode, threads=threads)

    @classmethod
    def load(cls, folder: Path, *, mode: str, threads: int) -> "Reader":
        """The reader in a model folder.

        Raises:
            OSError, KeyError, ValueError: files are missing or damaged.
        """
        return cls(folder_files(folder), mode=mode, threads=threads)

    @staticmethod
    def key_of(mode: str) -> str:
        """Names the base reader of a mode and everything that its results depend on."""
        digest = hashlib.sha256(repr((SETTINGS[mode], BACKENDS[mode], LEAST_SCORE, DOUBTFUL)).encode())
        for path in reader_files(mode).values():
            digest.update(str(path.stat().st_size).encode())
        return f"{mode}-{digest.hexdigest()[:12]}"

    def read(self, picture: Picture) -> list[TextLine]:
        """Lines of a page; a picture that is a single line gives one line over the whole of it (or none)."""
        if is_line(picture):
            line = self.read_line(picture)
            return [line] if line.text else []
        quads = self._detector(picture)
        readings = self._read_all([cut(picture, quad) for quad in quads])
        return [
            TextLine(text=text, score=score, polygon=_polygon(quad, turned=turned))
            for quad, (text, score, turned) in zip(quads, readings, strict=True)
            if text.strip() and score >= LEAST_SCORE
        ]

    def read_line(self, picture: Picture) -> TextLine:
        """The text of a picture that is one line; empty when nothing can be read."""
        height, width = picture.shape[:2]
        [(text, score)] = self._recogniser([picture])
        whole = ((0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height)))
        return TextLine(text=text.strip(), score=score, polygon=whole)

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


def is_line(picture: Picture) -> bool:
    """Whether a picture is taken for a single line of text, by its size alone."""
    height, width = picture.shape[:2]
    return bool(height <= LINE_HEIGHT or (width >= LINE_RATIO * height and height <= 3 * LINE_HEIGHT))


def _polygon(quad: np.ndarray, *, turned: bool) -> tuple[tuple[float, float], ...]:
    """Corners in reading order: an upside-down line begins at its lower right corner."""
    corners = [(float(x), float(y)) for x, y in quad]
    width = np.linalg.norm(quad[0] - quad[1])
    if np.linalg.norm(quad[0] - quad[3]) >= 1.5 * width:  # read from bottom to top
        corners = corners[3:] + corners[:3]
    return tuple(corners[2:] + corners[:2]) if turned else tuple(corners)
