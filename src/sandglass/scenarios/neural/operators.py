# ruff: noqa: D103, ARG001
"""ONNX operators as differentiable torch functions: those that the base networks of this product are made of.

Each function is named for its operator and takes the operator's attributes and inputs, in the order of its definition.
Shape arithmetic runs on plain lists of integers, so that batch and width stay free. Source of all semantics:
https://onnx.ai/onnx/operators/.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

Attributes = Mapping[str, Any]
Value = Any
"""A tensor, or for shape arithmetic a list of integers, a number or None (an input that is left out)."""
Operator = Callable[..., Value]

OPERATORS: dict[str, Operator] = {}


def _operator(function: Operator) -> Operator:
    """Register a function under its name in CamelCase, which is the operator's."""
    OPERATORS["".join(part.capitalize() for part in function.__name__.split("_") if part)] = function
    return function


def _same_padding(attributes: Attributes, x: Tensor, kernel: Sequence[int]) -> list[int]:
    """Torch padding, last axis first, for ``auto_pad``; the odd pixel goes to the end with SAME_UPPER."""
    strides = attributes.get("strides", [1] * len(kernel))
    padding: list[int] = []
    for axis in reversed(range(len(kernel))):
        size, stride = x.shape[2 + axis], strides[axis]
        total = max((math.ceil(size / stride) - 1) * stride + kernel[axis] - size, 0)
        small, large = total // 2, total - total // 2
        padding += [small, large] if attributes["auto_pad"] == b"SAME_UPPER" else [large, small]
    return padding


def _padding(attributes: Attributes, x: Tensor, kernel: Sequence[int]) -> tuple[tuple[int, ...], list[int] | None]:
    """Symmetric padding that an operator takes itself, and padding to be laid around ``x`` before (or None)."""
    none = (0,) * len(kernel)
    if attributes.get("auto_pad", b"NOTSET") in (b"SAME_UPPER", b"SAME_LOWER"):
        return none, _same_padding(attributes, x, kernel)
    pads = list(attributes.get("pads", [0] * (2 * len(kernel))))
    begin, end = pads[: len(kernel)], pads[len(kernel) :]
    if begin == end:
        return tuple(begin), None
    return none, [side for axis in reversed(range(len(kernel))) for side in (begin[axis], end[axis])]


