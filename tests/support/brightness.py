"""A scenario for tests that learns in milliseconds: which class a picture's mean brightness is nearest to.

Processes find it by an entry point, as they find any scenario. Its parameters make a run last, crash, or store a broken model.
"""

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from sandglass.core.annotation import ClassAnnotation
from sandglass.core.errors import Broken
from sandglass.core.prediction import ClassPrediction, LabelScore
from sandglass.core.sample import Part, Sample
from sandglass.core.text import Text
from sandglass.scenarios.base import Candidate, ExampleData, Match, Predictor, Preset, Scenario


def example_samples():
    from pictures import picture

    for number in range(12):
        label, grey = (("dark", 40), ("light", 210))[number % 2]
        part = Part.TRAIN if number < 8 else Part.TEST
        annotation = ClassAnnotation(labels=(label,))
        yield (
            Sample(path=f"{label}-{number}.png", width=32, height=24, annotation=annotation, part=part),
            picture(grey, seed=number),
        )


class BrightnessParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    pieces: int = Field(2, ge=1, le=100_000, title="Pieces", description="Pieces of work until it has learnt all.")
    pause: float = Field(0.0, ge=0, le=10, title="Pause", description="Seconds that a piece takes.")
    crash: bool = Field(False, title="Crash", description="Kill the process in the second piece.")


class BrightnessPredictor(Predictor):
    def __init__(self, centres, pause=0.0):
        self.centres = centres
        self.pause = pause

    def predict(self, queries, options):
        time.sleep(self.pause)
        answers = []
        for query in queries:
            mean = float(query.picture().mean())
            near = {label: 1 / (1 + abs(mean - centre)) for label, centre in self.centres.items()}
            total = sum(near.values())
            ranked = sorted(((score / total, label) for label, score in near.items()), reverse=True)
            threshold = options.threshold or 0.0
            labels = tuple(LabelScore(label=label, score=score) for score, label in ranked if score >= threshold)
            answers.append(ClassPrediction(width=query.width, height=query.height, labels=labels))
        return answers


class BrightnessCandidate(Candidate):
    name = "mean"

    def __init__(self, data, parameters):
        self.data = data
        self.parameters = parameters
        self.done = 0
        self.centres = {}

    @property
    def finished(self):
        return self.done >= self.parameters.pieces

    @property
    def fraction(self):
        return self.done / self.parameters.pieces

    @property
    def ready(self):
        return self.done > 0

    def fit(self, context):
        if self.parameters.crash and self.done == 1 and not (context.workspace / "crashed").exists():
            (context.workspace / "crashed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        sums = {label: [] for label in self.data.labels}
        for example in self.data.train:
            for label in example.sample.annotation.labels:
                if label in sums:
                    sums[label].append(float(example.picture().mean()))
        self.centres = {label: sum(values) / len(values) for label, values in sums.items() if values}
        end = time.monotonic() + self.parameters.pause
        while time.monotonic() < end and not context.over:
            time.sleep(0.02)
        self.done += 1
        context.report.metric("loss", 1 / self.done)

    def predict_validation(self, context):
        from sandglass.scenarios.base import PredictOptions, Query

        queries = [
            Query(example.picture, example.sample.width, example.sample.height) for example in self.data.validation
        ]
        return BrightnessPredictor(self.centres).predict(queries, PredictOptions(threshold=0))

    def export(self, folder):
        (folder / "centres.json").write_text(json.dumps(self.centres))

    def save(self, folder):
        (folder / "state.json").write_text(json.dumps({"done": self.done, "centres": self.centres}))

    def restore(self, folder):
        state = json.loads((folder / "state.json").read_text())
        self.done, self.centres = state["done"], state["centres"]


class Brightness(Scenario):
    id = "brightness"
    name = Text(en="Brightness", zh="亮度")
    annotation = "classes"
    parameters = BrightnessParameters
    causes: ClassVar = {"wrong_label": Text(en="wrong label", zh="类别错误"), "missing": Text(en="missing", zh="缺失")}
    presets = (
        Preset(
            id="grey",
            name=Text(en="Brightness", zh="亮度"),
            description=Text(en="Dark or light.", zh="明或暗。"),
            domain=Text(en="Tests", zh="测试"),
            example=ExampleData(
                description=Text(en="12 grey pictures", zh="12 张灰色图片"), samples=example_samples, max_seconds=60.0
            ),
        ),
        Preset(
            id="plain",
            name=Text(en="Brightness of your pictures", zh="您的图片的亮度"),
            description=Text(en="Dark or light.", zh="明或暗。"),
            domain=Text(en="Tests", zh="测试"),
        ),
    )

    def labels(self, samples):
        counts = Counter(label for sample in samples for label in sample.annotation.labels)
        return tuple(label for label, _ in counts.most_common())

    def check(self, samples, labels):
        from sandglass.core.finding import Finding, Severity

        known = self.labels(samples)
        return [
            Finding(
                code="unknown_label",
                severity=Severity.ERROR,
                label=name,
                message=Text(en=f"No picture has the label '{name}'.", zh=f"没有图片带有标签“{name}”。"),
                outcome=Text(en=f"Choose among: {', '.join(known)}.", zh=f"可选：{'、'.join(known)}。"),
            )
            for name in labels or ()
            if name not in known
        ]

    def prepare(self, data, plan, context):
        context.report.progress(1.0)

    def candidates(self, data, plan, context):
        return [BrightnessCandidate(data, BrightnessParameters.model_validate(dict(plan.parameters)))]

    def load(self, folder: Path, *, threads=1):
        try:
            pause = folder / "pause.txt"
            centres = json.loads((folder / "centres.json").read_text())
            return BrightnessPredictor(centres, float(pause.read_text()) if pause.exists() else 0.0)
        except (OSError, ValueError) as error:
            raise Broken("model_damaged", Text(en=f"{folder} is damaged.", zh=f"{folder} 已损坏。")) from error

    def judge(self, truth, prediction, labels):
        assert isinstance(truth, ClassAnnotation)
        expected = truth.labels[0] if truth.labels else None
        best = prediction.labels[0] if prediction.labels else None
        right = best is not None and best.label == expected
        return [
            Match(
                truth=expected,
                predicted=None if best is None else best.label,
                score=0.0 if best is None else best.score,
                exact=right,
                right=right,
                cause=None if right else ("missing" if best is None else "wrong_label"),
            )
        ]
