"""Backbone, probe, fine-tuning, folds, and the exported model."""

import json

import cv2
import numpy as np
import pytest
import torch
from shapes import relabelled, shapes

from sandglass.core.annotation import ClassAnnotation
from sandglass.core.errors import Broken
from sandglass.core.sample import Sample
from sandglass.core.time import Deadline
from sandglass.scenarios.base import Example, LearningData, PredictOptions, Query, TrainingPlan, get_scenario
from sandglass.scenarios.classification import tune
from sandglass.scenarios.classification.augment import Symmetries
from sandglass.scenarios.classification.backbone import VARIANTS, Classifier, EfficientNetLite, pretrained_backbone
from sandglass.scenarios.classification.material import Material
from sandglass.scenarios.classification.preprocess import Shape, normalised
from sandglass.scenarios.classification.probe import fit_probe, fold_numbers, out_of_fold
from sandglass.scenarios.classification.quick import ProbeCandidate
from sandglass.scenarios.classification.trainer import Recipe
from sandglass.scenarios.classification.tune import TuneCandidate

SMALL = TrainingPlan("balanced", {"side": 64, "backbone": "lite0"})
SCENARIO = get_scenario("classification")


def labels_of(examples):
    return SCENARIO.labels([example.sample for example in examples])


def predictor(candidate, labels, folder, threshold=0.5):
    folder.mkdir()
    candidate.export(folder)
    (folder / "manifest.json").write_text(json.dumps({"threshold": threshold, "labels": labels}))
    return SCENARIO.load(folder)


def learn(candidate, context, until=1.0):
    while not candidate.finished and candidate.fraction < until and not context.over:
        candidate.fit(context)
    assert candidate.ready
    return candidate


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_each_backbone_takes_any_shape_and_may_be_cut_anywhere(variant):
    torch.manual_seed(0)
    network = EfficientNetLite(variant).eval()
    pictures = torch.rand(2, 3, 65, 96)
    with torch.no_grad():
        whole = network(pictures)
        assert whole.shape == (2, 1280)
        for parts in (1, 4, 9):
            assert torch.allclose(network.upper(network.lower(pictures, parts), parts), whole, atol=1e-5)


def test_imagenet_weights_tell_things_apart():
    features = []
    for example in shapes(4, classes=2, side=160):
        batch = torch.from_numpy(normalised(example.picture()[None]))
        with torch.no_grad():
            features.append(pretrained_backbone("lite0")(batch).numpy()[0])
    assert np.isfinite(features).all()
    assert np.std(features, axis=0).mean() > 0.05


def test_weights_of_another_network_are_refused(tmp_path, monkeypatch):
    torch.save({"_conv_stem.weight": torch.zeros(1, 1, 1, 1)}, tmp_path / "w.pth")
    monkeypatch.setattr("sandglass.scenarios.classification.backbone.locate", lambda name: tmp_path / "w.pth")
    with pytest.raises(Broken) as caught:
        pretrained_backbone("lite0")
    assert caught.value.code == "weights_damaged"


def blobs(count, labels, *, noise, seed=0):
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(0, 1, (labels, 20))
    rows = np.eye(labels, dtype=np.float32)[np.arange(count) % labels]
    return (rows @ centres + random.normal(0, noise, (count, 20))).astype(np.float32)[None], rows


def test_a_probe_separates_what_can_be_separated_and_penalises_noise():
    features, rows = blobs(120, 3, noise=0.3)
    probe = fit_probe(features, rows, several=False)
    fresh, truth = blobs(120, 3, noise=0.3, seed=5)
    assert (probe.logits(fresh[0]).argmax(1) == truth.argmax(1)).mean() > 0.97
    noise = np.random.default_rng(1).normal(0, 1, (1, 120, 20)).astype(np.float32)
    assert fit_probe(noise, rows, several=False).penalty > probe.penalty


def test_a_probe_learns_independent_labels():
    features, rows = blobs(120, 3, noise=0.3)
    both = np.maximum(rows, np.roll(rows, 1, axis=1))
    probe = fit_probe(features, both, several=True)
    assert ((probe.logits(features[0]) > 0) == (both > 0.5)).mean() > 0.97


def test_answers_out_of_fold_come_from_probes_that_have_not_seen_the_picture():
    features, rows = blobs(60, 3, noise=0.3)
    lied = rows.copy()
    lied[0] = np.roll(lied[0], 1)
    logits = out_of_fold(features, lied, several=False, penalty=1e-3, balance=None, answered=1, seed=0)
    assert logits[0].argmax() == rows[0].argmax()
    folds = fold_numbers(rows, 5, seed=0)
    assert all(3 <= (folds[rows.argmax(1) == label] == fold).sum() <= 5 for label in range(3) for fold in range(5))


def test_the_first_model_is_there_soon_and_may_be_cut_to_fewer_pictures(make_context):
    examples = shapes(30)
    data = LearningData(examples[:70], examples[70:], labels_of(examples))
    context = make_context()
    candidate = ProbeCandidate("probe", Material(data, SMALL, context))
    candidate._began = -1e9  # as if encoding had taken all its time
    candidate.material.bank.compute("lite0", candidate.shape, "plain", candidate._order()[:50])
    one_piece = make_context(deadline=Deadline(0.001))
    candidate.fit(one_piece)
    assert candidate.ready
    assert not candidate.finished
    learn(candidate, context)
    assert candidate.finished


