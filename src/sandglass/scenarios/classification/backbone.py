"""EfficientNet-Lite in plain torch, with its normalisation folded into the convolutions, and its ImageNet weights.

Folding leaves half the memory traffic of a step on a CPU and makes an answer independent of its batch while learning.
Source: M. Tan and Q. Le, EfficientNet (2019), and the Lite variants of the TensorFlow TPU repository.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandglass.core.errors import Broken
from sandglass.core.text import Text
from sandglass.pretrained import locate

FEATURES = 1280
"""Length of the feature vector of every variant."""
EPSILON = 1e-3
"""Of the batch normalisation that the weights were learnt with."""


@dataclass(frozen=True)
class Variant:
    """One size of the network.

    Attributes:
        width: factor of channels.
        depth: factor of repeats.
        side: of the square pictures that its weights were learnt with, pixels.
        weights: catalogue entry.
    """

    width: float
    depth: float
    side: int
    weights: str


VARIANTS: Mapping[str, Variant] = {
    "lite0": Variant(1.0, 1.0, 224, "classification/efficientnet-lite0.pth"),
    "lite1": Variant(1.0, 1.1, 240, "classification/efficientnet-lite1.pth"),
    "lite2": Variant(1.1, 1.2, 260, "classification/efficientnet-lite2.pth"),
}

STAGES = (
    # repeats, kernel, stride, expansion, channels in, channels out
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)


def _channels(count: int, width: float) -> int:
    """Channels times ``width``, to the nearest multiple of 8 but not more than a tenth below."""
    scaled = count * width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


class Convolution(nn.Module):
    """Convolution with "same" padding as TensorFlow defines it (the odd pixel goes right and below)."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            inside, outside, kernel, stride, padding=kernel // 2 if stride == 1 else 0, groups=groups
        )
        self._kernel, self._stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        if self._stride > 1:
            pads = [
                max((math.ceil(size / self._stride) - 1) * self._stride + self._kernel - size, 0)
                for size in (int(x.shape[3]), int(x.shape[2]))
            ]
            x = functional.pad(x, (pads[0] // 2, pads[0] - pads[0] // 2, pads[1] // 2, pads[1] - pads[1] // 2))
        return cast("Tensor", self.convolution(x))


class Block(nn.Module):
    """Inverted residual: expand, depthwise, project; the input is added where the shapes allow it."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inside * expansion
        self.expand = Convolution(inside, wide, 1) if expansion != 1 else None
        self.depthwise = Convolution(wide, wide, kernel, stride, groups=wide)
        self.project = Convolution(wide, outside, 1)
        self.residual = stride == 1 and inside == outside

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else functional.relu6(self.expand(x))
        y = functional.relu6(self.depthwise(y))
        y = cast("Tensor", self.project(y))
        return x + y if self.residual else y


class EfficientNetLite(nn.Module):
    """The network without its classifier: (N, 3, H, W) normalised RGB → (N, 1280) features.

    Args:
        variant: key of `VARIANTS`.

    Attributes:
        parts: stem, seven stages and head, in order: what is frozen is frozen from the front.
    """

    def __init__(self, variant: str) -> None:
        super().__init__()
        size = VARIANTS[variant]
        self.variant = variant
        parts: list[nn.Module] = [nn.Sequential(Convolution(3, 32, 3, 2), nn.ReLU6())]
        for number, (repeats, kernel, stride, expansion, inside, outside) in enumerate(STAGES):
            edge = number in (0, len(STAGES) - 1)
            count = repeats if edge else math.ceil(repeats * size.depth)
            # The stem keeps its 32 channels whatever the width.
            first = inside if number == 0 else _channels(inside, size.width)
            last = _channels(outside, size.width)
            blocks = [Block(first, last, kernel, stride, expansion)]
            blocks += [Block(last, last, kernel, 1, expansion) for _ in range(count - 1)]
            parts.append(nn.Sequential(*blocks))
        parts.append(nn.Sequential(Convolution(last, FEATURES, 1), nn.ReLU6()))
        self.parts = nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        return self.upper(x, 0)

    def lower(self, x: Tensor, parts: int) -> Tensor:
        """The activations after the first ``parts`` parts."""
        for part in self.parts[:parts]:
            x = part(x)
        return x

    def upper(self, x: Tensor, parts: int) -> Tensor:
        """Features from the activations after the first ``parts`` parts."""
        for part in self.parts[parts:]:
            x = part(x)
        return x.mean((2, 3))

    def convolutions(self) -> Iterator[nn.Conv2d]:
        """All convolutions in the order of the forward pass."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                yield module


class Classifier(nn.Module):
    """Backbone, dropout and a linear layer: normalised pictures → logits (N, K)."""

    def __init__(self, variant: str, labels: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.backbone = EfficientNetLite(variant)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(FEATURES, labels)

    def forward(self, x: Tensor) -> Tensor:
        return cast("Tensor", self.linear(self.dropout(self.backbone(x))))


def pretrained_backbone(variant: str) -> EfficientNetLite:
    """The backbone with its ImageNet weights.

    Raises:
        Broken: ``weights_missing``, or ``weights_damaged`` when the file does not hold this network.
    """
    path = locate(VARIANTS[variant].weights)
    network = EfficientNetLite(variant)
    try:
        _load(network, torch.load(path, map_location="cpu", weights_only=True))
    except (KeyError, RuntimeError, ValueError) as error:
        raise Broken(
            "weights_damaged",
            Text(en=f"{path.name} does not hold {variant}: {error}", zh=f"{path.name} 不包含 {variant}：{error}"),
            Text(en="Pull it again: 'sandglass weights pull'.", zh="请重新获取：sandglass weights pull。"),
        ) from error
    return network.eval()


@torch.no_grad()
def _load(network: EfficientNetLite, state: Mapping[str, Tensor]) -> None:
    """Fold each normalisation into the convolution before it."""
    convolutions = [name.removesuffix(".weight") for name, value in state.items() if value.ndim == 4]
    mine = list(network.convolutions())
    if len(convolutions) != len(mine):
        raise ValueError(f"{len(convolutions)} convolutions instead of {len(mine)}")
    for module, name in zip(mine, convolutions, strict=True):
        bn = _normalisation_of(name, state)
        factor = state[f"{bn}.weight"] / torch.sqrt(state[f"{bn}.running_var"] + EPSILON)
        weight = state[f"{name}.weight"] * factor[:, None, None, None]
        if weight.shape != module.weight.shape or module.bias is None:
            raise ValueError(f"{name} is {tuple(weight.shape)} instead of {tuple(module.weight.shape)}")
        module.weight.copy_(weight)
        module.bias.copy_(state[f"{bn}.bias"] - state[f"{bn}.running_mean"] * factor)


def _normalisation_of(convolution: str, state: Mapping[str, Tensor]) -> str:
    """Name of the normalisation that stands behind a convolution: the next one in the file."""
    names = list(state)
    behind = names[names.index(f"{convolution}.weight") + 1 :]
    return next(name for name in behind if name.endswith(".running_mean")).removesuffix(".running_mean")
