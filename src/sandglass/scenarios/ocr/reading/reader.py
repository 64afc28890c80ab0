"""The reader: a picture in, lines of text out."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from sandglass.core.picture import Picture
from sandglass.core.prediction import TextLine
from sandglass.scenarios.neural.sessions import Backend, open_session
from sandglass.scenarios.ocr.reading.detect import Detector, DetectorSettings, cut
from sandglass.scenarios.ocr.reading.files import CHARACTERS, DETECTOR, RECOGNISER, folder_files, reader_files
from sandglass.scenarios.ocr.reading.found import DOUBTFUL, LEAST_SCORE, Found, FoundReader

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
        single_lines: every picture is one line of text, whatever its size.
    """

    def __init__(self, files: Mapping[str, Path], *, mode: str, threads: int, single_lines: bool = False) -> None:
        self._single_lines = single_lines
        detector, recogniser = files[DETECTOR].read_bytes(), files[RECOGNISER].read_bytes()
        find_with, read_with = BACKENDS[mode]
        self._pool = ThreadPoolExecutor(threads, "read") if threads > 1 else None
        self._detector = Detector(open_session(detector, threads=threads, backend=find_with), SETTINGS[mode])
        self._lines = FoundReader.open(
            recogniser, files.get(CHARACTERS), threads=threads, pool=self._pool, backend=read_with
        )

    @classmethod
    def from_weights(cls, mode: str, *, threads: int) -> "Reader":
        """The base reader of a mode.

        Raises:
            Broken: ``weights_missing``.
        """
        return cls(reader_files(mode), mode=mode, threads=threads)

    @classmethod
    def load(cls, folder: Path, *, mode: str, threads: int, single_lines: bool = False) -> "Reader":
        """The reader in a model folder.

        Raises:
            OSError, KeyError, ValueError: files are missing or damaged.
        """
        return cls(folder_files(folder), mode=mode, threads=threads, single_lines=single_lines)

    @staticmethod
    def key_of(mode: str) -> str:
        """Names the base reader of a mode and everything that its results depend on."""
        digest = hashlib.sha256(repr((SETTINGS[mode], BACKENDS[mode], LEAST_SCORE, DOUBTFUL)).encode())
        for path in reader_files(mode).values():
            digest.update(str(path.stat().st_size).encode())
        return f"{mode}-{digest.hexdigest()[:12]}"

    def read(self, picture: Picture) -> list[TextLine]:
        """Lines of a page; a picture that is a single line gives one line over the whole of it (or none)."""
        return self.read_found(self.find(picture))

    def find(self, picture: Picture) -> list[Found]:
        """Lines of a page, cut out but not read; one over all of a picture that is a single line."""
        if self._single_lines or is_line(picture):
            height, width = picture.shape[:2]
            whole = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
            return [Found(whole, picture, whole=True)]
        return [Found(quad, cut(picture, quad)) for quad in self._detector(picture)]

    def read_found(self, found: Sequence[Found]) -> list[TextLine]:
        """The text of lines that `find` found; those without text or confidence are left out."""
        return self._lines(found)

    def read_line(self, picture: Picture) -> TextLine:
        """The text of a picture that is one line; empty when nothing can be read."""
        height, width = picture.shape[:2]
        [(text, score)] = self._lines.read([picture])
        whole = ((0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height)))
        return TextLine(text=text.strip(), score=score, polygon=whole)


def is_line(picture: Picture) -> bool:
    """Whether a picture is taken for a single line of text, by its size alone."""
    height, width = picture.shape[:2]
    return bool(height <= LINE_HEIGHT or (width >= LINE_RATIO * height and height <= 3 * LINE_HEIGHT))
