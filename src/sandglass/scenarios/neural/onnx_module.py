"""An ONNX graph as a trainable torch module: its weights are learnt on and written back into the very same graph.

So a base network from a package is fine-tuned and served without a conversion that could change what it computes.
Common groups of operators (GELU, SiLU, layer normalisation) are computed by one torch function each: the same numbers
with a third of the memory traffic.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn

from sandglass.scenarios.neural.operators import OPERATORS, Value


@dataclass(frozen=True)
class Step:
    """One operator of the plan.

    Attributes:
        operator: name in `OPERATORS`.
        inputs: names of values; ``""`` = left out.
        output: name of its value.
        attributes: of the operator.
    """

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any]


class OnnxModule(nn.Module):
    """A graph with one input and one output whose float weights are parameters.

    Statistics of batch normalisation and single numbers stay as they are. The last activation (softmax or sigmoid) is
    left out of `forward`, which answers logits.

    Args:
        model: the graph; it is not changed.
        result: the value that `forward` answers, named as in `plain_graph`; None = that of the output, before its last activation.

    Raises:
        ValueError: an operator is not known.
    """

    def __init__(self, model: ModelProto, *, result: str | None = None) -> None:
        super().__init__()
        self._model = plain_graph(model)
        graph = self._model.graph
        unknown = {node.op_type for node in graph.node} - set(OPERATORS)
        if unknown:
            raise ValueError(f"operators that cannot be learnt through: {', '.join(sorted(unknown))}")
        self._input = graph.input[0].name
        self._result = result or logits_of(self._model)
        self._constants: dict[str, Value] = {}
        self._keys: dict[str, str] = {}
        fixed = {name for node in graph.node if node.op_type == "BatchNormalization" for name in node.input[3:5]}
        for tensor in graph.initializer:
            self._take(tensor, fixed=tensor.name in fixed)
        steps = _needed(
            [Step(node.op_type, tuple(node.input), node.output[0], _attributes(node)) for node in graph.node],
            self._result,
        )
        shapes = {name: tuple(getattr(self, key).shape) for name, key in self._keys.items()}
        self._steps = _fused(steps, self._constants, shapes)
        self._last_use = _last_uses(self._steps, self._result)

    def _take(self, tensor: TensorProto, *, fixed: bool) -> None:
        array = numpy_helper.to_array(tensor)
        if array.dtype == np.float16:
            array = array.astype(np.float32)
        if array.dtype != np.float32:
            self._constants[tensor.name] = array.tolist()
        elif array.size == 1:
            self._constants[tensor.name] = float(array.reshape(()))
        elif array.size == 0:
            self._constants[tensor.name] = None
        else:
            key = "w_" + "".join(char if char.isalnum() else "_" for char in tensor.name)
            self._keys[tensor.name] = key
            value = torch.from_numpy(array.copy())
            if fixed:
                self.register_buffer(key, value)
            else:
                self.register_parameter(key, nn.Parameter(value))

    def forward(self, x: Tensor) -> Tensor:
        """The result for a batch: logits, unless another value was asked for."""
        values: dict[str, Value] = {self._input: x}
        for step, done in zip(self._steps, self._last_use, strict=True):
            inputs = [self._value(values, name) for name in step.inputs]
            values[step.output] = OPERATORS[step.operator](step.attributes, *inputs)
            for name in done:
                values.pop(name, None)
        result: Tensor = values[self._result]
        return result

    def _value(self, values: Mapping[str, Value], name: str) -> Value:
        if name in values:
            return values[name]
        if name in self._keys:
            return getattr(self, self._keys[name])
        return self._constants[name] if name else None

    def weight(self, initializer: str) -> nn.Parameter:
        """The parameter that an initialiser of the graph became.

        Raises:
            KeyError: it became none.
        """
        value = getattr(self, self._keys[initializer])
        assert isinstance(value, nn.Parameter)
        return value

    def set_weight(self, initializer: str, value: Tensor) -> None:
        """Give an initialiser another value, maybe of another shape."""
        setattr(self, self._keys[initializer], nn.Parameter(value))

    def to_onnx(self, *, metadata: Mapping[str, str] | None = None, output_size: int | None = None) -> bytes:
        """The graph with the present weights.

        Args:
            metadata: replaces the graph's own; None = keep it.
            output_size: last dimension of the output, where it has been changed.
        """
        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        for tensor in model.graph.initializer:
            if tensor.name in self._keys:
                value = getattr(self, self._keys[tensor.name]).detach().cpu().numpy()
                tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value), tensor.name))
        if metadata is not None:
            del model.metadata_props[:]
            helper.set_model_props(model, dict(metadata))
        del model.graph.value_info[:]
        if output_size is not None:
            model.graph.output[0].type.tensor_type.shape.dim[-1].dim_value = output_size
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())


def _attributes(node: NodeProto) -> dict[str, Any]:
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def plain_graph(model: ModelProto) -> ModelProto:
    """A copy without Constant and Identity nodes in which every weight belongs to one node only.

    Weights that several nodes share by name in the file are separate weights of the network: they must not be tied.
    """
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    graph = plain.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    outputs = {item.name for item in graph.output}
    alias: dict[str, str] = {}
    kept: list[NodeProto] = []
    for node in graph.node:
        if node.op_type == "Constant":
            stored[node.output[0]] = _named(_constant(node), node.output[0])
        elif node.op_type == "Identity" and node.output[0] not in outputs:
            source = alias.get(node.input[0], node.input[0])
            if source in stored:
                stored[node.output[0]] = _named(stored[source], node.output[0])
            else:
                alias[node.output[0]] = source
        else:
            for index, name in enumerate(node.input):
                node.input[index] = alias.get(name, name)
            kept.append(node)
    used: set[str] = set()
    for node in kept:
        for index, name in enumerate(node.input):
            if name in stored and stored[name].data_type == TensorProto.FLOAT and name in used:
                own = f"{name}__{node.output[0]}_{index}"
                stored[own] = _named(stored[name], own)
                node.input[index] = own
            used.add(node.input[index])
    live = {name for node in kept for name in node.input}
    inputs = [item for item in graph.input if item.name not in stored]
    _replace(graph.node, kept)
    _replace(graph.initializer, [tensor for name, tensor in stored.items() if name in live])
    _replace(graph.input, inputs)
    return plain


def _replace(field: Any, items: Sequence[Any]) -> None:  # noqa: ANN401
    copies = [type(item).FromString(item.SerializeToString()) for item in items]
    del field[:]
    field.extend(copies)


def _named(tensor: TensorProto, name: str) -> TensorProto:
    copy = TensorProto()
    copy.CopyFrom(tensor)
    copy.name = name
    return copy


def _constant(node: NodeProto) -> TensorProto:
    [attribute] = node.attribute
    if attribute.name == "value":
        return _named(attribute.t, node.output[0])
    value = helper.get_attribute_value(attribute)
    return numpy_helper.from_array(np.array(value, np.float32 if "float" in attribute.name else np.int64))


def logits_of(model: ModelProto) -> str:
    """Name of the value that the output's last activation (softmax or sigmoid) is applied to."""
    output = model.graph.output[0].name
    last = next(node for node in model.graph.node if output in node.output)
    return str(last.input[0]) if last.op_type in ("Softmax", "Sigmoid") else output


