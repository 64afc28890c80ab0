"""An evaluation at one threshold: the numbers that people look at."""

import math
from collections.abc import Sequence

from pydantic import ConfigDict

from sandglass.core.value import Value
from sandglass.evaluation.metrics import threshold_index
from sandglass.evaluation.results import Counts, Results

Z95 = 1.959964


class LabelSummary(Value):
    """One label at one threshold.

    Attributes:
        low, high: 95 % interval of the F1 (see `f1_interval`).
        best_threshold: where this label's F1 is highest.
        average_precision: area under its precision-recall curve.
    """

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    low: float | None
    high: float | None
    best_threshold: float
    average_precision: float | None


class Overall(Value):
    """All labels at one threshold: micro averages, means over labels, share of samples without error.

    Whatever else the scenario measures stands beside them under its own name.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    precision: float | None
    recall: float | None
    f1: float | None
    low: float | None
    high: float | None
    macro_precision: float | None
    macro_recall: float | None
    macro_f1: float | None
    document_accuracy: float | None


class Summary(Value):
    """An evaluation at one threshold."""

    threshold: float
    exact: bool
    sample_count: int
    badcase_count: int
    recommended_threshold: float
    overall: Overall
    labels: tuple[LabelSummary, ...]


def summarise(results: Results, threshold: float, *, exact: bool = False) -> Summary:
    """The numbers at ``threshold``; with ``exact``, only answers that are the same to the letter are right.

    Raises:
        InvalidInput: ``invalid_threshold``.
    """
    step = threshold_index(threshold)
    labels = []
    for label in results.labels:
        counts = (label.exact_counts if exact else label.counts)[step]
        low, high = f1_interval(counts)
        labels.append(
            LabelSummary(
                label=label.label,
                precision=counts.precision,
                recall=counts.recall,
                f1=counts.f1,
                support=label.support,
                low=low,
                high=high,
                best_threshold=label.best_threshold,
                average_precision=label.average_precision,
            )
        )
    counts = (results.overall_exact if exact else results.overall)[step]
    low, high = f1_interval(counts)
    accuracy = (results.document_accuracy_exact if exact else results.document_accuracy)[step]
    badcases = results.badcases[step] if not exact else _badcases(accuracy, results.sample_count)
    return Summary(
        threshold=results.thresholds[step],
        exact=exact,
        sample_count=results.sample_count,
        badcase_count=badcases,
        recommended_threshold=results.recommended_threshold,
        overall=Overall(
            precision=counts.precision,
            recall=counts.recall,
            f1=counts.f1,
            low=low,
            high=high,
            macro_precision=_mean([label.precision for label in labels if label.support]),
            macro_recall=_mean([label.recall for label in labels if label.support]),
            macro_f1=_mean([label.f1 for label in labels if label.support]),
            document_accuracy=accuracy,
            **results.extra,
        ),
        labels=tuple(labels),
    )


def _badcases(accuracy: float | None, samples: int) -> int:
    return 0 if accuracy is None else round((1 - accuracy) * samples)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def f1_interval(counts: Counts) -> tuple[float | None, float | None]:
    """95 % interval of F1: the Wilson interval of the Jaccard share tp / (tp + fp + fn), carried over to F1.

    F1 = 2 j / (1 + j) rises with j, so the ends of one interval are the ends of the other. Source: E. B. Wilson,
    Probable inference, JASA 22 (1927).
    """
    total = counts.tp + counts.fp + counts.fn
    if not total:
        return None, None
    share = counts.tp / total
    spread = Z95 * math.sqrt(share * (1 - share) / total + Z95**2 / (4 * total**2))
    centre = share + Z95**2 / (2 * total)
    ends = [(centre + sign * spread) / (1 + Z95**2 / total) for sign in (-1, 1)]
    low, high = (2 * max(0.0, min(1.0, end)) / (1 + max(0.0, min(1.0, end))) for end in ends)
    return low, high
