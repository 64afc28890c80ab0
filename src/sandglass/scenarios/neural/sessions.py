"""Run an ONNX graph: with onnxruntime, or with OpenVINO where it was measured to be faster at the same result."""

import os
import threading
from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import onnxruntime

Backend = Literal["onnxruntime", "openvino"]

# OpenVINO's Python package brings a telemetry client; it must never ask or send.
os.environ.setdefault("OPENVINO_TELEMETRY_OPT_OUT", "1")


class Session(Protocol):
    """A loaded graph with one input. Safe to call from several threads at once."""

    def __call__(self, batch: np.ndarray) -> list[np.ndarray]:
        """All outputs for one input array."""


class OnnxSession:
    """A graph in onnxruntime on the CPU.

    Args:
        graph: ONNX bytes.
        threads: that one call may use.
    """

    def __init__(self, graph: bytes, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Idle threads must not spin: several sessions share the same few cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: np.ndarray) -> list[np.ndarray]:
        outputs: list[np.ndarray] = self._session.run(None, {self._input: batch})
        return outputs


class OpenVinoSession:
    """A graph in OpenVINO on the CPU in full 32-bit precision (its default on new processors is 16 bits).

    Args:
        graph: ONNX bytes.
        threads: that one call may use.
        streams: calls that run side by side, each with its share of the threads.
    """

    def __init__(self, graph: bytes, threads: int, *, streams: int = 1) -> None:
        import openvino

        core = openvino.Core()
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
            "INFERENCE_PRECISION_HINT": "f32",
        }
        self._compiled = core.compile_model(core.read_model(graph, b""), "CPU", settings)
        self._local = threading.local()

    def __call__(self, batch: np.ndarray) -> list[np.ndarray]:
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        result = request.infer([batch], share_inputs=True, share_outputs=False)
        return [result[index] for index in range(len(result))]


def open_session(graph: bytes, *, threads: int, backend: Backend, streams: int = 1) -> Session:
    """Load a graph."""
    if backend == "openvino":
        return OpenVinoSession(graph, threads, streams=streams)
    return OnnxSession(graph, threads)


def padded(shape: Sequence[int], value: float = 0.0) -> np.ndarray:
    """A float32 array of ``shape`` filled with ``value``."""
    return np.full(shape, value, np.float32)
