"""The published NanoDet-g weights (COCO, 80 labels) out of a TensorFlow.js graph model.

Format: https://github.com/tensorflow/tfjs/blob/master/tfjs-converter/README.md, a JSON with the graph's nodes and a
manifest of weights that lie one after the other in binary files, maybe quantised.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sandglass.core.errors import Broken
from sandglass.core.text import Text
from sandglass.pretrained import locate
from sandglass.scenarios.detection.coco import COCO
from sandglass.scenarios.detection.network.nanodet import NanoDet

GRAPH, VALUES = "detection/nanodet-g.json", "detection/nanodet-g.bin"
"""Names in the catalogue of weights."""
SCOPE = "PartitionedCall/"
STORED = {"float16": "<f2", "uint8": "u1", "uint16": "<u2"}
PLAIN = {"float32": "<f4", "int32": "<i4", "bool": "u1"}


def read_weights(graph: dict[str, Any], values: bytes) -> dict[str, np.ndarray]:
    """All weights of a graph model by name, in the type and shape that its manifest tells.

    Raises:
        ValueError: the manifest and the binary file do not fit each other.
    """
    weights: dict[str, np.ndarray] = {}
    at = 0
    for group in graph["weightsManifest"]:
        for item in group["weights"]:
            quantised = item.get("quantization")
            kind = np.dtype(STORED[quantised["dtype"]] if quantised else PLAIN[item["dtype"]])
            count = int(np.prod(item["shape"], dtype=np.int64))
            array = np.frombuffer(values, kind, count, at)
            at += count * kind.itemsize
            if quantised and quantised["dtype"] != "float16":
                array = array.astype(np.float32) * quantised["scale"] + quantised["min"]
            wanted = np.dtype(bool) if item["dtype"] == "bool" else np.dtype(PLAIN[item["dtype"]])
            weights[item["name"]] = array.astype(wanted).reshape(item["shape"])
    if at != len(values):
        raise ValueError(f"the manifest tells of {at} bytes, the file has {len(values)}")
    return weights


def published_network(folder: Path | None = None) -> NanoDet:
    """NanoDet-g for COCO's 80 labels, in evaluation mode.

    Raises:
        Broken: ``weights_missing`` or ``weights_damaged``.
    """
    graph_path, values_path = locate(GRAPH, folder), locate(VALUES, folder)
    network = NanoDet(len(COCO))
    try:
        graph = json.loads(graph_path.read_bytes())
        weights = read_weights(graph, values_path.read_bytes())
        nodes = {node["name"]: node for node in graph["modelTopology"]["node"]}
        added = {node["input"][0]: node["input"][1] for node in nodes.values() if node["op"] in ("Add", "AddV2")}
        with torch.no_grad():
            for number, layer in enumerate(network.convolutions()):
                name = f"{SCOPE}convolution" + (f"_{number}" if number else "")
                kernel = weights[nodes[name]["input"][1]].transpose(3, 2, 0, 1)
                assert layer.bias is not None
                layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(kernel)))
                layer.bias.copy_(torch.from_numpy(weights[added[name]].reshape(-1).copy()))
    except (KeyError, ValueError, RuntimeError) as error:
        raise Broken(
            "weights_damaged",
            Text(en=f"{graph_path.name} cannot be read: {error}", zh=f"无法读取 {graph_path.name}：{error}"),
            Text(en="Pull it again: 'sandglass weights pull'.", zh="请重新获取：sandglass weights pull。"),
        ) from error
    return network.eval()
