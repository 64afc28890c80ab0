"""Count right and wrong answers at all thresholds at once.

An answer below the threshold is as if it had not been given: right or wrong, its truth (if any) is then missed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text
from sandglass.evaluation.results import Confusion, Counts, LabelResult, Results
from sandglass.scenarios.base import Match

THRESHOLDS: tuple[float, ...] = tuple(step / 20 for step in range(1, 20))
DEFAULT_THRESHOLD = 0.5
ENOUGH_TRUTHS = 10
"""Truths below which no threshold is recommended but the default one."""
NEAR_BEST = 0.002
"""Thresholds whose F1 is this close to the best one count as equally good; the one nearest to 0.5 is recommended."""

Ints = npt.NDArray[np.int64]


def threshold_index(threshold: float) -> int:
    """Position of a threshold among `THRESHOLDS`.

    Raises:
        InvalidInput: it is none of them.
    """
    position = round(threshold * 20) - 1
    if not 0 <= position < len(THRESHOLDS) or abs(THRESHOLDS[position] - threshold) > 1e-6:
        raise InvalidInput(
            "invalid_threshold",
            Text(en=f"{threshold} is no threshold.", zh=f"{threshold} 不是有效的阈值。"),
            Text(en="Choose 0.05 to 0.95 in steps of 0.05.", zh="请选择 0.05 至 0.95，步长 0.05。"),
            field="threshold",
        )
    return position


def measure(samples: Sequence[Sequence[Match]], labels: Sequence[str], extra: Mapping[str, float]) -> Results:
    """Measure judged samples.

    Args:
        samples: matches of each sample.
        labels: in display order; matches of other labels count overall too and are listed behind them.
        extra: further overall metrics.
    """
    flat = [match for sample in samples for match in sample]
    owner = np.array([index for index, sample in enumerate(samples) for _ in sample], np.int64)
    names = list(dict.fromkeys([*labels, *(name for match in flat if (name := match.truth or match.predicted))]))
    number = {name: index for index, name in enumerate(names)}
    truth = np.array([number.get(match.truth or "", -1) for match in flat], np.int64)
    predicted = np.array([number.get(match.predicted or "", -1) for match in flat], np.int64)
    score = np.array([match.score if match.predicted is not None else -1.0 for match in flat])
    right = np.array([match.right for match in flat], bool)
    exact = np.array([match.exact for match in flat], bool)

    per_label = _counts(truth, predicted, score, right, len(names))
    per_label_exact = _counts(truth, predicted, score, right & exact, len(names))
    results = []
    for index, name in enumerate(names):
        counts, exact_counts = per_label[index], per_label_exact[index]
        results.append(
            LabelResult(
                label=name,
                support=int((truth == index).sum()),
                counts=counts,
                exact_counts=exact_counts,
                best_threshold=THRESHOLDS[int(np.argmax([count.f1 or 0.0 for count in counts]))],
                average_precision=_average_precision(
                    score[predicted == index], right[predicted == index], int((truth == index).sum())
                ),
            )
        )
    overall, overall_exact = _sum(per_label), _sum(per_label_exact)
    accuracy, wrong = _documents(owner, truth, predicted, score, right, len(samples))
    accuracy_exact, _ = _documents(owner, truth, predicted, score, right & exact, len(samples))
    return Results(
        thresholds=THRESHOLDS,
        sample_count=len(samples),
        overall=overall,
        overall_exact=overall_exact,
        labels=tuple(results),
        document_accuracy=accuracy,
        document_accuracy_exact=accuracy_exact,
        confusion=tuple(_confusion(flat, threshold) for threshold in THRESHOLDS),
        badcases=wrong,
        extra=dict(extra),
        recommended_threshold=recommend(overall),
    )


def _counts(
    truth: Ints, predicted: Ints, score: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], labels: int
) -> list[tuple[Counts, ...]]:
    table = np.zeros((labels, len(THRESHOLDS), 3), np.int64)
    support = np.bincount(truth[truth >= 0], minlength=labels)
    for step, threshold in enumerate(THRESHOLDS):
        given = (predicted >= 0) & (score >= threshold)
        table[:, step, 0] = np.bincount(predicted[given & right], minlength=labels)
        table[:, step, 1] = np.bincount(predicted[given & ~right], minlength=labels)
        table[:, step, 2] = support - table[:, step, 0]
    return [tuple(Counts(tp=int(tp), fp=int(fp), fn=int(fn)) for tp, fp, fn in rows) for rows in table]


def _sum(per_label: Sequence[tuple[Counts, ...]]) -> tuple[Counts, ...]:
    return tuple(
        Counts(
            tp=sum(counts[step].tp for counts in per_label),
            fp=sum(counts[step].fp for counts in per_label),
            fn=sum(counts[step].fn for counts in per_label),
        )
        for step in range(len(THRESHOLDS))
    )


def recommend(overall: Sequence[Counts]) -> float:
    """The threshold with the highest overall F1; among nearly equal ones that nearest to 0.5; 0.5 for few truths."""
    if overall[0].tp + overall[0].fn < ENOUGH_TRUTHS:
        return DEFAULT_THRESHOLD
    f1 = np.array([counts.f1 or 0.0 for counts in overall])
    good = [threshold for threshold, value in zip(THRESHOLDS, f1, strict=True) if value >= f1.max() - NEAR_BEST]
    return min(good, key=lambda threshold: (abs(threshold - DEFAULT_THRESHOLD), threshold))


def _average_precision(score: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], support: int) -> float | None:
    """Area under the precision-recall curve over all scores, precision taken as the best at that recall or above."""
    if not support:
        return None
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(right[order])
    precision = hits / np.arange(1, len(order) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best[right[order]].sum() / support)


def _documents(
    owner: Ints,
    truth: Ints,
    predicted: Ints,
    score: npt.NDArray[np.float64],
    right: npt.NDArray[np.bool_],
    samples: int,
) -> tuple[tuple[float | None, ...], tuple[int, ...]]:
    accuracy: list[float | None] = []
    wrong: list[int] = []
    for threshold in THRESHOLDS:
        given = (predicted >= 0) & (score >= threshold)
        error = (given & ~right) | (~given & (truth >= 0))
        bad = len(np.unique(owner[error]))
        wrong.append(bad)
        accuracy.append(1 - bad / samples if samples else None)
    return tuple(accuracy), tuple(wrong)


def _confusion(matches: Sequence[Match], threshold: float) -> tuple[Confusion, ...]:
    pairs: Counter[tuple[str | None, str | None]] = Counter()
    for match in matches:
        predicted = match.predicted if match.score >= threshold else None
        if match.truth is not None or predicted is not None:
            pairs[match.truth, predicted] += 1
    ordered = sorted(pairs.items(), key=lambda item: (item[0][0] or "", item[0][1] or ""))
    return tuple(Confusion(truth=truth, predicted=predicted, count=count) for (truth, predicted), count in ordered)
