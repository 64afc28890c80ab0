"""The detector as an ONNX graph: any picture size of whole cells in, scores and side logits of all cells out."""

import torch

from sandglass.scenarios.detection.network.nanodet import NanoDet, Scored
from sandglass.scenarios.neural.graph import onnx_graph

OUTPUTS = ("scores", "sides")


def detector_graph(network: NanoDet) -> bytes:
    """The graph of a network on the CPU, proven to answer like it.

    Raises:
        Broken: ``export_differs``.
    """
    example = torch.randn(1, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    free = {0: "batch", 2: "height", 3: "width"}
    return onnx_graph(Scored(network).eval(), example, outputs=OUTPUTS, free=free)
