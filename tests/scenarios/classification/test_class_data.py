"""Pictures on their way to the network, targets, findings, and judging."""

import numpy as np
import pytest
from shapes import relabelled, shapes
from tiny import unreadable

from sandglass.core.annotation import ClassAnnotation
from sandglass.core.finding import Severity
from sandglass.core.prediction import ClassPrediction, LabelScore
from sandglass.core.sample import Sample
from sandglass.evaluation import measure, summarise, wrong_matches
from sandglass.scenarios.base import Example
from sandglass.scenarios.classification.augment import LIGHT, STRONG, Symmetries, mixed, varied
from sandglass.scenarios.classification.check import check_samples
from sandglass.scenarios.classification.judge import class_metrics, judge_classes
from sandglass.scenarios.classification.material import near_duplicates
from sandglass.scenarios.classification.pictures import PictureStore
from sandglass.scenarios.classification.preprocess import Shape, fitted, input_shape, normalised
from sandglass.scenarios.classification.targets import learns_several, sampling_weights, target_rows


@pytest.mark.parametrize(
    ("sizes", "shape"),
    [
        ([(320, 240)] * 3, Shape(192, 256)),
        ([(100, 100), (0, 0)], Shape(224, 224)),
        ([(4000, 100)], Shape(160, 320)),  # never longer than two to one
        ([], Shape(224, 224)),
    ],
)
def test_the_input_has_the_aspect_of_the_pictures(sizes, shape):
    assert input_shape(224, sizes) == shape


@pytest.mark.parametrize(("width", "height"), [(64, 64), (300, 20), (20, 300), (1, 1), (7, 100)])
def test_a_picture_of_any_size_fits_and_a_long_one_keeps_its_middle(width, height):
    picture = np.full((height, width, 3), 255, np.uint8)
    found = fitted(picture, Shape(64, 64))
    assert found.shape == (64, 64, 3)
    assert (found[32, 32] == 255).all()
    if max(width, height) > 10 * min(width, height):
        assert (found[[0, -1], [0, -1]] == 127).all()


def test_normalised_pixels_are_rgb_planes():
    blue = np.zeros((1, 2, 2, 3), np.uint8)
    blue[..., 0] = 255
    planes = normalised(blue)
    assert planes.shape == (1, 3, 2, 2)
    assert planes[0, :, 0, 0].tolist() == pytest.approx([-127 / 128, -127 / 128, 1.0])


