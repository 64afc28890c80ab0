"""Fine-tuning from few pictures: one network per fold, so that every picture is answered by one that has not seen it.

The model is all of them together; their agreement is worth more than a part held out.
"""

import math
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sandglass.scenarios.base import FitContext
from sandglass.scenarios.classification.augment import Symmetries
from sandglass.scenarios.classification.backbone import Classifier, pretrained_backbone
from sandglass.scenarios.classification.candidate import PIECE_SECONDS, ClassCandidate, Floats, MemberNetwork
from sandglass.scenarios.classification.material import Material
from sandglass.scenarios.classification.probe import fold_numbers
from sandglass.scenarios.classification.trainer import Recipe, Trainer, start_classifier
from sandglass.scenarios.classification.tune import SPARE

FOLDS = 3
STATE = "folded.pt"


class FoldedCandidate(ClassCandidate):
    """Fine-tunes `FOLDS` networks, taking turns."""

    def __init__(self, name: str, material: Material, recipe: Recipe) -> None:
        super().__init__(name, material)
        self.recipe = recipe
        self._folds = fold_numbers(material.targets[material.train], FOLDS, material.seed)
        self._trainers: list[Trainer] = []
        self._logits: tuple[int, Floats] | None = None

    @property
    def finished(self) -> bool:
        return bool(self._trainers) and all(trainer.pace.finished for trainer in self._trainers)

    @property
    def fraction(self) -> float:
        return float(np.mean([trainer.pace.fraction for trainer in self._trainers])) if self._trainers else 0.0

    @property
    def _done(self) -> int:
        return sum(trainer.pace.done for trainer in self._trainers)

    @property
    def ready(self) -> bool:
        return bool(self._trainers) and all(
            trainer.pace.done >= 2 or trainer.pace.finished for trainer in self._trainers
        )

    def fit(self, context: FitContext) -> None:
        if not self._trainers and not self._begin(context):
            return
        torch.set_num_threads(max(1, context.threads))
        seconds = min(PIECE_SECONDS, context.deadline.remaining)
        losses = []
        for trainer in sorted(self._trainers, key=lambda trainer: trainer.pace.done):
            if not math.isinf(context.hope):
                trainer.pace.fit_within(context.hope * SPARE / FOLDS)
            losses.append(trainer.learn(seconds / FOLDS, lambda: context.over))
        known = [loss for loss in losses if not math.isnan(loss)]
        if known:
            context.report.metric(f"loss/{self.name}", float(np.mean(known)))

    def _begin(self, context: FitContext) -> bool:
        """Encode, and start each network from a probe on the pictures that it may see; false while not done."""
        material, recipe = self.material, self.recipe
        seconds = min(PIECE_SECONDS, context.deadline.remaining)
        everything = material.train
        if not material.bank.compute(
            recipe.variant, recipe.shape, "plain", everything, seconds=seconds, over=lambda: context.over
        ):
            return False
        if material.symmetries is None:
            probe = material.probe(recipe.variant, recipe.shape, everything, ("plain",))
            material.find_symmetries(probe, recipe.variant, recipe.shape, seconds=seconds, over=lambda: context.over)
        for fold in range(FOLDS):
            network = self._network()
            probe = material.probe(recipe.variant, recipe.shape, self._seen(fold), ("plain",))
            start_classifier(network.linear, probe.weight, probe.bias)
            self._trainers.append(self._make_trainer(network, fold))
        context.report.log(
            f"{self.name}: {FOLDS} networks, {recipe.variant} at {recipe.shape.height}x{recipe.shape.width}"
        )
        return True

    def _seen(self, fold: int) -> list[int]:
        return [index for index, number in zip(self.material.train, self._folds, strict=True) if number != fold]

    def _network(self) -> Classifier:
        network = Classifier(self.recipe.variant, len(self.material.labels), dropout=self.recipe.dropout)
        network.backbone = pretrained_backbone(self.recipe.variant)
        return network

    def _make_trainer(self, network: Classifier, fold: int) -> Trainer:
        material = self.material
        seen = self._seen(fold)
        chances = material.chances[seen]
        return Trainer(
            network,
            self.recipe,
            material.store,
            seen,
            material.targets[seen],
            chances / chances.sum(),
            several=material.several,
            symmetries=material.symmetries or Symmetries(),
            seed=material.seed + fold,
            threads=material.threads,
            device=material.device,
        )

    def validation_logits(self, context: FitContext | None) -> Floats:
        if self._logits is None or self._logits[0] != self._done:
            views = ("plain", "mirror") if self.mirror else ("plain",)
            logits = np.zeros((len(self.material.train), len(self.material.labels)), np.float32)
            for fold, trainer in enumerate(self._trainers):
                held = np.flatnonzero(self._folds == fold)
                if len(held):
                    logits[held] = trainer.logits([self.material.train[index] for index in held], views)
            self._logits = (self._done, logits)
        return self._logits[1]

    def networks(self) -> Sequence[MemberNetwork]:
        members = []
        for trainer in self._trainers:
            averaged = trainer.average.network
            assert isinstance(averaged, Classifier)
            network = deepcopy(averaged).to("cpu").to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
            members.append(MemberNetwork(network.eval(), self.recipe.shape))
        return members

    def save(self, folder: Path) -> None:
        symmetries = self.material.symmetries
        state: dict[str, Any] = {
            "trainers": [trainer.state() for trainer in self._trainers],
            "logits": None if self._logits is None else [self._logits[0], torch.from_numpy(self._logits[1])],
            "symmetries": None if symmetries is None else vars(symmetries),
        }
        torch.save(state, folder / STATE)

    def restore(self, folder: Path) -> None:
        state = torch.load(folder / STATE, map_location="cpu", weights_only=True)
        if state["symmetries"] is not None:
            self.material.symmetries = Symmetries(**state["symmetries"])
        self._trainers = []
        for fold, saved in enumerate(state["trainers"]):
            self._trainers.append(self._make_trainer(self._network(), fold))
            self._trainers[-1].restore(saved)
        if state["logits"] is not None:
            self._logits = (state["logits"][0], state["logits"][1].numpy())
