"""A fine-tuned network: starts from a probe, learns as many epochs as the time allows, answers with averaged weights."""

import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from sandglass.scenarios.base import FitContext
from sandglass.scenarios.classification.augment import Symmetries
from sandglass.scenarios.classification.backbone import Classifier, pretrained_backbone
from sandglass.scenarios.classification.candidate import PIECE_SECONDS, ClassCandidate, Floats, MemberNetwork
from sandglass.scenarios.classification.material import Material
from sandglass.scenarios.classification.preprocess import Shape
from sandglass.scenarios.classification.trainer import Recipe, Trainer, start_classifier

SPARE = 0.94
"""Share of the time left that learning is planned for; the rest is for validation and export."""
FEW_EPOCHS = 5.0
"""Epochs below which a smaller input is taken, so that more of them fit."""
SMALLER = (0.8, 0.64)
"""Shares of the input's side that are tried then."""
MEASURING = 3
"""Steps after which the plan is looked at."""
READY_EPOCHS = 0.7
"""Epochs from which a network's answers are worth looking at."""
STATE = "tune.pt"


class TuneCandidate(ClassCandidate):
    """Fine-tunes one backbone by one recipe."""

    def __init__(self, name: str, material: Material, recipe: Recipe) -> None:
        super().__init__(name, material)
        self.recipe = recipe
        self._trainer: Trainer | None = None
        self._logits: tuple[int, Floats] | None = None
        self._sized = False

    @property
    def finished(self) -> bool:
        return self._trainer is not None and self._trainer.pace.finished

    @property
    def fraction(self) -> float:
        return 0.0 if self._trainer is None else self._trainer.pace.fraction

    @property
    def ready(self) -> bool:
        return self._trainer is not None and (self._trainer.epoch >= READY_EPOCHS or self.finished)

    def fit(self, context: FitContext) -> None:
        if self._trainer is None and not self._begin(context):
            return
        assert self._trainer is not None
        torch.set_num_threads(max(1, context.threads))
        if not math.isinf(context.hope):
            self._trainer.pace.fit_within(context.hope * SPARE)
            self._shrink(context)
        seconds = min(PIECE_SECONDS, context.deadline.remaining)
        loss = self._trainer.learn(seconds, lambda: context.over)
        if not math.isnan(loss):
            context.report.metric(f"loss/{self.name}", loss)

    def _shrink(self, context: FitContext) -> None:
        """Once, when it is known how long a step takes: take a smaller input if too few epochs would fit."""
        trainer = self._trainer
        assert trainer is not None
        if self._sized or trainer.pace.done < MEASURING:
            return
        self._sized = True
        if self.material.parameters.side is not None:
            return
        epochs = trainer.pace.planned / trainer.steps_per_epoch
        wished = min(FEW_EPOCHS, self.recipe.epochs)
        share = next((share for share in SMALLER if epochs / share**2 >= wished), SMALLER[-1])
        if epochs >= wished:
            return
        self.recipe = replace(self.recipe, shape=self.recipe.shape.scaled(share))
        trainer.resize(self.recipe.shape)
        context.report.log(
            f"{self.name}: {epochs:.1f} epochs would fit; the input becomes {self.recipe.shape.height}x"
            f"{self.recipe.shape.width}"
        )

    def _begin(self, context: FitContext) -> bool:
        """Encode, fit the probe to start from, and make the trainer; false while that is not done."""
        material, recipe = self.material, self.recipe
        indices = material.probed()
        seconds = min(PIECE_SECONDS, context.deadline.remaining)
        looked = [*indices, *material.validation]
        if not material.bank.compute(
            recipe.variant, recipe.shape, "plain", looked, seconds=seconds, over=lambda: context.over
        ):
            return False
        probe = material.probe(recipe.variant, recipe.shape, indices, ("plain",))
        if material.symmetries is None:
            material.find_symmetries(probe, recipe.variant, recipe.shape, seconds=seconds, over=lambda: context.over)
        network = self._network()
        start_classifier(network.linear, probe.weight, probe.bias)
        self._trainer = self._make_trainer(network)
        context.report.log(
            f"{self.name}: {recipe.variant} at {recipe.shape.height}x{recipe.shape.width}, "
            f"{len(network.backbone.parts) - recipe.frozen} of {len(network.backbone.parts)} parts learn"
        )
        return True

    def _network(self) -> Classifier:
        network = Classifier(self.recipe.variant, len(self.material.labels), dropout=self.recipe.dropout)
        network.backbone = pretrained_backbone(self.recipe.variant)
        return network

    def _make_trainer(self, network: Classifier) -> Trainer:
        material = self.material
        return Trainer(
            network,
            self.recipe,
            material.store,
            material.train,
            material.targets[material.train],
            material.chances,
            several=material.several,
            symmetries=material.symmetries or Symmetries(),
            seed=material.seed,
            threads=material.threads,
            device=material.device,
        )

    def validation_logits(self, context: FitContext | None) -> Floats:
        assert self._trainer is not None
        done = self._trainer.pace.done
        if self._logits is None or self._logits[0] != done:
            views = ("plain", "mirror") if self.mirror else ("plain",)
            self._logits = (done, self._trainer.logits(self.material.validation, views))
        return self._logits[1]

    def networks(self) -> Sequence[MemberNetwork]:
        assert self._trainer is not None
        averaged = self._trainer.average.network
        assert isinstance(averaged, Classifier)
        network = deepcopy(averaged).to("cpu").to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        return [MemberNetwork(network.eval(), self.recipe.shape)]

    def save(self, folder: Path) -> None:
        symmetries = self.material.symmetries
        state: dict[str, Any] = {
            "shape": [self.recipe.shape.height, self.recipe.shape.width],
            "sized": self._sized,
            "trainer": None if self._trainer is None else self._trainer.state(),
            "logits": None if self._logits is None else [self._logits[0], torch.from_numpy(self._logits[1])],
            "symmetries": None if symmetries is None else vars(symmetries),
        }
        torch.save(state, folder / STATE)

    def restore(self, folder: Path) -> None:
        state = torch.load(folder / STATE, map_location="cpu", weights_only=True)
        if state["symmetries"] is not None:
            self.material.symmetries = Symmetries(**state["symmetries"])
        self.recipe, self._sized = replace(self.recipe, shape=Shape(*state["shape"])), state["sized"]
        if state["trainer"] is not None:
            self._trainer = self._make_trainer(self._network())
            self._trainer.restore(state["trainer"])
        if state["logits"] is not None:
            self._logits = (state["logits"][0], state["logits"][1].numpy())
