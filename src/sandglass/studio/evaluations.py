"""Evaluations: start one, let one follow a training by itself, and read results, badcases and samples."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sandglass.core.annotation import Annotation
from sandglass.core.errors import Conflict, NotFound
from sandglass.core.prediction import Prediction
from sandglass.core.sample import Sample
from sandglass.core.status import RunKind, RunStatus
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.evaluation import BadcaseFilter, Results, Summary, select_badcases, summarise, threshold_index
from sandglass.learning.settings import DatasetRef, EvaluationSettings, TrainingSettings
from sandglass.scenarios.base import Match
from sandglass.store.db import Database
from sandglass.store.tables import Dataset, Evaluation, EvaluationSample, Model, Run, RunEvent, SampleRow, TaskVersion
from sandglass.studio.runs import Runs, RunView, record
from sandglass.studio.tasks import Tasks, find_version
from sandglass.studio.versions import Versions

DEFAULT_THRESHOLD = 0.5


class EvaluationItem(RunView):
    """An evaluation run in a list; ``evaluation`` is the id of its results once it has measured."""

    evaluation: str | None
    test: tuple[str, ...]
    sample_count: int | None


class EvaluationView(Value):
    """Everything about one finished evaluation, for all thresholds at once.

    Attributes:
        test: titles of the test data; empty = the part that the training held out.
        text: where the text of documents came from, ``read`` or ``given``.
        seconds: how long it took.
    """

    id: str
    run_id: str
    task: str
    version: int
    model_id: str
    scenario: str
    test: tuple[str, ...]
    text: str
    seconds: float | None
    sample_count: int
    results: Results
    created_at: datetime


class SummaryView(Summary):
    """Numbers at one threshold, with the evaluation that they come from."""

    evaluation: str


class Origin(Value):
    """Where a test sample stands in a dataset's draft now, to correct it there."""

    dataset: str
    sample: str


class CaseView(Value):
    """A test sample with truth and prediction; ``matches`` are all pairs, or only the wrong ones of a badcase.

    ``origin`` is None when its dataset holds the picture no longer.
    """

    position: int
    path: str
    digest: str
    width: int
    height: int
    truth: Annotation | None
    prediction: Prediction
    matches: tuple[Match, ...]
    origin: Origin | None = None


class CasePage(Value):
    """Samples of an evaluation; ``causes`` counts what is wrong under the filters of truth and prediction."""

    items: tuple[CaseView, ...]
    total: int
    next: str | None = None
    causes: dict[str, int]


