"""Decoded pictures of one run in one file of equal-sized arrays, so that learning never waits for a JPEG twice."""

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sandglass.core.errors import SandglassError
from sandglass.core.picture import Picture
from sandglass.scenarios.base import Example
from sandglass.scenarios.classification.preprocess import MEAN, Shape, fitted

MOST_BYTES = 4 << 30
"""Largest file of decoded pictures; pictures beyond it are decoded each time."""
DISK_SHARE = 0.25
"""Share of the free disk that the file may take."""
KEPT_FILES = 2
"""Files of former runs that are kept: the same data is often learnt from again."""
EMPTY, STORED, UNREADABLE = 0, 1, 2


class PictureStore:
    """Pictures of ``examples`` in one ``shape``, decoded when first asked for.

    The file is named by the pictures' digests and the shape, so another run over the same data finds it. Safe to call
    from several threads.

    Args:
        examples: pictures in a fixed order.
        shape: in which they are kept.
        cache: folder shared by all runs on this machine.
        threads: that decode side by side.
    """

    def __init__(self, examples: Sequence[Example], shape: Shape, cache: Path, *, threads: int) -> None:
        self.examples, self.shape = examples, shape
        folder = cache / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        size = shape.area * 3
        room = min(MOST_BYTES, int(shutil.disk_usage(folder).free * DISK_SHARE))
        self.room = min(len(examples), room // size)
        """Number of pictures that the file holds, from the first on."""
        names = "\n".join(example.sample.digest or f"?{example.sample.path}" for example in examples)
        key = hashlib.sha256(f"{shape.height}x{shape.width}\n{self.room}\n{names}".encode()).hexdigest()[:32]
        self._array, self._state = self._open(folder, key)
        self._pool = ThreadPoolExecutor(max(1, threads), "decode")
        self.unreadable: dict[int, str] = {}

    def _open(self, folder: Path, key: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        _forget_old(folder, key)
        path, state = folder / f"{key}.pixels", folder / f"{key}.state"
        shape = (max(1, self.room), self.shape.height, self.shape.width, 3)
        if not (path.exists() and path.stat().st_size == int(np.prod(shape)) and state.exists()):
            state.unlink(missing_ok=True)
            np.memmap(path, np.uint8, "w+", shape=shape)
            np.memmap(state, np.uint8, "w+", shape=(shape[0],))
        os.utime(path)
        return np.memmap(path, np.uint8, "r+", shape=shape), np.memmap(state, np.uint8, "r+", shape=(shape[0],))

    def __len__(self) -> int:
        return len(self.examples)

    def picture(self, index: int) -> Picture:
        """One picture in `shape`, BGR; grey all over when it cannot be read (it is then listed in `unreadable`)."""
        kept = index < self.room
        if kept and self._state[index] == STORED:
            kept_picture: Picture = self._array[index]
            return kept_picture
        picture = self._decode(index)
        if kept and index not in self.unreadable:
            self._array[index] = picture
            self._state[index] = STORED
        return picture

    def _decode(self, index: int) -> Picture:
        try:
            return fitted(self.examples[index].picture(), self.shape)
        except SandglassError as error:
            self.unreadable[index] = str(error)
            return np.full((self.shape.height, self.shape.width, 3), int(MEAN), np.uint8)

    def map(self, indices: Sequence[int], work: Callable[[int, int], Picture]) -> npt.NDArray[np.uint8]:
        """``work(position, index)`` for each index, side by side, stacked in order."""
        return np.stack(list(self._pool.map(work, range(len(indices)), indices)))

    def read(self, indices: Sequence[int]) -> npt.NDArray[np.uint8]:
        """(n, H, W, 3) pictures, decoded side by side."""
        return self.map(indices, lambda _position, index: self.picture(index))


def _forget_old(folder: Path, key: str) -> None:
    """Remove all but the newest files of other runs; one that is still open elsewhere lives on until it is closed."""
    others = [path for path in folder.glob("*.pixels") if path.stem != key]
    for path in sorted(others, key=lambda path: path.stat().st_mtime)[:-KEPT_FILES]:
        path.unlink(missing_ok=True)
        path.with_suffix(".state").unlink(missing_ok=True)
