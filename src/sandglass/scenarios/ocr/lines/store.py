"""Pictures of lines, cut out once and kept in one file that is mapped into memory: memory stays flat at any number."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from sandglass.core.picture import Picture
from sandglass.scenarios.ocr.reading.recognise import HEIGHT, WIDEST


class LineStore:
    """Lines of 48 pixels height, by number.

    Args:
        file: made anew; its folder exists.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        file.write_bytes(b"")
        self._starts = [0]
        self._widths: list[int] = []
        self._channels: list[int] = []
        self._mapped: npt.NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self._widths)

    @property
    def widths(self) -> list[int]:
        """Width of each line in pixels, at a height of 48."""
        return self._widths

    def add(self, line: Picture) -> int:
        """Keep a line and tell its number.

        Raises:
            OSError: the disk is full.
        """
        width = int(min(WIDEST, max(1, -(-HEIGHT * line.shape[1] // max(1, line.shape[0])))))
        resized = cv2.resize(line, (width, HEIGHT))
        grey = bool((resized[..., :1] == resized[..., 1:]).all())
        data = np.ascontiguousarray(resized[..., 0] if grey else resized)
        with self._file.open("ab") as opened:
            opened.write(data.tobytes())
        self._widths.append(width)
        self._channels.append(1 if grey else 3)
        self._starts.append(self._starts[-1] + data.size)
        self._mapped = None
        return len(self._widths) - 1

    def __getitem__(self, number: int) -> Picture:
        """(48, width, 3) uint8 BGR; a view of the file or, for a grey line, a copy."""
        if self._mapped is None:
            self._mapped = np.memmap(self._file, np.uint8, "r")
        start, end = self._starts[number], self._starts[number + 1]
        stored = self._mapped[start:end].reshape(HEIGHT, self._widths[number], self._channels[number])
        return np.asarray(stored) if stored.shape[2] == 3 else np.repeat(stored, 3, axis=2)
