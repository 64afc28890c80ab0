"""The detection scenario: binds network, predictor, judging and measuring to the contract of `scenarios.base`."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from sandglass.core.annotation import Annotation, ObjectsAnnotation
from sandglass.core.finding import Finding
from sandglass.core.prediction import ObjectsPrediction, Prediction
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.scenarios.base import (
    Candidate,
    FitContext,
    LearningData,
    Match,
    Predictor,
    Preset,
    Scenario,
    TrainingPlan,
)
from sandglass.scenarios.detection.base_model import base_predictor, known_labels
from sandglass.scenarios.detection.check import check_samples, label_counts
from sandglass.scenarios.detection.judge import CAUSES, judge
from sandglass.scenarios.detection.measure import coco_metrics, voc_ap50
from sandglass.scenarios.detection.parameters import DetectionParameters
from sandglass.scenarios.detection.plan import plan_candidates
from sandglass.scenarios.detection.predictor import load_predictor
from sandglass.scenarios.detection.shelf import Shelf

SHRINKING_SHARE = 0.15
"""Largest share of the time left that shrinking large pictures may take."""


class Detection(Scenario):
    """Finds labelled objects and draws boxes around them."""

    id: ClassVar[str] = "detection"
    name = Text(en="Object detection", zh="目标检测")
    annotation = "objects"
    parameters = DetectionParameters
    main_metric = "map50"
    causes: ClassVar = CAUSES
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset(
            id="detection",
            name=Text(en="Object detection", zh="目标检测"),
            description=Text(
                en="Finds and counts things on pictures that you drew boxes around: goods, parts, cells, vehicles.",
                zh="在图片中找出并统计您框选过的目标：商品、零件、细胞、车辆等。",
            ),
            domain=Text(en="Objects", zh="目标"),
        ),
    )

    def labels(self, samples: Sequence[Sample]) -> tuple[str, ...]:
        """Labels by falling number of boxes."""
        counts = label_counts(samples)
        return tuple(name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def check(self, samples: Sequence[Sample], labels: Sequence[str] | None) -> list[Finding]:
        return check_samples(samples, labels)

    def prepare(self, data: LearningData, plan: TrainingPlan, context: FitContext) -> None:
        """Shrink large pictures once; the copies stay in the cache for later runs."""
        shelf = Shelf(context.cache, 0)
        deadline = context.deadline.share(SHRINKING_SHARE)
        examples = list(data.train)
        for done, example in enumerate(examples):
            if deadline.expired or context.stop():
                context.report.log(f"{len(examples) - done} pictures are shrunk when they are first needed.")
                break
            shelf.shrink(example)
            context.report.progress((done + 1) / len(examples))
        for path, reason in shelf.unreadable.items():
            context.report.log(f"{path} teaches nothing: {reason}", level="warning")

    def candidates(self, data: LearningData, plan: TrainingPlan, context: FitContext) -> list[Candidate]:
        """A brief one first, then one or two longer ones, as the time and the sizes of the boxes ask for."""
        mirrored = self.settings(plan).mirror
        return plan_candidates(
            data,
            self.settings(plan),
            plan.preference,
            context,
            mirror=self.mirrors(data, plan) if mirrored == "auto" else mirrored == "yes",
            files=self.model_files(data, plan),
            interpret=lambda prediction: self.interpret(prediction, data, plan),
        )

    def settings(self, plan: TrainingPlan) -> DetectionParameters:
        """The detection settings of a task."""
        return DetectionParameters.model_validate(dict(plan.parameters))

    def mirrors(self, data: LearningData, plan: TrainingPlan) -> bool:
        """Whether a mirrored picture could be a real one, unless the task says so itself."""
        return True

    def model_files(self, data: LearningData, plan: TrainingPlan) -> dict[str, bytes]:
        """Further files of a model folder, by name."""
        return {}

    def interpret(self, prediction: ObjectsPrediction, data: LearningData, plan: TrainingPlan) -> ObjectsPrediction:
        """What a model of this scenario makes of found objects."""
        return prediction

    def load(self, folder: Path, *, threads: int = 1) -> Predictor:
        return load_predictor(folder, threads=threads)

    def judge(self, truth: Annotation, prediction: Prediction, labels: Sequence[str]) -> list[Match]:
        assert isinstance(truth, ObjectsAnnotation)
        assert isinstance(prediction, ObjectsPrediction)
        return judge(truth, prediction, labels)

    def base_labels(self, labels: Sequence[str]) -> tuple[str, ...]:
        return known_labels(labels)

    def base_model(self, labels: Sequence[str], *, threads: int = 1) -> Predictor:
        known = self.base_labels(labels)
        return base_predictor(known, threads=threads) if known else super().base_model(labels, threads=threads)

    def extra_metrics(
        self, truths: Sequence[Annotation], predictions: Sequence[Prediction], labels: Sequence[str]
    ) -> dict[str, float]:
        """COCO's ``map``, ``map50``, ``map75``, those by size, and Pascal VOC's ``voc_ap50``."""
        known = [truth for truth in truths if isinstance(truth, ObjectsAnnotation)]
        given = [prediction for prediction in predictions if isinstance(prediction, ObjectsPrediction)]
        assert len(known) == len(given) == len(truths)
        metrics = coco_metrics(known, given, labels)
        voc = voc_ap50(known, given, labels)
        return metrics if voc is None else {**metrics, "voc_ap50": voc}
