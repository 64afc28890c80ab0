"""What every installed scenario must hold, whatever it learns. A new one plugs in by its entry in ``tiny.TINY``."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from harness import wait_for
from odd_pictures import odd_pictures
from tiny import TINY, examples, unreadable

from sandglass.core.annotation import annotation_labels
from sandglass.core.errors import Broken, InvalidInput
from sandglass.core.finding import Severity
from sandglass.core.picture import decode_picture
from sandglass.core.time import Deadline, utc_now
from sandglass.evaluation import measure, summarise
from sandglass.learning.data import map_labels
from sandglass.learning.manifest import ModelManifest
from sandglass.learning.models import write_json
from sandglass.scenarios.base import (
    Example,
    FitContext,
    LearningData,
    PredictOptions,
    Query,
    TrainingPlan,
    get_scenario,
    list_scenarios,
)

ALL = PredictOptions(threshold=0)


class Silent:
    def progress(self, fraction):
        assert 0 <= fraction <= 1

    def metric(self, name, value):
        assert np.isfinite(value)

    def log(self, message, *, level="info"):
        assert message


class Learnt:
    """A scenario with its data, its first candidate that has learnt, and the folder that it was exported to."""

    def __init__(self, scenario_id, folder, *, change=lambda found: found, until=0.35, seconds=240):
        self.scenario, self.tiny = get_scenario(scenario_id), TINY[scenario_id]
        every = change(examples(scenario_id))
        train = min(self.tiny.train, len(every) - 1)
        labels = self.scenario.labels([example.sample for example in every])
        self.plan = TrainingPlan("fastest", self.tiny.parameters)
        self.data = LearningData(every[:train], every[train:], labels)
        self.context = FitContext(
            Deadline(seconds), lambda: False, Silent(), folder / "work", folder / "cache", threads=1, seed=3
        )
        self.context.workspace.mkdir(parents=True)
        self.scenario.prepare(self.data, self.plan, self.context)
        self.candidate = self.candidates()[0]
        while not self.candidate.finished and not (self.candidate.ready and self.candidate.fraction >= until):
            self.candidate.fit(self.context)
        self.folder = export(self.scenario, self.candidate, self.data, folder / "model")

    def candidates(self, context=None):
        return self.scenario.candidates(self.data, self.plan, context or self.context)

    def predict(self, queries, options=ALL):
        return self.scenario.load(self.folder, threads=1).predict(queries, options)

    def results(self, predictions):
        truths = [example.sample.annotation for example in self.data.validation]
        labels = self.data.labels
        matches = [self.scenario.judge(t, p, labels) for t, p in zip(truths, predictions, strict=True)]
        return measure(matches, labels, self.scenario.extra_metrics(truths, predictions, labels))


def export(scenario, candidate, data, folder):
    folder.mkdir()
    candidate.export(folder)
    manifest = ModelManifest(
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
    )
    write_json(folder / "manifest.json", manifest)
    return folder


def query(picture):
    return Query(lambda: picture, picture.shape[1], picture.shape[0])


@pytest.fixture(scope="module", params=sorted(TINY))
def learnt(request, tmp_path_factory):
    return Learnt(request.param, tmp_path_factory.mktemp(request.param))


def test_every_scenario_has_tiny_data():
    assert {scenario.id for scenario in list_scenarios()} == set(TINY)


def test_the_tiny_set_is_learnt(learnt):
    predictions = learnt.candidate.predict_validation(learnt.context)
    assert len(predictions) == len(learnt.data.validation)
    results = learnt.results(predictions)
    overall = summarise(results, results.recommended_threshold).overall.model_dump()
    assert overall[learnt.scenario.main_metric] > 0.5


def test_the_exported_folder_answers_like_its_source(learnt):
    own = learnt.results(learnt.candidate.predict_validation(learnt.context))
    loaded = learnt.results(learnt.predict([learnt.scenario.query(example) for example in learnt.data.validation]))
    assert abs((own.overall[0].f1 or 0) - (loaded.overall[0].f1 or 0)) < 0.1


def test_an_answer_does_not_depend_on_the_others_of_a_batch(learnt):
    loaded = learnt.scenario.load(learnt.folder, threads=1)
    queries = [learnt.scenario.query(example) for example in learnt.data.validation]
    together = loaded.predict(queries, ALL)
    assert [loaded.predict([query], ALL)[0] for query in queries] == together


def test_recall_never_rises_with_the_threshold(learnt):
    results = learnt.results(learnt.candidate.predict_validation(learnt.context))
    hits = [counts.tp for counts in results.overall]
    assert hits == sorted(hits, reverse=True)


def test_a_candidate_goes_on_from_its_saved_state(learnt, tmp_path):
    learnt.candidate.save(tmp_path)
    other = learnt.candidates()[0]
    other.restore(tmp_path)
    assert other.fraction == pytest.approx(learnt.candidate.fraction)
    assert other.finished == learnt.candidate.finished
    assert other.predict_validation(learnt.context) == learnt.candidate.predict_validation(learnt.context)


def test_a_killed_search_is_taken_up_by_the_next_process(learnt, tmp_path):
    told = tmp_path / "told.txt"
    command = [sys.executable, "-m", "searching", learnt.scenario.id, str(tmp_path), str(learnt.context.cache)]
    paths = os.pathsep.join([str(Path(__file__).parents[1] / "support"), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    first = subprocess.Popen(command, env=environment)
    wait_for(lambda: (tmp_path / "checkpoint" / "search.json").exists() or first.poll() is not None, seconds=240)
    first.kill()
    first.wait()
    subprocess.run(command, env=environment, check=True, timeout=300)
    lines = told.read_text("utf-8")
    assert "Going on from the checkpoint" in lines
    assert "info: stored" in lines
    assert "info: ended" in lines
    assert "error:" not in lines


def test_work_ends_soon_after_the_deadline(learnt):
    short = FitContext(**{**vars(learnt.context), "deadline": Deadline(3)})
    started = time.monotonic()
    for candidate in learnt.candidates(short):
        while not candidate.finished and not short.over:
            candidate.fit(short)
    assert time.monotonic() - started < 3 + 5


def test_a_stop_ends_the_work_of_every_candidate(learnt):
    asked = time.monotonic() + 1.0
    stopped = FitContext(**{**vars(learnt.context), "stop": lambda: time.monotonic() > asked})
    for candidate in learnt.candidates(stopped):
        while not candidate.finished and not stopped.over:
            candidate.fit(stopped)
    assert time.monotonic() - asked < 5


@pytest.mark.parametrize("colour", [0, 255])
def test_a_picture_with_nothing_on_it_is_answered(learnt, colour):
    [answer] = learnt.predict([query(np.full((400, 300, 3), colour, np.uint8))], PredictOptions())
    assert (answer.width, answer.height) == (300, 400)


@pytest.mark.parametrize("kind", ["grey", "cmyk", "transparent", "palette", "16 bits", "turned", "small", "long"])
def test_odd_kinds_of_pictures_are_answered(learnt, kind):
    data = odd_pictures(learnt.data.validation[0].picture())[kind]
    picture = decode_picture(data)
    [answer] = learnt.predict([query(picture)])
    assert (answer.height, answer.width) == picture.shape[:2]


def test_an_unreadable_picture_is_a_clear_error_when_predicting(learnt):
    with pytest.raises(InvalidInput) as caught:
        learnt.predict([learnt.scenario.query(unreadable())])
    assert caught.value.code == "picture_unreadable"


def test_a_damaged_model_folder_is_refused(learnt, tmp_path):
    with pytest.raises(Broken) as caught:
        learnt.scenario.load(tmp_path)
    assert caught.value.code == "model_damaged"


def test_a_single_label_with_a_chinese_name_is_learnt_and_answered(learnt, tmp_path):
    [(old, new), *_] = learnt.tiny.chinese.items()

    def only(found):
        kept = [
            Example(
                example.sample.model_copy(
                    update={"annotation": map_labels(example.sample.annotation, [new], {old: new})}
                ),
                example.read,
            )
            for example in found
        ]
        return [example for example in kept if annotation_labels(example.sample.annotation)]

    one = Learnt(learnt.scenario.id, tmp_path, change=only, until=0.0)
    assert one.data.labels == (new,)
    assert not [f for f in one.scenario.check([e.sample for e in one.data.train], None) if f.severity is Severity.ERROR]
    answers = one.predict([one.scenario.query(example) for example in one.data.validation])
    assert new in str([answer.model_dump(mode="json") for answer in answers])


def test_a_label_that_nobody_gave_is_an_error_that_names_the_others(learnt):
    samples = [example.sample for example in learnt.data.train]
    [found, *_] = learnt.scenario.check(samples, ["no such label"])
    assert found.severity is Severity.ERROR
    assert "no such label" in found.message.en
    assert any(label in found.outcome.en for label in learnt.data.labels)


def test_texts_for_people_are_there_in_both_languages(learnt):
    for text in (
        learnt.scenario.name,
        *learnt.scenario.causes.values(),
        *(preset.name for preset in learnt.scenario.presets),
    ):
        assert text.en
        assert text.zh
    assert learnt.scenario.parameters().model_dump()
