import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandglass.core.errors import InvalidInput
from sandglass.evaluation import (
    THRESHOLDS,
    BadcaseFilter,
    Counts,
    Results,
    is_badcase,
    measure,
    select_badcases,
    summarise,
    wrong_matches,
)
from sandglass.evaluation.metrics import recommend
from sandglass.evaluation.summary import f1_interval
from sandglass.scenarios.base import Match

LABELS = ("a", "b")


def match(truth, predicted, score=0.9, right=None, exact=None, cause=None):
    right = (truth == predicted and truth is not None) if right is None else right
    return Match(
        truth=truth,
        predicted=predicted,
        score=score if predicted else 0.0,
        right=right,
        exact=right if exact is None else exact,
        cause=cause,
    )


@st.composite
def matches(draw):
    truth, predicted = draw(st.sampled_from(["a", "b", None])), draw(st.sampled_from(["a", "b", None]))
    if truth is None and predicted is None:
        truth = "a"
    right = truth == predicted and draw(st.booleans())
    exact = right and draw(st.booleans())
    return match(truth, predicted, draw(st.floats(0, 1)), right, exact)


samples = st.lists(st.lists(matches(), max_size=5), max_size=6)


def brute_force(found, label, threshold, exact):
    flat = [item for sample in found for item in sample]
    given_ = [item for item in flat if item.predicted == label and item.score >= threshold]
    tp = sum(item.right and (item.exact or not exact) for item in given_)
    truths = sum(item.truth == label for item in flat)
    return Counts(tp=tp, fp=len(given_) - tp, fn=truths - tp)


@settings(deadline=None)
@given(samples)
def test_counts_are_what_the_definition_says(found):
    results = measure(found, LABELS, {})
    for label in results.labels:
        for step, threshold in enumerate(THRESHOLDS):
            assert label.counts[step] == brute_force(found, label.label, threshold, exact=False)
            assert label.exact_counts[step] == brute_force(found, label.label, threshold, exact=True)
    for step, counts in enumerate(results.overall):
        assert counts.tp == sum(label.counts[step].tp for label in results.labels)
        assert counts.tp + counts.fn == sum(label.support for label in results.labels)


@settings(deadline=None)
@given(samples)
def test_recall_never_rises_with_the_threshold(found):
    results = measure(found, LABELS, {})
    for label in results.labels:
        assert all(
            low.tp >= high.tp and low.fp >= high.fp for low, high in zip(label.counts, label.counts[1:], strict=False)
        )


@settings(deadline=None)
@given(samples)
def test_badcases_are_the_samples_that_are_not_fully_right(found):
    results = measure(found, LABELS, {})
    for step, threshold in enumerate(THRESHOLDS):
        wrong = sum(is_badcase(sample, threshold) for sample in found)
        assert results.badcases[step] == wrong
        if found:
            assert results.document_accuracy[step] == pytest.approx(1 - wrong / len(found))


@settings(deadline=None)
@given(samples)
def test_the_confusion_counts_every_truth_once(found):
    results = measure(found, LABELS, {})
    truths = sum(item.truth is not None for sample in found for item in sample)
    for cells in results.confusion:
        assert sum(cell.count for cell in cells if cell.truth is not None) == truths


def test_results_survive_json():
    results = measure([[match("a", "a"), match(None, "b")]], LABELS, {"cer": 0.1})
    assert Results.model_validate_json(results.model_dump_json()) == results


def test_a_perfect_and_an_empty_evaluation():
    perfect = summarise(measure([[match("a", "a")]] * 30, LABELS, {"line_f1": 0.5}), 0.5)
    assert (perfect.overall.precision, perfect.overall.recall, perfect.overall.f1) == (1, 1, 1)
    assert perfect.overall.model_dump()["line_f1"] == 0.5
    assert perfect.badcase_count == 0
    empty = summarise(measure([], LABELS, {}), 0.5)
    assert (empty.overall.precision, empty.overall.f1, empty.sample_count) == (None, None, 0)


def test_an_answer_below_the_threshold_is_a_miss():
    results = measure([[match("a", "a", score=0.6)]], LABELS, {})
    assert summarise(results, 0.6).overall.recall == 1
    assert summarise(results, 0.65).overall.recall == 0
    assert summarise(results, 0.65).overall.precision is None


def test_exact_match_is_stricter():
    results = measure([[match("a", "a", exact=False)]], LABELS, {})
    assert summarise(results, 0.5).overall.f1 == 1
    assert summarise(results, 0.5, exact=True).overall.f1 == 0
    assert summarise(results, 0.5, exact=True).badcase_count == 1


def test_the_recommended_threshold_has_the_best_f1():
    good = [[match("a", "a", score=0.8)] for _ in range(20)]
    bad = [[match(None, "a", score=0.7)] for _ in range(20)]
    assert measure(good + bad, LABELS, {}).recommended_threshold == 0.75
    assert measure(good, LABELS, {}).recommended_threshold == 0.5
    assert measure(bad[:3], LABELS, {}).recommended_threshold == 0.5
    assert recommend([Counts(tp=0, fp=0, fn=50)] * 19) == 0.5


@pytest.mark.parametrize("threshold", [0, 1, 0.51, -0.5, 2])
def test_what_is_no_threshold_is_refused(threshold):
    with pytest.raises(InvalidInput):
        summarise(measure([], LABELS, {}), threshold)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_the_interval_holds_the_value(tp, fp, fn):
    counts = Counts(tp=tp, fp=fp, fn=fn)
    low, high = f1_interval(counts)
    if counts.f1 is None:
        assert (low, high) == (None, None)
    else:
        assert 0 <= low <= counts.f1 + 1e-9
        assert counts.f1 - 1e-9 <= high <= 1 + 1e-9


def test_average_precision_is_one_for_a_perfect_order_and_counts_misses():
    ordered = [[match("a", "a", score=0.9)], [match(None, "a", score=0.1)]]
    assert measure(ordered, LABELS, {}).labels[0].average_precision == 1
    missed = [[match("a", "a", score=0.9)], [match("a", None)]]
    assert measure(missed, LABELS, {}).labels[0].average_precision == 0.5
    assert measure([], LABELS, {}).labels[0].average_precision is None


def test_badcases_are_filtered_by_truth_prediction_and_cause():
    found = [
        ("1", [match("a", "b", right=False, cause="wrong_field")]),
        ("2", [match("a", None, cause="missing")]),
        ("3", [match("a", "a")]),
        ("4", [match(None, "b", cause="extra")]),
        ("5", [match("b", "b", score=0.3, right=False, cause="wrong_text")]),
    ]

    def keys(**wanted):
        return [key for key, _ in select_badcases(found, 0.5, BadcaseFilter(**wanted))]

    assert keys() == ["1", "2", "4", "5"]
    assert keys(truth="a") == ["1", "2"]
    assert keys(truth="") == ["4"]
    assert keys(predicted="b") == ["1", "4"]
    assert keys(cause="missing") == ["2", "5"]
    [low] = wrong_matches(found[4][1], 0.5)
    assert (low.predicted, low.cause) == (None, "missing")
