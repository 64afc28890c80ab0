"""A training run from data check to exported model."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
from sqlalchemy import update

from sandglass import __version__
from sandglass.core.errors import InvalidInput
from sandglass.core.finding import Severity
from sandglass.core.status import RunReason
from sandglass.core.text import Text
from sandglass.core.time import Deadline, utc_now
from sandglass.evaluation import Results, summarise
from sandglass.learning.data import SampleSource, TrainingSets
from sandglass.learning.device import choose_device
from sandglass.learning.journal import Journal
from sandglass.learning.manifest import ModelManifest
from sandglass.learning.models import ModelStore
from sandglass.learning.search import LEAST_RESERVE, Search
from sandglass.learning.settings import TrainingSettings
from sandglass.pretrained import catalogue
from sandglass.scenarios.base import Candidate, FitContext, LearningData, Scenario, TrainingPlan
from sandglass.store.db import Database
from sandglass.store.objects import Objects
from sandglass.store.tables import Run


def train(
    run: Run,
    scenario: Scenario,
    journal: Journal,
    *,
    database: Database,
    objects: Objects,
    home: Path,
    threads: int,
    deadline: Deadline,
) -> RunReason:
    """Train until the deadline, a stop or the end; the best model is stored all along.

    Raises:
        SandglassError: the data cannot be learnt from, or no model could be made.
    """
    settings = TrainingSettings.model_validate(run.settings)
    random.seed(settings.seed)
    np.random.seed(settings.seed)
    workspace = home / "runs" / run.id
    context = FitContext(
        deadline=deadline.reserve(LEAST_RESERVE),
        stop=lambda: journal.stopping,
        report=journal,
        workspace=workspace,
        cache=home / "cache",
        threads=threads,
        seed=settings.seed,
        device=choose_device(),
    )
    workspace.mkdir(parents=True, exist_ok=True)

    journal.stage("check", 0.0, 0.02)
    source = SampleSource(database, objects)
    sets = source.training_sets(settings)
    plan = TrainingPlan(settings.preference, settings.parameters)
    data = check(scenario, source, sets, settings, journal)
    metric = scenario.metric(data, plan)
    data = scenario.arrange(data, plan, journal)
    if context.over:
        return _reason_without_model(context)

    journal.stage("prepare", 0.02, 0.2)
    scenario.prepare(data, plan, context)
    if context.over:
        return _reason_without_model(context)

    models = ModelStore(database, objects, run.id, workspace)
    search = Search(
        scenario, data, context, journal, lambda *_: None, workspace, target=settings.target_score, metric=metric
    )

    def store(candidate: Candidate, score: float, results: Results) -> None:
        overall = summarise(results, results.recommended_threshold).overall.model_dump()
        manifest = ModelManifest(
            scenario=scenario.id,
            labels=data.labels,
            threshold=results.recommended_threshold,
            main_metric=metric,
            score=score,
            metrics=overall,
            candidate=candidate.name,
            datasets=sets.manifests,
            weights={
                name: item.sha256
                for name, item in catalogue().items()
                if name.startswith(f"{scenario.weights or scenario.id}/")
            },
            code_version=__version__,
            settings=settings.model_dump(mode="json"),
            seed=settings.seed,
            train_count=len(data.train),
            validation_count=len(data.validation),
            created_at=utc_now(),
        )
        models.store(scenario, candidate, manifest, data.validation[0] if data.validation else None, threads)
        with database.write() as session:
            session.execute(
                update(Run).where(Run.id == run.id).values(best_score=score, best_at=round(journal.used, 1))
            )
        journal.log(f"New best model: {candidate.name}, {metric} {score:.4f}")

    search.store = store
    search.context = replace(context, deadline=deadline.reserve(LEAST_RESERVE))
    return search.run(scenario.candidates(data, plan, context))


def check(
    scenario: Scenario, source: SampleSource, sets: TrainingSets, settings: TrainingSettings, journal: Journal
) -> LearningData:
    """Check the data once more, as it is now, and turn it into examples.

    Raises:
        InvalidInput: ``data_not_learnable`` with the first finding that forbids it.
    """
    split = sets.split
    samples = [*split.train, *split.validation]
    for finding in scenario.check(samples, settings.labels):
        journal.log(
            f"{finding.message.en} {finding.outcome.en}",
            level="info" if finding.severity is Severity.NOTE else "warning",
        )
        if finding.severity is Severity.ERROR:
            raise InvalidInput("data_not_learnable", finding.message, finding.outcome)
    if not samples:
        raise InvalidInput(
            "data_not_learnable",
            Text(en="There is no labelled sample to learn from.", zh="没有可用于学习的标注样本。"),
            Text(en="Label some samples and publish a version.", zh="请先标注样本并发布版本。"),
        )
    labels = settings.labels or scenario.labels(samples)
    journal.log(
        f"{len(split.train)} samples to learn from, {len(split.validation)} to validate on, {len(split.test)} held out; "
        f"labels: {', '.join(labels)}"
    )
    return LearningData(source.examples(split.train), source.examples(split.validation), labels)


def _reason_without_model(context: FitContext) -> RunReason:
    return RunReason.STOPPED_BY_PERSON if context.stop() else RunReason.TIME_LIMIT
