import cv2
import numpy as np
import pytest

from sandglass.core.annotation import ObjectsAnnotation, ObjectShape
from sandglass.core.finding import Severity
from sandglass.core.geometry import Box
from sandglass.core.sample import Sample
from sandglass.scenarios.base import Example
from sandglass.scenarios.detection.augment import Variation, vary
from sandglass.scenarios.detection.check import check_samples
from sandglass.scenarios.detection.network.batches import Batches
from sandglass.scenarios.detection.parameters import DetectionParameters
from sandglass.scenarios.detection.plan import plan_recipes
from sandglass.scenarios.detection.recipe import Recipe, affordable, choose_view, object_side
from sandglass.scenarios.detection.shelf import LARGEST, Labelled, Shelf, labelled
from sandglass.scenarios.detection.view import View

NONE = np.zeros((0, 4), np.float32)


def shares(*boxes):
    return Labelled(np.array(boxes, np.float32).reshape(-1, 4), np.zeros(len(boxes), np.int64), NONE)


@pytest.mark.parametrize("seed", range(12))
def test_boxes_go_with_the_picture_whatever_is_done_to_it(seed):
    picture = np.zeros((120, 200, 3), np.uint8)
    cv2.rectangle(picture, (60, 30), (99, 69), (255, 255, 255), -1)
    truth = shares([60 / 200, 30 / 120, 100 / 200, 70 / 120])
    how = Variation(light=0.0, upright=False)
    shown = vary(picture, truth, (128, 192), 200.0, how, np.random.default_rng(seed))
    bright = np.argwhere(shown.picture[:, :, 0] > 200)
    if not len(shown.boxes):
        return
    left, top, right, bottom = shown.boxes[0]
    assert abs(left - bright[:, 1].min()) <= 1.6
    assert abs(right - 1 - bright[:, 1].max()) <= 1.6
    assert abs(top - bright[:, 0].min()) <= 1.6
    assert abs(bottom - 1 - bright[:, 0].max()) <= 1.6


def test_what_is_hardly_seen_of_an_object_is_ignored_and_not_taught():
    how = Variation(smallest=2.0, largest=2.0, stretch=1.0, flip=False, light=0.0)
    picture = np.zeros((100, 100, 3), np.uint8)
    taught = ignored = 0
    for seed in range(60):
        truth = shares([0.0, 0.0, 0.3, 0.3], [0.35, 0.35, 0.75, 0.75])
        shown = vary(picture, truth, (100, 100), 100.0, how, np.random.default_rng(seed))
        taught += len(shown.boxes)
        ignored += len(shown.ignore)
        assert len(shown.boxes) == len(shown.labels)
        assert (shown.boxes >= 0).all()
        assert (shown.boxes <= 100).all()
    assert taught > 40
    assert ignored > 5


def test_the_same_seed_and_step_make_the_same_batch(tmp_path):
    examples, truths = _pictures(10)
    recipe = Recipe(View(64, 64), steps=100, batch=4)

    def batches():
        return Batches(examples, truths, Shelf(tmp_path, 96), recipe, seed=5)

    one, other = batches(), batches()
    following = [one.get(step) for step in range(7)]
    again = other.get(6)  # as after a restart
    assert again.pictures.equal(following[6].pictures)
    assert all(a.boxes.equal(b.boxes) for a, b in zip(again.truths, following[6].truths, strict=True))
    one.close()
    other.close()


def _pictures(count, *, broken=()):
    examples = []
    for number in range(count):
        picture = np.full((60, 80, 3), 40 + number, np.uint8)
        data = b"no picture" if number in broken else cv2.imencode(".png", picture)[1].tobytes()
        shapes = (ObjectShape(label="a", box=Box(10, 10, 40, 40)),) if number % 2 else ()
        sample = Sample(path=f"{number}.png", width=80, height=60, annotation=ObjectsAnnotation(objects=shapes))
        examples.append(Example(sample, lambda data=data: data))
    return examples, [labelled(example, ("a",)) for example in examples]


def test_an_unreadable_picture_teaches_nothing_and_is_named(tmp_path):
    examples, truths = _pictures(4, broken=(1,))
    shelf = Shelf(tmp_path, 96)
    batches = Batches(examples, truths, shelf, Recipe(View(64, 64), steps=9, batch=4), seed=0)
    for step in range(4):
        batches.get(step)
    batches.close()
    assert list(shelf.unreadable) == ["1.png"]
    assert "not a picture" in shelf.unreadable["1.png"]


