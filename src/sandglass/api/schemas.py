"""What the interface answers where it differs from what the studio knows: sentences in one language."""

from pydantic import BaseModel, ConfigDict

from sandglass.api.language import LocalText
from sandglass.core.finding import Severity
from sandglass.studio.datacheck import LabelCounts
from sandglass.studio.evaluations import EvaluationItem
from sandglass.studio.exports import ExportView
from sandglass.studio.imports import ImportView
from sandglass.studio.runs import RunView
from sandglass.studio.serviceevents import ServiceEventView
from sandglass.studio.serviceviews import ServiceView
from sandglass.studio.specs import SpecView
from sandglass.studio.studio import Studio
from sandglass.studio.tasks import Created
from sandglass.studio.taskviews import TaskVersionView
from sandglass.studio.versions import VersionView


class Out(BaseModel):
    """Base of answers: made from the attributes of what the studio returns."""

    model_config = ConfigDict(from_attributes=True)


class ProblemOut(Out):
    """Why something failed, and what to do."""

    code: str
    message: LocalText
    action: LocalText | None
    field: str | None
    details: dict[str, str | int | float | bool | None]


class FindingOut(Out):
    """One thing that a check noticed."""

    code: str
    severity: Severity
    message: LocalText
    outcome: LocalText
    file: str | None
    line: int | None
    count: int
    label: str | None


class RunOut(RunView):
    """Where a run stands."""

    model_config = ConfigDict(from_attributes=True)

    error: ProblemOut | None  # type: ignore[assignment]


class RunList(Out):
    """Runs, the newest first."""

    items: list[RunOut]
    total: int
    next: str | None = None


class EvaluationItemOut(EvaluationItem):
    """An evaluation run; ``evaluation`` is the id of its results once it has measured."""

    model_config = ConfigDict(from_attributes=True)

    error: ProblemOut | None  # type: ignore[assignment]


class EvaluationList(Out):
    """Evaluation runs, the newest first."""

    items: list[EvaluationItemOut]
    total: int
    next: str | None = None


class TaskVersionOut(TaskVersionView):
    """A task version with its settings, its training and its latest evaluation."""

    model_config = ConfigDict(from_attributes=True)

    training_run: RunOut | None
    evaluation_run: RunOut | None


class CreatedVersion(Out):
    """The number of a new task version."""

    task_id: str
    number: int


class CreatedTask(Out):
    """A new task version, its training run, and what the data check noticed."""

    task: str
    task_id: str
    version: CreatedVersion
    run: RunOut
    findings: list[FindingOut]


def created_task(studio: Studio, created: Created) -> CreatedTask:
    """The answer to the creation of a task version."""
    return CreatedTask.model_validate(
        {
            "task": created.task,
            "task_id": created.task_id,
            "version": CreatedVersion(task_id=created.task_id, number=created.version),
            "run": studio.runs.get(created.run_id),
            "findings": created.findings,
        },
        from_attributes=True,
    )


class DataCheckOut(Out):
    """The outcome of a data check."""

    train: int
    validation: int
    test: int
    unlabelled: int
    labels: list[LabelCounts]
    findings: list[FindingOut]


class NameCheckOut(Out):
    """Whether a name may be given to a new task; ``message`` says why not."""

    name: str
    available: bool
    message: LocalText | None


class ImportOut(ImportView):
    """Where an import stands, and what its check noticed."""

    model_config = ConfigDict(from_attributes=True)

    findings: tuple[FindingOut, ...]  # type: ignore[assignment]
    error: ProblemOut | None  # type: ignore[assignment]


class ImportList(Out):
    """Imports, the newest first."""

    items: list[ImportOut]
    total: int
    next: str | None = None


class PublishedVersion(VersionView):
    """A dataset version; ``new`` is false when the draft was published before."""

    new: bool


class ExportOut(Out):
    """What an export wrote and what the format cannot hold."""

    folder: str
    format: str
    written: int
    findings: list[FindingOut]


class ExportJobOut(ExportView):
    """An export at work or ready, and what the format cannot hold."""

    model_config = ConfigDict(from_attributes=True)

    findings: tuple[FindingOut, ...]  # type: ignore[assignment]
    error: ProblemOut | None  # type: ignore[assignment]


class ServiceOut(ServiceView):
    """A service."""

    model_config = ConfigDict(from_attributes=True)

    error: ProblemOut | None  # type: ignore[assignment]


class ServiceList(Out):
    """Services, the newest first."""

    items: list[ServiceOut]
    total: int
    next: str | None = None


class ServiceEventOut(ServiceEventView):
    """One event of a service; ``count`` times between ``first_at`` and ``last_at``."""

    model_config = ConfigDict(from_attributes=True)

    message: LocalText  # type: ignore[assignment]


class ServiceEventList(Out):
    """Events, the latest first."""

    items: list[ServiceEventOut]
    total: int
    next: str | None = None


class SpecOut(SpecView):
    """A compute spec; ``reason`` says why this machine cannot give it."""

    model_config = ConfigDict(from_attributes=True)

    reason: LocalText | None  # type: ignore[assignment]
