import pytest
from scipy.stats import binomtest

from sandglass.evaluation import compare
from sandglass.evaluation.comparison import mcnemar, paired
from sandglass.scenarios.base import Match


def match(truth, predicted, *, score=0.9, text=None):
    right = truth is not None and truth == predicted
    return Match(
        truth=truth, predicted=predicted, score=score if predicted else 0.0, right=right, exact=right, truth_text=text
    )


def compared(here, there, **more):
    return compare(here, there, ("a", "b"), ("a", "b"), threshold=0.5, other_threshold=0.5, **more)


@pytest.mark.parametrize(("fixed", "broken"), [(0, 0), (9, 3), (3, 9), (1, 0), (40, 60), (700, 800), (5000, 5200)])
def test_mcnemar_is_the_exact_binomial_test(fixed, broken):
    expected = binomtest(fixed, fixed + broken).pvalue if fixed + broken else 1.0
    assert mcnemar(fixed, broken) == pytest.approx(expected, rel=1e-9)


def test_pairs_are_counted_by_outcome():
    told = paired([(True, True), (True, False), (True, False), (False, True), (False, False)])
    assert (told.both_right, told.fixed, told.broken, told.both_wrong) == (1, 2, 1, 1)
    assert paired([]).p is None


def test_what_is_fixed_and_what_is_broken():
    here = {"x": [match("a", "a")], "y": [match("a", None)], "z": [match("b", "b"), match(None, "a")]}
    there = {"x": [match("a", None)], "y": [match("a", "a")], "z": [match("b", "b")]}
    found = compared(here, there)
    assert found.fixed == ("x",)
    assert found.broken == ("y", "z")  # an extra answer breaks a picture, though its truth is still right
    assert (found.truths.fixed, found.truths.broken, found.truths.both_right) == (1, 1, 1)
    assert [(item.label, item.truths.fixed, item.truths.broken) for item in found.labels] == [("a", 1, 1), ("b", 0, 0)]
    assert found.f1 == pytest.approx(4 / (4 + 1 + 1))
    assert found.other_f1 == pytest.approx(4 / (4 + 0 + 1))


def test_a_clear_difference_is_significant_and_an_equal_one_is_not():
    here = {str(n): [match("a", "a")] for n in range(40)}
    there = {str(n): [match("a", "a" if n % 2 else None)] for n in range(40)}
    found = compared(here, there)
    assert found.f1_p < 0.001
    assert found.samples.p == pytest.approx(2 * 0.5**20)
    assert compared(here, here).f1_p == 1.0
    assert compared(here, here).samples.p == 1.0


def test_a_single_lucky_picture_is_no_evidence():
    here = {"x": [match("a", "a")], "y": [match("a", "a")]}
    there = {"x": [match("a", "a")], "y": [match("a", None)]}
    assert compared(here, there).f1_p > 0.4


def test_each_side_has_its_threshold():
    side = {"x": [match("a", "a", score=0.6)]}
    found = compare(side, side, ("a",), ("a",), threshold=0.5, other_threshold=0.7)
    assert (found.fixed, found.f1, found.other_f1) == (("x",), 1.0, 0.0)


def test_only_what_both_know_is_compared():
    here = {"x": [match("a", "a"), match("b", "b")], "only": [match("a", "a")]}
    there = {"x": [match("a", "a"), match("c", None)], "other": [match("a", "a")]}
    found = compare(here, there, ("a", "b"), ("a", "c"), threshold=0.5, other_threshold=0.5)
    assert (found.sample_count, found.only_here, found.only_there) == (1, 1, 1)
    assert found.labels_left_out == ("b", "c")
    assert [item.label for item in found.labels] == ["a"]
    assert found.samples.both_right == 1  # what only one of them knows breaks nothing


def test_the_same_value_twice_on_a_page_is_paired_one_to_one():
    here = {"x": [match("a", "a", text="1"), match("a", "a", text="1")]}
    there = {"x": [match("a", "a", text="1"), match("a", None, text="1")]}
    found = compared(here, there)
    assert (found.truths.both_right, found.truths.fixed) == (1, 1)
