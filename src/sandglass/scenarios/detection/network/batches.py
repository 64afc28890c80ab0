"""Batches of varied pictures: the same for the same seed and step, made in the background while the last one is learnt."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sandglass.scenarios.base import Example
from sandglass.scenarios.detection.augment import Shown, vary
from sandglass.scenarios.detection.grid import STRIDES
from sandglass.scenarios.detection.network.losses import Truth
from sandglass.scenarios.detection.recipe import Recipe
from sandglass.scenarios.detection.shelf import Labelled, Shelf

ASPECTS = (0.87, 1.15)
"""Width over height that part portrait, square and landscape pictures; a batch holds one kind."""
OFTEN = 0.3
"""Share of pictures with a label below which its pictures are shown more often."""
MOST_OFTEN = 3.0
NEGATIVES = 1.0
"""Pictures without any object that an epoch shows, at most, per picture with one."""


@dataclass(frozen=True)
class Batch:
    """Pictures (B, H, W, 3) uint8 and their objects."""

    pictures: Tensor
    truths: tuple[Truth, ...]


class Batches:
    """Endless batches over labelled examples.

    Args:
        examples: readable ones.
        truths: what is labelled on each.
        shelf: holds the pictures.
        recipe: sizes and variation.
        seed: of all randomness.
    """

    def __init__(
        self, examples: Sequence[Example], truths: Sequence[Labelled], shelf: Shelf, recipe: Recipe, *, seed: int
    ) -> None:
        self._examples, self._truths, self._shelf = examples, truths, shelf
        self._recipe, self._seed = recipe, seed
        aspects = [example.sample.width / max(1, example.sample.height) for example in examples]
        kinds = np.digitize(aspects, ASPECTS)
        self._kinds = {int(kind): np.flatnonzero(kinds == kind) for kind in np.unique(kinds)}
        self._aspects = {kind: float(np.median([aspects[i] for i in index])) for kind, index in self._kinds.items()}
        self._often = _repeats(truths)
        self._positive = np.array([len(truth.boxes) > 0 for truth in truths])
        self._epochs: dict[int, list[tuple[int, np.ndarray]]] = {}
        self._starts = [0]
        self._pool = ThreadPoolExecutor(1, "batches")
        self._next: tuple[int, Future[Batch]] | None = None

    def get(self, step: int) -> Batch:
        """The batch of a step; the one after it is begun in the background."""
        ahead, self._next = self._next, None
        batch = ahead[1].result() if ahead is not None and ahead[0] == step else self._make(step)
        self._next = (step + 1, self._pool.submit(self._make, step + 1))
        return batch

    def close(self) -> None:
        """End the background work."""
        self._next = None
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _drawn(self, step: int) -> tuple[int, np.ndarray]:
        """Kind and examples of a step's batch."""
        epoch = int(np.searchsorted(self._starts, step, side="right")) - 1
        while True:
            batches = self._epochs.get(epoch)
            if batches is None:
                batches = self._epochs[epoch] = self._epoch(epoch)
                for old in [number for number in self._epochs if number < epoch - 1]:
                    del self._epochs[old]
            if len(self._starts) == epoch + 1:
                self._starts.append(self._starts[epoch] + len(batches))
            if step < self._starts[epoch + 1]:
                return batches[step - self._starts[epoch]]
            epoch += 1

    def _epoch(self, epoch: int) -> list[tuple[int, np.ndarray]]:
        random = np.random.default_rng((self._seed, 1, epoch))
        times = np.floor(self._often + random.random(len(self._often))).astype(int)
        positives = int(self._positive.sum())
        if positives:
            share = min(1.0, NEGATIVES * positives / max(1, len(times) - positives))
            times = np.where(self._positive, times, random.random(len(times)) < share)
        size = self._recipe.batch
        batches = []
        for kind, members in self._kinds.items():
            drawn = np.repeat(members, times[members])
            if not len(drawn):
                continue
            drawn = random.permutation(drawn)
            short = -len(drawn) % size
            drawn = np.concatenate([drawn, random.choice(members, short)])
            batches += [(kind, part) for part in drawn.reshape(-1, size)]
        order = random.permutation(len(batches))
        return [batches[index] for index in order]

    def _make(self, step: int) -> Batch:
        kind, members = self._drawn(step)
        random = np.random.default_rng((self._seed, 2, step))
        view = self._recipe.view
        factor = random.uniform(*self._recipe.scales)
        aspect = self._aspects[kind]
        if view.tiled:
            long_side, size = view.long_side * factor, (view.tile, view.tile)
        else:
            long_side = view.long_side * factor
            size = (_whole(long_side / max(1.0, aspect)), _whole(long_side * min(1.0, aspect)))
        shown = []
        for index in members:
            picture = self._shelf.try_picture(self._examples[index])
            if picture is None:
                shown.append(_nothing(size))
            else:
                shown.append(vary(picture, self._truths[index], size, long_side, self._recipe.variation, random))
        return Batch(torch.from_numpy(np.stack([item.picture for item in shown])), tuple(map(_truth, shown)))


def _whole(length: float) -> int:
    coarse = STRIDES[-1]
    return max(2, round(length / coarse)) * coarse


def _nothing(size: tuple[int, int]) -> Shown:
    """What stands for a picture that cannot be read: nothing is taught there."""
    none = np.zeros((0, 4), np.float32)
    everywhere = np.array([[0, 0, size[1], size[0]]], np.float32)
    return Shown(np.zeros((*size, 3), np.uint8), none, np.zeros(0, np.int64), everywhere)


def _truth(shown: Shown) -> Truth:
    return Truth(torch.from_numpy(shown.boxes), torch.from_numpy(shown.labels), torch.from_numpy(shown.ignore))


def _repeats(truths: Sequence[Labelled]) -> np.ndarray:
    """How often an epoch shows each picture: more often those with rare labels (Gupta et al., LVIS, 2019)."""
    count = len(truths)
    labels = [set(truth.labels.tolist()) for truth in truths]
    share = {label: sum(label in own for own in labels) / count for label in set().union(*labels)} if count else {}
    often = {label: min(MOST_OFTEN, max(1.0, (OFTEN / part) ** 0.5)) for label, part in share.items()}
    return np.array([max((often[label] for label in own), default=1.0) for own in labels])
