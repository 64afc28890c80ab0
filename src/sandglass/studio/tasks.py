"""Tasks: validate a form, check its data, create the task or a new version of it with its training run, delete."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, ValidationError
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sandglass.core.actor import acting_as
from sandglass.core.errors import Conflict, InvalidInput, NotFound
from sandglass.core.finding import Finding
from sandglass.core.sample import Sample
from sandglass.core.settings import Settings
from sandglass.core.status import RunKind, RunStatus
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.learning.data import complete, map_labels
from sandglass.learning.settings import DatasetRef, TrainingSettings
from sandglass.scenarios.base import Preference, Scenario, get_scenario
from sandglass.store.db import Database
from sandglass.store.tables import Model, Run, Service, ServiceVersion, Task, TaskVersion
from sandglass.studio.datacheck import DataCheck, DataChoice, check_data
from sandglass.studio.importjob import remove_tree
from sandglass.studio.kinds import annotation_kind
from sandglass.studio.runs import FINAL, Runs, record
from sandglass.studio.specs import Specs
from sandglass.studio.validation import FieldProblem, InvalidFields, check_name, invalid_fields
from sandglass.studio.versions import Source, Versions

RESERVED_NAMES = frozenset({"name-check", "check", "tags"})
"""Names that are addresses of the interface."""


class NewTask(DataChoice):
    """The form of a new task, or of a new version of one.

    Attributes:
        name: of the task; may be left out with ``new_version_of``.
        max_seconds: longest training time; None = no limit.
        target_score: stop early when the main metric reaches it, 0..1.
        spec: compute spec; None = the default one that fits this machine.
        new_version_of: name or id of an existing task.
    """

    name: str | None = Field(None, max_length=200)
    description: str = Field("", max_length=2000)
    tags: tuple[str, ...] = Field((), max_length=50)
    max_seconds: float | None = Field(3600.0, gt=0, le=30 * 86400)
    target_score: float | None = Field(None, gt=0, le=1)
    preference: Preference = "balanced"
    parameters: dict[str, Any] = Field(default_factory=dict)
    spec: str | None = None
    new_version_of: str | None = None


class Created(Value):
    """A new task version with its training run, and what the data check noticed."""

    task_id: str
    task: str
    version: int
    run_id: str
    findings: tuple[Finding, ...]


class NameCheck(Value):
    """Whether a name may be given to a new task; ``message`` says why not."""

    name: str
    available: bool
    message: Text | None = None


class Tasks:
    """Creates and removes tasks."""

    def __init__(self, settings: Settings, database: Database, versions: Versions, runs: Runs, specs: Specs) -> None:
        self._settings = settings
        self._database = database
        self._versions = versions
        self._runs = runs
        self._specs = specs

    def check_name(self, name: str) -> NameCheck:
        """Whether a new task may have this name."""
        try:
            name = check_name(name)
            with self._database.read() as session:
                _refuse_taken(session, name)
        except (InvalidInput, Conflict) as error:
            return NameCheck(name=name, available=False, message=error.message)
        return NameCheck(name=name, available=True)

    def check(self, choice: DataChoice) -> DataCheck:
        """Check the data of a form; drafts are looked at as they are, nothing is published.

        Raises:
            NotFound: the scenario, a dataset or a version does not exist.
            InvalidInput: a dataset does not fit the scenario.
        """
        return self._check(choice, get_scenario(choice.scenario), self._sources(choice))

    def create(self, form: NewTask) -> Created:
        """Create a task, or a new version of one, and queue its training.

        Drafts among its datasets are published, so that what it learns from never changes.

        Raises:
            NotFound: something that the form names does not exist.
            Conflict: ``task_name_taken``.
            InvalidInput: a field is wrong, or ``data_check_failed``.
        """
        scenario = get_scenario(form.scenario)
        name = self._name(form, scenario)
        parameters = _parameters(scenario, form.parameters)
        spec = self._specs.get(form.spec) if form.spec is not None else self._specs.default("2C4G")
        sources = self._sources(form)
        checked = self._check(form, scenario, sources)
        if checked.errors:
            raise _refused(checked)
        pins = {part: tuple(self._versions.pin(source) for source in listed) for part, listed in sources.items()}
        settings = TrainingSettings(
            train=pins["train"],
            validation=pins["validation"],
            test=pins["test"],
            validation_percent=form.validation_percent,
            test_percent=form.test_percent,
            labels=form.labels,
            label_map=form.label_map,
            use_marks=form.use_marks,
            exclude_duplicates=form.exclude_duplicates,
            max_seconds=form.max_seconds,
            target_score=form.target_score,
            preference=form.preference,
            parameters=parameters,
            spec=spec.id,
            seed=form.seed,
        ).model_dump(mode="json")
        created = self._store(form, name, settings, checked)
        self._runs.submit(created.run_id)
        return created

    def _name(self, form: NewTask, scenario: Scenario) -> str | None:
        """The name of the new task; None for a new version of an existing one."""
        if form.new_version_of is not None:
            with self._database.read() as session:
                task = find_task(session, form.new_version_of)
            if task.scenario != scenario.id:
                raise InvalidInput(
                    "scenario_differs",
                    Text(
                        en=f"{task.name} learns '{task.scenario}', not '{scenario.id}'.",
                        zh=f"{task.name} 的场景是“{task.scenario}”，不是“{scenario.id}”。",
                    ),
                    Text(en="Make a new task instead of a new version.", zh="请新建任务而不是新版本。"),
                    field="scenario",
                )
            return None
        if form.name is None:
            raise InvalidInput(
                "name_missing",
                Text(en="The task has no name.", zh="任务没有名称。"),
                Text(en="Give it a name.", zh="请填写名称。"),
                field="name",
            )
        name = check_name(form.name)
        with self._database.read() as session:
            _refuse_taken(session, name)
        return name

    def _store(self, form: NewTask, name: str | None, settings: dict[str, Any], checked: DataCheck) -> Created:
        try:
            with self._database.write() as session:
                if name is None:
                    task = find_task(session, form.new_version_of or "")
                else:
                    task = Task(name=name, scenario=form.scenario, description=form.description, tags=list(form.tags))
                    session.add(task)
                    session.flush()
                newest = session.scalar(select(func.max(TaskVersion.number)).where(TaskVersion.task_id == task.id))
                version = TaskVersion(task_id=task.id, number=(newest or 0) + 1, settings=settings)
                session.add(version)
                session.flush()
                run = Run(
                    task_version_id=version.id,
                    kind=RunKind.TRAINING,
                    status=RunStatus.SUBMITTING,
                    settings=settings,
                    max_seconds=form.max_seconds,
                )
                session.add(run)
                session.flush()
                self._runs.charge(session, run)
                record(session, run, "status", {"status": RunStatus.SUBMITTING})
                return Created(
                    task_id=task.id,
                    task=task.name,
                    version=version.number,
                    run_id=run.id,
                    findings=checked.findings,
                )
        except IntegrityError as error:
            raise _taken(name or form.new_version_of or "") from error

    def _sources(self, choice: DataChoice) -> dict[str, list[Source]]:
        scenario = get_scenario(choice.scenario)
        return {
            "train": self._fitting(scenario, "train", choice.train),
            "validation": self._fitting(scenario, "validation", choice.validation),
            "test": self._fitting(scenario, "test", choice.test),
        }

    def _fitting(self, scenario: Scenario, part: str, refs: Sequence[str]) -> list[Source]:
        sources = [self._versions.find(ref, field=part) for ref in refs]
        for source in sources:
            if annotation_kind(source.scenario) != scenario.annotation:
                raise InvalidInput(
                    "dataset_scenario_mismatch",
                    Text(
                        en=f"{source.name} is a dataset for '{source.scenario}', which '{scenario.id}' cannot learn.",
                        zh=f"{source.name} 是“{source.scenario}”数据集，不能用于“{scenario.id}”。",
                    ),
                    Text(en="Choose a dataset of the task's scenario.", zh="请选择与任务场景一致的数据集。"),
                    field=part,
                )
        return sources

    def _check(self, choice: DataChoice, scenario: Scenario, sources: Mapping[str, Sequence[Source]]) -> DataCheck:
        parts = {part: self._samples(listed, choice.label_map) for part, listed in sources.items()}
        return check_data(scenario, parts["train"], parts["validation"], parts["test"], choice)

    def _samples(self, sources: Sequence[Source], label_map: dict[str, str]) -> list[Sample]:
        """Samples of several datasets as a training run will see them, unlabelled ones included."""
        samples = []
        for number, source in enumerate(sources):
            for sample in self._versions.samples(source):
                changed: dict[str, Any] = {} if number == 0 else {"path": f"{source.dataset_id}/{sample.path}"}
                if sample.annotation is not None:
                    changed["annotation"] = map_labels(complete(sample.annotation), None, label_map)
                samples.append(sample.model_copy(update=changed))
        return samples

    def pin_test(self, scenario: str, test: Sequence[str]) -> tuple[DatasetRef, ...]:
        """The versions to measure on.

        Raises:
            NotFound: a dataset or version does not exist.
            InvalidInput: one does not fit the scenario, or has nothing labelled (``nothing_labelled``).
        """
        refs = []
        for source in self._fitting(get_scenario(scenario), "test", test):
            ref = self._versions.pin(source)
            if self._versions.labelled_count(ref) == 0:
                raise InvalidInput(
                    "nothing_labelled",
                    Text(en=f"No picture of {source.title} is labelled.", zh=f"{source.title} 中没有已标注的图片。"),
                    Text(en="Label some of its pictures first.", zh="请先标注其中一些图片。"),
                    field="test",
                )
            refs.append(ref)
        return tuple(refs)

    def delete(self, name: str) -> None:
        """Remove a task with its runs, models and evaluations.

        Raises:
            Conflict: ``task_running``, or ``task_in_use`` naming the services that would break.
        """
        with self._database.write() as session:
            task = find_task(session, name)
            running = session.scalar(
                select(func.count())
                .select_from(Run)
                .join(TaskVersion, TaskVersion.id == Run.task_version_id)
                .where(TaskVersion.task_id == task.id, Run.status.not_in(FINAL))
            )
            if running:
                raise Conflict(
                    "task_running",
                    Text(
                        en=f"{task.name} has {running} run(s) that are not over.",
                        zh=f"{task.name} 还有 {running} 个运行未结束。",
                    ),
                    Text(en="Stop them first.", zh="请先停止。"),
                )
            with acting_as(None):  # services that the caller may not see would break as well
                services = session.scalars(
                    select(Service.name)
                    .join(ServiceVersion, ServiceVersion.service_id == Service.id)
                    .join(Model, Model.id == ServiceVersion.model_id)
                    .join(Run, Run.id == Model.run_id)
                    .join(TaskVersion, TaskVersion.id == Run.task_version_id)
                    .where(TaskVersion.task_id == task.id)
                    .distinct()
                ).all()
            if services:
                shown = ", ".join(services)
                raise Conflict(
                    "task_in_use",
                    Text(
                        en=f"{task.name}'s model is published as {shown}.", zh=f"{task.name} 的模型已发布为 {shown}。"
                    ),
                    Text(en="Delete those services first.", zh="请先删除这些服务。"),
                    details={"services": shown},
                )
            runs = session.scalars(
                select(Run.id)
                .join(TaskVersion, TaskVersion.id == Run.task_version_id)
                .where(TaskVersion.task_id == task.id)
            ).all()
            models = session.scalars(select(Model.id).where(Model.run_id.in_(runs))).all()
            session.execute(delete(Task).where(Task.id == task.id))
        home = self._settings.home
        for left in [home / "runs" / run for run in runs] + [home / "models" / model for model in models]:
            remove_tree(left)


def find_task(session: Session, name: str) -> Task:
    """The task of that name or id.

    Raises:
        NotFound: ``task_not_found``.
    """
    found = session.scalar(select(Task).where(Task.name == name)) or session.get(Task, name)
    if found is None:
        raise NotFound(
            "task_not_found",
            Text(en=f"There is no task '{name}'.", zh=f"没有任务“{name}”。"),
            Text(en="Check the name in the list of tasks.", zh="请在任务列表中核对名称。"),
            field="task",
        )
    return found


def find_version(session: Session, name: str, number: int | None) -> tuple[Task, TaskVersion]:
    """A task with one of its versions, the newest where ``number`` is None.

    Raises:
        NotFound: ``task_not_found`` or ``task_version_not_found``.
    """
    task = find_task(session, name)
    query = select(TaskVersion).where(TaskVersion.task_id == task.id).order_by(TaskVersion.number.desc()).limit(1)
    if number is not None:
        query = query.where(TaskVersion.number == number)
    version = session.scalar(query)
    if version is None:
        raise NotFound(
            "task_version_not_found",
            Text(en=f"{task.name} has no version {number}.", zh=f"{task.name} 没有版本 {number}。"),
            Text(en="Look at the task for its versions.", zh="请查看任务的版本列表。"),
            field="version",
        )
    return task, version


def _parameters(scenario: Scenario, given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return scenario.parameters.model_validate(dict(given)).model_dump(mode="json")
    except ValidationError as error:
        raise invalid_fields(
            error,
            "parameters_invalid",
            Text(en=f"Some parameters do not fit scenario '{scenario.id}'.", zh=f"部分参数不符合场景“{scenario.id}”。"),
            ["parameters"],
        ) from error


def _refused(checked: DataCheck) -> InvalidFields:
    problems = [
        FieldProblem(
            field="train",
            message=Text(
                en=f"{finding.message.en} {finding.outcome.en}",
                zh=f"{finding.message.zh}{finding.outcome.zh}",
            ),
        )
        for finding in checked.errors
    ]
    return InvalidFields(
        "data_check_failed",
        Text(en="The data cannot be learnt from as it is.", zh="当前数据无法用于训练。"),
        problems,
    )


def _refuse_taken(session: Session, name: str) -> None:
    with acting_as(None):  # a name is taken, whoever may see what has it
        taken = session.scalar(select(Task.id).where(Task.name == name)) is not None
    if taken or name in RESERVED_NAMES:
        raise _taken(name)


def _taken(name: str) -> Conflict:
    return Conflict(
        "task_name_taken",
        Text(en=f"There is already a task '{name}'.", zh=f"已存在任务“{name}”。"),
        Text(en="Choose another name, or make a new version of that task.", zh="请换一个名称，或新建该任务的版本。"),
        field="name",
    )
