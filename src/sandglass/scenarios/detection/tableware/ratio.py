"""The vertical cup-to-disc ratio of an eye: one optic cup inside one optic disc.

Source: Garway-Heath et al., Vertical cup/disc ratio in relation to optic disc size (1998): the height of the cup over
the height of the disc, both from their boxes.
"""

from collections.abc import Sequence
from typing import Literal

from sandglass.core.geometry import Box
from sandglass.core.prediction import CupDiscRatio, ObjectPrediction

INSIDE = 0.7
"""Share of a cup's box that must lie in the disc's box for both to be a pair."""
ASIDE = 0.05
"""Share of the picture's width by which a disc must lie off the middle to tell which eye it is."""
CLOSE_UP = 0.5
"""Height of a disc, as a share of the picture's height, from which the picture shows the disc alone."""


def best_pair(
    objects: Sequence[ObjectPrediction], cup: str, disc: str
) -> tuple[ObjectPrediction, ObjectPrediction] | None:
    """The cup and the disc around it whose scores multiply to the most; None when no cup lies in a disc."""
    cups = [item for item in objects if item.label == cup]
    discs = [item for item in objects if item.label == disc]
    pairs = [
        (inner, outer)
        for outer in discs
        for inner in cups
        if inner.box.area > 0
        and inner.box.intersection(outer.box) >= INSIDE * inner.box.area
        and inner.box.height <= outer.box.height
    ]
    return max(pairs, key=lambda pair: pair[0].score * pair[1].score, default=None)


def one_pair(objects: Sequence[ObjectPrediction], cup: str, disc: str) -> tuple[ObjectPrediction, ...]:
    """One cup and one disc at most: the best pair, or without a pair the best of each; by falling score."""
    pair = best_pair(objects, cup, disc)
    kept: list[ObjectPrediction] = list(pair) if pair is not None else []
    if pair is None:
        for label in (cup, disc):
            kept += sorted((item for item in objects if item.label == label), key=lambda item: -item.score)[:1]
    others = [item for item in objects if item.label not in (cup, disc)]
    return tuple(sorted([*kept, *others], key=lambda item: -item.score))


def cup_disc_ratio(
    objects: Sequence[ObjectPrediction], cup: str, disc: str, *, width: int, height: int
) -> CupDiscRatio | None:
    """The ratio of the best pair; None without one.

    Which eye it is follows from the side on which the disc lies, towards the nose: on an upright, unmirrored picture of
    the fundus, right of the middle for a right eye and left of it for a left eye. Close to the middle, or on a close-up
    of the disc, it is not told.
    """
    pair = best_pair(objects, cup, disc)
    if pair is None:
        return None
    inner, outer = pair
    return CupDiscRatio(
        vertical=round(min(1.0, inner.box.height / outer.box.height), 4),
        score=round(inner.score * outer.score, 5),
        cup=inner.box,
        disc=outer.box,
        eye=_eye(outer.box, width, height),
    )


def _eye(disc: Box, width: int, height: int) -> Literal["left", "right"] | None:
    aside = (disc.left + disc.right) / 2 / width - 0.5
    if abs(aside) < ASIDE or disc.height >= CLOSE_UP * height:
        return None
    return "right" if aside > 0 else "left"