def _needed(steps: Sequence[Step], result: str) -> list[Step]:
    """The steps that ``result`` is made from."""
    wanted, needed = {result}, []
    for step in reversed(steps):
        if step.output in wanted:
            wanted.update(step.inputs)
            needed.append(step)
    return needed[::-1]


def _last_uses(steps: Sequence[Step], result: str) -> list[tuple[str, ...]]:
    """Per step, the values that nothing needs after it."""
    last = {name: index for index, step in enumerate(steps) for name in step.inputs}
    last.pop(result, None)
    done: list[list[str]] = [[] for _ in steps]
    for name, index in last.items():
        done[index].append(name)
    return [tuple(names) for names in done]


def _fused(steps: Sequence[Step], constants: Mapping[str, Value], shapes: Mapping[str, tuple[int, ...]]) -> list[Step]:
    """The plan with groups of operators replaced by one each, where nothing else looks at what lies between."""
    maker = {step.output: step for step in steps}
    uses = Counter(name for step in steps for name in set(step.inputs))
    fused: dict[str, Step] = {}
    gone: set[str] = set()
    for step in steps:
        match = (
            _gelu(step, maker, constants)
            or _silu(step, maker)
            or _conv_bias(step, maker, shapes)
            or _layer_norm(step, maker, constants, shapes)
        )
        if match is None:
            continue
        replacement, inner = match
        wanted = {name: sum(name in set(maker[other].inputs) for other in (*inner, step.output)) for name in inner}
        if all(uses[name] == wanted[name] for name in inner):
            fused[step.output] = replacement
            gone.update(inner)
    return [fused.get(step.output, step) for step in steps if step.output not in gone]


