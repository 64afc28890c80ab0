"""What the detector is punished for: wrong scores, wrong boxes, undecided edges.

Source: Li et al., Generalized Focal Loss (2020): scores learn the quality of their box, edges are distributions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from sandglass.scenarios.detection.grid import BINS
from sandglass.scenarios.detection.network.assign import assign
from sandglass.scenarios.detection.network.boxes import decoded, giou
from sandglass.scenarios.detection.network.nanodet import Raw

BOX_WEIGHT, EDGE_WEIGHT = 2.0, 1.0


@dataclass(frozen=True)
class Truth:
    """Objects of one picture in pixels of the network's input.

    Attributes:
        boxes: (G, 4) float.
        labels: (G,) long.
        ignore: (I, 4) regions that teach nothing: crowds, and objects of which the crop shows too little.
    """

    boxes: Tensor
    labels: Tensor
    ignore: Tensor

    def to(self, device: torch.device) -> "Truth":
        """The same on another device."""
        return Truth(self.boxes.to(device), self.labels.to(device), self.ignore.to(device))


def loss(raw: Raw, truths: Sequence[Truth], centres: Tensor, strides: Tensor) -> Tensor:
    """The loss of a batch, a scalar: every part divided by the total quality that its objects are taught with."""
    classes, sides = raw.classes.float(), raw.sides.float()
    boxes = decoded(sides, centres, strides)
    scores = classes.detach().sigmoid()
    target = torch.zeros_like(classes)
    weight = torch.ones_like(classes[..., :1])
    box_loss = classes.new_zeros(())
    total = classes.new_zeros(())
    for index, truth in enumerate(truths):
        found = assign(scores[index], boxes[index].detach(), centres, strides, truth.boxes, truth.labels, truth.ignore)
        weight[index, found.ignored] = 0
        if not len(found.cells):
            continue
        wanted = truth.boxes[found.objects]
        target[index, found.cells, truth.labels[found.objects]] = found.quality
        place = 1 - giou(boxes[index, found.cells], wanted)
        edges = _edge_loss(sides[index, found.cells], centres[found.cells], strides[found.cells], wanted)
        box_loss = box_loss + ((BOX_WEIGHT * place + EDGE_WEIGHT * edges) * found.quality).sum()
        total = total + found.quality.sum()
    misfit = functional.binary_cross_entropy_with_logits(classes, target, reduction="none")
    score_loss = (misfit * (target - classes.sigmoid()).abs() ** 2 * weight).sum()
    return (score_loss + box_loss) / total.clamp_min(1.0)


def _edge_loss(sides: Tensor, centres: Tensor, strides: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy (P,) of the two bins around each true distance, mean over the four sides."""
    reach = torch.cat([centres - wanted[:, :2], wanted[:, 2:] - centres], 1) / strides[:, None]
    reach = reach.clamp(0, BINS - 1 - 0.01)
    low = reach.long()
    share = reach - low
    logs = sides.reshape(-1, 4, BINS).log_softmax(-1)
    lower = logs.gather(2, low[..., None])[..., 0]
    upper = logs.gather(2, low[..., None] + 1)[..., 0]
    return -(lower * (1 - share) + upper * share).mean(1)
