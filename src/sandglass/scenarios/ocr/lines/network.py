"""A recogniser that learns: features of a line from the base graph, and a head with one column per character."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
import torch.nn.functional as F  # noqa: N812
from onnx import ModelProto
from torch import Tensor, nn

from sandglass.scenarios.neural.onnx_module import OnnxModule, logits_of, plain_graph
from sandglass.scenarios.ocr.lines.charset import BLANK, Charset
from sandglass.scenarios.ocr.reading.recognise import graph_characters


@dataclass(frozen=True)
class _Head:
    """Where the head of a recogniser's graph is: features @ weight + bias = logits."""

    features: str
    weight: str
    bias: str


def _find_head(model: ModelProto) -> _Head:
    maker = {output: node for node in model.graph.node for output in node.output}
    summed = maker[logits_of(model)]
    product = next(maker[item] for item in summed.input if item in maker)
    if (summed.op_type, product.op_type) != ("Add", "MatMul"):
        raise ValueError("the recogniser does not end in a linear layer")
    bias = next(item for item in summed.input if item not in maker)
    return _Head(product.input[0], product.input[1], bias)


class LineNetwork(nn.Module):
    """A CTC recogniser that can be trained, with its characters.

    Source: A. Graves et al., Connectionist Temporal Classification, ICML 2006.

    Args:
        graph: ONNX file of the recogniser.
        characters: its listed characters; None = they are in the graph's metadata.
    """

    def __init__(self, graph: Path, characters: Path | None = None) -> None:
        super().__init__()
        data = graph.read_bytes()
        model = plain_graph(onnx.load_from_string(data))
        self.charset = Charset(tuple(graph_characters(data, characters)))
        self._head = _find_head(model)
        self.body = OnnxModule(model, result=self._head.features)
        for parameter in self.body.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

    def grow(self, characters: Sequence[str]) -> None:
        """Add columns for further characters; they begin as the mean of all with a little noise."""
        if not characters:
            return
        self.charset, old = self.charset.grown(characters)
        weight, bias = self._weight.detach(), self._bias.detach()
        generator = torch.Generator().manual_seed(len(self.charset))
        noise = torch.randn(weight.shape[0], len(old), generator=generator) * float(weight.std())
        wide = weight.mean(1, keepdim=True) + noise
        # Rare characters of the base have a low bias: a new one begins like those.
        low = torch.full((len(old),), float(bias.quantile(0.1)))
        kept = torch.tensor([number for number in old if number >= 0])
        places = torch.tensor([place for place, number in enumerate(old) if number >= 0])
        wide[:, places], low[places] = weight[:, kept], bias[kept]
        self.body.set_weight(self._head.weight, wide)
        self.body.set_weight(self._head.bias, low)

    @property
    def _weight(self) -> nn.Parameter:
        return self.body.weight(self._head.weight)

    @property
    def _bias(self) -> nn.Parameter:
        return self.body.weight(self._head.bias)

    def features(self, lines: Tensor) -> Tensor:
        """(lines, positions, width) features of (lines, 3, 48, pixels) pictures, -1..1 BGR."""
        result: Tensor = self.body(lines)
        return result

    def forward(self, lines: Tensor, classes: Tensor | None = None) -> Tensor:
        """(lines, positions, classes) logits.

        Args:
            lines: (lines, 3, 48, pixels).
            classes: the classes to answer for; None = all. A head over 18,710 characters costs as much as the rest of
                the network, and most languages use a few dozen of them.
        """
        weight, bias = self._weight, self._bias
        if classes is not None:
            weight, bias = weight[:, classes], bias[classes]  # type: ignore[assignment]
        return F.linear(self.features(lines), weight.t(), bias)

    def to_onnx(self) -> bytes:
        """The recogniser as a graph that carries its characters."""
        listed = self.charset.characters[BLANK + 1 : -1]
        return self.body.to_onnx(metadata={"character": "\n".join(listed)}, output_size=len(self.charset))

    def copy(self) -> "LineNetwork":
        """A copy of its own."""
        return deepcopy(self)