@pytest.mark.parametrize("strength", [LIGHT, STRONG])
def test_variation_follows_its_seed_and_keeps_what_is_in_the_picture(strength):
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[10:50, 10:70] = 255
    one, same, other = (
        varied(picture, Shape(32, 48), strength, Symmetries(True, True, True), np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert one.shape == (32, 48, 3)
    assert (one == same).all()
    assert (one != other).any()
    assert 20 < one.mean() < 250


def test_only_measured_symmetries_are_used():
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, :32] = 255
    for seed in range(20):
        random = np.random.default_rng(seed)
        found = varied(picture, Shape(64, 64), LIGHT, Symmetries(), random)
        assert found[:, :16].mean() > found[:, -16:].mean()
    turned = [
        varied(picture, Shape(64, 64), LIGHT, Symmetries(mirror=True), np.random.default_rng(seed))
        for seed in range(20)
    ]
    assert 3 < sum(found[:, :16].mean() < found[:, -16:].mean() for found in turned) < 17


def test_mixed_targets_have_the_shares_of_their_pictures():
    pictures = np.zeros((2, 3, 16, 16), np.float32)
    pictures[0] = 1.0
    targets = np.eye(2, dtype=np.float32)
    for seed in range(12):
        blended, shares = mixed(pictures, targets, np.random.default_rng(seed))
        assert shares.sum(1) == pytest.approx([1.0, 1.0])
        assert blended.mean((1, 2, 3)) == pytest.approx(shares[:, 0], abs=0.01)


def test_targets_share_and_rare_labels_are_drawn_more_often():
    examples = [*shapes(2, classes=2)]
    names = [example.sample.annotation.labels[0] for example in examples]
    both, none = relabelled(examples[0], *names[:2]), relabelled(examples[1])
    rows = target_rows([*examples, both, none], names[:2], several=False)
    assert rows[:2].tolist() == [[1, 0], [0, 1]]
    assert rows[4].tolist() == [0.5, 0.5]
    assert rows[5].tolist() == [0.5, 0.5]  # none of the labels: equally unlikely
    assert target_rows([both, none], names[:2], several=True).tolist() == [[1, 1], [0, 0]]
    uneven = np.array([[1, 0]] * 9 + [[0, 1]], np.float32)
    assert sampling_weights(uneven, balance=0).tolist() == pytest.approx([0.1] * 10)
    assert sampling_weights(uneven, balance=1)[-1] == pytest.approx(0.5)


def test_several_labels_are_learnt_when_the_data_has_them_or_a_picture_may_have_none():
    one, other = shapes(1, classes=2)
    assert not learns_several([one.sample, other.sample])
    assert learns_several([relabelled(one, "a", "b").sample])
    assert not learns_several([relabelled(one, "a", "b").sample], "one")
    assert learns_several([relabelled(one, "a").sample, relabelled(other).sample], labels=["a"])
    assert not learns_several([relabelled(one, "a").sample], labels=["a"])


def test_pictures_are_decoded_once_even_over_runs(tmp_path):
    read = []

    def counted(example):
        return Example(example.sample, lambda: (read.append(example.sample.path), example.read())[1])

    examples = [counted(example) for example in shapes(2)]
    store = PictureStore(examples, Shape(64, 64), tmp_path, threads=2)
    first = store.read(range(6))
    assert (store.read([3, 1]) == first[[3, 1]]).all()
    again = PictureStore(examples, Shape(64, 64), tmp_path, threads=2)
    assert (again.read(range(6)) == first).all()
    assert sorted(read) == sorted(example.sample.path for example in examples)
    other = PictureStore(examples, Shape(32, 64), tmp_path, threads=2)
    assert other.picture(0).shape == (32, 64, 3)


def test_a_picture_that_cannot_be_read_is_named_and_counts_as_empty(tmp_path):
    store = PictureStore([*shapes(1, classes=1), unreadable()], Shape(32, 32), tmp_path, threads=1)
    assert (store.picture(1) == 127).all()
    assert list(store.unreadable) == [1]
    store.picture(0)
    assert list(store.unreadable) == [1]


def test_pictures_that_look_the_same_are_found(tmp_path):
    import cv2

    examples = shapes(6)
    again = cv2.imencode(".jpg", examples[4].picture(), [cv2.IMWRITE_JPEG_QUALITY, 40])[1].tobytes()
    copy = Example(examples[4].sample.model_copy(update={"path": "copy.jpg"}), lambda: again)
    store = PictureStore([*examples, copy], Shape(96, 96), tmp_path, threads=1)
    assert near_duplicates(store, range(len(store))) == [(4, len(examples))]


def sample(path, *labels, digest=""):
    return Sample(path=path, digest=digest, annotation=ClassAnnotation(labels=labels))


def codes(found):
    return [(finding.code, finding.severity, finding.label) for finding in found]


def test_findings_name_what_is_wrong_with_labels():
    many = [sample(f"{index}", "a") for index in range(150)]
    some = [sample(f"b{index}", "b") for index in range(6)]
    assert codes(check_samples([*many, *some], None)) == [("labels_uneven", Severity.NOTE, "b")]
    assert codes(check_samples([*some, sample("c", "c")], ["b", "c", "d"])) == [
        ("unknown_label", Severity.ERROR, "d"),
        ("few_samples", Severity.WARNING, "c"),
    ]
    assert codes(check_samples(some, None)) == [("one_label", Severity.WARNING, "b")]
    assert codes(check_samples([*some, sample("none")], None)) == [("one_label", Severity.NOTE, "b")]
    assert codes(check_samples([sample("none")], None)) == [("nothing_labelled", Severity.ERROR, None)]


def test_the_same_picture_under_two_labels_is_found_with_both_names():
    base = [sample(f"{label}{index}", label) for label in "ab" for index in range(5)]
    conflict = [sample("one.jpg", "a", digest="x"), sample("two.jpg", "b", digest="x")]
    twice = [sample("three.jpg", "a", digest="y"), sample("four.jpg", "a", digest="y")]
    found = {finding.code: finding for finding in check_samples([*base, *conflict, *twice], None)}
    assert set(found) == {"label_conflict", "duplicate_pictures"}
    assert found["label_conflict"].file == "two.jpg"
    for word in ("one.jpg (a)", "two.jpg (b)"):
        assert word in found["label_conflict"].message.en
    assert found["duplicate_pictures"].file == "four.jpg"


def answer(several=False, **scores):
    labels = tuple(LabelScore(label=k, score=v) for k, v in sorted(scores.items(), key=lambda item: -item[1]))
    return ClassPrediction(width=1, height=1, labels=labels, several=several)


def judged(truths, answers, labels=("a", "b", "c")):
    annotations = [ClassAnnotation(labels=tuple(truth)) for truth in truths]
    matches = [judge_classes(t, p, labels) for t, p in zip(annotations, answers, strict=True)]
    return matches, measure(matches, labels, class_metrics(annotations, answers, labels))


def test_one_label_a_picture_is_judged_by_the_first_answer_and_unknown_below_the_threshold():
    answers = [answer(a=0.9, b=0.1), answer(a=0.6, b=0.4), answer(a=0.55, b=0.45), answer(c=0.4, a=0.3, b=0.3)]
    matches, results = judged(["a", "b", "a", "c"], answers)
    assert results.extra["accuracy"] == 0.75
    half = summarise(results, 0.5).overall
    assert half.document_accuracy == 0.5  # the last one is right but unknown, the second one is wrong
    confusion = {(cell.truth, cell.predicted): cell.count for cell in results.confusion[9]}
    assert confusion == {("a", "a"): 2, ("b", "a"): 1, ("c", None): 1}
    causes = [[match.cause for match in wrong_matches(found, 0.5)] for found in matches]
    assert causes == [[], ["wrong_label"], [], ["missing"]]


def test_a_picture_with_none_of_the_labels_may_only_be_unknown():
    matches, results = judged([""], [answer(a=0.7, b=0.3)])
    assert [match.cause for match in wrong_matches(matches[0], 0.5)] == ["extra"]
    assert not wrong_matches(matches[0], 0.75)
    assert results.extra == {}


def test_several_labels_are_judged_each_by_itself():
    matches, results = judged(["ab", "c"], [answer(several=True, a=0.9, b=0.3, c=0.6), answer(several=True, c=0.8)])
    assert "accuracy" not in results.extra
    at = summarise(results, 0.5)
    assert {label.label: (label.precision, label.recall) for label in at.labels} == {
        "a": (1.0, 1.0),
        "b": (None, 0.0),
        "c": (0.5, 1.0),
    }
    assert sorted(match.cause for match in wrong_matches(matches[0], 0.5)) == ["extra", "missing"]
    assert at.overall.macro_f1 == pytest.approx((1 + 0 + 2 / 3) / 3)


def test_honest_confidence_has_no_calibration_error():
    sure = [answer(a=0.75, b=0.25)] * 40
    _, results = judged(["a", "a", "a", "b"] * 10, sure)
    assert results.extra["calibration_error"] == pytest.approx(0.0, abs=0.15)
    _, boasting = judged(["a", "b"] * 20, [answer(a=0.99, b=0.01)] * 40)
    assert boasting.extra["calibration_error"] > 0.4
