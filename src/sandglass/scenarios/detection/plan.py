"""Which candidates are tried, at which size and for how long: from the boxes, the time and the preference."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from sandglass.core.annotation import ObjectsAnnotation
from sandglass.core.errors import InvalidInput
from sandglass.core.prediction import ObjectsPrediction
from sandglass.core.text import Text
from sandglass.scenarios.base import Candidate, FitContext, LearningData, Preference
from sandglass.scenarios.detection.augment import Variation
from sandglass.scenarios.detection.parameters import DetectionParameters
from sandglass.scenarios.detection.recipe import BATCH, LADDER, Recipe, choose_view, object_side
from sandglass.scenarios.detection.shelf import Labelled, Shelf, labelled
from sandglass.scenarios.detection.view import View

QUICK_SIDE = 320
QUICK_SECONDS = 35.0
"""What the first model may take; with start and validation it stands within a minute."""
QUICK_STEPS, FEW_STEPS, QUICK_BATCH = 400, 160, 4
"""Most steps of the first model; as many for few pictures; many small steps bring it further than few large ones."""
LITTLE_TIME, MUCH_TIME = 90.0, 2400.0
"""Seconds below which only one candidate is tried, and from which a second size is."""
EPOCHS, LEAST_STEPS = 250, 3000
"""How often a picture is shown, and steps, after which more brings nothing."""
DUEL_SHARE = 0.7
"""Share of the time that each of two candidates plans with: a quarter each, then half for the better one."""


def plan_candidates(
    data: LearningData,
    settings: DetectionParameters,
    preference: Preference,
    context: FitContext,
    *,
    mirror: bool = True,
    files: Mapping[str, bytes] | None = None,
    interpret: Callable[[ObjectsPrediction], ObjectsPrediction] = lambda prediction: prediction,
) -> list[Candidate]:
    """The candidates of a run, the brief one first.

    Args:
        data: to learn from and to validate on.
        settings: of the task.
        preference: of the task.
        context: of the run.
        mirror: whether mirrored pictures are learnt too.
        files: further files of the model folder, by name.
        interpret: what the exported model makes of found objects.

    Raises:
        InvalidInput: ``nothing_to_learn``, no training picture says anything about objects.
    """
    from sandglass.scenarios.detection.learner import DetectionCandidate, DetectionData

    train = [example for example in data.train if isinstance(example.sample.annotation, ObjectsAnnotation)]
    if not train:
        raise InvalidInput(
            "nothing_to_learn",
            Text(en="No training picture is labelled with boxes.", zh="训练图片都没有标注框。"),
            Text(en="Label some pictures first.", zh="请先标注一些图片。"),
        )
    truths = [labelled(example, data.labels) for example in train]
    sizes = [(max(1, example.sample.width), max(1, example.sample.height)) for example in train]
    left, gpu = context.deadline.remaining, context.device == "cuda"
    recipes = plan_recipes(truths, sizes, settings, preference, left, mirror=mirror, gpu=gpu)
    largest = max(recipe.view.long_side * recipe.scales[1] * recipe.variation.largest for _, recipe, _, _ in recipes)
    shared = DetectionData(
        train, truths, data.validation, data.labels, Shelf(context.cache, round(largest)), files or {}, interpret
    )
    made: list[Candidate] = []
    first: DetectionCandidate | None = None
    for name, recipe, share, seconds in recipes:
        candidate = DetectionCandidate(name, shared, recipe, context, share=share, most_seconds=seconds, after=first)
        first = first or candidate
        made.append(candidate)
    return made


def plan_recipes(
    truths: Sequence[Labelled],
    sizes: Sequence[tuple[int, int]],
    settings: DetectionParameters,
    preference: Preference,
    seconds: float,
    *,
    mirror: bool = True,
    gpu: bool = False,
) -> list[tuple[str, Recipe, float, float | None]]:
    """Name, recipe, share of the time left and most seconds of each candidate.

    Args:
        truths: what is labelled on the training pictures.
        sizes: width and height of each, pixels.
        settings: of the task.
        preference: of the task.
        seconds: left for learning; infinite without a limit.
        mirror: whether mirrored pictures are learnt too.
        gpu: whether a GPU learns, which can do with larger pictures.
    """
    variation = Variation(flip=mirror, upright=settings.upright == "yes")
    view = _view(truths, sizes, settings, preference, seconds, gpu=gpu)
    steps = max(LEAST_STEPS, EPOCHS * -(-len(truths) // BATCH))
    main = Recipe(view, steps, variation=variation)
    if seconds < LITTLE_TIME:
        # Time for one: small pictures, so that it takes enough steps.
        return [("single", replace(main, view=_smaller(view, QUICK_SIDE)), 1.0, None)]
    first = min(QUICK_STEPS, max(FEW_STEPS, 4 * len(truths)))
    quick = replace(main, view=_smaller(view, QUICK_SIDE), steps=first, batch=QUICK_BATCH)
    plans: list[tuple[str, Recipe, float, float | None]] = [("quick", quick, 1.0, QUICK_SECONDS)]
    other = _next_larger(view)
    if seconds < MUCH_TIME or settings.resolution is not None or preference == "fastest" or other is None:
        return [*plans, (_name(view), main, 1.0, None)]
    share = 1.0 if math.isinf(seconds) else DUEL_SHARE
    return [*plans, (_name(view), main, share, None), (_name(other), replace(main, view=other), share, None)]


def _name(view: View) -> str:
    return f"nanodet-{view.long_side}" + (f"-tiles-{view.tile}" if view.tiled else "")


def _view(
    truths: Sequence[Labelled],
    sizes: Sequence[tuple[int, int]],
    settings: DetectionParameters,
    preference: Preference,
    seconds: float,
    *,
    gpu: bool,
) -> View:
    if settings.resolution is not None:
        side = round(settings.resolution / 32) * 32
        return View(side, side)
    small = object_side(truths, [width / height for width, height in sizes])
    picture_side = float(np.median([max(size) for size in sizes]))
    most = 640 if seconds < MUCH_TIME and not gpu else 960
    view = choose_view(small, picture_side, least=320 if preference == "fastest" else 416, most=most)
    larger = _next_larger(view)
    return larger if preference == "most_accurate" and larger is not None and larger.long_side <= most else view


def _smaller(view: View, side: int) -> View:
    """A view for a first model: tiles stay, as objects that need them are not seen otherwise."""
    return view if view.tiled else View(min(side, view.long_side), min(side, view.tile))


def _next_larger(view: View) -> View | None:
    """The next size up, for untiled views below the largest."""
    larger = [side for side in LADDER if side > view.long_side]
    return View(larger[0], larger[0]) if larger and not view.tiled else None
