"""Labelled pictures ready to learn from: decoded once, no larger than needed, kept in memory as far as it reaches."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from sandglass.core.annotation import ObjectsAnnotation
from sandglass.core.errors import InvalidInput, TooLarge
from sandglass.core.picture import Picture
from sandglass.scenarios.base import Example
from sandglass.scenarios.detection.grid import Floats
from sandglass.scenarios.detection.view import scaled

LARGEST = 1600
"""Longer side, pixels, to which larger pictures are shrunk once and for all runs."""
MEMORY = 900 * 2**20
"""Bytes of decoded pictures that are kept."""


@dataclass(frozen=True)
class Labelled:
    """Objects of one picture, in shares 0..1 of its width and height.

    Attributes:
        boxes: (G, 4).
        labels: (G,) label numbers.
        crowds: (C, 4) regions with objects that are not told apart.
    """

    boxes: Floats
    labels: np.ndarray
    crowds: Floats


def labelled(example: Example, labels: Sequence[str]) -> Labelled:
    """What is labelled on an example; other labels than ``labels`` are left out, difficult objects count."""
    annotation = example.sample.annotation
    assert isinstance(annotation, ObjectsAnnotation)
    number = {label: index for index, label in enumerate(labels)}
    size = np.array([example.sample.width, example.sample.height] * 2, np.float32)
    known = [shape for shape in annotation.objects if shape.label in number and shape.box.area > 0]
    single = [shape for shape in known if not shape.crowd]
    crowds = [shape.box for shape in known if shape.crowd]
    return Labelled(
        np.array([shape.box for shape in single], np.float32).reshape(-1, 4) / size,
        np.array([number[shape.label] for shape in single], np.int64),
        np.array(crowds, np.float32).reshape(-1, 4) / size,
    )


class Shelf:
    """Pictures by sample; safe to call from several threads.

    Args:
        cache: folder for pictures that had to be shrunk, by digest; shared by runs.
        long_side: pixels that are ever needed of a picture's longer side.

    Attributes:
        unreadable: path → reason, of pictures that could not be read.
    """

    def __init__(self, cache: Path, long_side: int) -> None:
        self._folder = cache / "pictures" / str(LARGEST)
        self._long_side = min(long_side, LARGEST)
        self._kept: dict[str, Picture] = {}
        self.unreadable: dict[str, str] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def picture(self, example: Example) -> Picture:
        """The picture, its longer side at most as long as is needed.

        Raises:
            InvalidInput: it cannot be read.
            TooLarge: it has too many pixels.
        """
        key = example.sample.path
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        picture = self._read(example)
        if max(picture.shape[:2]) > self._long_side:
            picture, _ = scaled(picture, self._long_side)
        with self._lock:
            if key not in self._kept and self._bytes + picture.nbytes <= MEMORY:
                self._kept[key] = picture
                self._bytes += picture.nbytes
        return picture

    def try_picture(self, example: Example) -> Picture | None:
        """The picture, or None when it cannot be read; the reason is kept in `unreadable`."""
        if example.sample.path in self.unreadable:
            return None
        try:
            return self.picture(example)
        except (InvalidInput, TooLarge) as error:
            with self._lock:
                self.unreadable[example.sample.path] = str(error)
            return None

    def shrink(self, example: Example) -> None:
        """Make the shrunk copy of a large picture, if there is none yet; smaller pictures need none."""
        if max(example.sample.width, example.sample.height) > LARGEST and example.sample.digest:
            try:
                self._read(example)
            except (InvalidInput, TooLarge) as error:
                self.unreadable[example.sample.path] = str(error)

    def _read(self, example: Example) -> Picture:
        digest = example.sample.digest
        path = self._folder / digest[:2] / f"{digest}.jpg"
        if digest and path.is_file():
            shrunk = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if shrunk is not None:
                return np.asarray(shrunk, np.uint8)
            path.unlink(missing_ok=True)  # cut off when it was written: make it anew
        picture = example.picture()
        if max(picture.shape[:2]) <= LARGEST:
            return picture
        shrunk, _ = scaled(picture, LARGEST)
        if digest:
            path.parent.mkdir(parents=True, exist_ok=True)
            done, encoded = cv2.imencode(".jpg", shrunk, [cv2.IMWRITE_JPEG_QUALITY, 95])
            if done:
                temporary = path.with_suffix(f".{threading.get_ident()}.tmp")
                temporary.write_bytes(encoded.tobytes())
                temporary.replace(path)
        return shrunk
