"""Write a torch network down as an ONNX graph, and prove that it answers the same."""

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sandglass.core.errors import Broken
from sandglass.core.text import Text
from sandglass.scenarios.neural.sessions import OnnxSession

OPSET = 17
TOLERANCE = 1e-4
"""Largest difference between torch and ONNX, relative to the largest output (or to 1)."""


def onnx_graph(
    network: nn.Module,
    example: Tensor,
    *,
    outputs: Sequence[str],
    free: Mapping[int, str] | None = None,
    tolerance: float = TOLERANCE,
) -> bytes:
    """The ONNX graph of a network with one input ``picture``, run once to prove that it answers like its source.

    Args:
        network: in evaluation mode, on the CPU.
        example: input of the shape to trace with; its values are compared on.
        outputs: names of the outputs, in order.
        free: axes of input and outputs that may have any length; None = the first (the batch).
        tolerance: see `TOLERANCE`.

    Raises:
        Broken: ``export_differs``, the graph answers otherwise than the network.
    """
    axes = dict(free or {0: "batch"})
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        path = Path(folder) / "graph.onnx"
        warnings.simplefilter("ignore")  # the tracing exporter warns of its successor, which needs a further package
        torch.onnx.export(
            network,
            (example,),
            path,
            input_names=["picture"],
            output_names=list(outputs),
            dynamic_axes={"picture": axes, **{name: {0: axes[0]} for name in outputs if 0 in axes}},
            opset_version=OPSET,
            dynamo=False,
        )
        expected = network(example)
        graph = path.read_bytes()
    wanted = [expected] if isinstance(expected, Tensor) else list(expected)
    found = OnnxSession(graph, threads=1)(example.numpy())
    for name, source, answer in zip(outputs, wanted, found, strict=True):
        reference = source.numpy()
        off = float(np.abs(reference - answer).max(initial=0.0)) / max(1.0, float(np.abs(reference).max(initial=0.0)))
        if not off <= tolerance:
            raise Broken(
                "export_differs",
                Text(
                    en=f"The exported graph differs from the network by {off:.2g} in '{name}'.",
                    zh=f"导出的模型与训练网络在“{name}”上相差 {off:.2g}。",
                ),
                Text(en="Report this with the run's log.", zh="请附上运行日志反馈此问题。"),
            )
    return graph
