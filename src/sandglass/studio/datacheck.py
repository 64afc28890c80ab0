"""What is wrong with the data that a task names: counts per label, and findings with what to do about each."""

from collections import Counter
from collections.abc import Sequence

from pydantic import Field

from sandglass.core.annotation import annotation_labels
from sandglass.core.finding import Finding, Severity
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.learning.data import map_labels
from sandglass.learning.settings import HELD_OUT_PERCENT
from sandglass.learning.split import Split, split_samples, without_duplicates
from sandglass.scenarios.base import Scenario

FEW_SAMPLES = 5
"""A label on fewer training pictures than this is warned about."""
_SHOWN = 3


class DataChoice(Value):
    """What a task learns from: datasets as ``DATASET`` or ``DATASET@v2``, and how they are used."""

    scenario: str = Field(min_length=1, max_length=40)
    train: tuple[str, ...] = Field(min_length=1, max_length=100)
    validation: tuple[str, ...] = Field((), max_length=100)
    test: tuple[str, ...] = Field((), max_length=100)
    validation_percent: int = Field(20, ge=1, le=50)
    test_percent: int | None = Field(None, ge=0, le=50)
    labels: tuple[str, ...] | None = Field(None, min_length=1, max_length=10_000)
    label_map: dict[str, str] = Field(default_factory=dict)
    use_marks: bool = True
    exclude_duplicates: bool = False
    seed: int = Field(0, ge=0, le=2**31 - 1)


class LabelCounts(Value):
    """Labelled samples that carry a label, by what they would be used for."""

    label: str
    train: int
    validation: int
    test: int


class DataCheck(Value):
    """The outcome of a data check.

    Attributes:
        train: labelled samples to learn from.
        validation: labelled samples to choose and calibrate on, drawn or given.
        test: labelled samples to measure on, drawn or given.
        unlabelled: samples that are not used because nobody labelled them.
        labels: counts per label that occurs or was asked for.
        findings: what is wrong, errors first.
    """

    train: int
    validation: int
    test: int
    unlabelled: int
    labels: tuple[LabelCounts, ...]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity is Severity.ERROR]


def check_data(
    scenario: Scenario,
    train: Sequence[Sample],
    validation: Sequence[Sample],
    test: Sequence[Sample],
    choice: DataChoice,
) -> DataCheck:
    """Check what a task would learn from and be measured on, split as its training will split it.

    Args:
        scenario: that the task learns.
        train: samples of the training datasets, labels already renamed.
        validation: samples of validation datasets, if any.
        test: samples of test datasets, if any.
        choice: how the data is used.
    """
    used = [[sample for sample in part if sample.annotation is not None] for part in (train, validation, test)]
    unlabelled = len(train) + len(validation) + len(test) - sum(map(len, used))
    findings: list[Finding] = []
    if not used[0]:
        findings.append(_nothing_labelled("training" if train else "empty"))
    else:
        findings += scenario.check(used[0], choice.labels)
        findings += _few_samples(scenario, used[0], choice.labels, findings)
    if choice.test and not used[2]:
        findings.append(_nothing_labelled("test"))
    if choice.validation and not used[1]:
        findings.append(_nothing_labelled("validation"))
    split = _split(used, choice)
    findings += _on_both_sides([*split.train, *split.validation], split.test, "test")
    if len(used[0]) > 1:  # a single sample must serve as both
        findings += _on_both_sides(split.train, split.validation, "validation")
    if unlabelled:
        findings.append(
            Finding(
                code="unlabelled_samples",
                severity=Severity.NOTE,
                message=Text(en=f"{unlabelled} pictures are not labelled.", zh=f"{unlabelled} 张图片未标注。"),
                outcome=Text(en="They are not used.", zh="这些图片不会被使用。"),
                count=unlabelled,
            )
        )
    counts = [_count(part) for part in (split.train, split.validation, split.test)]
    known = set().union(*counts)
    shown = list(choice.labels) if choice.labels else sorted(known, key=lambda label: (-counts[0][label], label))
    findings += [_not_in_test(label) for label in shown if split.test and counts[0][label] and not counts[2][label]]
    order = [Severity.ERROR, Severity.WARNING, Severity.NOTE]
    return DataCheck(
        train=len(split.train),
        validation=len(split.validation),
        test=len(split.test),
        unlabelled=unlabelled,
        labels=tuple(
            LabelCounts(label=label, train=counts[0][label], validation=counts[1][label], test=counts[2][label])
            for label in shown
        ),
        findings=tuple(sorted(findings, key=lambda finding: order.index(finding.severity))),
    )


