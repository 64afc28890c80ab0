"""Candidates of the OCR scenario: field models of rising size over pages that were read once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandglass.core.prediction import DocumentPrediction, Prediction
from sandglass.scenarios.base import Candidate, FitContext
from sandglass.scenarios.ocr.fields import LabelledPage, labelled_page
from sandglass.scenarios.ocr.fields.train import FieldTrainer
from sandglass.scenarios.ocr.page import make_page
from sandglass.scenarios.ocr.pages import DocumentExample
from sandglass.scenarios.ocr.predictor import ReaderChoice, write_model

PIECE_SECONDS = 12.0
"""Length of one bounded piece of learning."""
EPOCHS = 32
"""How often the ensemble sees each document, in one of its versions."""
LEAST_STEPS, QUICK_STEPS = 350, 250
"""Least steps of a member; steps of the quick first model."""
BATCH = 8
SPARE = 0.92
"""Share of the time left that learning is planned for; the rest is for validation and export."""


@dataclass(frozen=True)
class FieldData:
    """Pages to learn fields from and pages to validate on.

    Attributes:
        train: pages; a document may stand there twice, as labelled and as read.
        validation: one page per validation document.
        documents: number of different documents.
    """

    train: tuple[LabelledPage, ...]
    validation: tuple[LabelledPage, ...]
    documents: int
    fields: tuple[str, ...]


def field_data(
    train: Sequence[DocumentExample],
    validation: Sequence[DocumentExample],
    fields: tuple[str, ...],
    learn_from: Literal["both", "given", "read"],
) -> FieldData:
    """Choose the pages to learn from.

    With ``both``, every document stands there as labelled and as the product reads it, so that one model serves both.
    A document that has only one of the two is used with that one, whatever was asked for.
    """
    pages: list[LabelledPage] = []
    for document in train:
        wanted = {"both": (document.given, document.read), "given": (document.given,), "read": (document.read,)}
        chosen = [page for page in wanted[learn_from] if page is not None]
        chosen = chosen or [page for page in (document.read, document.given) if page is not None]
        pages += [labelled_page(page, document.annotation, document.example.sample.group) for page in chosen]
    held = []
    for document in validation:
        sample = document.example.sample
        # A page that was never read nor has given text is answered as an empty page, as a service would have to.
        page = document.best or make_page(sample.width, sample.height, ())
        held.append(labelled_page(page, document.annotation, sample.group))
    return FieldData(tuple(pages), tuple(held), len(train) + len(validation), fields)


class FieldCandidate(Candidate):
    """A field model with ``members`` networks.

    A single network does not learn from the validation part. Of several, half leave out one half of it and half the
    other, so that all documents teach and every validation document is answered by networks that have not seen it.
    """

    def __init__(
        self, name: str, data: FieldData, reader: ReaderChoice, *, members: int, context: FitContext, steps: int | None
    ) -> None:
        self.name = name
        self._data = data
        self._reader = reader
        self._told = False
        self._trainer = FieldTrainer(
            data.train,
            data.fields,
            validation=data.validation,
            seed=context.seed,
            threads=context.threads,
            members=members,
            device=context.device,
            share_validation=members > 1,
            steps=steps or max(LEAST_STEPS, EPOCHS * -(-data.documents // BATCH)),
        )

    @property
    def finished(self) -> bool:
        return self._trainer.finished

    @property
    def fraction(self) -> float:
        return self._trainer.fraction

    @property
    def ready(self) -> bool:
        return self._trainer.ready

    def fit(self, context: FitContext) -> None:
        if not math.isinf(context.deadline.remaining):
            self._trainer.fit_within(context.deadline.remaining * SPARE)
        report = self._trainer.fit(min(PIECE_SECONDS, context.deadline.remaining), lambda: context.over)
        if not math.isnan(report.loss):
            context.report.metric(f"loss/{self.name}", report.loss)
        if not self._told and self._trainer.ready:
            self._told = True
            for field, count in self._trainer.unplaced.items():
                if count:
                    context.report.log(f"{count} values of '{field}' were not found on their pages.", level="warning")

    def predict_validation(self, context: FitContext) -> list[Prediction]:
        answers = self._trainer.validation_answers()
        return [
            DocumentPrediction(width=held.page.width, height=held.page.height, lines=held.page.lines, fields=fields)
            for held, fields in zip(self._data.validation, answers, strict=True)
        ]

    def export(self, folder: Path) -> None:
        write_model(folder, self._reader, self._trainer.extractor())

    def save(self, folder: Path) -> None:
        self._trainer.save(folder)

    def restore(self, folder: Path) -> None:
        self._trainer.restore(folder)
