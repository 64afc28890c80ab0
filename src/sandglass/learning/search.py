"""Search for the best model within the deadline: the first candidate at once, the others by successive halving.

Whatever the moment at which the search ends, the best model so far has been stored.
"""

import json
import math
import shutil
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sandglass.core.errors import Broken, SandglassError
from sandglass.core.prediction import Prediction
from sandglass.core.status import RunReason
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.evaluation import Results, measure, summarise
from sandglass.learning.journal import Journal
from sandglass.scenarios.base import Candidate, FitContext, LearningData, Match, Scenario

CHECKPOINT_SECONDS = 30.0
FIRST_SHARE = 0.3
"""Share of the time left that the first candidate may take before the others begin."""
VALIDATION_SHARE = 0.15
"""Share of a candidate's time that validating it may take."""
BETTER = 1e-4
NOISE = 0.5
"""Standard errors of a score on the validation part that still count as equal."""
NOT_STORED = ("storage_full", "storage_unwritable", "model_not_written")
"""Error codes that say nothing about a candidate, only about the disk."""
LEAST_RESERVE = 2.0
"""Seconds kept for a last export before the first one has been timed."""


@dataclass
class Standing:
    """How a candidate stands."""

    candidate: Candidate
    score: float | None = None
    seconds: float = 0.0
    last_seconds: float = 0.0
    """Value of ``seconds`` at the latest validation."""
    validation_seconds: float = 0.0
    failed: str | None = None
    dropped: bool = False

    @property
    def open(self) -> bool:
        return not (self.failed or self.dropped or self.candidate.finished)


