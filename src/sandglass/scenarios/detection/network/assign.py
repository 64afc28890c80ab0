"""Which cell learns which object: the cells that already answer it best, by score and place together.

Source: Feng et al., TOOD: Task-aligned One-stage Object Detection (2021), with a centre prior as in Zhang et al., ATSS
(2020).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from sandglass.scenarios.detection.network.boxes import pair_iou

POWER_SCORE, POWER_PLACE = 0.5, 3.0
TOP = 9
"""Cells that one object may teach."""
REACH = 2.5
"""Strides around an object's centre within which a cell may learn it."""
IGNORED = 0.6
"""Share of a predicted box inside an ignored region from which its cell is taught nothing."""


@dataclass(frozen=True)
class Assigned:
    """What the cells of one picture learn.

    Attributes:
        cells: (P,) cells that learn an object.
        objects: (P,) which one.
        quality: (P,) 0..1, how well the cell should say it answers.
        ignored: (N,) cells that learn neither an object nor the background.
    """

    cells: Tensor
    objects: Tensor
    quality: Tensor
    ignored: Tensor


def assign(
    scores: Tensor,
    boxes: Tensor,
    centres: Tensor,
    strides: Tensor,
    truth_boxes: Tensor,
    truth_labels: Tensor,
    ignore_boxes: Tensor,
) -> Assigned:
    """Assign the objects of one picture to cells; a cell learns one object at most.

    Args:
        scores: (N, labels) 0..1, of the present network.
        boxes: (N, 4) predicted.
        centres: (N, 2) of the cells.
        strides: (N,).
        truth_boxes: (G, 4).
        truth_labels: (G,).
        ignore_boxes: (I, 4) regions where nothing is taught.
    """
    count, objects = len(centres), len(truth_boxes)
    ignored = torch.zeros(count, dtype=torch.bool, device=boxes.device)
    if len(ignore_boxes):
        inside = ((centres[:, None] >= ignore_boxes[None, :, :2]) & (centres[:, None] < ignore_boxes[None, :, 2:])).all(
            2
        )
        ignored = inside.any(1)
    if not objects:
        empty = torch.zeros(0, dtype=torch.long, device=boxes.device)
        return Assigned(empty, empty, torch.zeros(0, device=boxes.device), ignored)

    margin = 0.5 * strides[None, :, None]
    near_left = centres[None] > truth_boxes[:, None, :2] - margin
    near_right = centres[None] < truth_boxes[:, None, 2:] + margin
    middle = (truth_boxes[:, :2] + truth_boxes[:, 2:]) / 2
    away = ((centres[None] - middle[:, None]).abs() / strides[None, :, None]).amax(2)
    allowed = (near_left & near_right).all(2) & (away < REACH)

    place = pair_iou(truth_boxes, boxes)
    metric = scores[:, truth_labels].T.clamp_min(1e-6) ** POWER_SCORE * place.clamp_min(1e-3) ** POWER_PLACE
    metric = torch.where(allowed, metric, torch.zeros_like(metric))
    best, index = metric.topk(min(TOP, count), dim=1)
    chosen = torch.zeros_like(metric).scatter_(1, index, best)
    # A cell that several objects want learns the one it answers best.
    strongest, owner = chosen.max(0)
    cells = (strongest > 0).nonzero()[:, 0]
    objects_of = owner[cells]
    own = chosen[objects_of, cells]
    # Within an object, the best cell is told to be as sure as its box is good, the others less.
    top = torch.zeros(objects, device=boxes.device).scatter_reduce_(0, objects_of, own, "amax")
    overlap = place[objects_of, cells]
    good = torch.zeros(objects, device=boxes.device).scatter_reduce_(0, objects_of, overlap, "amax")
    quality = (own / top[objects_of].clamp_min(1e-9) * good[objects_of]).clamp(0.05, 1.0)
    ignored = ignored.index_fill(0, cells, value=False)
    return Assigned(cells, objects_of, quality, ignored)
