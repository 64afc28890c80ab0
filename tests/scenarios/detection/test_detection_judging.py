import pytest

from sandglass.core.annotation import ObjectsAnnotation, ObjectShape
from sandglass.core.geometry import Box
from sandglass.core.prediction import ObjectPrediction, ObjectsPrediction
from sandglass.scenarios.detection.judge import CAUSES, judge
from sandglass.scenarios.detection.measure import coco_metrics, voc_ap50

LABELS = ("cup", "bowl")
HERE, THERE = Box(10, 10, 50, 50), Box(100, 100, 160, 150)


def truth(*shapes):
    return ObjectsAnnotation(
        objects=tuple(ObjectShape(label=label, box=box, **(more[0] if more else {})) for label, box, *more in shapes)
    )


def answer(*objects):
    found = tuple(ObjectPrediction(label=label, box=box, score=score) for label, box, score in objects)
    return ObjectsPrediction(width=200, height=200, objects=found)


def told(matches):
    return [(match.truth, match.predicted, match.right, match.cause) for match in matches]


def moved(box, by):
    return Box(box.left + by, box.top, box.right + by, box.bottom)


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([("cup", moved(HERE, 2), 0.9)], [("cup", "cup", True, None)]),
        ([], [("cup", None, False, "missing")]),
        ([("bowl", HERE, 0.9)], [("cup", "bowl", False, "wrong_label")]),
        ([("cup", moved(HERE, 25), 0.9)], [("cup", "cup", False, "poor_box")]),
        (
            [("cup", HERE, 0.9), ("cup", moved(HERE, 3), 0.8)],
            [("cup", "cup", True, None), (None, "cup", False, "extra")],
        ),
        ([("cup", THERE, 0.9)], [(None, "cup", False, "extra"), ("cup", None, False, "missing")]),
        ([("plate", HERE, 0.9)], [("cup", None, False, "missing")]),
    ],
)
def test_an_answer_is_right_or_has_a_cause(objects, expected):
    assert told(judge(truth(("cup", HERE)), answer(*objects), LABELS)) == expected


def test_every_cause_has_a_name():
    assert set(CAUSES) == {"missing", "extra", "wrong_label", "poor_box"}
    assert CAUSES["poor_box"].zh == "定位偏差"


def test_answers_below_a_score_change_nothing_above_it():
    labelled = truth(("cup", HERE), ("bowl", THERE), ("cup", moved(HERE, 30)))
    every = [
        ("cup", moved(HERE, 12), 0.9),
        ("bowl", HERE, 0.8),
        ("cup", moved(HERE, 28), 0.7),
        ("bowl", moved(THERE, 20), 0.6),
        ("cup", HERE, 0.5),
        ("bowl", THERE, 0.4),
    ]
    whole = judge(labelled, answer(*every), LABELS)
    for kept in range(1, len(every) + 1):
        lowest = every[kept - 1][2]
        above = judge(labelled, answer(*every[:kept]), LABELS)
        expected = sorted((m.score, m.predicted, m.right) for m in whole if m.predicted and m.score >= lowest)
        assert sorted((m.score, m.predicted, m.right) for m in above if m.predicted) == expected


@pytest.mark.parametrize("mark", ["difficult", "crowd"])
def test_difficult_objects_and_crowds_count_neither_way(mark):
    labelled = truth(("cup", HERE), ("cup", THERE, {mark: True}))
    assert told(judge(labelled, answer(("cup", HERE, 0.9)), LABELS)) == [("cup", "cup", True, None)]
    both = answer(("cup", HERE, 0.9), ("cup", THERE, 0.8))
    assert told(judge(labelled, both, LABELS)) == [("cup", "cup", True, None)]
    assert coco_metrics([labelled], [both], LABELS)["map50"] == pytest.approx(1.0)
    assert voc_ap50([labelled], [both], LABELS) == pytest.approx(1.0)


def test_a_crowd_excuses_many_answers_inside_it():
    labelled = truth(("cup", Box(0, 0, 200, 100), {"crowd": True}))
    assert judge(labelled, answer(("cup", HERE, 0.9), ("cup", moved(HERE, 60), 0.8)), LABELS) == []


def test_average_precision_is_what_its_definition_says():
    # Two objects; answers by falling score: right, wrong, right. Precision at recall 1/2 is 1, at recall 1 it is 2/3.
    labelled = truth(("cup", HERE), ("cup", THERE))
    given = answer(("cup", HERE, 0.9), ("cup", Box(0, 150, 20, 180), 0.8), ("cup", THERE, 0.7))
    assert voc_ap50([labelled], [given], ["cup"]) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    # COCO samples the same curve at 101 recalls: 51 of them up to one half.
    assert coco_metrics([labelled], [given], ["cup"])["map50"] == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_a_loose_box_counts_at_half_overlap_only():
    given = answer(("cup", moved(HERE, 10), 0.9))  # overlap 0.6
    metrics = coco_metrics([truth(("cup", HERE))], [given], ["cup"])
    assert metrics["map50"] == pytest.approx(1.0)
    assert metrics["map75"] == 0.0
    assert metrics["map"] == pytest.approx(0.3)


def test_nothing_to_find_has_no_average_precision():
    assert coco_metrics([truth()], [answer(("cup", HERE, 0.9))], LABELS) == {}
    assert voc_ap50([truth()], [answer()], LABELS) is None


def test_no_answer_at_all_is_zero_and_not_an_error():
    assert coco_metrics([truth(("cup", HERE))], [answer()], LABELS)["map50"] == 0.0
