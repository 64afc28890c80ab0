"""An evaluation run: a stored model answers a test set, and everything that can be asked of the result is kept."""

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from sandglass.core.annotation import Annotation
from sandglass.core.errors import InvalidInput, NotFound, SandglassError
from sandglass.core.prediction import Prediction
from sandglass.core.status import RunReason
from sandglass.core.text import Text
from sandglass.evaluation import measure
from sandglass.learning.data import SampleSource
from sandglass.learning.journal import Journal
from sandglass.learning.settings import EvaluationSettings, TrainingSettings
from sandglass.scenarios.base import Example, Match, PredictOptions, Scenario
from sandglass.store.db import Database
from sandglass.store.folders import fetch_folder
from sandglass.store.objects import Objects
from sandglass.store.tables import Evaluation, EvaluationSample, Model, Run, TaskVersion

EVERYTHING = PredictOptions(threshold=0.0)
"""All answers, whatever their score: thresholds are applied afterwards."""


def evaluate(
    run: Run,
    scenario: Scenario,
    journal: Journal,
    *,
    database: Database,
    objects: Objects,
    home: Path,
    threads: int,
) -> RunReason:
    """Measure a model; a stopped evaluation keeps nothing.

    Raises:
        SandglassError: there is no model, no test sample, or a part of them is gone.
    """
    settings = EvaluationSettings.model_validate(run.settings)
    assert run.task_version_id is not None
    journal.stage("load", 0.0, 0.05)
    with database.read() as session:
        model = find_model(session, run.task_version_id, settings.model_id)
        version = session.get_one(TaskVersion, run.task_version_id)
    source = SampleSource(database, objects)
    labels = tuple(model.manifest["labels"])
    examples = test_examples(source, TrainingSettings.model_validate(version.settings), settings, labels)
    folder = fetch_folder(objects, model.files, home / "models" / model.id)
    predictor = scenario.load(folder, threads=threads)

    journal.stage("predict", 0.05, 0.95)
    journal.log(f"{len(examples)} test samples, text: {settings.text}")
    truths: list[Annotation] = []
    predictions: list[Prediction] = []
    kept: list[Example] = []
    for number, example in enumerate(examples):
        if journal.stopping:
            return RunReason.STOPPED_BY_PERSON
        assert example.sample.annotation is not None
        try:
            [prediction] = predictor.predict([scenario.query(example, given=settings.text == "given")], EVERYTHING)
        except SandglassError as error:
            journal.log(f"{example.sample.path} is left out: {error}", level="warning")
            continue
        truths.append(example.sample.annotation)
        predictions.append(prediction)
        kept.append(example)
        journal.progress((number + 1) / len(examples))

    journal.stage("measure", 0.95, 1.0)
    matches: list[list[Match]] = [
        scenario.judge(truth, prediction, labels) for truth, prediction in zip(truths, predictions, strict=True)
    ]
    results = measure(matches, labels, scenario.extra_metrics(truths, predictions, labels))
    with database.write() as session:
        evaluation = Evaluation(
            run_id=run.id, model_id=model.id, sample_count=len(kept), results=results.model_dump(mode="json")
        )
        session.add(evaluation)
        session.flush()
        session.add_all(
            EvaluationSample(
                evaluation_id=evaluation.id,
                position=position,
                sample=example.sample.model_dump(mode="json"),
                prediction=prediction.model_dump(mode="json"),
                matches=[match.model_dump(mode="json") for match in found],
            )
            for position, (example, prediction, found) in enumerate(zip(kept, predictions, matches, strict=True))
        )
    return RunReason.COMPLETED


def find_model(session: Session, task_version_id: str, model_id: str | None) -> Model:
    """The named model, or else the best one of a task version.

    Raises:
        NotFound: ``no_model``.
    """
    query = select(Model).join(Run, Run.id == Model.run_id).where(Run.task_version_id == task_version_id)
    if model_id is not None:
        query = query.where(Model.id == model_id)
    model: Model | None = session.scalars(query.order_by(Model.score.desc(), Model.created_at.desc())).first()
    if model is None:
        raise NotFound(
            "no_model",
            Text(en="This task version has no model yet.", zh="该任务版本还没有模型。"),
            Text(en="Train it first.", zh="请先训练。"),
        )
    return model


def test_examples(
    source: SampleSource, training: TrainingSettings, settings: EvaluationSettings, labels: tuple[str, ...]
) -> list[Example]:
    """Samples to measure on: the given test sets, those of the training, or the part that it held out.

    Raises:
        InvalidInput: ``no_test_samples``.
    """
    if settings.test:
        samples = source.labelled(settings.test, labels, training.label_map)
    else:
        split = source.training_sets(training).split
        samples = list(split.test or split.validation)
    if not samples:
        raise InvalidInput(
            "no_test_samples",
            Text(en="The test set has no labelled sample.", zh="测试集没有已标注的样本。"),
            Text(en="Choose another test set.", zh="请选择其他测试集。"),
        )
    return source.examples(samples)
