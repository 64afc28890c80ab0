"""Candidates of tasks that read text only: the base reader as it is, and a recogniser that learns from transcripts."""

import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sandglass.core.prediction import DocumentPrediction, Prediction
from sandglass.scenarios.base import Candidate, Example, FitContext, LearningData
from sandglass.scenarios.ocr.lines.guard import ForgettingGuard, Kept
from sandglass.scenarios.ocr.lines.network import LineNetwork
from sandglass.scenarios.ocr.lines.store import LineStore
from sandglass.scenarios.ocr.lines.trainer import LineTrainer, Use
from sandglass.scenarios.ocr.lines.transcripts import FoundLines, Transcripts, cutting
from sandglass.scenarios.ocr.page import make_page
from sandglass.scenarios.ocr.predictor import ReaderChoice, write_model
from sandglass.scenarios.ocr.reading.found import FoundReader

PIECE_SECONDS = 12.0
"""Length of one bounded piece of work."""
SPARE = 0.92
"""Share of the time left that learning is planned for; the rest is for validation and export."""
READY_STEPS = 20
"""Steps from which a recogniser is worth validating."""


class ValidationPages:
    """The lines of the validation pages as the base reader finds them: the same ones are read by every recogniser.

    Args:
        examples: of the validation part.
        reader: that finds lines.
        context: its workspace keeps the lines.
    """

    def __init__(self, examples: Sequence[Example], reader: ReaderChoice, context: FitContext) -> None:
        self._examples, self._reader, self._context = examples, reader, context
        self._found = FoundLines(LineStore(context.workspace / "validation.lines"))
        self._finding = self._find()
        self.complete = False

    def _find(self) -> Iterator[None]:
        reader = self._reader.open(threads=self._context.threads)
        yield from self._found.finding(self._examples, reader, self._context.report)

    def go_on(self, seconds: float, over: Callable[[], bool]) -> None:
        """Find lines for about ``seconds``."""
        self.complete = self.complete or _run(self._finding, seconds, over)

    def predictions(self, read: FoundReader) -> list[Prediction]:
        """What a recogniser reads on them, in the order of the examples."""
        predictions: list[Prediction] = []
        for example, lines in zip(self._examples, self._found.read(read), strict=True):
            width, height = example.sample.width, example.sample.height
            page = make_page(width, height, lines)
            predictions.append(DocumentPrediction(width=width, height=height, lines=page.lines))
        return predictions


