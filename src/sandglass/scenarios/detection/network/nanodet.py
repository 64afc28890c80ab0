"""NanoDet-g as a plain torch module: a small cross-stage backbone, a path aggregation without weights, one head per level.

Architecture: RangiLyu, NanoDet (2021), variant g, with its batch normalisation folded into the convolutions, as the
published weights have it. Distances to a box's edges are told as distributions over bins (Li et al., Generalized Focal
Loss, 2020).
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandglass.scenarios.detection.grid import BINS, STRIDES

SIDES = 4
"""Left, top, right, bottom: the order of the distances."""
PRIOR = 0.01
"""Score that a fresh head gives everywhere."""
NECK = 128
"""Channels of every level before its head."""
STAGES = ((32, 1, 1), (64, 2, 2), (128, 2, 2), (256, 3, 2))
"""Channels, blocks and stride of the backbone's stages."""


class Raw(NamedTuple):
    """What the network says of every cell: class logits (B, N, labels) and bin logits of the sides (B, N, 4 * bins)."""

    classes: Tensor
    sides: Tensor


class Convolution(nn.Sequential):
    """A 3 x 3 convolution that keeps the size (or halves it, stride 2), with a leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.LeakyReLU(0.1, inplace=True))


class CrossStage(nn.Module):
    """A stage: a convolution that leads in, blocks that widen what they narrowed, a convolution out, a way past them."""

    def __init__(self, inputs: int, width: int, blocks: int, stride: int) -> None:
        super().__init__()
        self.entry = Convolution(inputs, width, stride)
        self.narrow = nn.ModuleList(Convolution(width, width // 2) for _ in range(blocks))
        self.wide = nn.ModuleList(Convolution(width // 2, width // 2) for _ in range(blocks))
        self.exit = Convolution(width, width)

    def forward(self, x: Tensor) -> Tensor:
        entered = self.entry(x)
        passed = entered
        for narrow, wide in zip(self.narrow, self.wide, strict=True):
            narrowed = narrow(passed)
            passed = torch.cat([wide(narrowed), narrowed], 1)
        return torch.cat([self.exit(passed), entered], 1)

    def convolutions(self) -> Iterator[nn.Module]:
        yield self.entry
        for pair in zip(self.narrow, self.wide, strict=True):
            yield from pair
        yield self.exit


class NanoDet(nn.Module):
    """The detector.

    Args:
        labels: how many it tells apart.
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.labels = labels
        self.stem = Convolution(3, 32, 2)
        widths = [32, *(2 * width for width, _, _ in STAGES)]
        self.stages = nn.ModuleList(CrossStage(widths[i], *stage) for i, stage in enumerate(STAGES))
        self.laterals = nn.ModuleList(nn.Conv2d(width, NECK, 1) for width in widths[2:])
        self.towers = nn.ModuleList(Convolution(NECK, NECK) for _ in STRIDES)
        self.heads = nn.ModuleList(nn.Conv2d(NECK, labels + SIDES * BINS, 1) for _ in STRIDES)

    def convolutions(self) -> list[nn.Conv2d]:
        """All convolutions in the order of the published weights."""
        ordered: list[nn.Module] = [self.stem]
        for stage in self.stages:
            assert isinstance(stage, CrossStage)
            ordered += stage.convolutions()
        ordered += self.laterals
        for pair in zip(self.towers, self.heads, strict=True):
            ordered += pair
        return [layer for module in ordered for layer in module.modules() if isinstance(layer, nn.Conv2d)]

    def levels(self, x: Tensor) -> list[Tensor]:
        """Features of the three levels, fine to coarse, after the path aggregation."""
        x = functional.max_pool2d(self.stem(x), 3, 2, 1)
        found = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index:
                found.append(self.laterals[index - 1](x))
        fine, middle, coarse = found
        middle = middle + _larger(coarse)
        fine = fine + _larger(middle)
        middle = middle + functional.avg_pool2d(fine, 2)
        return [fine, middle, coarse + functional.avg_pool2d(middle, 2)]

    def forward(self, x: Tensor) -> Raw:
        """Logits of all cells of (B, 3, H, W), H and W multiples of 32; in the order of `grid.cells`."""
        told = [
            head(tower(level)).flatten(2)
            for level, tower, head in zip(self.levels(x), self.towers, self.heads, strict=True)
        ]
        cells = torch.cat(told, 2).transpose(1, 2)
        return Raw(cells[..., : self.labels], cells[..., self.labels :])

    def start_from(self, source: "NanoDet", same: dict[int, int]) -> None:
        """Take all weights of ``source`` but those of labels that it does not know; these start at `PRIOR`.

        Args:
            source: the pretrained network.
            same: label number here → label number there.
        """
        taken = {name: value for name, value in source.state_dict().items() if not name.startswith("heads.")}
        self.load_state_dict(taken, strict=False)
        with torch.no_grad():
            for mine, theirs in zip(self.heads, source.heads, strict=True):
                assert isinstance(mine, nn.Conv2d)
                assert isinstance(theirs, nn.Conv2d)
                assert mine.bias is not None
                assert theirs.bias is not None
                nn.init.normal_(mine.weight[: self.labels], 0, 0.01)
                nn.init.constant_(mine.bias[: self.labels], -math.log((1 - PRIOR) / PRIOR))
                mine.weight[self.labels :] = theirs.weight[source.labels :]
                mine.bias[self.labels :] = theirs.bias[source.labels :]
                for here, there in same.items():
                    mine.weight[here] = theirs.weight[there]
                    mine.bias[here] = theirs.bias[there]


class Scored(nn.Module):
    """The network as it is exported: scores 0..1 instead of logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        classes, sides = self.network(x)
        return classes.sigmoid(), sides


def _larger(level: Tensor) -> Tensor:
    return functional.interpolate(level, scale_factor=2.0, mode="bilinear", align_corners=False)
