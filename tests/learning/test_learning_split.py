from hypothesis import given, settings
from hypothesis import strategies as st

from sandglass.core.annotation import ClassAnnotation
from sandglass.core.sample import Part, Sample
from sandglass.learning.split import Split, split_samples, without_duplicates

names = st.sampled_from(["a", "b", "c"])
sample_lists = st.lists(
    st.tuples(names, st.one_of(st.none(), st.integers(0, 5)), st.sampled_from([None, None, None, *Part])),
    min_size=1,
    max_size=60,
)


def make(rows):
    return [
        Sample(
            path=f"{i:03}.jpg",
            annotation=ClassAnnotation(labels=(label,)),
            group=None if group is None else f"g{group}",
            part=part,
        )
        for i, (label, group, part) in enumerate(rows)
    ]


def split(samples, **options):
    return split_samples(
        samples, **{"validation_percent": 20, "test_percent": 20, "use_marks": False, "seed": 0} | options
    )


@settings(deadline=None)
@given(sample_lists)
def test_nothing_is_lost_and_test_samples_are_never_learnt(rows):
    samples = make(rows)
    parts = split(samples)
    assert {s.path for s in (*parts.train, *parts.validation, *parts.test)} == {s.path for s in samples}
    assert parts.train
    assert parts.validation
    assert not {s.path for s in parts.test} & {s.path for s in (*parts.train, *parts.validation)}


@settings(deadline=None)
@given(sample_lists)
def test_the_split_is_the_same_every_time(rows):
    assert split(make(rows)) == split(make(rows))


@settings(deadline=None)
@given(sample_lists)
def test_groups_stay_whole(rows):
    parts = split(make(rows))
    if len({s.group or s.path for s in (*parts.train, *parts.validation, *parts.test)}) > 2:
        for one, other in ((parts.train, parts.test), (parts.validation, parts.test)):
            shared = {s.group for s in one if s.group} & {s.group for s in other if s.group}
            assert not shared


@settings(deadline=None)
@given(sample_lists)
def test_marks_are_followed(rows):
    samples = make(rows)
    parts = split(samples, use_marks=True, test_percent=0)
    marked = {s.path for s in samples if s.part is Part.TEST}
    assert {s.path for s in parts.test} == marked


def test_labels_are_spread_in_proportion():
    samples = make([("a", None, None)] * 80 + [("b", None, None)] * 20)
    parts = split(samples, test_percent=0)
    counts = [sum(s.annotation.labels == (label,) for s in parts.validation) for label in "ab"]
    assert counts == [16, 4]
    assert len(parts.train) == 80


def test_another_seed_gives_another_split():
    samples = make([("a", None, None)] * 50)
    assert {s.path for s in split(samples).test} != {s.path for s in split(samples, seed=1).test}


def test_one_sample_serves_as_both():
    parts = split(make([("a", None, None)]))
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (1, 1, 0)


def test_pictures_that_are_measured_on_are_left_out_of_training():
    def sample(path, digest):
        return Sample(path=path, digest=digest, annotation=ClassAnnotation(labels=("a",)))

    split = Split(
        (sample("t1", "x"), sample("t2", "y"), sample("t3", "z")),
        (sample("v1", "y"), sample("v2", "w")),
        (sample("e1", "x"), sample("e2", "w")),
    )
    cleaned = without_duplicates(split)
    assert [[one.path for one in part] for part in (cleaned.train, cleaned.validation, cleaned.test)] == [
        ["t3"],
        ["v1"],
        ["e1", "e2"],
    ]
    only = Split((sample("t", "x"),), (sample("v", "y"),), (sample("e", "x"),))
    assert without_duplicates(only) == only  # nothing would be left to learn from
