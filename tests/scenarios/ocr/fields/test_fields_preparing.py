from collections.abc import Callable

import numpy as np
import pytest

from sandglass.scenarios.ocr.fields.calibrate import Outcomes, calibrate, uncalibrated
from sandglass.scenarios.ocr.fields.decode import EVIDENCE
from sandglass.scenarios.ocr.fields.groups import folds, group_names
from sandglass.scenarios.ocr.fields.labelled import LabelledPage
from sandglass.scenarios.ocr.fields.style import learn_style
from sandglass.scenarios.ocr.fields.targets import NOT_ASKED, training_page
from sandglass.scenarios.ocr.fields.vocabulary import learn_vocabulary

Make = Callable[..., LabelledPage]


def test_named_groups_are_kept_and_unnamed_ones_found_by_their_heads(make_labelled: Make) -> None:
    def page(head: str, group: str | None = None) -> LabelledPage:
        return make_labelled([[(10, "INVOICE NUMBER")], [(10, head)], [(10, "body")]], [], group=group)

    heads = ["Blue Harbour", "Old Mill", "Blue Harbour", "Red Lantern", "Sun Gate", "Kite Hill"]
    names = group_names([page(head) for head in heads])
    assert names[0] == names[2]
    assert len(set(names)) == 5
    named = group_names([page("Old Mill", "a"), page("Old Mill", "b"), page("Sun Gate", "a")])
    assert named[0] == named[2] != named[1]


def test_folds_keep_groups_whole_and_even() -> None:
    groups = ["a"] * 6 + ["b"] * 3 + ["c"] * 2 + ["d"]
    parts = folds(groups, 2)
    assert all(len({part for part, name in zip(parts, groups, strict=True) if name == g}) == 1 for g in set(groups))
    assert sorted(np.bincount(parts).tolist()) == [6, 6]


def test_words_of_one_origin_are_no_clue(make_labelled: Make) -> None:
    pages = [make_labelled([[(10, f"Total {'Acme' if n % 2 else 'Bolt'} 12")]], []).page for n in range(6)]
    vocabulary = learn_vocabulary((f"g{n % 2}", page) for n, page in enumerate(pages))
    assert vocabulary.word("TOTAL") > 1
    assert vocabulary.word("Acme") == 1
    assert vocabulary.character("Ｔ") == vocabulary.character("t") > 1
    assert vocabulary.character("龍") == 1


def test_places_claimed_by_two_fields_stay_open(make_labelled: Make) -> None:
    page = make_labelled([[(10, "a 7.00")], [(10, "b 7.00")]], [("net", "7.00"), ("total", "7.00")])
    fields = ("net", "total")
    styles = [learn_style(name, [page]) for name in fields]
    target = training_page(page, fields, learn_vocabulary([("g", page.page)]), [style.pattern for style in styles])
    assert target is not None
    assert len(target.occurrences) == 4
    assert target.lines[0].fields[2:].tolist() == [NOT_ASKED] * 4
    assert target.lines[0].fields[:2].tolist() == [0, 0]


def test_equal_values_share_out_their_places(make_labelled: Make) -> None:
    page = make_labelled([[(10, "1.00")], [(10, "1.00")], [(10, "2.00")]], [("price", "1.00"), ("price", "1.00")])
    target = training_page(
        page, ("price",), learn_vocabulary([("g", page.page)]), [learn_style("price", [page]).pattern]
    )
    assert target is not None
    assert [(item.value, item.lines) for item in target.occurrences] == [(0, (0,)), (1, (1,))]


def test_calibration_tells_likely_from_unlikely_values() -> None:
    random = np.random.default_rng(0)
    outcomes = Outcomes()
    for _ in range(600):
        evidence = random.normal(0, 2, EVIDENCE)
        right = random.random() < 1 / (1 + np.exp(-(1 + evidence[0])))
        outcomes.add_value(int(random.integers(2)), tuple(evidence), right=bool(right))
    fitted = calibrate(2, outcomes)
    told = np.array([fitted.probability(f, e) for f, e in zip(outcomes.fields, outcomes.evidence, strict=True)])
    right = np.array(outcomes.right)
    for low in (0.0, 0.25, 0.5, 0.75):
        inside = (told >= low) & (told < low + 0.25)
        assert abs(told[inside].mean() - right[inside].mean()) < 0.1


def test_more_evidence_never_makes_a_value_less_likely() -> None:
    random = np.random.default_rng(1)
    outcomes = Outcomes()
    for _ in range(80):  # the second piece of evidence repeats the first with noise and, by chance, against it
        strength = random.normal(0, 1)
        evidence = (strength, strength + random.normal(0, 0.1), *random.normal(0, 1, EVIDENCE - 2))
        outcomes.add_value(0, evidence, right=bool(random.random() < 1 / (1 + np.exp(-strength))))
    assert min(calibrate(1, outcomes).weights) >= 0


def test_little_truth_leaves_the_assumed_calibration() -> None:
    outcomes = Outcomes()
    outcomes.add_value(0, (1.0,) * EVIDENCE, right=True)
    assert calibrate(1, outcomes) == uncalibrated(1)


@pytest.mark.parametrize(("missing", "least", "most"), [(0.99, 0.8, 1.0), (0.01, 0.0, 0.2)])
def test_absence_is_calibrated_too(missing: float, least: float, most: float) -> None:
    outcomes = Outcomes()
    for number in range(40):
        outcomes.add_absence(0.9 if number % 2 else 0.1, absent=bool(number % 2))
    assert least <= calibrate(1, outcomes).absence_probability(missing) <= most
