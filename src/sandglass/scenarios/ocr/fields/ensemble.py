"""The averaged ensemble of field networks: in torch while learning, as an ONNX graph for serving."""

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sandglass.core.geometry import Box
from sandglass.core.prediction import TextLine
from sandglass.scenarios.ocr.fields.extractor import INPUTS, network_feed
from sandglass.scenarios.ocr.fields.features import FEATURES, Floats, Stream, page_arrays, stream
from sandglass.scenarios.ocr.fields.model import FieldNetwork, NetworkInput, NetworkOutput
from sandglass.scenarios.ocr.fields.vocabulary import Vocabulary
from sandglass.scenarios.ocr.page import make_page

OPSET = 17


class Ensemble(nn.Module):
    """Averages the probabilities of its members; one page at a time."""

    def __init__(self, members: Sequence[FieldNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, *parts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Probabilities of characters (length, 1 + fields), lines (lines, fields, 3) and missing (fields,)."""
        batch = NetworkInput(*parts)
        told = [_probabilities(member(batch)) for member in self.members]
        characters, lines, missing = (torch.stack(parts).mean(0) for parts in zip(*told, strict=True))
        return characters, lines, missing


def _probabilities(output: NetworkOutput) -> tuple[Tensor, Tensor, Tensor]:
    holds = torch.cat([output.lines[..., 0], output.missing[:, None]], 1).softmax(1)
    ends = output.lines[..., 1:].softmax(1)
    lines = torch.cat([holds[:, :-1, :, None], ends], -1)
    return output.characters.softmax(-1), lines[0], holds[0, -1]


class TorchNetwork:
    """The ensemble in torch, for answers while learning."""

    def __init__(self, ensemble: Ensemble, device: str) -> None:
        self._ensemble, self._device = ensemble, device

    def __call__(self, laid: Stream) -> tuple[Floats, Floats, Floats]:
        feed = network_feed(laid)
        with torch.inference_mode():
            parts = self._ensemble(*(torch.from_numpy(feed[name]).to(self._device) for name in INPUTS))
        characters, lines, missing = (part.cpu().numpy() for part in parts)
        return characters, lines, missing


def export_graph(ensemble: Ensemble, fields: int) -> bytes:
    """The ensemble as an ONNX graph with free numbers of characters and lines."""
    page = _example_page()
    feed = network_feed(page)
    feed["features"] = np.zeros((1, len(page.rows), FEATURES + fields), np.float32)
    along = {name: {0: "length"} for name in ("characters", "classes", "words", "line_of", "character")}
    across = {name: {1: "lines"} for name in ("features", "rows", "mask")}
    free = {**along, **across, "places": {0: "lines", 1: "longest"}, "line": {0: "lines"}}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter warns of its successor, which needs a further package
        path = Path(folder) / "fields.onnx"
        torch.onnx.export(
            ensemble.cpu(),
            tuple(torch.from_numpy(feed[name]) for name in INPUTS),
            path,
            input_names=list(INPUTS),
            output_names=["character", "line", "missing"],
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,
        )
        return path.read_bytes()


def _example_page() -> Stream:
    boxes = [Box(10, 20 * row, 90, 20 * row + 15) for row in range(3)]
    page = make_page(100, 100, [TextLine(text="ab 12", score=1.0, polygon=box.to_polygon()) for box in boxes])
    return stream(page_arrays(page, Vocabulary(characters={}, words={}), []))
