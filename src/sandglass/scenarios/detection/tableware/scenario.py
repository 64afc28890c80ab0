"""The tableware scenario: detection with two presets, a table that is counted and an eye that is measured."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from sandglass.core.annotation import Annotation, ObjectsAnnotation
from sandglass.core.finding import Finding, Severity
from sandglass.core.prediction import CupDiscRatio, ObjectPrediction, ObjectsPrediction, Prediction
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.scenarios.base import ExampleData, LearningData, Predictor, Preset, TrainingPlan
from sandglass.scenarios.detection.base_model import base_predictor, known_labels
from sandglass.scenarios.detection.examples import eye_samples, table_samples
from sandglass.scenarios.detection.parameters import DetectionParameters
from sandglass.scenarios.detection.predictor import load_predictor
from sandglass.scenarios.detection.scenario import Detection
from sandglass.scenarios.detection.tableware.names import EYE, TABLE, TABLE_KNOWN, eye_labels
from sandglass.scenarios.detection.tableware.parameters import TablewareParameters
from sandglass.scenarios.detection.tableware.predictor import (
    DESCRIPTION,
    Sense,
    TablewarePredictor,
    description_of,
    interpret,
    read_sense,
    sense_of,
)
from sandglass.scenarios.detection.tableware.ratio import cup_disc_ratio

NO_PRICES = TablewareParameters()
COUNTED_FROM = 0.5
"""Score from which objects are counted while there is no recommended threshold yet."""


class Tableware(Detection):
    """Counts cups, bowls and plates and totals them; or measures the cup-to-disc ratio of eyes."""

    id: ClassVar[str] = "tableware"
    name = Text(en="Tableware detection", zh="杯盘检测")
    parameters = TablewareParameters
    weights: ClassVar[str | None] = "detection"
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset(
            id="table",
            name=Text(en="Tableware on a table", zh="杯盘检测：餐具"),
            description=Text(
                en="Finds cups, bowls, plates and dishes, counts them per picture and totals a tray by your price list.",
                zh="检出杯、碗、盘、碟等餐具，按图片计数，并按价目表合计一餐的金额。",
            ),
            domain=Text(en="Catering", zh="餐饮"),
            labels=TABLE,
            parameters={"preset": "table"},
            example=ExampleData(
                description=Text(
                    en="Drawn tables with cups, bowls and plates, seen from above.",
                    zh="程序绘制的餐桌俯视图，上有杯、碗、盘。",
                ),
                samples=table_samples,
            ),
        ),
        Preset(
            id="eye",
            name=Text(en="Optic cup and disc", zh="杯盘检测：视杯视盘"),
            description=Text(
                en="Finds optic cup and optic disc on fundus pictures and measures the vertical cup-to-disc ratio.",
                zh="在眼底图片上检出视杯和视盘，并计算垂直杯盘比。",
            ),
            domain=Text(en="Ophthalmology", zh="眼科"),
            labels=EYE,
            parameters={"preset": "eye"},
            example=ExampleData(
                description=Text(en="Drawn fundus pictures with cup and disc.", zh="程序绘制的眼底图，含视杯和视盘。"),
                samples=eye_samples,
            ),
        ),
    )

    def settings(self, plan: TrainingPlan) -> DetectionParameters:
        return TablewareParameters.model_validate(dict(plan.parameters))

    def sense(self, plan: TrainingPlan, labels: Sequence[str]) -> Sense:
        """What a task makes of found objects."""
        return sense_of(TablewareParameters.model_validate(dict(plan.parameters)), labels)

    def check(self, samples: Sequence[Sample], labels: Sequence[str] | None) -> list[Finding]:
        """Findings of detection, and eyes with more than one cup or disc."""
        findings = super().check(samples, labels)
        eye = eye_labels(labels or self.labels(samples))
        if eye is None:
            return findings
        several = sum(
            any(sum(shape.label == label for shape in sample.annotation.objects) > 1 for label in eye)
            for sample in samples
            if isinstance(sample.annotation, ObjectsAnnotation)
        )
        if several:
            findings.append(
                Finding(
                    code="several_eyes",
                    severity=Severity.WARNING,
                    count=several,
                    message=Text(
                        en=f"{several} pictures have more than one '{eye[0]}' or '{eye[1]}'.",
                        zh=f"{several} 张图片有多个“{eye[0]}”或“{eye[1]}”。",
                    ),
                    outcome=Text(en="An answer holds one pair per picture.", zh="预测结果每张图片只给出一对视杯视盘。"),
                )
            )
        return findings

    def mirrors(self, data: LearningData, plan: TrainingPlan) -> bool:
        """A mirrored eye would be the other eye; a mirrored table is a table."""
        return self.sense(plan, data.labels).eye is None

    def model_files(self, data: LearningData, plan: TrainingPlan) -> dict[str, bytes]:
        return {DESCRIPTION: description_of(self.sense(plan, data.labels))}

    def interpret(self, prediction: ObjectsPrediction, data: LearningData, plan: TrainingPlan) -> ObjectsPrediction:
        return interpret(prediction, self.sense(plan, data.labels), COUNTED_FROM)

    def load(self, folder: Path, *, threads: int = 1) -> Predictor:
        detector = load_predictor(folder, threads=threads)
        return TablewarePredictor(detector, read_sense(folder, detector.labels))

    def base_labels(self, labels: Sequence[str]) -> tuple[str, ...]:
        """What the published network knows; an optic cup is none of its cups."""
        if eye_labels(labels) is not None:
            return ()
        return known_labels(labels or TABLE_KNOWN)

    def base_model(self, labels: Sequence[str], *, threads: int = 1) -> Predictor:
        known = self.base_labels(labels)
        if not known:
            return super().base_model(labels, threads=threads)
        return TablewarePredictor(base_predictor(known, threads=threads), sense_of(NO_PRICES, known))

    def extra_metrics(
        self, truths: Sequence[Annotation], predictions: Sequence[Prediction], labels: Sequence[str]
    ) -> dict[str, float]:
        """Those of detection; for eyes also ``cdr_error``, the mean absolute error of the vertical cup-to-disc ratio.

        It counts pictures whose labels and whose answer hold a pair; ``cdr_found`` is the share of labelled pairs that
        were answered.
        """
        metrics = super().extra_metrics(truths, predictions, labels)
        eye = eye_labels(labels)
        if eye is None:
            return metrics
        errors, labelled = [], 0
        for truth, prediction in zip(truths, predictions, strict=True):
            assert isinstance(truth, ObjectsAnnotation)
            assert isinstance(prediction, ObjectsPrediction)
            drawn = [ObjectPrediction(label=shape.label, score=1.0, box=shape.box) for shape in truth.objects]
            true = _ratio(drawn, eye, prediction)
            if true is not None:
                labelled += 1
                told = _ratio(prediction.objects, eye, prediction)
                if told is not None:
                    errors.append(abs(true.vertical - told.vertical))
        if labelled:
            metrics["cdr_found"] = len(errors) / labelled
        if errors:
            metrics["cdr_error"] = float(np.mean(errors))
        return metrics


def _ratio(objects: Sequence[ObjectPrediction], eye: tuple[str, str], size: ObjectsPrediction) -> CupDiscRatio | None:
    return cup_disc_ratio(objects, *eye, width=size.width, height=size.height)
