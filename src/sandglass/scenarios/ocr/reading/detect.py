"""Find lines of text on a page: a segmentation network (differentiable binarisation) and boxes around its blobs.

Source: M. Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sandglass.core.picture import Picture
from sandglass.scenarios.neural.sessions import Session

Quads = npt.NDArray[np.float32]
"""(boxes, 4, 2) corners from the top left, clockwise, in pixels of the picture."""


@dataclass(frozen=True)
class DetectorSettings:
    """Numbers of the detector.

    Attributes:
        shortest: a picture whose shorter side has fewer pixels is enlarged to it.
        longest: a picture whose longer side has more pixels is made smaller.
        pixel: probability from which a pixel is text.
        box: mean probability inside a box from which it is a line.
        unclip: how far boxes are grown, in area / circumference (the network learnt shrunken ones).
    """

    shortest: int = 736
    longest: int = 1600
    pixel: float = 0.3
    box: float = 0.5
    unclip: float = 1.6


class Detector:
    """Finds lines with a network that gives a probability per pixel."""

    def __init__(self, session: Session, settings: DetectorSettings) -> None:
        self._session = session
        self._settings = settings

    def __call__(self, picture: Picture) -> Quads:
        """Boxes of lines, (boxes, 4, 2) float32, in no order."""
        height, width = picture.shape[:2]
        resized = self._resize(picture)
        batch = np.ascontiguousarray(resized.transpose(2, 0, 1)[None], np.float32)
        batch *= 1 / 127.5
        batch -= 1
        probabilities = np.ascontiguousarray(self._session(batch)[0][0, 0])
        quads = self._boxes(probabilities)
        if not len(quads):
            return quads
        scale = np.array([width / probabilities.shape[1], height / probabilities.shape[0]], np.float32)
        quads = np.clip(np.round(quads * scale), 0, [width, height]).astype(np.float32)
        sides = np.linalg.norm(quads - np.roll(quads, -1, axis=1), axis=2)
        return np.asarray(quads[(sides[:, 0] > 3) & (sides[:, 1] > 3)], np.float32)

    def _resize(self, picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        scale = max(1.0, self._settings.shortest / min(height, width))
        scale = min(scale, self._settings.longest / max(height, width))
        size = [max(32, round(side * scale / 32) * 32) for side in (width, height)]
        return cv2.resize(picture, size)  # type: ignore[return-value]

    def _boxes(self, probabilities: npt.NDArray[np.float32]) -> Quads:
        text = (probabilities > self._settings.pixel).astype(np.uint8)
        mask = cv2.dilate(text, np.ones((2, 2), np.uint8))
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        quads = []
        for contour in contours:
            centre, (width, height), angle = cv2.minAreaRect(contour)
            if min(width, height) < 3:
                continue
            corners = np.asarray(cv2.boxPoints((centre, (width, height), angle)), np.float32)
            if _mean_inside(probabilities, corners) < self._settings.box:
                continue
            # Growing a rectangle by a distance on all sides and boxing it again is the rectangle with longer sides.
            grow = 2 * self._settings.unclip * width * height / (2 * (width + height))
            if min(width, height) + grow < 5:
                continue
            quads.append(
                _clockwise(np.asarray(cv2.boxPoints((centre, (width + grow, height + grow), angle)), np.float32))
            )
        return np.array(quads, np.float32).reshape(-1, 4, 2)


def _mean_inside(probabilities: npt.NDArray[np.float32], corners: npt.NDArray[np.float32]) -> float:
    height, width = probabilities.shape
    low = np.clip(np.floor(corners.min(0)), 0, [width - 1, height - 1]).astype(int)
    high = np.clip(np.ceil(corners.max(0)), 0, [width - 1, height - 1]).astype(int)
    mask = np.zeros((high[1] - low[1] + 1, high[0] - low[0] + 1), np.uint8)
    cv2.fillPoly(mask, (corners - low).astype(np.int32)[None], 1)
    return float(cv2.mean(probabilities[low[1] : high[1] + 1, low[0] : high[0] + 1], mask)[0])


def _clockwise(corners: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Corners from the top left, clockwise: the two leftmost first, the upper of them is the top left."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = by_x[:2], by_x[2:]
    left, right = left[np.argsort(left[:, 1], kind="stable")], right[np.argsort(right[:, 1], kind="stable")]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def cut(picture: Picture, quad: npt.NDArray[np.float32]) -> Picture:
    """The upright rectangle under a box; one that is much higher than wide is turned by 90 degrees to the left."""
    width = max(1, int(max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[2] - quad[3]))))
    height = max(1, int(max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2]))))
    left, top = quad[0]
    upright = quad[1][0] > left and quad[3][1] > top  # a box may begin at any corner: its text may stand on its head
    straight = upright and abs(quad[0][1] - quad[1][1]) < 0.5 and abs(quad[0][0] - quad[3][0]) < 0.5
    if straight and left == int(left) and top == int(top):
        piece = picture[int(top) : int(top) + height, int(left) : int(left) + width]
        if piece.shape[:2] != (height, width):
            piece = cv2.copyMakeBorder(  # type: ignore[assignment]
                piece, 0, height - piece.shape[0], 0, width - piece.shape[1], cv2.BORDER_REPLICATE
            )
    else:
        target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
        piece = cv2.warpPerspective(  # type: ignore[assignment]
            picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC
        )
    if piece.shape[0] >= 1.5 * piece.shape[1]:
        piece = np.rot90(piece)
    return piece