@dataclass
class Search:
    """One search over candidates.

    Attributes:
        store: exports and stores a candidate with its score and measured results.
        workspace: for checkpoints.
        metric: key of the overall metric that candidates are chosen by; the scenario's main one unless given.
        best: score of the stored model.
        peak: highest score that a stored model had.
        leader: name of the stored model's candidate.
    """

    scenario: Scenario
    data: LearningData
    context: FitContext
    journal: Journal
    store: Callable[[Candidate, float, Results], None]
    workspace: Path
    target: float | None = None
    metric: str = ""
    best: float | None = None
    peak: float | None = None
    leader: str | None = None
    export_seconds: float = LEAST_RESERVE
    standings: list[Standing] = field(default_factory=list)
    _saved_at: float = field(default_factory=time.monotonic)
    _cut: bool = False

    def run(self, candidates: Sequence[Candidate]) -> RunReason:
        """Search until the deadline, a stop, the target or the end of all candidates.

        Raises:
            Broken: every candidate failed.
        """
        self.metric = self.metric or self.scenario.main_metric
        self.standings = [Standing(candidate) for candidate in candidates]
        self._restore()
        first, *others = self.standings
        self.journal.stage("quick", 0.2, 0.35 if others else 0.97)
        self._advance(first, self.context.deadline.remaining * FIRST_SHARE if others else math.inf)
        if others and not self._over():
            self.journal.stage("candidates", 0.35, 0.97)
            self._halve(self.standings)
        if all(standing.failed for standing in self.standings):
            raise Broken(
                "all_candidates_failed",
                Text(
                    en=f"No candidate could be trained: {self.standings[0].failed}",
                    zh=f"所有候选模型都训练失败：{self.standings[0].failed}",
                ),
                Text(en="Look at the log; check the data.", zh="请查看日志并检查数据。"),
            )
        if self.context.stop():
            return RunReason.STOPPED_BY_PERSON
        if self._on_target():
            return RunReason.TARGET_REACHED
        return RunReason.TIME_LIMIT if self._cut or self.context.deadline.expired else RunReason.COMPLETED

    def _over(self) -> bool:
        return self.context.over or self._on_target()

    def _on_target(self) -> bool:
        return self.target is not None and self.best is not None and self.best >= self.target

    def _halve(self, standings: Sequence[Standing]) -> None:
        """Give every open candidate a slice, drop the worse half, and so on; the last one gets all that is left."""
        alive = [standing for standing in standings if standing.open]
        while alive and not self._over():
            rounds = max(1, math.ceil(math.log2(len(alive))) + 1)
            share = self.context.deadline.remaining / rounds / len(alive) if len(alive) > 1 else math.inf
            if math.isinf(share) and len(alive) > 1:
                share = 300.0  # no time limit: five minutes tell candidates apart
            left = self.context.deadline.remaining
            later = left * (1 - 1 / rounds) * _share_of_winner(math.ceil(len(alive) / 2)) if len(alive) > 1 else 0.0
            for standing in alive:
                self._advance(standing, share, later)
                if self._over():
                    return
            ranked = sorted(
                (standing for standing in alive if standing.open),
                key=lambda standing: -1.0 if standing.score is None else standing.score,
                reverse=True,
            )
            alive = ranked[: max(1, math.ceil(len(ranked) / 2))]
            for standing in ranked[len(alive) :]:
                standing.dropped = True
                self.journal.log(f"{standing.candidate.name} is not continued: others are ahead.")
                self._tell(standing)

    def _advance(self, standing: Standing, seconds: float, later: float = 0.0) -> None:
        """Let a candidate learn for about ``seconds``, validating and storing it on the way.

        ``later``: seconds that it may hope for afterwards, if it stays ahead.
        """
        end = time.monotonic() + seconds
        candidate = standing.candidate
        self._tell(standing, running=True)
        try:
            while standing.open and not self._over() and time.monotonic() < end:
                self._fit(standing, max(0.0, end - time.monotonic()) + later)
                if self._validation_due(standing):
                    self._validate(standing)
                if time.monotonic() - self._saved_at > CHECKPOINT_SECONDS:
                    self.save()
            if candidate.ready and standing.seconds > standing.last_seconds and not self.context.stop():
                self._validate(standing)
        except SandglassError as error:
            if error.code not in NOT_STORED:
                self._fail(standing, error)
            elif self.best is None:
                raise
            else:
                # The former best model is still there and whole: say so, and go on.
                self.journal.log(
                    f"The new best model could not be stored, the former one stays: {error}", level="error"
                )
        except Exception as error:
            self._fail(standing, error)
        self.save()
        self._tell(standing)

    def _fit(self, standing: Standing, share: float) -> None:
        candidate = standing.candidate
        started = time.monotonic()
        reserve = self.export_seconds + standing.validation_seconds
        context = replace(
            self.context,
            deadline=self.context.deadline.reserve(reserve if candidate.ready else 0.0),
            workspace=self.workspace / candidate.name,
            share=share,
        )
        if context.deadline.expired:
            # Nothing but the reserve is left: time for a last validation and export, not for more learning.
            standing.dropped = self._cut = True
            return
        context.workspace.mkdir(parents=True, exist_ok=True)
        candidate.fit(context)
        standing.seconds += time.monotonic() - started
        fractions = [1.0 if not item.open else item.candidate.fraction for item in self.standings]
        self.journal.progress(max(sum(fractions) / len(fractions), candidate.fraction if len(fractions) == 1 else 0.0))

    def _validation_due(self, standing: Standing) -> bool:
        if not standing.candidate.ready or standing.dropped:
            return False
        if standing.score is None or standing.candidate.finished:
            return True
        since = standing.seconds - standing.last_seconds
        return since * VALIDATION_SHARE >= standing.validation_seconds + self.export_seconds / 2

    def _validate(self, standing: Standing) -> None:
        candidate = standing.candidate
        started = time.monotonic()
        score, results = self.score_of(candidate)
        standing.validation_seconds = time.monotonic() - started
        standing.score = score if standing.score is None else max(standing.score, score)
        standing.last_seconds = standing.seconds
        self.journal.metric(f"score/{candidate.name}", score)
        self.journal.log(f"{candidate.name}: {self.metric} {score:.4f} on the validation part")
        if self._replaces(standing, score):
            started = time.monotonic()
            self.store(candidate, score, results)
            self.export_seconds = 1.5 * (time.monotonic() - started) + 0.5
            self.best = score
            self.peak = max(score, self.peak or score)
            self.leader = candidate.name
        self._tell(standing, running=True)

    def _replaces(self, standing: Standing, score: float) -> bool:
        """Whether a model replaces the best so far.

        It must be better; only the last model of the candidate that leads need not be, as long as it is not worse than
        chance explains: of two scores that differ by noise, the one after more learning does better on new pictures.
        """
        if self.best is None or self.peak is None or self.leader != standing.candidate.name:
            return self.best is None or score > self.best + BETTER
        noise = math.sqrt(max(0.0, self.peak * (1 - self.peak)) / max(1, len(self.data.validation)))
        return score > self.peak + BETTER or (score > self.peak - NOISE * noise and standing.candidate.finished)

    def score_of(self, candidate: Candidate) -> tuple[float, Results]:
        """Main metric on the validation part at the threshold that this result recommends, and the whole result."""
        predictions: list[Prediction] = candidate.predict_validation(self.context)
        truths = [example.sample.annotation for example in self.data.validation]
        assert len(predictions) == len(truths), (
            f"{candidate.name}: {len(predictions)} answers for {len(truths)} examples"
        )
        matches: list[list[Match]] = []
        for truth, prediction in zip(truths, predictions, strict=True):
            assert truth is not None
            matches.append(self.scenario.judge(truth, prediction, self.data.labels))
        extra = self.scenario.extra_metrics(
            [truth for truth in truths if truth is not None], predictions, self.data.labels
        )
        results = measure(matches, self.data.labels, extra)
        overall = summarise(results, results.recommended_threshold).overall.model_dump()
        return float(overall.get(self.metric or self.scenario.main_metric) or 0.0), results

    def _fail(self, standing: Standing, error: Exception) -> None:
        standing.failed = f"{type(error).__name__}: {error}"
        self.journal.log(
            f"{standing.candidate.name} failed: {standing.failed}\n{''.join(traceback.format_exception(error))}",
            level="error",
        )

    def _tell(self, standing: Standing, *, running: bool = False) -> None:
        status = (
            "failed"
            if standing.failed
            else "dropped"
            if standing.dropped
            else "finished"
            if standing.candidate.finished
            else "running"
            if running
            else "waiting"
        )
        columns = {"best_score": self.best} if self.best is not None else {}
        self.journal.event(
            "candidate",
            {
                "name": standing.candidate.name,
                "status": status,
                "score": standing.score,
                "seconds": round(standing.seconds, 1),
                "error": standing.failed,
            },
            **columns,
        )

    def save(self) -> None:
        """Write a checkpoint; when there is no room for it, the former one stays and the run goes on."""
        self._saved_at = time.monotonic()
        try:
            self._write_checkpoint()
        except OSError as error:
            self.journal.log(f"No checkpoint could be written, the former one stays: {error}", level="error")

    def _write_checkpoint(self) -> None:
        """The states of all candidates under a new name, then one rename."""
        checkpoint = self.workspace / "checkpoint"
        fresh = self.workspace / "checkpoint.new"
        old = self.workspace / "checkpoint.old"
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh.mkdir(parents=True)
        states = {}
        for standing in self.standings:
            folder = fresh / standing.candidate.name
            folder.mkdir()
            if standing.seconds and not standing.failed:
                standing.candidate.save(folder)
            states[standing.candidate.name] = {
                "score": standing.score,
                "seconds": standing.seconds,
                "last_seconds": standing.last_seconds,
                "validation_seconds": standing.validation_seconds,
                "failed": standing.failed,
                "dropped": standing.dropped,
            }
        state = {
            "candidates": states,
            "best": self.best,
            "peak": self.peak,
            "leader": self.leader,
            "export_seconds": self.export_seconds,
            "at": str(utc_now()),
        }
        (fresh / "search.json").write_text(json.dumps(state), "utf-8")
        if checkpoint.exists():
            checkpoint.rename(old)
        fresh.rename(checkpoint)
        shutil.rmtree(old, ignore_errors=True)

    def _restore(self) -> None:
        """Take up the latest checkpoint; a kill between two renames leaves the older one under another name."""
        for name in ("checkpoint", "checkpoint.old"):
            folder = self.workspace / name
            if not (folder / "search.json").exists():
                continue
            state = json.loads((folder / "search.json").read_text("utf-8"))
            if set(state["candidates"]) != {standing.candidate.name for standing in self.standings}:
                self.journal.log("The checkpoint is of other candidates and is not used.", level="warning")
                return
            for standing in self.standings:
                saved = state["candidates"][standing.candidate.name]
                for key, value in saved.items():
                    setattr(standing, key, value)
                standing.dropped = False
                if standing.seconds and not standing.failed:
                    standing.candidate.restore(folder / standing.candidate.name)
            self.export_seconds = state["export_seconds"]
            self.best, self.peak, self.leader = state["best"], state["peak"], state["leader"]
            self.journal.log(f"Going on from the checkpoint of {state['at']}.")
            return


def _share_of_winner(alive: int) -> float:
    """Share 0..1 of the time left that goes to the candidate that survives all rounds among ``alive``."""
    if alive == 1:
        return 1.0
    rounds = math.ceil(math.log2(alive)) + 1
    return 1 / rounds / alive + (1 - 1 / rounds) * _share_of_winner(math.ceil(alive / 2))
