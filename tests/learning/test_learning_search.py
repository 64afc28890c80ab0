import errno
import json
import threading
import time
from dataclasses import dataclass, field

import pytest

from sandglass.core.errors import Broken
from sandglass.core.status import RunReason
from sandglass.core.text import Text
from sandglass.core.time import Deadline
from sandglass.learning.search import Search
from sandglass.scenarios.base import Candidate, FitContext, LearningData


class Journal:
    """Keeps what a search tells."""

    def __init__(self):
        self.lines, self.events = [], []

    def log(self, message, *, level="info"):
        self.lines.append((level, message))

    def event(self, kind, data, **columns):
        self.events.append((kind, dict(data)))

    def stage(self, *_):
        pass

    progress = metric = stage

    def said(self, level):
        return [message for said, message in self.lines if said == level]


@dataclass
class Climber(Candidate):
    """Gains one step per fit; its score goes from 0 to ``top`` on the way."""

    name: str
    top: float
    steps: int = 4
    breaks_at: int | None = None
    error: Exception = field(default_factory=lambda: ValueError("no gradient"))
    done: int = 0
    pause: float = 0.0

    @property
    def finished(self):
        return self.done >= self.steps

    @property
    def fraction(self):
        return self.done / self.steps

    @property
    def ready(self):
        return self.done > 0

    def fit(self, context):
        time.sleep(self.pause)
        self.done += 1
        if self.done == self.breaks_at:
            raise self.error

    def predict_validation(self, context):
        return []

    def export(self, folder):
        raise NotImplementedError

    def save(self, folder):
        (folder / "state.json").write_text(json.dumps(self.done))

    def restore(self, folder):
        self.done = json.loads((folder / "state.json").read_text())


@pytest.fixture
def make(tmp_path):
    def make(*, seconds=60.0, store=None, target=None, stop=lambda: False):
        stored = []

        def keep(candidate, score, results):
            if store is not None:
                store(candidate, score)
            stored.append((candidate.name, round(score, 3)))

        context = FitContext(
            deadline=Deadline(seconds),
            stop=stop,
            report=None,
            workspace=tmp_path,
            cache=tmp_path,
            threads=1,
            seed=0,
            device="cpu",
        )
        search = Search(Tops(), LearningData((), (), ()), context, Journal(), keep, tmp_path, target=target)
        search.score_of = lambda candidate: (candidate.top * candidate.fraction, None)
        search.stored = stored
        return search

    return make


class Tops:
    main_metric = "f1"


def test_the_better_candidate_is_stored_last(make):
    search = make()
    assert search.run([Climber("quick", 0.5), Climber("good", 0.9), Climber("bad", 0.2)]) is RunReason.COMPLETED
    scores = [score for _, score in search.stored]
    assert scores == sorted(scores)
    assert search.stored[-1] == ("good", 0.9)
    assert search.stored[0][0] == "quick"


@pytest.mark.parametrize(("scores", "kept"), [([0.80, 0.82, 0.81], 0.81), ([0.80, 0.82, 0.70], 0.82)])
def test_the_last_model_of_the_leader_stays_unless_chance_does_not_explain_its_loss(make, scores, kept):
    search = make()
    search.data = LearningData((), (None,) * 100, ())
    search.score_of = lambda candidate: (scores[candidate.done - 1], None)
    search._validation_due = lambda standing: True
    search.run([Climber("only", 1.0, steps=3)])
    assert search.stored[-1] == ("only", kept)
    assert search.peak == 0.82


def test_a_candidate_that_fails_is_left_out_and_told(make):
    search = make()
    candidates = [Climber("quick", 0.5, breaks_at=2), Climber("good", 0.9)]
    assert search.run(candidates) is RunReason.COMPLETED
    assert search.stored[-1] == ("good", 0.9)
    assert search.standings[0].failed == "ValueError: no gradient"
    assert ("candidate", "quick", "failed") in [
        (kind, data["name"], data["status"]) for kind, data in search.journal.events
    ]


def test_a_run_in_which_all_fail_says_why(make):
    search = make()
    with pytest.raises(Broken) as caught:
        search.run([Climber("one", 0.5, breaks_at=1), Climber("two", 0.5, breaks_at=1)])
    assert caught.value.code == "all_candidates_failed"
    assert "no gradient" in caught.value.message.en


def test_the_search_ends_at_its_target(make):
    search = make(target=0.6)
    assert search.run([Climber("quick", 0.5), Climber("good", 0.9, steps=200, pause=0.02)]) is RunReason.TARGET_REACHED
    assert 0.6 <= search.stored[-1][1] < 0.9


