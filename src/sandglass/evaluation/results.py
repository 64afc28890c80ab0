"""What is kept of an evaluation: counts for all thresholds at once, so that a slider needs no further question."""

from sandglass.core.value import Value


class Counts(Value):
    """Answers that are right, answers that are wrong, truths without a right answer."""

    tp: int
    fp: int
    fn: int

    @property
    def precision(self) -> float | None:
        """Share of answers that are right; None without any answer."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else None

    @property
    def recall(self) -> float | None:
        """Share of truths that were answered rightly; None without any truth."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; None when there is neither answer nor truth."""
        total = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / total if total else None


class LabelResult(Value):
    """One label or field.

    Attributes:
        support: truths with this label.
        counts: per threshold, under the default rule.
        exact_counts: per threshold, when only answers that are the same to the letter are right.
        best_threshold: where F1 is highest (the lowest such threshold).
        average_precision: area under the precision-recall curve, 0..1; None without any truth.
    """

    label: str
    support: int
    counts: tuple[Counts, ...]
    exact_counts: tuple[Counts, ...]
    best_threshold: float
    average_precision: float | None


class Confusion(Value):
    """How often a truth met a prediction; None stands for nothing (missed, or extra)."""

    truth: str | None
    predicted: str | None
    count: int


class Results(Value):
    """An evaluation at all thresholds.

    Attributes:
        thresholds: 0.05 to 0.95 by 0.05.
        overall: counts summed over labels, per threshold.
        overall_exact: the same under exact match.
        document_accuracy: share of samples without any error, per threshold; None without samples.
        document_accuracy_exact: the same under exact match.
        confusion: per threshold, pairs that occur.
        badcases: number of samples with an error, per threshold.
        extra: further overall metrics of the scenario (``accuracy``, ``map50``, ``map``, ``cer``, ``line_f1``).
        recommended_threshold: where the overall F1 is highest.
    """

    thresholds: tuple[float, ...]
    sample_count: int
    overall: tuple[Counts, ...]
    overall_exact: tuple[Counts, ...]
    labels: tuple[LabelResult, ...]
    document_accuracy: tuple[float | None, ...]
    document_accuracy_exact: tuple[float | None, ...]
    confusion: tuple[tuple[Confusion, ...], ...]
    badcases: tuple[int, ...]
    extra: dict[str, float]
    recommended_threshold: float