def _run(work: Iterator[None], seconds: float, over: Callable[[], bool]) -> bool:
    """Do pieces of work for about ``seconds``; True once there is none left."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not over():
        try:
            next(work)
        except StopIteration:
            return True
    return False


class BaseReading(Candidate):
    """The base reader as it is: nothing is learnt, so it is finished after one look at the validation pages."""

    name = "base"

    def __init__(self, pages: ValidationPages, reader: ReaderChoice) -> None:
        self._pages, self._reader = pages, reader

    @property
    def finished(self) -> bool:
        return self._pages.complete

    @property
    def fraction(self) -> float:
        return float(self._pages.complete)

    @property
    def ready(self) -> bool:
        return self._pages.complete

    def fit(self, context: FitContext) -> None:
        self._pages.go_on(min(PIECE_SECONDS, context.deadline.remaining), lambda: context.over)

    def predict_validation(self, context: FitContext) -> list[Prediction]:
        return self._pages.predictions(self._reader.open_lines(threads=context.threads))

    def export(self, folder: Path) -> None:
        write_model(folder, self._reader, None)

    def save(self, folder: Path) -> None:
        """Nothing is learnt: the lines are found again."""

    def restore(self, folder: Path) -> None:
        """See `save`."""


class LearntReading(Candidate):
    """A recogniser that learns from the lines of the training pages and keeps reading ordinary print.

    Args:
        data: documents with transcripts.
        pages: the validation pages.
        reader: the base reader.
        use: picks the augmentation.
        keep_print: whether a model that has forgotten ordinary print is blended with the base.
        context: of the run.
    """

    name = "learnt"

    def __init__(
        self,
        data: LearningData,
        pages: ValidationPages,
        reader: ReaderChoice,
        *,
        use: Use,
        keep_print: bool,
        context: FitContext,
    ) -> None:
        self._data, self._pages, self._reader = data, pages, reader
        self._use: Use = use
        self._keep_print = keep_print
        self._context = context
        self._trainer: LineTrainer | None = None
        self._guard: ForgettingGuard | None = None
        self._preparing = self._prepare()
        self._restored: Path | None = None
        self._fraction = 0.0
        self._kept: tuple[int, Kept] | None = None

    def _prepare(self) -> Iterator[None]:
        """Cut out the lines to learn from, then set up the trainer."""
        transcripts = Transcripts(LineStore(self._context.workspace / "training.lines"))
        yield from cutting(self._data.train, transcripts, self._context.report)
        yield
        trainer = LineTrainer(
            LineNetwork(self._reader.recogniser, self._reader.characters),
            transcripts,
            use=self._use,
            seed=self._context.seed,
            threads=self._context.threads,
            device=self._context.device,
            rehearse=self._keep_print,
        )
        told = f"{len(transcripts.texts)} lines to learn from"
        if trainer.new_characters:
            told += f"; {len(trainer.new_characters)} new characters: {''.join(trainer.new_characters)}"
        self._context.report.log(told)
        self._trainer = trainer

    @property
    def finished(self) -> bool:
        return self._trainer is not None and self._trainer.pace.finished

    @property
    def fraction(self) -> float:
        return self._trainer.pace.fraction if self._trainer else self._fraction

    @property
    def ready(self) -> bool:
        return self._pages.complete and self._trainer is not None and self._trainer.pace.done >= READY_STEPS

    def fit(self, context: FitContext) -> None:
        end = time.monotonic() + min(PIECE_SECONDS, context.deadline.remaining)
        self._pages.go_on(end - time.monotonic(), lambda: context.over)
        if self._trainer is None:
            _run(self._preparing, end - time.monotonic(), lambda: context.over)
            if self._trainer is None:
                return
            if self._restored is not None:
                self._trainer.restore(self._restored)
                self._restored = None
        if not math.isinf(context.deadline.remaining):
            self._trainer.pace.fit_within(context.deadline.remaining * SPARE)
        loss = self._trainer.fit(end - time.monotonic(), lambda: context.over)
        if not math.isnan(loss):
            context.report.metric(f"loss/{self.name}", loss)

    def predict_validation(self, context: FitContext) -> list[Prediction]:
        return self._pages.predictions(self._open(self._keep(context).network, context.threads))

    def _keep(self, context: FitContext) -> Kept:
        """The network that would be exported now."""
        assert self._trainer is not None
        step = self._trainer.pace.done
        if self._kept is None or self._kept[0] != step:
            self._kept = (step, self._guarded(self._trainer, context))
        return self._kept[1]

    def _guarded(self, trainer: LineTrainer, context: FitContext) -> Kept:
        if self._guard is None:
            self._guard = ForgettingGuard(trainer.base, lambda network: self._open(network, context.threads).read)
        if not self._keep_print:
            return Kept(trainer.network, 1.0, self._guard.before, math.nan, math.nan)
        kept = self._guard.keep(trainer.network)
        context.report.log(
            f"Ordinary print: character error rate {kept.before:.4f} before, {kept.learnt:.4f} as learnt"
            + (f"; blended with {1 - kept.share:.0%} of the base: {kept.after:.4f}" if kept.share < 1 else ""),
            level="info" if kept.share == 1 else "warning",
        )
        return kept

    def _open(self, network: LineNetwork, threads: int) -> FoundReader:
        return self._reader.open_lines(threads=threads, graph=network.to_onnx())

    def export(self, folder: Path) -> None:
        write_model(folder, self._reader, None, recogniser=self._keep(self._context).network.to_onnx())

    def save(self, folder: Path) -> None:
        if self._trainer is not None:
            self._trainer.save(folder)
        elif self._restored is not None:
            shutil.copytree(self._restored, folder, dirs_exist_ok=True)

    def restore(self, folder: Path) -> None:
        if any(folder.iterdir()):
            # Kept until the lines are cut out again: checkpoints written meanwhile replace the folder.
            self._restored = self._context.workspace / "restored"
            shutil.copytree(folder, self._restored, dirs_exist_ok=True)
