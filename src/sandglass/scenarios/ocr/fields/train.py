"""Trains an ensemble of field networks: anytime, resumable, and calibrated on pages that it has not seen."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from sandglass.core.prediction import FieldPrediction
from sandglass.scenarios.ocr.fields.augment import Augmenter, Strength
from sandglass.scenarios.ocr.fields.calibrate import Calibration, Outcomes, calibrate, uncalibrated
from sandglass.scenarios.ocr.fields.compare import normalised
from sandglass.scenarios.ocr.fields.decode import FoundValue, Probabilities, decode
from sandglass.scenarios.ocr.fields.documents import Material, preparing
from sandglass.scenarios.ocr.fields.ensemble import Ensemble, TorchNetwork, export_graph
from sandglass.scenarios.ocr.fields.extractor import FieldExtractor
from sandglass.scenarios.ocr.fields.labelled import LabelledPage
from sandglass.scenarios.ocr.fields.member import BATCH, Member
from sandglass.scenarios.ocr.fields.model import FieldNetwork
from sandglass.scenarios.ocr.fields.style import value_text

EPOCHS = 24
LEAST_STEPS = 350
READY_STEPS = 60
"""Steps of a member from which its answers are worth looking at."""
STATE = "members.pt"


@dataclass(frozen=True)
class TrainReport:
    """How learning stands after a piece of work.

    Attributes:
        loss: running mean over the members that learnt; NaN when nothing was left to learn.
        seconds: that the piece took.
        fraction: share 0..1 of all planned steps that is done.
    """

    loss: float
    seconds: float
    fraction: float


@dataclass(frozen=True)
class _Plan:
    members: int
    steps: int | None
    seed: int


class FieldTrainer:
    """Learns an extractor for ``fields``, in bounded pieces.

    With a validation part, confidence is calibrated on it; without one, each member leaves out some documents to
    calibrate on.

    Args:
        pages: to learn from.
        fields: in display order.
        validation: to calibrate on; no member learns from it unless ``share_validation``.
        seed: of all randomness.
        threads: CPU threads; with two or more, two members learn side by side.
        members: size of the ensemble.
        share_validation: let half of the members leave out one half of the validation documents and learn from the other;
            then `validation_answers`, and not the ensemble, says how good it is.
        steps: of each member; None = by the number of pages.
    """

    def __init__(
        self,
        pages: Sequence[LabelledPage],
        fields: tuple[str, ...],
        *,
        validation: Sequence[LabelledPage] = (),
        seed: int = 0,
        threads: int = 1,
        members: int = 4,
        device: Literal["cpu", "cuda"] = "cpu",
        share_validation: bool = False,
        steps: int | None = None,
    ) -> None:
        self._threads = threads
        self._device: Literal["cpu", "cuda"] = device
        self._learnt = len(pages)
        self._count = len(pages) + len(validation)
        self._plan = _Plan(members, steps, seed)
        self._preparing = preparing(pages, validation, fields, members=members, share_validation=share_validation)
        self._prepared: Material | None = None
        self._members: list[Member] = []
        self._restored: list[dict[str, Any]] | None = None
        self._calibrated: tuple[int, Calibration] | None = None

    def _prepare(self, end: float, stop: Callable[[], bool]) -> bool:
        """Go on preparing until ``end`` on the monotonic clock; True once everything is prepared."""
        while self._prepared is None:
            if time.monotonic() >= end or stop():
                return False
            try:
                next(self._preparing)
            except StopIteration as done:
                self._prepared = done.value
                self._members = [self._make_member(index) for index in range(self._plan.members)]
                for member, state in zip(self._members, self._restored or (), strict=False):
                    member.restore(state)
                self._restored = None
        return True

    def _make_member(self, index: int) -> Member:
        material, steps = self.material, self._plan.steps
        # With a single document or group it is better to have seen it than to know nothing.
        used = material.used_by(index) or [n for n in range(self._learnt) if material.prepared[n] is not None]
        pages = [page for number in used if (page := material.prepared[number]) is not None]
        characters = material.vocabulary.character_count
        words = material.vocabulary.word_count
        named = [(material.groups[number], page) for number, page in zip(used, pages, strict=True)]

        def make() -> FieldNetwork:
            return FieldNetwork(characters, words, len(material.fields))

        return Member(
            pages,
            material.weights(used),
            Augmenter(named, material.text_fields, Strength()),
            make,
            steps=(steps or max(LEAST_STEPS, EPOCHS * -(-len(pages) // BATCH))) if pages else 0,
            seed=self._plan.seed * 1000 + index,
            device=self._device,
        )

    @property
    def material(self) -> Material:
        """Styles, vocabulary and targets that were learnt from the pages; prepares what is not prepared yet."""
        self._prepare(float("inf"), lambda: False)
        assert self._prepared is not None
        return self._prepared

    @property
    def unplaced(self) -> Mapping[str, int]:
        """Field → values that were not found on their page, so that they teach nothing."""
        return self.material.unplaced

    @property
    def finished(self) -> bool:
        return bool(self._progress()) and all(step >= steps for step, steps in self._progress())

    @property
    def fraction(self) -> float:
        progress = self._progress()
        planned = sum(steps for _, steps in progress)
        return sum(step for step, _ in progress) / planned if planned else float(bool(progress))

    @property
    def ready(self) -> bool:
        return any(step >= min(READY_STEPS, steps) for step, steps in self._progress())

    def _progress(self) -> list[tuple[int, int]]:
        """Steps taken and planned of each member; empty while nothing is prepared nor restored."""
        if self._restored:
            return [(state["step"], state["steps"]) for state in self._restored]
        return [(member.step, member.steps) for member in self._members]

    def fit(self, seconds: float, stop: Callable[[], bool]) -> TrainReport:
        """Prepare, or let the next members learn, for about ``seconds``.

        What is learnt does not depend on how the work is cut.
        """
        began = time.monotonic()
        if not self._prepare(began + seconds, stop):
            return TrainReport(float("nan"), time.monotonic() - began, self.fraction)
        left = seconds - (time.monotonic() - began)
        waiting = [member for member in self._members if not member.finished]
        side_by_side = waiting[: 2 if self._threads > 1 and self._device == "cpu" else 1]
        before = torch.get_num_threads()
        torch.set_num_threads(1 if len(side_by_side) > 1 else max(1, self._threads))
        try:
            with ThreadPoolExecutor(len(side_by_side) or 1) as pool:
                for work in [pool.submit(member.learn, left, stop) for member in side_by_side]:
                    work.result()
        finally:
            torch.set_num_threads(before)
        losses = [member.loss for member in side_by_side]
        loss = float(np.mean(losses)) if losses else float("nan")
        return TrainReport(loss, time.monotonic() - began, self.fraction)

    def fit_within(self, seconds: float) -> None:
        """Shorten the plan of members so that all that is left takes about ``seconds``; never lengthens it."""
        speed = [member.seconds_per_step for member in self._members if member.seconds_per_step]
        if not speed:
            return
        lanes = 2 if self._threads > 1 and self._device == "cpu" else 1
        left = sum(member.steps - member.step for member in self._members)
        needed = left * float(np.mean(speed)) / lanes
        if needed > seconds:
            for member in self._members:
                member.steps = member.step + int((member.steps - member.step) * max(0.0, seconds) / needed)

    def extractor(self) -> FieldExtractor:
        """The ensemble as learnt so far, calibrated on pages that it has not seen."""
        return self._extractor_of(self._usable(), self._calibration())

    def validation_answers(self) -> list[tuple[FieldPrediction, ...]]:
        """Answers for the validation pages by members that have not seen them."""
        calibration = self._calibration()
        return [
            self._unseen_by(number, calibration).extract(self.material.labelled[number].page)
            for number in range(self._learnt, self._count)
        ]

    def _usable(self) -> list[int]:
        """Members that have learnt enough to vote: those at least half as far as the furthest."""
        _ = self.material  # members stand once everything is prepared
        furthest = max(member.step for member in self._members)
        return [index for index, member in enumerate(self._members) if member.step >= 0.5 * furthest]

    def _unseen_by(self, number: int, calibration: Calibration) -> FieldExtractor:
        fresh = [index for index in self._usable() if index in self.material.left_out[number]]
        return self._extractor_of(fresh or self._usable(), calibration)

    def _calibration(self) -> Calibration:
        steps = sum(member.step for member in self._members)
        if self._calibrated is None or self._calibrated[0] != steps:
            self._calibrated = (steps, self._calibrate())
        return self._calibrated[1]

    def _calibrate(self) -> Calibration:
        material = self.material
        plain = uncalibrated(len(material.fields))
        usable = set(self._usable())
        outcomes = Outcomes()
        for number in material.held_out:
            labelled = material.labelled[number]
            if not (usable & material.left_out[number]) or not labelled.page.lines or not labelled.values:
                continue
            told = self._unseen_by(number, plain).probabilities(labelled.page)
            found = decode(labelled.page, told, list(material.styles.values()))
            self._judge(labelled, told, found, outcomes)
        return calibrate(len(material.fields), outcomes)

    def _judge(
        self, labelled: LabelledPage, told: Probabilities, found: Sequence[FoundValue], outcomes: Outcomes
    ) -> None:
        material = self.material
        for value in found:
            name = material.fields[value.field]
            text = value_text(labelled.page, value.pieces, material.styles[name].separators)
            right = any(normalised(text, truth) for truth in labelled.values.get(name, ()))
            outcomes.add_value(value.field, value.evidence, right=right)
        for index, name in enumerate(material.fields):
            outcomes.add_absence(float(told.missing[index]), absent=not labelled.values.get(name))

    def _extractor_of(self, members: Sequence[int], calibration: Calibration) -> FieldExtractor:
        networks = [deepcopy(self._members[index].average) for index in members]
        ensemble = Ensemble(networks).eval()
        return FieldExtractor(
            self.material.styles,
            self.material.vocabulary,
            calibration,
            TorchNetwork(ensemble, self._device),
            lambda: export_graph(deepcopy(ensemble), len(self.material.fields)),
        )

    def save(self, folder: Path) -> None:
        """Write the state of all members."""
        states = [member.state() for member in self._members] or self._restored or []
        torch.save(states, folder / STATE)

    def restore(self, folder: Path) -> None:
        """Take up what `save` wrote; pages and arguments must be the same."""
        self._restored = torch.load(folder / STATE, weights_only=False, map_location=self._device)
        if self._prepared is not None:
            for member, state in zip(self._members, self._restored or (), strict=False):
                member.restore(state)
            self._restored = None
        self._calibrated = None
