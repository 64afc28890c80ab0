"""A linear probe on features of a frozen backbone: the quick first model, ready within a minute whatever the data.

With few pictures, varied versions of each picture teach as well.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sandglass.scenarios.base import FitContext
from sandglass.scenarios.classification.augment import Symmetries
from sandglass.scenarios.classification.backbone import Classifier, pretrained_backbone
from sandglass.scenarios.classification.candidate import PIECE_SECONDS, ClassCandidate, Floats, MemberNetwork
from sandglass.scenarios.classification.features import View
from sandglass.scenarios.classification.material import Material
from sandglass.scenarios.classification.probe import Probe, out_of_fold, probe_from, state_of
from sandglass.scenarios.classification.trainer import start_classifier

FIRST_SECONDS = 25.0
"""After this time the first probe is fitted on whatever has been encoded."""
CROPS = 4
"""Varied versions of a picture that teach where there are few pictures."""
STATE = "probe.pt"


class ProbeCandidate(ClassCandidate):
    """Encodes pictures piece by piece, fits a probe early, and again when all views are there."""

    def __init__(self, name: str, material: Material, variant: str = "lite0") -> None:
        super().__init__(name, material)
        self.variant = variant
        self.shape = material.shape(variant)
        self._views: tuple[View, ...] = ("plain",)
        self._probe: Probe | None = None
        self._logits: Floats | None = None
        self._learnt: tuple[int, int] = (0, 0)
        self._finished = False
        self._began: float | None = None

    @property
    def finished(self) -> bool:
        return self._finished

    @property
    def fraction(self) -> float:
        if self._finished:
            return 1.0
        return 0.1 if self._probe is None else 0.5

    @property
    def ready(self) -> bool:
        return self._probe is not None

    def _order(self) -> list[int]:
        """Validation pictures first (all of them must be answered), then training pictures, labels taking turns.

        Whenever encoding is cut, all labels have been seen about equally often.
        """
        material = self.material
        random = np.random.default_rng((material.seed, 7))
        rows = material.targets[material.train]
        seen = [0] * rows.shape[1]
        turns = []
        for index in random.permutation(len(material.train)):
            label = int(rows[index].argmax())
            turns.append((seen[label], label, material.train[index]))
            seen[label] += 1
        return list(dict.fromkeys([*material.validation, *(index for _, _, index in sorted(turns))]))

    def fit(self, context: FitContext) -> None:
        self._began = self._began or time.monotonic()
        end = time.monotonic() + min(PIECE_SECONDS, context.deadline.remaining)
        whole = self._encode(end, context)
        if self._probe is None:
            late = time.monotonic() - self._began > FIRST_SECONDS or context.deadline.remaining < 2 * PIECE_SECONDS
            if whole or (late and self._answerable()):
                self._learn()
                self._tell(context)
            return
        if not whole:
            return
        self._learn()
        if not self._widen(end, context):
            self._finished = True

    def _encode(self, end: float, context: FitContext) -> bool:
        """Compute what is missing of the present views until ``end``; whether all is there."""
        bank, order = self.material.bank, self._order()
        return all(
            bank.compute(
                self.variant, self.shape, view, order, seconds=end - time.monotonic(), over=lambda: context.over
            )
            for view in self._views
        )

    def _widen(self, end: float, context: FitContext) -> bool:
        """Take up further views; false when there are none to add."""
        material = self.material
        assert self._probe is not None
        if self._views != ("plain",):
            return False
        if material.symmetries is None:
            left = end + PIECE_SECONDS - time.monotonic()
            symmetries = material.find_symmetries(
                self._probe, self.variant, self.shape, seconds=left, over=lambda: context.over
            )
            context.report.log(_said(symmetries))
        assert material.symmetries is not None
        mirror: tuple[View, ...] = ("mirror",) if material.symmetries.mirror else ()
        crops = tuple(f"crop:{number}" for number in range(CROPS)) if material.few else ()
        self._views = ("plain", *mirror, *crops)
        return self._views != ("plain",)

    @property
    def _answered(self) -> int:
        """How many of the views a picture is answered by; varied versions only teach."""
        return sum(not view.startswith("crop:") for view in self._views)

    def _missing(self, indices: Sequence[int]) -> set[int]:
        bank = self.material.bank
        return {index for view in self._views for index in bank.missing(self.variant, self.shape, view, indices)}

    def _answerable(self) -> bool:
        """Whether all validation pictures and enough training pictures have features."""
        known = len(self.material.train) - len(self._missing(self.material.train))
        return not self._missing(self.material.validation) and known >= 2 * len(self.material.labels)

    def _learn(self) -> None:
        """Fit the probe on all pictures that have features in all views, if there is more of them than before."""
        material, bank = self.material, self.material.bank
        missing = self._missing(material.train)
        known = [index for index in material.train if index not in missing]
        amount = (len(known), len(self._views))
        if amount == self._learnt:
            return
        torch.set_num_threads(max(1, material.threads))
        probe = material.probe(self.variant, self.shape, known, self._views, answered=self._answered)
        views = np.stack([bank.get(self.variant, self.shape, view, material.validation) for view in self._views])
        if material.few:
            self._logits = out_of_fold(
                views,
                material.targets[material.train],
                several=material.several,
                penalty=probe.penalty,
                balance=material.chances,
                answered=self._answered,
                seed=material.seed,
            )
        else:
            self._logits = probe.logits(views[: self._answered].mean(0))
        self._probe, self._learnt = probe, amount

    def _tell(self, context: FitContext) -> None:
        material, shape = self.material, self.shape
        context.report.log(f"{self.name}: a linear classifier on {self.variant} at {shape.height}x{shape.width}")
        for index, reason in sorted(material.store.unreadable.items()):
            path = material.examples[index].sample.path
            context.report.log(f"{path} cannot be read and counts as an empty picture: {reason}", level="warning")

    @property
    def mirror(self) -> bool:
        return super().mirror and "mirror" in self._views

    def validation_logits(self, context: FitContext | None) -> Floats:
        assert self._logits is not None
        return self._logits

    def networks(self) -> Sequence[MemberNetwork]:
        assert self._probe is not None
        network = Classifier(self.variant, len(self.material.labels))
        network.backbone = pretrained_backbone(self.variant)
        start_classifier(network.linear, self._probe.weight, self._probe.bias)
        return [MemberNetwork(network.eval(), self.shape)]

    def save(self, folder: Path) -> None:
        symmetries = self.material.symmetries
        state: dict[str, Any] = {
            "views": list(self._views),
            "probe": None if self._probe is None else state_of(self._probe),
            "logits": None if self._logits is None else torch.from_numpy(self._logits),
            "learnt": list(self._learnt),
            "finished": self._finished,
            "symmetries": None if symmetries is None else vars(symmetries),
        }
        torch.save(state, folder / STATE)

    def restore(self, folder: Path) -> None:
        state = torch.load(folder / STATE, map_location="cpu", weights_only=True)
        self._views = tuple(state["views"])
        self._probe = None if state["probe"] is None else probe_from(state["probe"])
        self._logits = None if state["logits"] is None else state["logits"].numpy()
        pictures, views = state["learnt"]
        self._learnt, self._finished = (pictures, views), state["finished"]
        if state["symmetries"] is not None:
            self.material.symmetries = Symmetries(**state["symmetries"])


def _said(symmetries: Symmetries) -> str:
    kept = [text for holds, text in ((symmetries.mirror, "mirrored"), (symmetries.upside_down, "upside down")) if holds]
    return (
        f"Pictures keep their label when seen {' or '.join(kept)}." if kept else "Mirrored pictures lose their label."
    )