class Evaluations:
    """Measures models and reads what was measured."""

    def __init__(self, database: Database, versions: Versions, runs: Runs, tasks: Tasks) -> None:
        self._database = database
        self._versions = versions
        self._runs = runs
        self._tasks = tasks

    def start(self, task: str, number: int, *, test: Sequence[str], text: Literal["given", "read"] = "read") -> RunView:
        """Measure the best model of a task version.

        Args:
            task: name or id.
            number: of the version.
            test: test data as ``DATASET`` or ``DATASET@v2``; empty = what the training names or held out.
            text: read the pictures, or take the dataset's own text (OCR).

        Raises:
            Conflict: ``no_model``: training has not left one yet.
            InvalidInput: the test data does not fit, or has nothing labelled.
        """
        with self._database.read() as session:
            row, version = find_version(session, task, number)
            model_id = best_model(session, version.id)
            trained = TrainingSettings.model_validate(version.settings)
            version_id, scenario = version.id, row.scenario
        if model_id is None:
            raise Conflict(
                "no_model",
                Text(en=f"{row.name} v{number} has no model yet.", zh=f"{row.name} v{number} 还没有模型。"),
                Text(
                    en="Wait until training has a first model, or train again.", zh="请等待训练产生模型，或重新训练。"
                ),
            )
        refs = self._test_data(scenario, test) if test else trained.test
        settings = EvaluationSettings(model_id=model_id, test=refs, text=text)
        with self._database.write() as session:
            run = _new_run(session, version_id, settings)
        self._runs.submit(run.id)
        return self._runs.get(run.id)

    def _test_data(self, scenario: str, test: Sequence[str]) -> tuple[DatasetRef, ...]:
        return self._tasks.pin_test(scenario, test)

    def follow(self, run_id: str) -> str | None:
        """Start the evaluation that follows a training run, exactly once for each time that it was submitted.

        The mark that it was started and the new run are written in one transaction, so a crash leaves both or none.

        Returns:
            Id of the evaluation run that was started now; None when none is due.
        """
        with self._database.read() as session:
            run = session.get(Run, run_id)
            if run is None or not self._due(session, run):
                return None
        with self._database.write() as session:
            run = session.get(Run, run_id, with_for_update=True)
            if run is None or not self._due(session, run):
                return None
            assert run.task_version_id is not None
            trained = TrainingSettings.model_validate(run.settings)
            settings = EvaluationSettings(model_id=best_model(session, run.task_version_id), test=trained.test)
            following = _new_run(session, run.task_version_id, settings)
            record(session, run, "evaluation", {"work": run.work_id, "run": following.id})
        self._runs.submit(following.id)
        return following.id

    def _due(self, session: Session, run: Run) -> bool:
        if run.kind != RunKind.TRAINING or run.status not in (RunStatus.SUCCEEDED, RunStatus.STOPPED):
            return False
        assert run.task_version_id is not None
        told = [
            event
            for event in session.scalars(
                select(RunEvent).where(RunEvent.run_id == run.id, RunEvent.kind.in_(("stop", "evaluation")))
            )
            if event.data.get("work") == run.work_id
        ]
        if any(event.kind == "evaluation" for event in told):
            return False
        wishes = [event.data["evaluate"] for event in told if event.kind == "stop"]
        if run.status == RunStatus.STOPPED and wishes and not wishes[-1]:
            return False
        return best_model(session, run.task_version_id) is not None

    def list(self, task: str, number: int) -> list[EvaluationItem]:
        """Evaluation runs of a task version, the newest first."""
        with self._database.read() as session:
            _, version = find_version(session, task, number)
            rows = session.execute(
                select(Run, Evaluation.id, Evaluation.sample_count)
                .outerjoin(Evaluation, Evaluation.run_id == Run.id)
                .where(Run.task_version_id == version.id, Run.kind == RunKind.EVALUATION)
                .order_by(Run.created_at.desc(), Run.id)
            ).all()
            return [
                EvaluationItem(
                    **vars(self._runs.view(session, run)),
                    evaluation=evaluation,
                    test=self._titles(run),
                    sample_count=count,
                )
                for run, evaluation, count in rows
            ]

    def _titles(self, run: Run) -> tuple[str, ...]:
        settings = EvaluationSettings.model_validate(run.settings)
        return tuple(self._versions.title(ref) for ref in settings.test)

    def get(self, evaluation_id: str) -> EvaluationView:
        """One finished evaluation with its counts at every threshold.

        Raises:
            NotFound: ``evaluation_not_found``.
        """
        with self._database.read() as session:
            row = find_evaluation(session, evaluation_id)
            run = session.get_one(Run, row.run_id)
            view = self._runs.view(session, run)
            model = session.get_one(Model, row.model_id)
            settings = EvaluationSettings.model_validate(run.settings)
            return EvaluationView(
                id=row.id,
                run_id=run.id,
                task=view.task,
                version=view.version,
                model_id=row.model_id,
                scenario=model.scenario,
                test=self._titles(run),
                text=settings.text,
                seconds=view.used_seconds,
                sample_count=row.sample_count,
                results=Results.model_validate(row.results),
                created_at=row.created_at,
            )

    def summary(self, evaluation_id: str, *, threshold: float = DEFAULT_THRESHOLD, exact: bool = False) -> SummaryView:
        """The numbers at one threshold.

        Raises:
            InvalidInput: ``invalid_threshold``.
        """
        with self._database.read() as session:
            results = Results.model_validate(find_evaluation(session, evaluation_id).results)
        return SummaryView(evaluation=evaluation_id, **vars(summarise(results, threshold, exact=exact)))

    def badcases(
        self,
        evaluation_id: str,
        *,
        threshold: float = DEFAULT_THRESHOLD,
        exact: bool = False,
        truth: str | None = None,
        predicted: str | None = None,
        cause: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> CasePage:
        """Samples that the model got wrong, by their place in the test set.

        Args:
            evaluation_id: which evaluation.
            threshold: 0.05 to 0.95 by 0.05.
            exact: whether a text must be the same to the letter.
            truth: only errors on this label; the empty string = nothing is there.
            predicted: only errors with this answer; the empty string = nothing was answered.
            cause: only errors with this cause.
            limit: most samples.
            offset: samples to leave out first.
        """
        threshold_index(threshold)
        with self._database.read() as session:
            evaluation = find_evaluation(session, evaluation_id)
            rows = list(_matches(session, evaluation_id))
            causes: Counter[str] = Counter()
            for _, wrong in select_badcases(
                rows, threshold, BadcaseFilter(truth=truth, predicted=predicted), exact=exact
            ):
                causes.update({match.cause for match in wrong if match.cause})
            wanted = BadcaseFilter(truth=truth, predicted=predicted, cause=cause)
            found = list(select_badcases(rows, threshold, wanted, exact=exact))
            page = dict(found[offset : offset + limit])
            chosen = session.scalars(
                select(EvaluationSample)
                .where(EvaluationSample.evaluation_id == evaluation_id, EvaluationSample.position.in_(page))
                .order_by(EvaluationSample.position)
            ).all()
            origins = _origins(session, evaluation, chosen)
            items = [_case(row, page[row.position], origins) for row in chosen]
        more = offset + len(items) < len(found)
        following = str(offset + len(items)) if more else None
        return CasePage(items=tuple(items), total=len(found), next=following, causes=dict(causes.most_common()))

    def samples(self, evaluation_id: str, *, limit: int = 50, offset: int = 0) -> CasePage:
        """The test set in order, each sample with truth, prediction and how they were paired."""
        with self._database.read() as session:
            evaluation = find_evaluation(session, evaluation_id)
            here = EvaluationSample.evaluation_id == evaluation_id
            total = session.scalar(select(func.count()).where(here)) or 0
            rows = session.scalars(
                select(EvaluationSample).where(here).order_by(EvaluationSample.position).limit(limit).offset(offset)
            ).all()
            origins = _origins(session, evaluation, rows)
            items = [_case(row, [Match.model_validate(match) for match in row.matches], origins) for row in rows]
        following = str(offset + len(items)) if offset + len(items) < total else None
        return CasePage(items=tuple(items), total=total, next=following, causes={})

    def sample(self, evaluation_id: str, position: int) -> CaseView:
        """One sample of the test set.

        Raises:
            NotFound: ``sample_not_found``.
        """
        with self._database.read() as session:
            evaluation = find_evaluation(session, evaluation_id)
            row = session.scalar(
                select(EvaluationSample).where(
                    EvaluationSample.evaluation_id == evaluation_id, EvaluationSample.position == position
                )
            )
            if row is None:
                raise NotFound(
                    "sample_not_found",
                    Text(en=f"The evaluation has no sample {position}.", zh=f"该评测没有第 {position} 个样本。"),
                    Text(en="Look at the list of samples.", zh="请查看样本列表。"),
                )
            matches = [Match.model_validate(match) for match in row.matches]
            return _case(row, matches, _origins(session, evaluation, [row]))


def best_model(session: Session, version_id: str) -> str | None:
    """Id of the best model of a task version: the newest, for one is written each time the best improves."""
    return session.scalar(
        select(Model.id)
        .join(Run, Run.id == Model.run_id)
        .where(Run.task_version_id == version_id)
        .order_by(Model.created_at.desc(), Model.id)
        .limit(1)
    )


def _new_run(session: Session, version_id: str, settings: EvaluationSettings) -> Run:
    session.get_one(TaskVersion, version_id)
    run = Run(
        task_version_id=version_id,
        kind=RunKind.EVALUATION,
        status=RunStatus.SUBMITTING,
        settings=settings.model_dump(mode="json"),
        max_seconds=None,
    )
    session.add(run)
    session.flush()
    record(session, run, "status", {"status": RunStatus.SUBMITTING})
    return run


def find_evaluation(session: Session, evaluation_id: str) -> Evaluation:
    """The evaluation of that id.

    Raises:
        NotFound: ``evaluation_not_found``.
    """
    found = session.get(Evaluation, evaluation_id)
    if found is None:
        raise NotFound(
            "evaluation_not_found",
            Text(en=f"There is no evaluation '{evaluation_id}'.", zh=f"没有评测“{evaluation_id}”。"),
            Text(en="It exists once its run has finished measuring.", zh="评测运行完成后才会出现。"),
        )
    return found


def _matches(session: Session, evaluation_id: str) -> Iterator[tuple[int, list[Match]]]:
    rows = session.execute(
        select(EvaluationSample.position, EvaluationSample.matches)
        .where(EvaluationSample.evaluation_id == evaluation_id)
        .order_by(EvaluationSample.position)
    )
    for position, matches in rows:
        yield position, [Match.model_validate(match) for match in matches]


def _origins(session: Session, evaluation: Evaluation, rows: Sequence[EvaluationSample]) -> dict[str, Origin]:
    """Where the pictures of test samples stand in the drafts of the datasets that the evaluation measured on, by digest."""
    run = session.get_one(Run, evaluation.run_id)
    refs = EvaluationSettings.model_validate(run.settings).test
    if not refs:
        settings = session.get_one(TaskVersion, run.task_version_id).settings
        refs = TrainingSettings.model_validate(settings).train
    found = session.execute(
        select(SampleRow.digest, Dataset.name, SampleRow.id)
        .join(Dataset, Dataset.id == SampleRow.dataset_id)
        .where(
            Dataset.id.in_({ref.dataset_id for ref in refs}),
            SampleRow.digest.in_({row.sample["digest"] for row in rows}),
        )
    )
    return {digest: Origin(dataset=name, sample=sample) for digest, name, sample in found}


def _case(row: EvaluationSample, matches: Sequence[Match], origins: dict[str, Origin]) -> CaseView:
    sample = Sample.model_validate(row.sample)
    return CaseView(
        position=row.position,
        path=sample.path,
        digest=sample.digest,
        width=sample.width,
        height=sample.height,
        truth=sample.annotation,
        prediction=row.prediction,
        matches=tuple(matches),
        origin=origins.get(sample.digest),
    )
