"""What every installed scenario must hold, whatever it learns."""

import numpy as np
import pytest
from tiny import PARAMETERS, TINY, examples

from sandglass.core.time import Deadline, utc_now
from sandglass.evaluation import measure, summarise
from sandglass.learning.manifest import ModelManifest
from sandglass.learning.models import write_json
from sandglass.scenarios.base import (
    FitContext,
    LearningData,
    PredictOptions,
    Query,
    TrainingPlan,
    get_scenario,
    list_scenarios,
)


class Silent:
    def progress(self, fraction):
        assert 0 <= fraction <= 1

    def metric(self, name, value):
        assert np.isfinite(value)

    def log(self, message, *, level="info"):
        assert message


@pytest.fixture(scope="module", params=[scenario.id for scenario in list_scenarios()])
def learnt(request, tmp_path_factory):
    """A scenario with its data, a candidate that has learnt, and the folder that it was exported to."""
    scenario = get_scenario(request.param)
    folder = tmp_path_factory.mktemp(scenario.id)
    every = examples(scenario.id)
    data = LearningData(every[:7], every[7:], scenario.labels([example.sample for example in every]))
    context = FitContext(Deadline(240), lambda: False, Silent(), folder / "work", folder / "cache", threads=1, seed=3)
    context.workspace.mkdir()
    plan = TrainingPlan("fastest", PARAMETERS[scenario.id])
    scenario.prepare(data, plan, context)
    candidate = scenario.candidates(data, plan, context)[0]
    while not candidate.finished and candidate.fraction < 0.35:
        candidate.fit(context)
    model = export(scenario, candidate, data, folder / "model")
    return scenario, data, plan, context, candidate, model


def export(scenario, candidate, data, folder):
    folder.mkdir()
    candidate.export(folder)
    write_json(
        folder / "manifest.json",
        ModelManifest(
            scenario=scenario.id,
            labels=data.labels,
            threshold=0.5,
            main_metric=scenario.main_metric,
            score=0.0,
            metrics={},
            candidate=candidate.name,
            datasets=(),
            weights={},
            code_version="0",
            settings={},
            seed=3,
            train_count=len(data.train),
            validation_count=len(data.validation),
            created_at=utc_now(),
        ),
    )
    return folder


def results_of(scenario, data, predictions):
    truths = [example.sample.annotation for example in data.validation]
    matches = [scenario.judge(t, p, data.labels) for t, p in zip(truths, predictions, strict=True)]
    return measure(matches, data.labels, scenario.extra_metrics(truths, predictions, data.labels))


def test_every_scenario_has_tiny_data():
    assert {scenario.id for scenario in list_scenarios()} == set(TINY)


def test_the_tiny_set_is_learnt(learnt):
    scenario, data, _, context, candidate, _ = learnt
    predictions = candidate.predict_validation(context)
    assert len(predictions) == len(data.validation)
    results = results_of(scenario, data, predictions)
    assert summarise(results, results.recommended_threshold).overall.model_dump()[scenario.main_metric] > 0.5


def test_the_exported_folder_answers_like_its_source(learnt):
    scenario, data, _, context, candidate, model = learnt
    own = candidate.predict_validation(context)
    loaded = scenario.load(model, threads=1)
    answers = loaded.predict([scenario.query(example) for example in data.validation], PredictOptions(threshold=0))
    first, second = results_of(scenario, data, own), results_of(scenario, data, answers)
    assert abs((first.overall[0].f1 or 0) - (second.overall[0].f1 or 0)) < 0.1


def test_an_answer_does_not_depend_on_the_others_of_a_batch(learnt):
    scenario, data, _, _, _, model = learnt
    loaded = scenario.load(model, threads=1)
    queries = [scenario.query(example) for example in data.validation]
    together = loaded.predict(queries, PredictOptions(threshold=0))
    assert [loaded.predict([query], PredictOptions(threshold=0))[0] for query in queries] == together


def test_recall_never_rises_with_the_threshold(learnt):
    scenario, data, _, context, candidate, _ = learnt
    results = results_of(scenario, data, candidate.predict_validation(context))
    hits = [counts.tp for counts in results.overall]
    assert hits == sorted(hits, reverse=True)


def test_a_candidate_goes_on_from_its_saved_state(learnt, tmp_path):
    scenario, data, plan, context, candidate, _ = learnt
    candidate.save(tmp_path)
    other = scenario.candidates(data, plan, context)[0]
    other.restore(tmp_path)
    assert other.fraction == pytest.approx(candidate.fraction)
    assert other.predict_validation(context) == candidate.predict_validation(context)


def test_work_ends_soon_after_the_deadline(learnt):
    import time

    scenario, data, plan, context, _, _ = learnt
    short = FitContext(**{**vars(context), "deadline": Deadline(3)})
    candidate = scenario.candidates(data, plan, short)[0]
    started = time.monotonic()
    while not candidate.finished and not short.over:
        candidate.fit(short)
    assert time.monotonic() - started < 3 + 5


@pytest.mark.parametrize("colour", [0, 255])
def test_a_picture_with_nothing_on_it_is_answered(learnt, colour):
    scenario, _, _, _, _, model = learnt
    blank = np.full((400, 300, 3), colour, np.uint8)
    loaded = scenario.load(model, threads=1)
    [answer] = loaded.predict([Query(lambda: blank, 300, 400)], PredictOptions())
    assert (answer.width, answer.height) == (300, 400)


def test_texts_for_people_are_there_in_both_languages(learnt):
    scenario, *_ = learnt
    for text in (scenario.name, *scenario.causes.values(), *(preset.name for preset in scenario.presets)):
        assert text.en
        assert text.zh
    assert scenario.parameters().model_dump()
