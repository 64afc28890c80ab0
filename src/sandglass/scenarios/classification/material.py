"""What the candidates of one run share: pictures, targets, features, and which changes leave a label as it is."""

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from sandglass.scenarios.base import Example, FitContext, LearningData, TrainingPlan
from sandglass.scenarios.classification.augment import Symmetries
from sandglass.scenarios.classification.backbone import VARIANTS
from sandglass.scenarios.classification.features import FeatureBank, View
from sandglass.scenarios.classification.parameters import ClassificationParameters
from sandglass.scenarios.classification.pictures import PictureStore
from sandglass.scenarios.classification.preprocess import Shape, input_shape, typical_side
from sandglass.scenarios.classification.probe import Probe, fit_probe
from sandglass.scenarios.classification.targets import labels_of, learns_several, sampling_weights, target_rows

MARGIN = 1.15
"""Side of the kept pictures relative to the largest input, so that crops have detail to show."""
ENLARGED = 1.6
"""Largest factor by which small pictures are enlarged for the network."""
LEAST_SIDE = 96
PROBED = 3000
"""Pictures that a probe learns from, at most, when it only starts a network."""
MOST_COMPARED = 10_000
FLAT = 3.0
"""Standard deviation of grey levels below which a picture is empty."""
ALIKE, ALIKE_CONTRAST = 4.0, 0.1
"""Pictures look the same when their small versions differ by less than these grey levels and this share of contrast."""
LOST = 0.02
"""Loss of accuracy by which a changed picture still counts as showing the same."""

Floats = npt.NDArray[np.float32]