def test_mirrored_pictures_count_as_the_same_only_where_they_are(make_context):
    def arrow(index, left):
        random = np.random.default_rng(index)
        picture = np.full((96, 96, 3), int(random.integers(150, 255)), np.uint8)
        y = int(random.integers(25, 70))
        tips = (80, 15) if not left else (15, 80)
        cv2.arrowedLine(picture, (tips[1], y), (tips[0], y), (0, 0, 0), int(random.integers(3, 7)), tipLength=0.4)
        data = cv2.imencode(".png", picture)[1].tobytes()
        label = ClassAnnotation(labels=("left" if left else "right",))
        sample = Sample(path=f"{index}", width=96, height=96, digest=f"arrow{index}", annotation=label)
        return Example(sample, lambda: data)

    arrows = [arrow(index, index % 2 == 0) for index in range(80)]
    for examples, same in ((arrows, False), (shapes(30), True)):
        data = LearningData(examples[:60], examples[60:], labels_of(examples))
        plan = TrainingPlan("balanced", {"side": 96, "backbone": "lite0"})
        context = make_context()
        candidate = learn(ProbeCandidate("probe", Material(data, plan, context)), context)
        assert candidate.material.symmetries.mirror is same
        assert candidate.mirror is same


def tuned(data, context, plan=SMALL, **changes):
    material = Material(data, plan, context)
    material.symmetries = Symmetries(mirror=True)
    recipe = Recipe("lite0", material.shape("lite0"), batch=8, **({"frozen": 5, "epochs": 2.0} | changes))
    return TuneCandidate("tune", material, recipe)


def test_fine_tuning_lowers_the_loss_and_its_export_answers_the_same(make_context, tmp_path, monkeypatch):
    monkeypatch.setattr(tune, "PIECE_SECONDS", 0.3)  # one loss is told per piece
    examples = shapes(10)
    data = LearningData(examples[:24], examples[24:], labels_of(examples))
    context = make_context()
    losses = []
    context.report.metric = lambda name, value: losses.append(value)
    candidate = tuned(data, context, epochs=12.0)
    learn(candidate, context, until=0.1)
    learn(candidate, context)
    assert len(losses) > 1
    assert losses[-1] < losses[0]
    answers = candidate.predict_validation(context)
    loaded = predictor(candidate, data.labels, tmp_path / "model")
    picture = data.validation[0].picture()
    [member] = candidate.networks()
    seen = normalised(picture[None]) if member.shape == Shape(96, 96) else None
    assert seen is None  # the network's input is 64 x 64: the predictor resizes
    small = cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA)
    views = torch.from_numpy(np.concatenate([normalised(small[None]), normalised(small[None, :, ::-1])]))
    with torch.no_grad():
        source = member.network(views).mean(0).numpy()
    assert np.abs(loaded.logits(picture) - source).max() < 1e-4
    found = loaded.predict([SCENARIO.query(example) for example in data.validation], PredictOptions(threshold=0))
    for own, other in zip(answers, found, strict=True):
        assert own.labels[0].score == pytest.approx(other.labels[0].score, abs=0.1)


def test_fine_tuning_goes_on_after_a_kill_where_it_was(make_context, tmp_path):
    examples = shapes(10)
    data = LearningData(examples[:24], examples[24:], labels_of(examples))
    context = make_context()
    candidate = tuned(data, context, epochs=4.0)
    learn(candidate, context, until=0.5)
    candidate.save(tmp_path)
    again = tuned(data, context, epochs=4.0)
    again.restore(tmp_path)
    assert again.fraction == candidate.fraction
    assert again.predict_validation(context) == candidate.predict_validation(context)
    learn(again, context)
    assert again.finished


def test_a_smaller_input_is_taken_when_few_epochs_fit(make_context, report):
    examples = shapes(40, side=160)
    data = LearningData(examples[:100], examples[100:], labels_of(examples))
    plan = TrainingPlan("balanced", {"backbone": "lite0"})
    context = make_context()
    candidate = tuned(data, context, plan, epochs=30.0)
    while candidate._trainer is None:
        candidate.fit(context)
    before = candidate.recipe.shape
    candidate._trainer.pace.step_seconds = 5.0
    candidate._trainer.pace.done = 3
    candidate.fit(make_context(deadline=Deadline(20)))
    assert candidate.recipe.shape.area < 0.7 * before.area
    assert any("epochs would fit" in line for _, line in report.lines)
    assert candidate.validation_logits(context).shape == (20, 3)


