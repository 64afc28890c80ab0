"""Boxes in torch: decoding of distance distributions, overlap, generalised overlap."""

import torch
from torch import Tensor

from sandglass.scenarios.detection.grid import BINS


def decoded(sides: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Boxes (..., N, 4) from bin logits (..., N, 4 * bins), as `grid.decode` does for answers."""
    bins = torch.arange(BINS, dtype=torch.float32, device=sides.device)
    reach = (sides.float().reshape(*sides.shape[:-1], 4, BINS).softmax(-1) @ bins) * strides[:, None]
    return torch.cat([centres - reach[..., :2], centres + reach[..., 2:]], -1)


def pair_iou(one: Tensor, other: Tensor) -> Tensor:
    """Intersection over union of every box of (A, 4) with every box of (B, 4): (A, B)."""
    top_left = torch.maximum(one[:, None, :2], other[None, :, :2])
    bottom_right = torch.minimum(one[:, None, 2:], other[None, :, 2:])
    common = (bottom_right - top_left).clamp_min(0).prod(2)
    area_one = (one[:, 2:] - one[:, :2]).clamp_min(0).prod(1)
    area_other = (other[:, 2:] - other[:, :2]).clamp_min(0).prod(1)
    return common / (area_one[:, None] + area_other[None] - common).clamp_min(1e-9)


def giou(one: Tensor, other: Tensor) -> Tensor:
    """Generalised intersection over union (P,), -1..1, of boxes pair by pair.

    Source: Rezatofighi et al., Generalized Intersection over Union (2019).
    """
    common = (torch.minimum(one[:, 2:], other[:, 2:]) - torch.maximum(one[:, :2], other[:, :2])).clamp_min(0).prod(1)
    hull = (torch.maximum(one[:, 2:], other[:, 2:]) - torch.minimum(one[:, :2], other[:, :2])).prod(1).clamp_min(1e-9)
    areas = [(boxes[:, 2:] - boxes[:, :2]).clamp_min(0).prod(1) for boxes in (one, other)]
    union = (areas[0] + areas[1] - common).clamp_min(1e-9)
    return common / union - (hull - union) / hull