def test_the_search_ends_at_its_deadline_with_the_best_stored(make):
    search = make(seconds=4.0)
    started = time.monotonic()
    reason = search.run([Climber("quick", 0.5, pause=0.05), Climber("slow", 0.9, steps=10_000, pause=0.05)])
    assert reason is RunReason.TIME_LIMIT
    assert time.monotonic() - started < 4.5
    assert search.stored[-1][1] == 0.5


def test_a_stop_ends_the_search_between_two_pieces_of_work(make):
    stop = threading.Event()
    search = make(stop=stop.is_set)
    threading.Timer(0.5, stop.set).start()
    reason = search.run([Climber("quick", 0.5), Climber("slow", 0.9, steps=10_000, pause=0.02)])
    assert reason is RunReason.STOPPED_BY_PERSON
    assert search.stored[-1] == ("quick", 0.5)


def full(candidate, score):
    raise Broken("storage_full", Text(en="The object store is full.", zh="对象存储空间不足。"))


def test_a_full_disk_before_any_model_ends_the_run_with_its_reason(make):
    search = make(store=full)
    with pytest.raises(Broken) as caught:
        search.run([Climber("quick", 0.5), Climber("good", 0.9)])
    assert caught.value.code == "storage_full"


def test_a_full_disk_later_keeps_the_former_best_model(make):
    search = make(store=lambda candidate, score: full(candidate, score) if score > 0.5 else None)
    assert search.run([Climber("quick", 0.5), Climber("good", 0.9)]) is RunReason.COMPLETED
    assert search.stored[-1] == ("quick", 0.5)
    assert search.best == 0.5
    assert any("former one stays" in line for line in search.journal.said("error"))
    assert not any(standing.failed for standing in search.standings)


def test_a_checkpoint_without_room_keeps_the_former_one(make, tmp_path):
    class NoRoom(Climber):
        def save(self, folder):
            if self.done > 1:
                raise OSError(errno.ENOSPC, "No space left on device")
            super().save(folder)

    search = make()
    candidate = NoRoom("quick", 0.5, steps=1)
    search.run([candidate])
    candidate.done, search.standings[0].seconds = 2, 2.0
    search.save()
    assert json.loads((tmp_path / "checkpoint" / "quick" / "state.json").read_text()) == 1
    assert any("No space left" in line for line in search.journal.said("error"))


@pytest.mark.parametrize("killed", [None, "between the renames", "while writing"])
def test_a_killed_search_goes_on_from_its_checkpoint(make, tmp_path, killed):
    class Killed(BaseException):
        pass

    first = make()
    candidates = [Climber("quick", 0.5), Climber("good", 0.9, steps=40, breaks_at=30, error=Killed())]
    try:
        first.run(candidates)
    except Killed:
        pass
    else:
        pytest.fail("the candidate was to be killed")
    first.standings[1].seconds = 1.0
    first.save()
    if killed == "between the renames":
        (tmp_path / "checkpoint").rename(tmp_path / "checkpoint.old")
        (tmp_path / "checkpoint.new").mkdir()
    if killed == "while writing":
        (tmp_path / "checkpoint.new" / "quick").mkdir(parents=True)

    again = make()
    fresh = [Climber("quick", 0.5), Climber("good", 0.9, steps=40)]
    assert again.run(fresh) is RunReason.COMPLETED
    assert fresh[0].done == 4
    assert again.stored == [("good", 0.9)]
    assert any("Going on from the checkpoint" in line for line in again.journal.said("info"))


def test_a_checkpoint_of_other_candidates_is_not_used(make):
    make().run([Climber("quick", 0.5)])
    search = make()
    search.run([Climber("another", 0.4)])
    assert search.stored[-1] == ("another", 0.4)
    assert any("other candidates" in line for line in search.journal.said("warning"))


@dataclass
class Planner(Climber):
    """Notes what it was told to hope for, as a share of the time that was left."""

    told: list = field(default_factory=list)

    def fit(self, context):
        self.told.append(context.hope / context.deadline.remaining)
        super().fit(context)


def test_candidates_know_how_much_of_the_time_they_may_hope_for(make):
    search = make(seconds=8.0)
    quick, one, two = Climber("quick", 0.3), Planner("one", 0.5, steps=10_000), Planner("two", 0.9, steps=10_000)
    one.pause = two.pause = 0.05
    search.run([quick, one, two])
    assert one.told[0] == pytest.approx(0.75, abs=0.05)  # a quarter now, and half of the time if it survives
    assert two.told[0] == pytest.approx(1.0, abs=0.05)  # the same seconds, of what is left by then
    assert two.told[-1] == pytest.approx(1.0, abs=0.01)
    assert len(two.told) > 2 * len(one.told)


def test_a_search_chooses_by_the_metric_that_it_is_told(make):
    search = make()
    search.metric = "macro_f1"
    search.run([Climber("quick", 0.5)])
    assert any("macro_f1" in line for line in search.journal.said("info"))
