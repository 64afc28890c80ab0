"""Split samples into training, validation and test: the same way every time, labels spread evenly, groups kept whole."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sandglass.core.annotation import annotation_labels
from sandglass.core.sample import Part, Sample

FEW = 5
"""Below this many labelled samples nothing is held out for testing."""


@dataclass(frozen=True)
class Split:
    """Labelled samples by what they are used for.

    ``validation`` is never empty when there is any sample: a single sample serves as both, and then says little.
    """

    train: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    test: tuple[Sample, ...]


def split_samples(
    samples: Sequence[Sample], *, validation_percent: int, test_percent: int, use_marks: bool, seed: int
) -> Split:
    """Split labelled samples.

    Samples with a mark follow it (if ``use_marks``); where any sample is marked as validation or test, no further one
    is drawn for that part.
    """
    marked = {part: [s for s in samples if use_marks and s.part is part] for part in (Part.VALIDATION, Part.TEST)}
    rest = [s for s in samples if not (use_marks and s.part in (Part.VALIDATION, Part.TEST))]
    test, validation = marked[Part.TEST], marked[Part.VALIDATION]
    if not test and test_percent and len(samples) >= FEW:
        test, rest = draw(rest, test_percent, seed=seed, purpose="test")
    if not validation:
        if len(rest) < 2:
            return Split(tuple(rest), tuple(rest), tuple(test))
        validation, rest = draw(rest, validation_percent, seed=seed, purpose="validation")
    if not rest:  # one group holds everything: better to learn from what is validated on than not to learn
        rest = list(validation)
    return Split(tuple(rest), tuple(validation), tuple(test))


def without_duplicates(split: Split) -> Split:
    """Leave out of training the pictures that also stand in validation or test, and of validation those of the test.

    What is measured on stays whole. Where nothing would be left to learn from, the split stays as it is.
    """
    tested = {sample.digest for sample in split.test if sample.digest}
    validation = tuple(sample for sample in split.validation if sample.digest not in tested)
    seen = tested | {sample.digest for sample in validation if sample.digest}
    train = tuple(sample for sample in split.train if sample.digest not in seen)
    return Split(train, validation, split.test) if train and validation else split


def draw(samples: Sequence[Sample], percent: int, *, seed: int, purpose: str) -> tuple[list[Sample], list[Sample]]:
    """Draw about ``percent`` of ``samples``, at least one; returns the drawn ones and the rest, both in order.

    Groups are drawn whole, smaller ones first among equals, and never so that more than one and a half times the share
    is drawn; within that, each label is drawn in proportion: the group that brings the labels closest to their share
    comes next.
    """
    wanted = max(1, round(len(samples) * percent / 100))
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.group if sample.group is not None else f"\0{sample.path}", []).append(sample)
    if len(groups) == 1:
        # A single group cannot be kept whole and split at once: its samples are drawn one by one.
        groups = {f"\0{sample.path}": [sample] for sample in samples}
    ordered = sorted(groups, key=lambda name: _shuffle_key(seed, purpose, name))
    totals = Counter(label for sample in samples for label in set(annotation_labels(sample.annotation)))
    open_share = {label: count * percent / 100 for label, count in totals.items()}
    drawn: list[str] = []
    count = 0
    # Rarest label first: it has the fewest groups to choose from.
    for label in [*sorted(totals, key=lambda name: (totals[name], name)), None]:
        for name in ordered:
            if count >= wanted or (label is not None and open_share[label] < 0.5):
                break
            members = groups[name]
            labels = Counter(found for sample in members for found in set(annotation_labels(sample.annotation)))
            if name in drawn or (label is not None and not labels[label]):
                continue
            if count + len(members) > max(wanted * 1.5, 1) or count + len(members) >= len(samples):
                continue
            drawn.append(name)
            count += len(members)
            for found, times in labels.items():
                open_share[found] -= times
    if not drawn:
        drawn = [min(ordered, key=lambda name: len(groups[name]))]
    chosen = {sample.path for name in drawn for sample in groups[name]}
    return [s for s in samples if s.path in chosen], [s for s in samples if s.path not in chosen]


def _shuffle_key(seed: int, purpose: str, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{purpose}\0{name}".encode()).digest()
