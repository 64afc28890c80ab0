"""A search over a scenario's candidates in a process of its own: ``python -m searching SCENARIO FOLDER CACHE``.

It appends to ``FOLDER/told.txt`` what it does, and leaves checkpoints there, so that a test may kill it at any moment.
"""

import sys
from pathlib import Path

from tiny import TINY, examples

import sandglass.learning.search as learning_search
from sandglass.core.time import Deadline
from sandglass.learning.search import Search
from sandglass.scenarios.base import FitContext, LearningData, TrainingPlan, get_scenario


class Journal:
    def __init__(self, path):
        self.path = path
        self.pieces = 0

    def log(self, message, *, level="info"):
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{level}: {message}\n")

    def progress(self, fraction):
        assert 0 <= fraction <= 1
        self.pieces += 1

    def metric(self, name, value):
        pass

    def stage(self, *_):
        pass

    def event(self, kind, data, **columns):
        pass


def main(scenario_id, folder, cache):
    tiny = TINY[scenario_id]
    scenario = get_scenario(scenario_id)
    every = examples(scenario_id)
    labels = scenario.labels([example.sample for example in every])
    data = LearningData(every[: tiny.train], every[tiny.train :], labels)
    journal = Journal(Path(folder) / "told.txt")
    search = None

    def enough():
        """A model is stored and some more was learnt: all that a test wants to see."""
        return search is not None and search.best is not None and journal.pieces > 1

    context = FitContext(Deadline(240), enough, journal, Path(folder), Path(cache), threads=1, seed=3)
    plan = TrainingPlan("fastest", tiny.parameters)
    scenario.prepare(data, plan, context)
    journal.pieces = 0

    def store(candidate, score, results):
        journal.log(f"stored {candidate.name}")

    candidates = scenario.candidates(data, plan, context)
    search = Search(scenario, data, context, journal, store, Path(folder))
    # One candidate is enough, and a checkpoint after each of its pieces.
    first = candidates[:1]
    learning_search.CHECKPOINT_SECONDS = 0.0
    reason = search.run(first)
    journal.log(f"ended {reason.value} at {first[0].fraction:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
