"""Candidates of the detection scenario: one network, learnt briefly first, then longer and at the size that it needs."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sandglass.core.errors import InvalidInput, TooLarge
from sandglass.core.prediction import ObjectsPrediction, Prediction
from sandglass.scenarios.base import Candidate, Example, FitContext
from sandglass.scenarios.detection.network.train import DetectionTrainer
from sandglass.scenarios.detection.predictor import as_prediction, write_model
from sandglass.scenarios.detection.recipe import Recipe, affordable
from sandglass.scenarios.detection.shelf import Labelled, Shelf
from sandglass.scenarios.detection.view import Laid, View, detect, lay

PIECE_SECONDS = 10.0
"""Length of one bounded piece of learning."""
SPARE = 0.94
"""Share of the time left that learning is planned for; the rest is for validation and export."""
LAID_MEMORY = 500 * 2**20
"""Bytes of scaled validation pictures that are kept."""
PLAN = "plan.json"
Interpret = Callable[[ObjectsPrediction], ObjectsPrediction]


@dataclass(frozen=True)
class DetectionData:
    """What the candidates of a run share.

    Attributes:
        train: examples to learn from.
        truths: what is labelled on each of them.
        validation: examples to validate on.
        labels: in display order.
        shelf: holds the pictures.
        files: further files of the model folder, by name.
        interpret: what the exported model makes of found objects.
    """

    train: Sequence[Example]
    truths: Sequence[Labelled]
    validation: Sequence[Example]
    labels: tuple[str, ...]
    shelf: Shelf
    files: Mapping[str, bytes]
    interpret: Interpret


class DetectionCandidate(Candidate):
    """A detector that learns one recipe.

    Args:
        data: to learn from and to validate on.
        recipe: how.
        context: for seed, threads and device.
        share: share 0..1 of the time left at its first piece that it plans to take.
        most_seconds: that it takes at most; None = no limit of its own.
        after: a candidate whose weights it begins with, if that has learnt anything by then.
    """

    def __init__(
        self,
        name: str,
        data: DetectionData,
        recipe: Recipe,
        context: FitContext,
        *,
        share: float = 1.0,
        most_seconds: float | None = None,
        after: "DetectionCandidate | None" = None,
    ) -> None:
        self.name = name
        self._data, self._recipe = data, recipe
        self._share, self._after = share, after
        self._own = math.inf if most_seconds is None else most_seconds
        self._used = 0.0
        self._planned: float | None = None
        self._told: set[str] = set()
        self._laid: dict[int, Laid] = {}
        self._settings = (context.seed, context.threads, context.device)
        self._trainer = self._make(recipe)

    def _make(self, recipe: Recipe) -> DetectionTrainer:
        seed, threads, device = self._settings
        data = self._data
        return DetectionTrainer(
            data.train, data.truths, data.labels, data.shelf, recipe, seed=seed, threads=threads, device=device
        )

    def _begin(self, seconds: float, context: FitContext) -> None:
        """Before the first step: what the candidate before this one has learnt, and at what pace, is taken up."""
        before = None if self._after is None else self._after._trainer
        if before is None or not before.ready:
            return
        if before.pace.step_seconds and not math.isinf(seconds):
            recipe = affordable(self._recipe, seconds, before.pace.step_seconds, before.recipe)
            if recipe != self._recipe:
                context.report.log(
                    f"{self.name}: {recipe.batch} pictures a step at {recipe.view.long_side} pixels instead of "
                    f"{self._recipe.batch} at {self._recipe.view.long_side}, to take enough steps in the time left."
                )
                self._take(recipe)
        self._trainer.go_on_from(before)

    def _take(self, recipe: Recipe) -> None:
        self._trainer.close()
        self._recipe, self._laid = recipe, {}
        self._trainer = self._make(recipe)

    @property
    def finished(self) -> bool:
        return self._trainer.pace.finished

    @property
    def fraction(self) -> float:
        return self._trainer.pace.fraction

    @property
    def ready(self) -> bool:
        return self._trainer.ready

    def fit(self, context: FitContext) -> None:
        left = context.deadline.remaining
        if self._planned is None:
            self._planned = self._own if self._share >= 1 else min(self._own, left * self._share)
            if not self._trainer.pace.done:
                self._begin(min(self._planned, left * self._share * SPARE), context)
        self._trainer.pace.fit_within(min(self._planned - self._used, left * SPARE))
        pace, before = self._trainer.pace, self._trainer.seconds
        step = pace.step_seconds or 0.0
        if step > left:
            pace.planned = max(1, pace.done)  # not even one more step ends in time: nothing is left to wait for
        # A piece holds a step even where one takes longer than a piece should, as on a machine that others use too.
        loss = self._trainer.fit(min(max(PIECE_SECONDS, 1.5 * step), left), lambda: context.over)
        self._used += self._trainer.seconds - before
        if not math.isnan(loss):
            context.report.metric(f"loss/{self.name}", loss)
        for path, reason in self._data.shelf.unreadable.items():
            if path not in self._told:
                self._told.add(path)
                context.report.log(f"{path} teaches nothing: {reason}", level="warning")

    def predict_validation(self, context: FitContext) -> list[Prediction]:
        infer = self._trainer.infer()
        answers: list[Prediction] = []
        for index, example in enumerate(self._data.validation):
            size = (example.sample.width, example.sample.height)
            laid = self._lay(index, example)
            if laid is None:
                answers.append(ObjectsPrediction(width=size[0], height=size[1]))
                continue
            found = detect(laid, infer, self._recipe.view)
            answers.append(self._data.interpret(as_prediction(found, size, self._data.labels, 0.0)))
        return answers

    def _lay(self, index: int, example: Example) -> Laid | None:
        """The scaled picture of a validation example, from memory as far as it reaches; None when it cannot be read."""
        if index not in self._laid:
            try:
                laid = lay(example.picture(), self._recipe.view)
            except (InvalidInput, TooLarge) as error:
                self._data.shelf.unreadable.setdefault(example.sample.path, str(error))
                return None
            if sum(kept.whole.nbytes for kept in self._laid.values()) + laid.whole.nbytes > LAID_MEMORY:
                return laid
            self._laid[index] = laid
        return self._laid[index]

    def export(self, folder: Path) -> None:
        write_model(folder, self._trainer.graph(), self._recipe.view)
        for name, content in self._data.files.items():
            (folder / name).write_bytes(content)

    def save(self, folder: Path) -> None:
        self._trainer.save(folder)
        view = self._recipe.view
        plan = {"used": self._used, "long_side": view.long_side, "tile": view.tile, "batch": self._recipe.batch}
        (folder / PLAN).write_text(json.dumps(plan), "utf-8")

    def restore(self, folder: Path) -> None:
        """Take up the state; what share of the time to take is planned anew, for the time that is left now."""
        plan = json.loads((folder / PLAN).read_text("utf-8"))
        recipe = replace(self._recipe, view=View(plan["long_side"], plan["tile"]), batch=plan["batch"])
        if recipe != self._recipe:
            self._take(recipe)
        self._trainer.restore(folder)
        self._used = plan["used"]
        self._planned = None
