"""Is one model better than another on the same samples? Paired counts, with the chance that they are an accident.

Two tests answer two questions. McNemar's exact test looks at the truths that only one of both answers rightly: were the
models equally good, each of these would fall to either side like a fair coin. F1 also counts answers where nothing stands,
so its difference is tested by approximate randomisation: the outcomes of both models are swapped sample by sample at random,
and the share of swaps with at least the seen difference is the p-value.

Sources: Q. McNemar, Psychometrika 12 (1947); A. Yeh, More accurate tests for the statistical significance of result
differences, COLING 2000.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from sandglass.core.value import Value
from sandglass.evaluation.badcases import is_badcase
from sandglass.evaluation.results import Counts
from sandglass.scenarios.base import Match

SWAPS = 10_000
_CELLS = 4_000_000
"""Random signs that are held in memory at once."""

Ints = npt.NDArray[np.int64]


class Paired(Value):
    """Outcomes of both models on the same things.

    Attributes:
        both_right: right in both.
        fixed: right now, wrong in the other.
        broken: wrong now, right in the other.
        both_wrong: wrong in both.
        p: two-sided p-value of McNemar's exact test; None when no thing was compared.
    """

    both_right: int
    fixed: int
    broken: int
    both_wrong: int
    p: float | None


class LabelComparison(Value):
    """One label or field in both models."""

    label: str
    f1: float | None
    other_f1: float | None
    truths: Paired


class Comparison(Value):
    """One evaluation against another, on the samples that both measured.

    Attributes:
        sample_count: samples in both.
        only_here: samples of this evaluation that the other has not.
        only_there: samples of the other that this one has not.
        labels_left_out: labels that only one of both models knows; they are not compared.
        f1: micro F1 of this model on the common samples.
        other_f1: of the other model on the same.
        f1_p: two-sided p-value of the difference of both F1 by approximate randomisation.
        samples: whole samples without any error.
        truths: single truths (fields, objects, classes) answered rightly.
        labels: the same per label.
        fixed: keys of samples that are right now and were not.
        broken: keys of samples that were right and are not now.
    """

    sample_count: int
    only_here: int
    only_there: int
    labels_left_out: tuple[str, ...]
    f1: float | None
    other_f1: float | None
    f1_p: float | None
    samples: Paired
    truths: Paired
    labels: tuple[LabelComparison, ...]
    fixed: tuple[str, ...]
    broken: tuple[str, ...]


def compare(
    here: Mapping[str, Sequence[Match]],
    there: Mapping[str, Sequence[Match]],
    labels: Sequence[str],
    other_labels: Sequence[str],
    *,
    threshold: float,
    other_threshold: float,
    exact: bool = False,
) -> Comparison:
    """Compare two evaluations.

    Args:
        here: matches of this evaluation by a key of the sample that is the same in both (its digest).
        there: matches of the other one.
        labels: that this model knows, in display order.
        other_labels: that the other model knows.
        threshold: below which answers of this model count as not given.
        other_threshold: the same for the other model.
        exact: whether a text must be the same to the letter.
    """
    shared = frozenset(labels) & frozenset(other_labels)
    common = [name for name in labels if name in shared]
    left_out = tuple(name for name in dict.fromkeys([*labels, *other_labels]) if name not in shared)
    keys = [key for key in here if key in there]
    mine = {key: _known(here[key], shared) for key in keys}
    others = {key: _known(there[key], shared) for key in keys}
    right = {key: not is_badcase(mine[key], threshold, exact=exact) for key in keys}
    other_right = {key: not is_badcase(others[key], other_threshold, exact=exact) for key in keys}
    outcomes: dict[str, list[tuple[bool, bool]]] = {name: [] for name in common}
    for key in keys:
        for name, pair in _truths(mine[key], others[key], threshold, other_threshold, exact=exact):
            outcomes[name].append(pair)
    ours = _counts(mine.values(), common, threshold, exact=exact)
    theirs = _counts(others.values(), common, other_threshold, exact=exact)
    return Comparison(
        sample_count=len(keys),
        only_here=len(here) - len(keys),
        only_there=len(there) - len(keys),
        labels_left_out=left_out,
        f1=_f1(ours.sum(axis=(0, 1))),
        other_f1=_f1(theirs.sum(axis=(0, 1))),
        f1_p=_swapped(ours.sum(axis=1), theirs.sum(axis=1)) if keys else None,
        samples=paired((right[key], other_right[key]) for key in keys),
        truths=paired(pair for pairs in outcomes.values() for pair in pairs),
        labels=tuple(
            LabelComparison(
                label=name,
                f1=_f1(ours[:, index].sum(axis=0)),
                other_f1=_f1(theirs[:, index].sum(axis=0)),
                truths=paired(outcomes[name]),
            )
            for index, name in enumerate(common)
        ),
        fixed=tuple(key for key in keys if right[key] and not other_right[key]),
        broken=tuple(key for key in keys if other_right[key] and not right[key]),
    )


def _known(matches: Sequence[Match], labels: frozenset[str]) -> list[Match]:
    """Matches of the compared labels; a mix-up with another label stays as a miss or as an extra answer."""
    kept = []
    for match in matches:
        truth = match.truth if match.truth in labels else None
        predicted = match.predicted if match.predicted in labels else None
        if truth is not None or predicted is not None:
            same = truth == match.truth and predicted == match.predicted
            kept.append(match if same else match.model_copy(update={"truth": truth, "predicted": predicted}))
    return kept


def _is_right(match: Match, threshold: float, *, exact: bool) -> bool:
    return match.predicted is not None and match.score >= threshold and match.right and (match.exact or not exact)


def _truths(
    mine: Iterable[Match], others: Iterable[Match], threshold: float, other_threshold: float, *, exact: bool
) -> Iterable[tuple[str, tuple[bool, bool]]]:
    """Label and outcomes of each truth of one sample that stands in both evaluations."""
    told = {key: _is_right(match, other_threshold, exact=exact) for key, match in _keyed(others)}
    for key, match in _keyed(mine):
        if key in told and match.truth is not None:
            yield match.truth, (_is_right(match, threshold, exact=exact), told[key])


def _keyed(matches: Iterable[Match]) -> Iterable[tuple[object, Match]]:
    """Truths with what they are known by: label, text and place, and a number where these are the same."""
    seen: Counter[object] = Counter()
    for match in matches:
        if match.truth is not None:
            key = (match.truth, match.truth_text, match.truth_polygons)
            seen[key] += 1
            yield (key, seen[key]), match


def _counts(samples: Iterable[Sequence[Match]], labels: Sequence[str], threshold: float, *, exact: bool) -> Ints:
    """(samples, labels, 3) int64: right answers, wrong answers, truths without a right answer."""
    number = {name: index for index, name in enumerate(labels)}
    listed = list(samples)
    table = np.zeros((len(listed), len(labels), 3), np.int64)
    for row, matches in enumerate(listed):
        for match in matches:
            right = _is_right(match, threshold, exact=exact)
            if match.predicted is not None and match.score >= threshold:
                table[row, number[match.predicted], 0 if right else 1] += 1
            if match.truth is not None and not right:
                table[row, number[match.truth], 2] += 1
    return table


def _f1(counts: Ints) -> float | None:
    return Counts(tp=int(counts[0]), fp=int(counts[1]), fn=int(counts[2])).f1


def paired(outcomes: Iterable[tuple[bool, bool]]) -> Paired:
    """Count pairs of outcomes (here, there) and test whether one side is ahead."""
    seen = Counter(outcomes)
    fixed, broken = seen[True, False], seen[False, True]
    return Paired(
        both_right=seen[True, True],
        fixed=fixed,
        broken=broken,
        both_wrong=seen[False, False],
        p=mcnemar(fixed, broken) if seen else None,
    )


def mcnemar(fixed: int, broken: int) -> float:
    """Two-sided p-value of McNemar's exact test, 0..1: twice the smaller tail of a fair coin, at most 1."""
    tosses, fewer = fixed + broken, min(fixed, broken)
    logs = [
        math.lgamma(tosses + 1) - math.lgamma(heads + 1) - math.lgamma(tosses - heads + 1) - tosses * math.log(2)
        for heads in range(fewer + 1)
    ]
    return min(1.0, 2 * math.fsum(map(math.exp, logs)))


