"""Features of frozen backbones, computed once per picture and view and shared by all candidates of a run."""

import time
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from sandglass.core.picture import Picture
from sandglass.scenarios.classification.augment import LIGHT, Symmetries, seen_from, varied
from sandglass.scenarios.classification.backbone import FEATURES, EfficientNetLite, pretrained_backbone
from sandglass.scenarios.classification.pictures import PictureStore
from sandglass.scenarios.classification.preprocess import Shape, fitted, normalised
from sandglass.scenarios.neural.graph import onnx_graph
from sandglass.scenarios.neural.precision import Precision
from sandglass.scenarios.neural.sessions import OnnxSession

Floats = npt.NDArray[np.float32]
View = str
"""``plain``, a symmetry (see `augment.seen_from`), or ``crop:N``, the N-th varied version."""

CHUNK = 16
"""Pictures encoded at once."""


class Encoder:
    """A frozen backbone as a function of pictures: in onnxruntime on a CPU, which is faster there, in torch on a GPU."""

    def __init__(self, network: EfficientNetLite, shape: Shape, device: Literal["cpu", "cuda"], threads: int) -> None:
        self._device = device
        self._network = network
        self._precision = Precision(device)
        self._session: OnnxSession | None = None
        if device == "cpu":
            example = torch.zeros(1, 3, shape.height, shape.width)
            self._session = OnnxSession(onnx_graph(network, example, outputs=["features"]), threads)
        else:
            self._network = network.to(device)

    def __call__(self, pictures: npt.NDArray[np.uint8]) -> Floats:
        """(N, H, W, 3) uint8 BGR → (N, 1280)."""
        batch = normalised(pictures)
        if self._session is not None:
            return np.asarray(self._session(batch)[0], np.float32)
        with torch.inference_mode(), self._precision.forward():
            return np.asarray(self._network(torch.from_numpy(batch).to(self._device)).float().cpu().numpy())


class FeatureBank:
    """Features by backbone, shape and view; what was computed stays.

    Args:
        store: the pictures.
        device: to compute on.
        threads: CPU threads.
    """

    def __init__(self, store: PictureStore, device: Literal["cpu", "cuda"], threads: int) -> None:
        self.store = store
        self._device, self._threads = device, threads
        self._encoders: dict[tuple[str, Shape], Encoder] = {}
        self._arrays: dict[tuple[str, Shape, View], tuple[Floats, npt.NDArray[np.bool_]]] = {}

    def _array(self, variant: str, shape: Shape, view: View) -> tuple[Floats, npt.NDArray[np.bool_]]:
        key = (variant, shape, view)
        if key not in self._arrays:
            count = len(self.store)
            self._arrays[key] = (np.zeros((count, FEATURES), np.float32), np.zeros(count, bool))
        return self._arrays[key]

    def missing(self, variant: str, shape: Shape, view: View, indices: Sequence[int]) -> list[int]:
        """Those of ``indices`` that are not computed yet, in order."""
        known = self._array(variant, shape, view)[1]
        return [index for index in indices if not known[index]]

    def compute(
        self,
        variant: str,
        shape: Shape,
        view: View,
        indices: Sequence[int],
        *,
        seconds: float = float("inf"),
        over: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Compute what is missing of ``indices`` for about ``seconds``; return whether all are there."""
        end = time.monotonic() + seconds
        values, known = self._array(variant, shape, view)
        todo = self.missing(variant, shape, view, indices)
        for start in range(0, len(todo), CHUNK):
            if over() or time.monotonic() > end:
                return False
            chunk = todo[start : start + CHUNK]
            values[chunk] = self._encoder(variant, shape)(self._seen(chunk, shape, view))
            known[chunk] = True
        return True

    def _seen(self, chunk: Sequence[int], shape: Shape, view: View) -> npt.NDArray[np.uint8]:
        if view.startswith("crop:"):
            number = int(view.removeprefix("crop:"))

            def crop(_position: int, index: int) -> Picture:
                random = np.random.default_rng((number, index))
                return varied(self.store.picture(index), shape, LIGHT, Symmetries(), random)

            return self.store.map(chunk, crop)
        pictures = self.store.map(chunk, lambda _position, index: fitted(self.store.picture(index), shape))
        return pictures if view == "plain" else seen_from(pictures, view)

    def get(self, variant: str, shape: Shape, view: View, indices: Sequence[int]) -> Floats:
        """(n, 1280) features that were computed before."""
        values, known = self._array(variant, shape, view)
        chosen = np.asarray(indices, np.int64)
        assert known[chosen].all(), "features were asked for before they were computed"
        return values[chosen]

    def _encoder(self, variant: str, shape: Shape) -> Encoder:
        if (variant, shape) not in self._encoders:
            network = pretrained_backbone(variant)
            self._encoders[variant, shape] = Encoder(network, shape, self._device, self._threads)
        return self._encoders[variant, shape]
