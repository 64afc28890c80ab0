import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper

from sandglass.pretrained import locate
from sandglass.scenarios.neural.onnx_module import OnnxModule, logits_of, plain_graph

NETWORKS = {
    "ocr/ppocrv6-small-rec.onnx": (2, 3, 48, 352),
    "ocr/ppocrv6-tiny-rec.onnx": (2, 3, 48, 384),
    "ocr/ppocrv6-small-det.onnx": (1, 3, 160, 192),
    "ocr/ppocrv6-tiny-det.onnx": (1, 3, 160, 192),
}


def answers(graph, batch):
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: batch})[0]


def batch_of(shape):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_base_network_computes_in_torch_what_it_computes_in_onnxruntime(name):
    graph = locate(name).read_bytes()
    batch = batch_of(NETWORKS[name])
    module = OnnxModule(onnx.load_from_string(graph)).eval()
    with torch.no_grad():
        logits = module(torch.from_numpy(batch))
    activated = logits.softmax(-1) if "rec" in name else logits.sigmoid()
    assert np.abs(activated.numpy() - answers(graph, batch)).max() < 1e-4


@pytest.mark.parametrize("name", ["ocr/ppocrv6-small-rec.onnx", "ocr/ppocrv6-tiny-det.onnx"])
def test_an_untrained_network_is_written_back_unchanged(name):
    graph = locate(name).read_bytes()
    batch = batch_of(NETWORKS[name])
    again = OnnxModule(onnx.load_from_string(graph)).to_onnx()
    assert np.abs(answers(again, batch) - answers(graph, batch)).max() < 1e-5


def test_trained_weights_go_back_into_the_graph():
    graph = locate("ocr/ppocrv6-tiny-rec.onnx").read_bytes()
    module = OnnxModule(onnx.load_from_string(graph))
    batch = torch.from_numpy(batch_of((1, 3, 48, 320)))
    optimiser = torch.optim.SGD(module.parameters(), lr=0.01)
    module(batch).logsumexp(-1).mean().backward()
    optimiser.step()
    with torch.no_grad():
        expected = module(batch).softmax(-1).numpy()
    found = answers(module.to_onnx(), batch.numpy())
    assert np.abs(found - expected).max() < 1e-4
    assert np.abs(found - answers(graph, batch.numpy())).max() > 1e-4


def graph_of(nodes, inputs=(), weights=()):
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 4])
    return helper.make_model(helper.make_graph(nodes, "g", [value], [result], list(weights)))


def test_weights_that_share_a_name_are_not_tied():
    weight = helper.make_tensor("w", TensorProto.FLOAT, [4], [1.0, 2.0, 3.0, 4.0])
    nodes = [helper.make_node("Mul", ["x", "w"], ["a"]), helper.make_node("Add", ["a", "w"], ["y"])]
    module = OnnxModule(graph_of(nodes, weights=[weight]))
    assert len(list(module.parameters())) == 2


def test_only_the_steps_of_the_wanted_value_are_computed():
    weight = helper.make_tensor("w", TensorProto.FLOAT, [4], [2.0, 2.0, 2.0, 2.0])
    nodes = [
        helper.make_node("Mul", ["x", "w"], ["a"]),
        helper.make_node("Sqrt", ["a"], ["b"]),
        helper.make_node("Softmax", ["b"], ["y"], axis=1),
    ]
    model = graph_of(nodes, weights=[weight])
    assert logits_of(plain_graph(model)) == "b"
    x = torch.tensor([[-1.0, 0.0, 1.0, 2.0]])
    assert OnnxModule(model, result="a")(x).tolist() == [[-2.0, 0.0, 2.0, 4.0]]


def test_an_unknown_operator_is_named():
    with pytest.raises(ValueError, match="Hardmax"):
        OnnxModule(graph_of([helper.make_node("Hardmax", ["x"], ["y"])]))