@_operator
def conv(attributes: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    kernel = weight.shape[2:]
    padding, around = _padding(attributes, x, kernel)
    if around:
        x = F.pad(x, around)
    ones = [1] * len(kernel)
    convolve: Callable[..., Tensor] = F.conv2d if len(kernel) == 2 else F.conv1d
    return convolve(
        x,
        weight,
        None if bias is None else bias.flatten(),
        tuple(attributes.get("strides", ones)),
        padding,
        tuple(attributes.get("dilations", ones)),
        attributes.get("group", 1),
    )


@_operator
def conv_transpose(attributes: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    padding, around = _padding(attributes, x, weight.shape[2:])
    if around:
        raise NotImplementedError("ConvTranspose with padding that differs by side")
    return F.conv_transpose2d(
        x,
        weight,
        None if bias is None else bias.flatten(),
        tuple(attributes.get("strides", [1, 1])),
        padding,
        tuple(attributes.get("output_padding", [0, 0])),
        attributes.get("group", 1),
        tuple(attributes.get("dilations", [1, 1])),
    )


@_operator
def batch_normalization(
    attributes: Attributes, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor
) -> Tensor:
    # Statistics stay those of the base network: batches of a few lines would only spoil them.
    return F.batch_norm(x, mean, variance, weight, bias, False, 0.0, attributes.get("epsilon", 1e-5))


@_operator
def relu(attributes: Attributes, x: Tensor) -> Tensor:
    return F.relu(x)


@_operator
def sigmoid(attributes: Attributes, x: Tensor) -> Tensor:
    return torch.sigmoid(x)


@_operator
def hard_sigmoid(attributes: Attributes, x: Tensor) -> Tensor:
    return torch.clamp(x * attributes.get("alpha", 0.2) + attributes.get("beta", 0.5), 0, 1)


@_operator
def erf(attributes: Attributes, x: Tensor) -> Tensor:
    return torch.erf(x)


@_operator
def softmax(attributes: Attributes, x: Tensor) -> Tensor:
    return torch.softmax(x, attributes.get("axis", -1))


@_operator
def gelu(attributes: Attributes, x: Tensor) -> Tensor:
    return F.gelu(x)


@_operator
def silu(attributes: Attributes, x: Tensor) -> Tensor:
    return F.silu(x)


@_operator
def layer_normalization(attributes: Attributes, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.layer_norm(x, weight.shape, weight, bias, attributes["epsilon"])


@_operator
def add(attributes: Attributes, a: Value, b: Value) -> Value:
    return a + b


@_operator
def sub(attributes: Attributes, a: Value, b: Value) -> Value:
    return a - b


@_operator
def mul(attributes: Attributes, a: Value, b: Value) -> Value:
    return a * b


@_operator
def div(attributes: Attributes, a: Value, b: Value) -> Value:
    return a / b


@_operator
def pow_(attributes: Attributes, a: Value, b: Value) -> Value:
    return a**b


@_operator
def sqrt(attributes: Attributes, x: Tensor) -> Tensor:
    return torch.sqrt(x)


@_operator
def mat_mul(attributes: Attributes, a: Tensor, b: Tensor) -> Tensor:
    return a @ b


@_operator
def global_average_pool(attributes: Attributes, x: Tensor) -> Tensor:
    return x.mean(dim=tuple(range(2, x.dim())), keepdim=True)


@_operator
def average_pool(attributes: Attributes, x: Tensor) -> Tensor:
    kernel = attributes["kernel_shape"]
    padding, around = _padding(attributes, x, kernel)
    counted = bool(attributes.get("count_include_pad", 0))
    if around:
        if not counted:
            raise NotImplementedError("AveragePool with padding that differs by side and does not count")
        x = F.pad(x, around)
    strides = tuple(attributes.get("strides", [1] * len(kernel)))
    return F.avg_pool2d(x, tuple(kernel), strides, padding, bool(attributes.get("ceil_mode", 0)), counted)


@_operator
def max_pool(attributes: Attributes, x: Tensor) -> Tensor:
    kernel = attributes["kernel_shape"]
    padding, around = _padding(attributes, x, kernel)
    if around:
        x = F.pad(x, around, value=float("-inf"))
    strides = tuple(attributes.get("strides", [1] * len(kernel)))
    return F.max_pool2d(x, tuple(kernel), strides, padding, ceil_mode=bool(attributes.get("ceil_mode", 0)))


@_operator
def reduce_mean(attributes: Attributes, x: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    return x.mean(dim=tuple(attributes.get("axes", axes)), keepdim=bool(attributes.get("keepdims", 1)))


@_operator
def concat(attributes: Attributes, *parts: Value) -> Value:
    if all(isinstance(part, list) for part in parts):
        return [item for part in parts for item in part]
    return torch.cat(parts, attributes["axis"])


@_operator
def resize(
    attributes: Attributes, x: Tensor, roi: Value = None, scales: Value = None, sizes: Sequence[int] | None = None
) -> Tensor:
    mode = attributes.get("mode", b"nearest").decode()
    if mode != "nearest":
        raise NotImplementedError(f"Resize in mode {mode}")
    if sizes:
        return F.interpolate(x, size=[int(size) for size in sizes][-2:], mode="nearest")
    factors = scales.tolist() if isinstance(scales, Tensor) else list(scales)
    return F.interpolate(x, scale_factor=factors[-2:], mode="nearest")


@_operator
def shape(attributes: Attributes, x: Tensor) -> list[int]:
    return list(x.shape)


@_operator
def slice_(
    attributes: Attributes,
    x: Value,
    starts: Sequence[int] | None = None,
    ends: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    steps: Sequence[int] | None = None,
) -> Value:
    begins = attributes.get("starts", starts)
    stops = attributes.get("ends", ends)
    along = attributes.get("axes", axes) or range(len(begins))
    strides = steps or [1] * len(begins)
    far = 2**30  # ends beyond it mean: to the very end
    if isinstance(x, list):
        return x[begins[0] : None if stops[0] > far else stops[0] : strides[0]]
    for begin, stop, axis, stride in zip(begins, stops, along, strides, strict=True):
        index: list[Any] = [slice(None)] * x.dim()
        index[axis] = slice(begin, None if stop > far else stop, stride)
        x = x[tuple(index)]
    return x


@_operator
def squeeze(attributes: Attributes, x: Value, axes: Sequence[int] | None = None) -> Value:
    if isinstance(x, list):
        return x[0]
    for axis in sorted((axis % x.dim() for axis in attributes.get("axes", axes)), reverse=True):
        x = x.squeeze(axis)
    return x


@_operator
def unsqueeze(attributes: Attributes, x: Value, axes: Sequence[int] | None = None) -> Value:
    if not isinstance(x, Tensor):
        return [x]
    for axis in attributes.get("axes", axes):
        x = x.unsqueeze(axis)
    return x


@_operator
def reshape(attributes: Attributes, x: Value, target: Sequence[int]) -> Value:
    if not isinstance(x, Tensor):
        items = x if isinstance(x, list) else [x]
        return items if target else items[0]
    return x.reshape([x.shape[axis] if size == 0 else int(size) for axis, size in enumerate(target)])


@_operator
def transpose(attributes: Attributes, x: Tensor) -> Tensor:
    return x.permute(attributes["perm"])