def test_few_pictures_teach_and_are_validated_on_out_of_fold(make_context, tmp_path, report):
    examples = shapes(8)
    data = LearningData(examples[:20], examples[20:], labels_of(examples))
    arranged = SCENARIO.arrange(data, SMALL, report)
    assert len(arranged.train) == len(arranged.validation) == 24
    context = make_context()
    quick, folds = SCENARIO.candidates(arranged, SMALL, context)
    assert [quick.name, folds.name] == ["probe", "folds"]
    learn(quick, context)
    assert len(quick.predict_validation(context)) == 24
    folds.recipe = folds.recipe.__class__(**{**vars(folds.recipe), "epochs": 1.0, "frozen": 6})
    learn(folds, context)
    answers = folds.predict_validation(context)
    folds.save(tmp_path)
    again = SCENARIO.candidates(arranged, SMALL, context)[1]
    again.recipe = folds.recipe
    again.restore(tmp_path)
    assert again.predict_validation(context) == answers
    loaded = predictor(folds, arranged.labels, tmp_path / "model")
    description = json.loads((tmp_path / "model" / "classification.json").read_text())
    assert len(description["members"]) == 3
    [found] = loaded.predict([SCENARIO.query(examples[0])], PredictOptions(threshold=0))
    assert sum(item.score for item in found.labels) == pytest.approx(1.0)


def test_enough_pictures_are_left_as_they_are_and_very_many_are_cut(report):
    examples = shapes(1, classes=2)
    data = LearningData(examples * 100, examples * 20, labels_of(examples))
    assert SCENARIO.arrange(data, SMALL, report) == data
    many = LearningData(examples * 3000, examples * 3000, labels_of(examples))
    assert len(SCENARIO.arrange(many, SMALL, report).validation) == 3000


def framed(example):
    """The example with a thick white frame, and a label that says so."""
    picture = example.picture()
    picture[:14], picture[-14:], picture[:, :14], picture[:, -14:] = 255, 255, 255, 255
    data = cv2.imencode(".png", picture)[1].tobytes()
    new = relabelled(example, *example.sample.annotation.labels, "framed")
    return Example(new.sample, lambda: data)


def test_several_labels_a_picture_are_learnt_and_answered(make_context, tmp_path):
    examples = [framed(example) if number % 3 == 0 else example for number, example in enumerate(shapes(30, classes=2))]
    data = LearningData(examples[:45], examples[45:], labels_of(examples))
    assert SCENARIO.metric(data, SMALL) == "macro_f1"
    context = make_context()
    candidate = learn(SCENARIO.candidates(data, SMALL, context)[0], context)
    loaded = predictor(candidate, data.labels, tmp_path / "model")
    right = 0
    for example in data.validation:
        [found] = loaded.predict([SCENARIO.query(example)], PredictOptions())
        assert found.several
        right += ("framed" in example.sample.annotation.labels) == ("framed" in [item.label for item in found.labels])
    assert right >= 12


def test_below_the_threshold_the_answer_is_unknown(make_context, tmp_path):
    examples = shapes(10)
    data = LearningData(examples[:24], examples[24:], labels_of(examples))
    context = make_context()
    candidate = learn(ProbeCandidate("probe", Material(data, SMALL, context)), context)
    loaded = predictor(candidate, data.labels, tmp_path / "model", threshold=0.3)
    picture = examples[0].picture()
    query = Query(lambda: picture, 96, 96)
    [every], [some], [none] = (
        loaded.predict([query], PredictOptions(threshold=threshold)) for threshold in (0.0, None, 1.0)
    )
    assert len(every.labels) == 3
    assert [item.score for item in every.labels] == sorted((item.score for item in every.labels), reverse=True)
    assert all(item.score >= 0.3 for item in some.labels)
    assert none.labels == ()
    assert loaded.timings()["network"] > 0


@pytest.mark.parametrize(
    ("seconds", "preference", "parameters", "names"),
    [
        (60, "balanced", {}, ["probe", "tune-lite0"]),
        (7200, "balanced", {}, ["probe", "tune-lite0", "tune-lite2"]),
        (7200, "fastest", {}, ["probe", "tune-lite0"]),
        (7200, "balanced", {"backbone": "lite1"}, ["probe", "tune-lite1"]),
        (7200, "balanced", {"learn": "probe"}, ["probe"]),
    ],
)
def test_the_plan_follows_the_time_and_the_wishes(make_context, seconds, preference, parameters, names):
    example = shapes(1, classes=2)
    data = LearningData(example * 200, example * 40, labels_of(example))
    plan = TrainingPlan(preference, parameters)
    assert [item.name for item in SCENARIO.candidates(data, plan, make_context(seconds))] == names


def test_preparing_tells_of_pictures_that_look_the_same_under_two_labels(make_context, report):
    examples = shapes(12)
    wrong = relabelled(examples[0], examples[1].sample.annotation.labels[0])
    wrong = wrong.__class__(wrong.sample.model_copy(update={"path": "again.jpg", "digest": "other"}), wrong.read)
    data = LearningData([*examples, wrong], shapes(10, seed=8), labels_of(examples))
    SCENARIO.prepare(data, SMALL, make_context())
    [told] = [line for level, line in report.lines if level == "warning"]
    assert "again.jpg" in told
    assert examples[0].sample.path in told


def test_a_network_without_its_probe_starts_from_scratch_in_the_last_layer_only():
    network = Classifier("lite0", 4)
    assert network(torch.zeros(1, 3, 64, 64)).shape == (1, 4)
