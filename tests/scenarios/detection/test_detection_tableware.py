import json
from decimal import Decimal

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from sandglass.core.annotation import ObjectsAnnotation, ObjectShape
from sandglass.core.errors import Broken, InvalidInput
from sandglass.core.geometry import Box
from sandglass.core.prediction import ObjectPrediction, ObjectsPrediction
from sandglass.core.sample import Part, Sample
from sandglass.scenarios.base import LearningData, PredictOptions, Query, TrainingPlan, get_scenario
from sandglass.scenarios.detection.examples import eye_samples, table_samples
from sandglass.scenarios.detection.tableware.parameters import TablewareParameters
from sandglass.scenarios.detection.tableware.predictor import DESCRIPTION, Sense, description_of, interpret, read_sense

PRICES = {"cup": Decimal("2.50"), "bowl": Decimal("0.10")}
TABLE = Sense(("cup", "bowl", "plate"), None, PRICES, "CNY")
EYE = Sense(("视杯", "视盘"), ("视杯", "视盘"), {}, "CNY")


def found(*objects, width=1000, height=800):
    answers = tuple(ObjectPrediction(label=label, box=Box(*box), score=score) for label, box, score in objects)
    return ObjectsPrediction(width=width, height=height, objects=answers)


def test_a_tray_is_counted_and_totalled_exactly():
    places = [(100 * index, 0, 100 * index + 90, 90) for index in range(7)]
    answer = interpret(
        found(
            *zip(
                ["cup", "cup", "cup", "bowl", "bowl", "bowl", "plate"], places, [0.9, 0.8, 0.2] + [0.9] * 4, strict=True
            )
        ),
        TABLE,
        0.5,
    )
    assert [(item.label, item.count, item.amount) for item in answer.tally.counts] == [
        ("cup", 2, Decimal("5.00")),
        ("bowl", 3, Decimal("0.30")),
        ("plate", 1, None),
    ]
    assert answer.tally.total == Decimal("5.30")
    assert answer.tally.unpriced == ("plate",)
    assert json.loads(answer.model_dump_json())["tally"]["total"] == "5.30"


def test_one_thing_is_not_charged_under_two_labels():
    answer = interpret(
        found(("bowl", (0, 0, 100, 100), 0.6), ("cup", (2, 0, 102, 100), 0.8), ("plate", (0, 0, 200, 200), 0.7)),
        TABLE,
        0.5,
    )
    assert [item.label for item in answer.objects] == ["cup", "plate"]
    assert answer.tally.total == Decimal("2.50")


def test_without_prices_there_is_no_total():
    answer = interpret(found(("cup", (0, 0, 9, 9), 0.9)), Sense(("cup",), None, {}, "CNY"), 0.5)
    assert answer.tally.counts[0].count == 1
    assert answer.tally.total is None


def test_an_eye_has_one_pair_and_its_ratio():
    answer = interpret(
        found(
            ("视盘", (600, 300, 700, 400), 0.9),
            ("视杯", (620, 320, 680, 370), 0.8),
            ("视杯", (100, 100, 150, 150), 0.95),  # no disc around it
            ("视盘", (200, 300, 300, 400), 0.3),
        ),
        EYE,
        0.25,
    )
    assert [item.label for item in answer.objects] == ["视盘", "视杯"]
    assert answer.ratio.vertical == pytest.approx(0.5)
    assert answer.ratio.score == pytest.approx(0.72)
    assert answer.ratio.eye == "right"


@pytest.mark.parametrize(
    ("left", "eye"), [(100, "left"), (455, None), (800, "right")], ids=["left eye", "in the middle", "right eye"]
)
def test_the_side_of_the_disc_tells_the_eye(left, eye):
    pair = (("视盘", (left, 300, left + 90, 400), 0.9), ("视杯", (left + 20, 330, left + 70, 370), 0.9))
    assert interpret(found(*pair), EYE, 0.5).ratio.eye == eye
    close_up = found(*pair, width=1000, height=150)
    assert interpret(close_up, EYE, 0.5).ratio.eye is None