class Material:
    """The data of a run as arrays.

    Where training and validation pictures are the same (few pictures), every picture is answered by networks that have
    not seen it.

    Attributes:
        labels: to learn, in the order of logits.
        several: independent labels.
        few: training and validation pictures are the same.
        train: positions in the store of the pictures to learn from.
        validation: positions of the pictures to validate on.
        targets: (N, K) of all.
        chances: of training pictures to be drawn.
    """

    def __init__(self, data: LearningData, plan: TrainingPlan, context: FitContext) -> None:
        self.parameters = ClassificationParameters.model_validate(dict(plan.parameters))
        self.preference = plan.preference
        self.labels = data.labels
        train, validation = list(data.train), list(data.validation)
        samples = [example.sample for example in (*train, *validation)]
        self.several = learns_several(samples, self.parameters.labels_per_picture, data.labels)
        self.few = [e.sample.path for e in train] == [e.sample.path for e in validation]
        self.examples: list[Example] = train if self.few else [*train, *validation]
        self.train = list(range(len(train)))
        self.validation = self.train if self.few else list(range(len(train), len(self.examples)))
        self.targets = target_rows(self.examples, self.labels, several=self.several)
        self.chances = sampling_weights(self.targets[self.train], balance=self.parameters.balance)
        self.sizes = [(example.sample.width, example.sample.height) for example in self.examples]
        self.device, self.threads, self.seed = context.device, context.threads, context.seed
        largest = (
            max(VARIANTS[name].side for name in VARIANTS) if self.parameters.side is None else self.parameters.side
        )
        native = typical_side(self.sizes) or largest
        kept = min(native, MARGIN * largest)
        self.store = PictureStore(
            self.examples, input_shape(max(kept, LEAST_SIDE), self.sizes), context.cache, threads=context.threads
        )
        self.bank = FeatureBank(self.store, context.device, context.threads)
        self.symmetries: Symmetries | None = None

    def shape(self, variant: str, factor: float = 1.0) -> Shape:
        """The input's shape for a backbone: its own side, less for small pictures, or as the person chose."""
        side = self.parameters.side
        if side is None:
            native = typical_side(self.sizes) or VARIANTS[variant].side
            side = round(min(VARIANTS[variant].side * factor, max(LEAST_SIDE, ENLARGED * native)))
        return input_shape(side, self.sizes)

    @staticmethod
    def own_side(variant: str) -> int:
        """Side of the pictures that a backbone's weights were learnt with."""
        return VARIANTS[variant].side

    def probed(self) -> list[int]:
        """Training positions that a starting probe learns from: spread over labels, in a fixed order."""
        random = np.random.default_rng((self.seed, 11))
        rows = self.targets[self.train]
        weights = sampling_weights(rows, balance=1.0) if len(self.train) > PROBED else None
        count = min(PROBED, len(self.train))
        chosen = random.choice(len(self.train), count, replace=False, p=weights)
        return [self.train[index] for index in sorted(chosen)]

    def probe(
        self, variant: str, shape: Shape, indices: Sequence[int], views: Sequence[View], *, answered: int = 1
    ) -> Probe:
        """A probe on features that were computed before; pictures are answered by the first ``answered`` views."""
        features = np.stack([self.bank.get(variant, shape, view, indices) for view in views])
        chances = self.chances[np.asarray(indices)] if max(indices) < len(self.train) else None
        if chances is not None:
            chances = chances / chances.sum()
        return fit_probe(
            features,
            self.targets[list(indices)],
            several=self.several,
            balance=chances,
            answered=answered,
            seed=self.seed,
        )

    def find_symmetries(
        self, probe: Probe, variant: str, shape: Shape, *, seconds: float, over: Callable[[], bool]
    ) -> Symmetries:
        """Measure on validation pictures whether a mirrored one is still recognised by a probe that never saw one.

        Where the answer is given by the person, or the time is short, nothing is measured.
        """
        wish = self.parameters.mirror
        if wish != "auto":
            self.symmetries = Symmetries(mirror=wish == "yes")
            return self.symmetries
        looked = self.validation[:: max(1, len(self.validation) // 300)]
        found = {}
        for view in ("mirror", "upside_down"):
            found[view] = self.bank.compute(
                variant, shape, view, looked, seconds=seconds / 2, over=over
            ) and self._same(probe, variant, shape, view, looked)
        self.symmetries = Symmetries(mirror=found["mirror"], upside_down=found["upside_down"])
        return self.symmetries

    def _same(self, probe: Probe, variant: str, shape: Shape, view: View, looked: Sequence[int]) -> bool:
        """Whether the probe does about as well on changed pictures; its confidence in the truth must hold as well."""
        truth = self.targets[list(looked)]
        plain, changed = (probe.logits(self.bank.get(variant, shape, name, looked)) for name in ("plain", view))
        if self.several:
            right = [((logits > 0) == (truth > 0.5)).mean() for logits in (plain, changed)]
        else:
            right = [(logits.argmax(1) == truth.argmax(1)).mean() for logits in (plain, changed)]
        error = math.sqrt(max(right[0] * (1 - right[0]), 0.01) / len(looked))
        return bool(right[1] >= right[0] - max(LOST, error))


def near_duplicates(store: PictureStore, indices: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of pictures that look the same: their small versions hardly differ, measured by their own contrast.

    Each picture is named at most once as the second of a pair.
    """
    looked = list(indices)[:MOST_COMPARED]
    kept, rows = [], []
    for index in looked:
        picture = store.picture(index)
        small = cv2.resize(picture, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32)
        # An empty picture resembles every other empty one and says nothing.
        if index not in store.unreadable and small.std() >= FLAT:
            kept.append(index)
            rows.append(small.ravel())
    if not rows:
        return []
    table = np.stack(rows)
    squares = (table**2).sum(1)
    contrast = table.std(1)
    pairs = []
    for start in range(0, len(table), 512):
        part = slice(start, start + 512)
        distances = squares[part, None] + squares[None] - 2 * table[part] @ table.T
        errors = np.sqrt(np.maximum(distances, 0.0) / table.shape[1])
        alike = (errors < ALIKE) & (errors < ALIKE_CONTRAST * contrast[part, None])
        for row, columns in enumerate(alike):
            earlier = np.flatnonzero(columns[: start + row])
            if len(earlier):
                pairs.append((kept[int(earlier[0])], kept[start + row]))
    return pairs


def conflict(first: Example, second: Example) -> bool:
    """Whether two examples carry different labels."""
    return set(labels_of(first.sample)) != set(labels_of(second.sample))