def test_a_large_picture_is_shrunk_once(tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (900, 2400, 3)).astype(np.uint8)
    data = cv2.imencode(".jpg", picture)[1].tobytes()
    reads = []

    def read():
        reads.append(1)
        return data

    example = Example(Sample(path="l.jpg", width=2400, height=900, digest="ab12"), read)
    for _ in range(2):
        shelf = Shelf(tmp_path, 4000)
        shelf.shrink(example)
        assert shelf.picture(example).shape == (LARGEST * 900 // 2400, LARGEST, 3)
    assert len(reads) == 1


def test_small_objects_get_larger_pictures_then_tiles():
    assert choose_view(0.2, 800, least=416, most=640) == View(416, 416)
    assert choose_view(0.03, 800, least=416, most=640) == View(640, 640)
    tiled = choose_view(0.008, 4000, least=416, most=640)
    assert tiled.tiled
    assert tiled.tile == 640
    assert tiled.long_side >= 1500
    # A small picture shows nothing more when it is blown up.
    assert not choose_view(0.008, 400, least=416, most=640).tiled


def test_object_sides_are_shares_of_the_longer_side():
    assert object_side([shares([0, 0, 0.1, 0.2])], [2.0], 0.5) == pytest.approx(0.1)
    assert object_side([shares()], [1.0]) == 1.0


def test_the_plan_follows_the_time_and_the_preference():
    truths, sizes = [shares([0, 0, 0.3, 0.3])] * 20, [(640, 480)] * 20
    default = DetectionParameters()

    def names(seconds, preference="balanced", settings=default):
        return [plan[0] for plan in plan_recipes(truths, sizes, settings, preference, seconds)]

    assert names(60) == ["single"]
    assert names(1200) == ["quick", "nanodet-416"]
    assert names(3600) == ["quick", "nanodet-416", "nanodet-512"]
    assert names(3600, "fastest") == ["quick", "nanodet-320"]
    assert names(1200, "most_accurate") == ["quick", "nanodet-512"]
    assert names(1200, settings=DetectionParameters(resolution=600)) == ["quick", "nanodet-608"]


def sample(*shapes, width=100, height=100):
    return Sample(path="a.jpg", width=width, height=height, annotation=ObjectsAnnotation(objects=shapes))


def test_little_time_makes_smaller_steps_before_smaller_pictures():
    wanted, quick = Recipe(View(416, 416), steps=9999, batch=8), Recipe(View(320, 320), steps=400, batch=4)

    def made(seconds):
        found = affordable(wanted, seconds, 0.1, quick)
        return found.view.long_side, found.batch

    assert made(1000) == (416, 8)
    assert made(120) == (416, 4)
    assert made(60) == (320, 4)
    assert made(5) == (320, 4)
    tiled = Recipe(View(1600, 640), steps=9999)
    assert affordable(tiled, 5, 0.1, quick).view == tiled.view


def test_faults_of_boxes_are_findings():
    good = ObjectShape(label="a", box=Box(10, 10, 40, 40))
    samples = [
        sample(good, ObjectShape(label="a", box=Box(10, 10, 40, 40.2)), ObjectShape(label="a", box=Box(5, 5, 5, 9))),
        sample(ObjectShape(label="a", box=Box(90, 90, 130, 100)), ObjectShape(label="a", box=Box(1, 1, 3, 3))),
        sample(),
    ]
    found = {finding.code: finding for finding in check_samples(samples, None)}
    assert set(found) == {
        "few_objects",
        "box_without_area",
        "box_outside",
        "box_doubled",
        "box_tiny",
        "pictures_without_boxes",
    }
    assert all(finding.count == 1 for code, finding in found.items() if code != "few_objects")
    assert all(finding.severity is not Severity.ERROR for finding in found.values())
    assert all(finding.message.zh and finding.outcome.zh for finding in found.values())


def test_nothing_labelled_is_an_error():
    [finding] = check_samples([sample()], None)
    assert finding.code == "nothing_labelled"
    assert finding.severity is Severity.ERROR
