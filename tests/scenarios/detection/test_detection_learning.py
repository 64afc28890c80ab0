"""Candidates on drawn tables, small enough to take steps in a moment."""

import numpy as np
import pytest

from sandglass.core.time import Deadline
from sandglass.scenarios.base import Example, FitContext, LearningData, TrainingPlan, get_scenario
from sandglass.scenarios.detection import learner, recipe
from sandglass.scenarios.detection.examples import table_samples


class Told:
    def __init__(self):
        self.lines, self.points = [], []

    def progress(self, fraction):
        assert 0 <= fraction <= 1

    def metric(self, name, value):
        self.points.append((name, value))

    def log(self, message, *, level="info"):
        self.lines.append((level, message))


@pytest.fixture
def run(tmp_path):
    """Candidates, context and what was told, with ``seconds`` left."""

    def make(seconds, *, resolution=160, broken=False):
        every = [Example(sample, lambda data=data: data) for sample, data in table_samples(8, seed=11)]
        if broken:
            every[1] = Example(every[1].sample, lambda: b"no picture")
        scenario = get_scenario("detection")
        data = LearningData(every[:6], every[6:], scenario.labels([example.sample for example in every]))
        context = FitContext(
            Deadline(seconds), lambda: False, Told(), tmp_path / "work", tmp_path / "cache", threads=1, seed=1
        )
        plan = TrainingPlan(parameters={"resolution": resolution})
        scenario.prepare(data, plan, context)
        return scenario.candidates(data, plan, context), context

    return make


def test_steps_that_take_longer_than_a_piece_are_taken_all_the_same(run, monkeypatch):
    monkeypatch.setattr(learner, "PIECE_SECONDS", 1e-4)
    [quick, _], context = run(600)
    fractions = []
    for _ in range(4):
        quick.fit(context)
        fractions.append(quick.fraction)
    assert fractions == sorted(set(fractions)), "every piece took a step"


def test_the_longer_candidate_goes_on_from_the_brief_one(run, monkeypatch):
    monkeypatch.setattr(learner, "PIECE_SECONDS", 1e-4)
    [quick, main], context = run(600)
    while not quick.ready:
        quick.fit(context)
    first = quick.predict_validation(context)
    main.fit(context)
    after = main.predict_validation(context)
    # One warming step later it still sees much the same.
    for one, other in zip(first, after, strict=True):
        best, now = one.objects[0], max(other.objects, key=lambda found: found.box.iou(one.objects[0].box))
        assert now.box.iou(best.box) > 0.6
        assert abs(now.score - best.score) < 0.3
    assert context.report.points[0][0] == "loss/quick"
    assert np.isfinite([value for _, value in context.report.points]).all()


def test_what_was_made_cheaper_is_taken_up_as_it_was(run, monkeypatch, tmp_path):
    monkeypatch.setattr(learner, "PIECE_SECONDS", 1e-4)
    monkeypatch.setattr(recipe, "ENOUGH_STEPS", 10**9)
    [quick, main], context = run(600)
    while not quick.ready:
        quick.fit(context)
    main.fit(context)
    assert any("to take enough steps" in message for _, message in context.report.lines)
    main.save(tmp_path)
    [_, other], _ = run(600)
    other.restore(tmp_path)
    assert other.fraction == main.fraction
    assert other.predict_validation(context) == main.predict_validation(context)


def test_an_unreadable_picture_is_told_once_and_stops_nothing(run, monkeypatch):
    monkeypatch.setattr(learner, "PIECE_SECONDS", 1e-4)
    [quick, _], context = run(600, broken=True)
    for _ in range(4):
        quick.fit(context)
    told = [message for level, message in context.report.lines if level == "warning"]
    assert len(told) == 1
    assert "table-001.jpg" in told[0]