_Match = tuple[Step, tuple[str, ...]]
"""What replaces a group, and the values inside that vanish."""


def _other(step: Step, name: str) -> str | None:
    """The other input of a step with two inputs."""
    if len(step.inputs) != 2 or name not in step.inputs:
        return None
    return step.inputs[1] if step.inputs[0] == name else step.inputs[0]


def _made_by(maker: Mapping[str, Step], names: Iterable[str], operator: str) -> Step | None:
    return next((maker[name] for name in names if name in maker and maker[name].operator == operator), None)


def _gelu(step: Step, maker: Mapping[str, Step], constants: Mapping[str, Value]) -> _Match | None:
    """``x * (1 + erf(x / sqrt 2)) * 0.5`` in the order that exporters write it."""
    if step.operator != "Mul":
        return None
    half = next((name for name in step.inputs if constants.get(name) == 0.5), None)
    product = None if half is None else _made_by(maker, step.inputs, "Mul")
    for name in () if product is None else product.inputs:
        summed = _made_by(maker, (name,), "Add")
        bent = None if summed is None else _made_by(maker, summed.inputs, "Erf")
        scaled = None if bent is None else _made_by(maker, bent.inputs, "Div")
        if product is None or summed is None or bent is None or scaled is None:
            continue
        x, root = scaled.inputs
        one = constants.get(_other(summed, bent.output) or "")
        if one == 1.0 and _other(product, name) == x and abs(float(constants.get(root) or 0) - 2**0.5) < 1e-4:
            return Step("Gelu", (x,), step.output, {}), (scaled.output, bent.output, name, product.output)
    return None


def _conv_bias(step: Step, maker: Mapping[str, Step], shapes: Mapping[str, tuple[int, ...]]) -> _Match | None:
    """A convolution without bias to which one number per channel is added."""
    if step.operator != "Add":
        return None
    made = _made_by(maker, step.inputs, "Conv") or _made_by(maker, step.inputs, "ConvTranspose")
    if made is None or len(made.inputs) > 2:
        return None
    bias = _other(step, made.output)
    shape = shapes.get(bias or "", ())
    if bias is None or len(shape) != 4 or shape[1] != max(shape) or max(shape) != math.prod(shape):
        return None
    return Step(made.operator, (*made.inputs, bias), step.output, made.attributes), (made.output,)


def _silu(step: Step, maker: Mapping[str, Step]) -> _Match | None:
    if step.operator != "Mul":
        return None
    gate = _made_by(maker, step.inputs, "Sigmoid")
    if gate is None or _other(step, gate.output) != gate.inputs[0]:
        return None
    return Step("Silu", gate.inputs, step.output, {}), (gate.output,)


def _layer_norm(
    step: Step, maker: Mapping[str, Step], constants: Mapping[str, Value], shapes: Mapping[str, tuple[int, ...]]
) -> _Match | None:
    """``(x - mean) / sqrt(var + epsilon) * weight + bias`` over the last axis."""
    if step.operator != "Add":
        return None
    scaled = _made_by(maker, step.inputs, "Mul")
    divided = None if scaled is None else _made_by(maker, scaled.inputs, "Div")
    if scaled is None or divided is None:
        return None
    bias, weight = _other(step, scaled.output), _other(scaled, divided.output)
    centred, root = (maker.get(name) for name in divided.inputs)
    if centred is None or root is None or (centred.operator, root.operator) != ("Sub", "Sqrt"):
        return None
    shifted = _made_by(maker, root.inputs, "Add")
    variance = None if shifted is None else _made_by(maker, shifted.inputs, "ReduceMean")
    squared = None if variance is None else _made_by(maker, variance.inputs, "Pow")
    mean = _made_by(maker, centred.inputs, "ReduceMean")
    if shifted is None or variance is None or squared is None or mean is None:
        return None
    x = centred.inputs[0]
    over_last = all(list(item.attributes.get("axes", ())) == [-1] for item in (mean, variance))
    epsilon = constants.get(_other(shifted, variance.output) or "")
    fits = over_last and mean.inputs[0] == x and squared.inputs[0] == centred.output and isinstance(epsilon, float)
    if not fits or bias is None or weight is None or not {bias, weight} <= set(shapes):
        return None
    inner = tuple(item.output for item in (mean, centred, squared, variance, shifted, root, divided, scaled))
    return Step("LayerNormalization", (x, weight, bias), step.output, {"epsilon": epsilon}), inner
