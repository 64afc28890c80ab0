"""The classification scenario: binds probe, fine-tuning, predictor and judging to the contract of `scenarios.base`.

Torch is imported only where something is learnt, so that a service starts without it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from sandglass.core.annotation import Annotation, ClassAnnotation
from sandglass.core.finding import Finding
from sandglass.core.prediction import ClassPrediction, Prediction
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.scenarios.base import (
    Candidate,
    ExampleData,
    FitContext,
    LearningData,
    Match,
    Predictor,
    Preset,
    Report,
    Scenario,
    TrainingPlan,
)
from sandglass.scenarios.classification.check import check_samples, count_labels
from sandglass.scenarios.classification.example import CLASSES, TEST_EACH, TRAIN_EACH, example_samples
from sandglass.scenarios.classification.judge import CAUSES, class_metrics, judge_classes
from sandglass.scenarios.classification.parameters import ClassificationParameters
from sandglass.scenarios.classification.predictor import load_predictor
from sandglass.scenarios.classification.targets import learns_several

MOST_VALIDATED = 3000
"""Validation pictures that candidates are compared on, at most: more cost time and tell little."""
FEW_EACH = 25
"""Pictures of a label, on average, up to which all of them both teach and validate (out of fold)."""


class Classification(Scenario):
    """Says what a whole picture shows: one label of several, or any number of them."""

    id: ClassVar[str] = "classification"
    name = Text(en="Image classification", zh="图片分类")
    annotation = "classes"
    parameters = ClassificationParameters
    main_metric = "accuracy"
    causes: ClassVar = CAUSES
    presets = (
        Preset(
            id="classification",
            name=Text(en="Image classification", zh="图片分类"),
            description=Text(
                en="Says what a picture shows: one label for each, or several.",
                zh="判断图片属于哪一类：每张一个标签，或多个标签。",
            ),
            domain=Text(en="Pictures", zh="图像"),
            example=ExampleData(
                description=Text(
                    en=f"{(TRAIN_EACH + TEST_EACH) * len(CLASSES)} rendered pictures of six shapes on busy grounds",
                    zh=f"{(TRAIN_EACH + TEST_EACH) * len(CLASSES)} 张程序生成的图片，复杂背景上的六种图形",
                ),
                samples=example_samples,
            ),
        ),
    )

    def labels(self, samples: Sequence[Sample]) -> tuple[str, ...]:
        """Labels by falling number of pictures."""
        counts = count_labels(samples)
        return tuple(name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def check(self, samples: Sequence[Sample], labels: Sequence[str] | None) -> list[Finding]:
        return check_samples(samples, labels)

    def metric(self, data: LearningData, plan: TrainingPlan) -> str:
        """Accuracy for one label a picture; the mean F1 of labels where a picture may have several."""
        wish = ClassificationParameters.model_validate(dict(plan.parameters)).labels_per_picture
        samples = [example.sample for example in (*data.train, *data.validation)]
        return "macro_f1" if learns_several(samples, wish, data.labels) else self.main_metric

    def arrange(self, data: LearningData, plan: TrainingPlan, report: Report) -> LearningData:
        """Few pictures both teach and validate; of very many validation pictures a part is taken."""
        train, validation = list(data.train), list(data.validation)
        pictures, labels = len(train) + len(validation), len(data.labels)
        if pictures <= FEW_EACH * labels and len(validation) < 10 * labels:
            if train != validation:
                train = [*train, *validation]
            report.log(f"Few pictures: all {len(train)} of them teach, and are validated on out of fold.")
            return LearningData(train, train, data.labels)
        if len(validation) > MOST_VALIDATED:
            random = np.random.default_rng(5)
            chosen = sorted(random.choice(len(validation), MOST_VALIDATED, replace=False).tolist())
            report.log(f"{MOST_VALIDATED} of {len(validation)} validation pictures are used to compare candidates.")
            validation = [validation[index] for index in chosen]
        return LearningData(train, validation, data.labels)

    def prepare(self, data: LearningData, plan: TrainingPlan, context: FitContext) -> None:
        from sandglass.scenarios.classification.plan import prepare

        prepare(data, plan, context)

    def candidates(self, data: LearningData, plan: TrainingPlan, context: FitContext) -> list[Candidate]:
        """A linear probe first, then fine-tuned networks that fit the time."""
        from sandglass.scenarios.classification.plan import candidates

        return candidates(data, plan, context)

    def load(self, folder: Path, *, threads: int = 1) -> Predictor:
        return load_predictor(folder, threads=threads)

    def judge(self, truth: Annotation, prediction: Prediction, labels: Sequence[str]) -> list[Match]:
        assert isinstance(truth, ClassAnnotation)
        assert isinstance(prediction, ClassPrediction)
        return judge_classes(truth, prediction, labels)

    def extra_metrics(
        self, truths: Sequence[Annotation], predictions: Sequence[Prediction], labels: Sequence[str]
    ) -> dict[str, float]:
        return class_metrics(truths, predictions, labels)
