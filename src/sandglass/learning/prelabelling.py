"""A pre-label run: a model says what it sees on pictures that no person has labelled; a person's work is never touched."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from sandglass.core.errors import NotFound, SandglassError
from sandglass.core.sample import Sample
from sandglass.core.status import RunReason
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.learning.journal import Journal
from sandglass.learning.settings import PrelabelSettings
from sandglass.learning.suggest import Suggested, suggest
from sandglass.scenarios.base import Example, PredictOptions, Predictor, Scenario
from sandglass.store.db import Database
from sandglass.store.folders import fetch_folder
from sandglass.store.objects import Objects
from sandglass.store.tables import Dataset, Model, Run, SampleRow

BATCH = 16
BATCH_SECONDS = 3.0
"""What was found is written after so many pictures or seconds, so that a kill loses no more than that."""
PAGE = 200
"""Samples that are looked up at a time."""


def prelabel(
    run: Run, scenario: Scenario, journal: Journal, *, database: Database, objects: Objects, home: Path, threads: int
) -> RunReason:
    """Suggest an annotation for every picture that no person has worked on; what was written before a stop stays.

    Raises:
        SandglassError: the model or the dataset is gone, or the scenario has no base model.
    """
    settings = PrelabelSettings.model_validate(run.settings)
    assert run.dataset_id is not None
    journal.stage("load", 0.0, 0.05)
    work = _Work(database, run.dataset_id, run.id, settings.again)
    total = work.count()
    predictor = load_model(scenario, settings.model_id, settings.labels, database, objects, home, threads=threads)
    options = suggesting(settings.model_id)
    journal.log(f"{total} pictures to pre-label with {settings.title or 'the base model'}")

    journal.stage("predict", 0.05, 1.0)
    found: dict[str, tuple[int, Suggested]] = {}
    done = written = failed = 0
    since = time.monotonic()
    for sample_id, revision, sample in work.samples():
        if journal.stopping:
            break
        example = Example(sample, lambda digest=sample.digest: objects.get(digest))  # type: ignore[misc]
        try:
            [prediction] = predictor.predict([scenario.query(example)], options)
            found[sample_id] = (revision, suggest(prediction, settings.labels))
        except SandglassError as error:
            failed += 1
            journal.log(f"{sample.path} is left out: {error}", level="warning")
        done += 1
        journal.progress(done / max(1, total))
        if len(found) >= BATCH or time.monotonic() - since > BATCH_SECONDS:
            written += work.write(found)
            found, since = {}, time.monotonic()
    written += work.write(found)
    journal.log(f"{written} of {total} pictures were pre-labelled, {failed} could not be read.")
    if done > failed + written:
        journal.log(f"{done - failed - written} pictures were changed by a person meanwhile and left as they are.")
    return RunReason.STOPPED_BY_PERSON if journal.stopping else RunReason.COMPLETED


def suggesting(model_id: str | None) -> PredictOptions:
    """Options under which a model tells all that suggestions and doubt are made from."""
    if model_id is None:
        return PredictOptions(threshold=0.0, keys="all")
    return PredictOptions(threshold=0.0, keys="labelled")


def load_model(
    scenario: Scenario,
    model_id: str | None,
    labels: Sequence[str],
    database: Database,
    objects: Objects,
    home: Path,
    *,
    threads: int,
) -> Predictor:
    """The named model, or the scenario's base model for ``labels``.

    Raises:
        NotFound: ``model_not_found``.
        InvalidInput: ``no_base_model``.
    """
    if model_id is None:
        return scenario.base_model(labels, threads=threads)
    with database.read() as session:
        model = session.get(Model, model_id)
    if model is None:
        raise NotFound(
            "model_not_found",
            Text(en=f"There is no model '{model_id}'.", zh=f"没有模型“{model_id}”。"),
            Text(en="Choose a task that has been trained.", zh="请选择一个已训练的任务。"),
            field="task",
        )
    return scenario.load(fetch_folder(objects, model.files, home / "models" / model.id), threads=threads)


@dataclass(frozen=True)
class _Work:
    """The samples of one run: which are to be pre-labelled, and how what was found is written."""

    database: Database
    dataset_id: str
    run_id: str
    again: bool

    def _wanted(self) -> ColumnElement[bool]:
        """Nobody has worked on it: unlabelled as it was imported, or only ever pre-labelled, but not by this run."""
        untouched = and_(SampleRow.state == "unlabelled", SampleRow.source.in_(("import", "cleared")))
        earlier = and_(
            SampleRow.state == "pre_labelled", SampleRow.source.startswith("run-"), SampleRow.source != self.run_id
        )
        return and_(SampleRow.dataset_id == self.dataset_id, or_(untouched, earlier) if self.again else untouched)

    def count(self) -> int:
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(SampleRow).where(self._wanted())) or 0

    def samples(self) -> Iterator[tuple[str, int, Sample]]:
        """Id, revision and facts of every sample to do, by id; each is looked up shortly before it is done."""
        last = ""
        while True:
            with self.database.read() as session:
                rows = session.execute(
                    select(
                        SampleRow.id,
                        SampleRow.revision,
                        SampleRow.path,
                        SampleRow.width,
                        SampleRow.height,
                        SampleRow.digest,
                    )
                    .where(self._wanted(), SampleRow.id > last)
                    .order_by(SampleRow.id)
                    .limit(PAGE)
                ).all()
            for name, revision, path, width, height, digest in rows:
                yield name, revision, Sample(path=path, width=width, height=height, digest=digest)
            if len(rows) < PAGE:
                return
            last = rows[-1][0]

    def write(self, found: dict[str, tuple[int, Suggested]]) -> int:
        """Store suggestions, all in one transaction; a sample that has changed since it was read is left alone."""
        if not found:
            return 0
        written = 0
        now = utc_now()
        with self.database.write() as session:
            for sample_id, (revision, suggested) in found.items():
                changed = session.execute(
                    update(SampleRow)
                    .where(SampleRow.id == sample_id, SampleRow.revision == revision, self._wanted())
                    .values(
                        state="pre_labelled",
                        annotation=suggested.annotation.model_dump(mode="json"),
                        suggested={name: score.model_dump(mode="json") for name, score in suggested.scores.items()},
                        doubt=suggested.doubt,
                        source=self.run_id,
                        revision=SampleRow.revision + 1,
                        updated_at=now,
                    )
                )
                written += changed.rowcount  # type: ignore[attr-defined]
            if written:
                session.execute(
                    update(Dataset)
                    .where(Dataset.id == self.dataset_id)
                    .values(revision=Dataset.revision + 1, updated_at=now)
                )
        return written