def _swapped(ours: Ints, theirs: Ints) -> float:
    """p-value of the difference of both micro F1, from ``SWAPS`` random swaps of whole samples (seeded).

    Args:
        ours: (samples, 3) right, wrong, missed.
        theirs: the same of the other model.
    """
    differ = np.any(ours != theirs, axis=1)
    total = (ours + theirs).sum(axis=0)
    moved = (ours - theirs)[differ].astype(np.float64)
    seen = abs(_gap(total, (ours - theirs).sum(axis=0, keepdims=True))[0])
    if not len(moved):
        return 1.0
    random = np.random.default_rng(0)
    rows = max(1, _CELLS // len(moved))
    reached = 0
    for start in range(0, SWAPS, rows):
        signs = random.choice(np.array([-1.0, 1.0]), (min(rows, SWAPS - start), len(moved)))
        reached += int((np.abs(_gap(total, signs @ moved)) >= seen - 1e-12).sum())
    return (reached + 1) / (SWAPS + 1)


def _gap(total: Ints, difference: npt.NDArray[np.float64] | Ints) -> npt.NDArray[np.float64]:
    """F1 here minus F1 there, from the sums of both and (n, 3) differences between them."""
    here, there = (total + difference) / 2, (total - difference) / 2

    def f1(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        whole = 2 * counts[:, 0] + counts[:, 1] + counts[:, 2]
        return np.divide(2 * counts[:, 0], whole, out=np.zeros(len(counts)), where=whole > 0)

    return f1(here) - f1(there)
