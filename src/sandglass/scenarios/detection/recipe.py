"""How large pictures are looked at and how long is learnt, chosen from the boxes, the data and the time there is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sandglass.scenarios.detection.augment import Variation
from sandglass.scenarios.detection.shelf import Labelled
from sandglass.scenarios.detection.view import View

SMALL_SHARE = 0.1
"""Share of the smallest objects that may be smaller than `CLEAR` pixels."""
CLEAR = 16.0
"""Side, pixels, from which an object is found well."""
LADDER = (320, 416, 512, 640, 800, 960)
"""Longer sides that pictures are looked at with."""
BATCH = 8
ENOUGH_STEPS = 500
"""Steps below which a cheaper recipe brings more than larger pictures."""


@dataclass(frozen=True)
class Recipe:
    """Settings of one candidate.

    Attributes:
        view: how large pictures are looked at, in answers.
        steps: most steps that are useful.
        rate: highest learning rate.
        decay: of the average over weights.
        variation: of training pictures.
        scales: factors of the view's size between which batches vary.
        batch: pictures of a step.
    """

    view: View
    steps: int
    rate: float = 1e-3
    decay: float = 0.998
    variation: Variation = field(default_factory=Variation)
    scales: tuple[float, float] = (0.85, 1.2)
    batch: int = BATCH


def affordable(recipe: Recipe, seconds: float, step_seconds: float, of: Recipe) -> Recipe:
    """The recipe, made cheaper as far as needed for the network to take enough steps.

    Half the pictures a step come first, then smaller pictures; tiles stay, as what needs them is not seen otherwise.

    Args:
        recipe: as it is wanted.
        seconds: there are for learning.
        step_seconds: that a step of another recipe was measured to take.
        of: that other recipe.
    """

    def steps(one: Recipe) -> float:
        work = one.batch * (one.view.tile / of.view.tile) ** 2 / of.batch
        return seconds / (step_seconds * work)

    sides = [side for side in reversed(LADDER) if side < recipe.view.tile]
    smaller = [] if recipe.view.tiled else [View(side, side) for side in sides]
    halved = max(1, recipe.batch // 2)
    tried = [recipe, *(replace(recipe, view=view, batch=halved) for view in (recipe.view, *smaller))]
    return next((one for one in tried if steps(one) >= ENOUGH_STEPS), tried[-1])


def object_side(truths: Sequence[Labelled], aspects: Sequence[float], share: float = SMALL_SHARE) -> float:
    """Side of the objects below which ``share`` of them lie, as a share of the picture's longer side; 1 without any.

    Args:
        truths: what is labelled.
        aspects: width over height of each picture.
        share: of the objects that are smaller.
    """
    sides = []
    for truth, aspect in zip(truths, aspects, strict=True):
        across, down = (1.0, 1 / aspect) if aspect >= 1 else (aspect, 1.0)
        extent = (truth.boxes[:, 2:] - truth.boxes[:, :2]) * np.array([across, down], np.float32)
        sides.append(np.sqrt(np.maximum(extent.prod(1), 0)))
    every = np.concatenate(sides) if sides else np.zeros(0)
    return float(np.quantile(every, share)) if len(every) else 1.0


def choose_view(side: float, picture_side: float, *, least: int, most: int) -> View:
    """The smallest view in which the small objects are clear; tiles where even the largest one would not do.

    Args:
        side: of small objects, as a share of the picture's longer side (see `object_side`).
        picture_side: typical longer side of the pictures, pixels.
        least: shortest longer side.
        most: longest one that is looked at in one piece.
    """
    wanted = CLEAR / max(side, 1e-3)
    steps = [step for step in LADDER if least <= step <= most] or [least]
    for step in steps:
        if step >= wanted:
            return View(step, step)
    largest = steps[-1]
    # Larger than the picture itself shows nothing new but a little: at most one and a half times.
    full = int(min(math.ceil(wanted / 32) * 32, max(largest, 1.5 * picture_side)))
    return View(largest, largest) if full < 1.5 * largest else View(full, largest)