def test_a_cup_without_a_disc_has_no_ratio():
    answer = interpret(found(("视杯", (10, 10, 30, 30), 0.9)), EYE, 0.5)
    assert answer.ratio is None
    assert len(answer.objects) == 1


def test_the_price_list_is_kept_with_the_model(tmp_path):
    (tmp_path / DESCRIPTION).write_bytes(description_of(TABLE))
    assert read_sense(tmp_path, TABLE.labels) == TABLE
    (tmp_path / DESCRIPTION).write_text('{"prices": {"cup": "dear"}, "eye": null, "currency": "CNY"}')
    with pytest.raises(Broken, match="cannot be loaded"):
        read_sense(tmp_path, ())


def test_prices_may_be_typed_on_a_command_line():
    assert TablewareParameters(prices="cup=3，碗：5.50").prices == {"cup": Decimal(3), "碗": Decimal("5.50")}


@pytest.mark.parametrize("prices", ["cup", "cup=much", {"cup": -1}, {"cup": "1.00001"}])
def test_wrong_prices_are_refused(prices):
    with pytest.raises(ValidationError):
        TablewareParameters(prices=prices)


def test_mirrored_pictures_are_learnt_of_tables_and_not_of_eyes():
    scenario = get_scenario("tableware")
    plan = TrainingPlan()
    assert scenario.mirrors(LearningData([], [], ("cup", "bowl")), plan)
    assert not scenario.mirrors(LearningData([], [], ("optic_cup", "optic_disc")), plan)
    assert scenario.mirrors(
        LearningData([], [], ("optic_cup", "optic_disc")), TrainingPlan(parameters={"preset": "table"})
    )


def test_the_base_model_knows_cups_and_bowls_in_two_languages_and_no_eyes():
    scenario = get_scenario("tableware")
    assert scenario.base_labels(["碗", "plate", "茶杯"]) == ("碗", "茶杯")
    assert scenario.base_labels(["optic_cup", "optic_disc"]) == ()
    assert "cup" in scenario.base_labels([])
    with pytest.raises(InvalidInput) as caught:
        scenario.base_model(["optic_cup", "optic_disc"])
    assert caught.value.code == "no_base_model"


def test_the_base_model_answers_under_the_names_that_it_was_asked_with():
    model = get_scenario("tableware").base_model(["杯子", "碗", "盘子"])
    [(_, data), *_] = list(table_samples(1))
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    [answer] = model.predict([Query(lambda: picture, 480, 360)], PredictOptions(threshold=0.02))
    assert answer.objects
    assert {item.label for item in answer.objects} <= {"杯子", "碗"}


def test_the_ratio_of_eyes_is_measured():
    scenario = get_scenario("tableware")
    truth = ObjectsAnnotation(
        objects=(
            ObjectShape(label="视杯", box=Box(120, 120, 160, 160)),
            ObjectShape(label="视盘", box=Box(100, 100, 200, 200)),
        )
    )
    given = found(("视杯", (120, 120, 160, 170), 0.9), ("视盘", (100, 100, 200, 200), 0.9))
    metrics = scenario.extra_metrics([truth, truth], [given, found()], ("视杯", "视盘"))
    assert metrics["cdr_error"] == pytest.approx(0.1)
    assert metrics["cdr_found"] == pytest.approx(0.5)


def test_pictures_with_two_eyes_are_a_finding():
    shapes = [ObjectShape(label=label, box=Box(9, 9, 30, 30)) for label in ("视杯", "视盘", "视杯")]
    eyes = Sample(path="a", width=99, height=99, annotation=ObjectsAnnotation(objects=tuple(shapes)))
    assert "several_eyes" in {finding.code for finding in get_scenario("tableware").check([eyes], None)}


@pytest.mark.parametrize("make", [table_samples, eye_samples])
def test_drawn_examples_are_the_same_every_time_and_have_both_parts(make):
    first, again = list(make(12)), list(make(12))
    assert first == again
    parts = [sample.part for sample, _ in first]
    assert parts.count(Part.TEST) == 2
    for sample, data in first:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape[:2] == (sample.height, sample.width)
        for shape in sample.annotation.objects:
            assert shape.box.area > 100
            assert shape.box.clip(sample.width, sample.height) == shape.box