def _split(used: Sequence[Sequence[Sample]], choice: DataChoice) -> Split:
    """The split of the training run (`learning.data`), from samples instead of published versions."""
    restricted = [
        [
            sample.model_copy(update={"annotation": map_labels(sample.annotation, choice.labels, {})})
            for sample in part
            if sample.annotation is not None
        ]
        for part in used
    ]
    held_out = choice.test_percent
    if held_out is None:
        held_out = 0 if choice.test else HELD_OUT_PERCENT
    split = split_samples(
        restricted[0],
        validation_percent=choice.validation_percent,
        test_percent=held_out,
        use_marks=choice.use_marks,
        seed=choice.seed,
    )
    if choice.validation:
        split = Split((*split.train, *split.validation), tuple(restricted[1]), split.test)
    if choice.test:
        split = Split(split.train, split.validation, tuple(restricted[2]))
    return without_duplicates(split) if choice.exclude_duplicates else split


def _count(samples: Sequence[Sample]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for sample in samples:
        counts.update(set(annotation_labels(sample.annotation)))
    return counts


def _nothing_labelled(part: str) -> Finding:
    messages = {
        "empty": Text(en="The training data has no pictures.", zh="训练数据中没有图片。"),
        "training": Text(en="No picture of the training data is labelled.", zh="训练数据中没有已标注的图片。"),
        "test": Text(en="No picture of the test data is labelled.", zh="测试数据中没有已标注的图片。"),
        "validation": Text(en="No picture of the validation data is labelled.", zh="验证数据中没有已标注的图片。"),
    }
    return Finding(
        code="nothing_labelled" if part != "empty" else "dataset_empty",
        severity=Severity.ERROR,
        message=messages[part],
        outcome=Text(en="Import or label some pictures first.", zh="请先导入或标注一些图片。"),
    )


def _few_samples(
    scenario: Scenario, train: Sequence[Sample], labels: Sequence[str] | None, known: Sequence[Finding]
) -> list[Finding]:
    """Labels that stand on few pictures and that the scenario itself said nothing about."""
    told = {finding.label for finding in known}
    counts = _count(train)
    return [
        Finding(
            code="few_samples",
            severity=Severity.WARNING,
            label=label,
            count=counts[label],
            message=Text(
                en=f"'{label}' is on {counts[label]} pictures only.", zh=f"“{label}”只有 {counts[label]} 张图片。"
            ),
            outcome=Text(
                en=f"It is learnt, but expect errors; label {FEW_SAMPLES} or more.",
                zh=f"仍会学习，但容易出错；建议至少标注 {FEW_SAMPLES} 张。",
            ),
        )
        for label in labels or scenario.labels(train)
        if 0 < counts[label] < FEW_SAMPLES and label not in told
    ]


def _on_both_sides(train: Sequence[Sample], other: Sequence[Sample], part: str) -> list[Finding]:
    seen = {sample.digest for sample in train if sample.digest}
    twice = [sample.path for sample in other if sample.digest in seen]
    if not twice:
        return []
    shown = ", ".join(twice[:_SHOWN]) + (" …" if len(twice) > _SHOWN else "")
    side = {"test": ("test", "测试"), "validation": ("validation", "验证")}[part]
    return [
        Finding(
            code=f"duplicates_across_{part}",
            severity=Severity.WARNING,
            count=len(twice),
            file=twice[0],
            message=Text(
                en=f"{len(twice)} {side[0]} pictures are also in the training data: {shown}.",
                zh=f"{len(twice)} 张{side[1]}图片同时出现在训练数据中：{shown}。",
            ),
            outcome=Text(
                en="The result will look better than it is; exclude them from training.",
                zh="评测结果会虚高，请将其从训练数据中排除。",
            ),
        )
    ]


def _not_in_test(label: str) -> Finding:
    return Finding(
        code="label_not_in_test",
        severity=Severity.WARNING,
        label=label,
        message=Text(en=f"No test picture carries '{label}'.", zh=f"没有测试图片带有“{label}”。"),
        outcome=Text(en="It cannot be measured.", zh="无法评测该标签。"),
    )
