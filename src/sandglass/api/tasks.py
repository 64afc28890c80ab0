"""``/v1/tasks``: check, create, look at, stop, restart, give time, delete."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from sandglass.api.permissions import needs
from sandglass.api.problems import responses
from sandglass.api.schemas import (
    CreatedTask,
    DataCheckOut,
    EvaluationList,
    NameCheckOut,
    RunOut,
    TaskVersionOut,
    created_task,
)
from sandglass.api.studio import Limit, Offset, OpenStudio, Search
from sandglass.core.actor import Role
from sandglass.core.errors import NotFound
from sandglass.core.text import Text
from sandglass.studio.access import Right
from sandglass.studio.datacheck import DataCheck, DataChoice
from sandglass.studio.page import Page
from sandglass.studio.runs import RunView
from sandglass.studio.studio import Studio
from sandglass.studio.tasks import NameCheck, NewTask
from sandglass.studio.taskviews import SortKey, Stage, TaskVersionView, TaskView

router = APIRouter(prefix="/v1/tasks", tags=["tasks"], responses=responses(404))


class TagCount(BaseModel):
    """A tag and how many tasks carry it."""

    tag: str
    tasks: int


class StopForm(BaseModel):
    """How to stop a training."""

    model_config = ConfigDict(extra="forbid")

    evaluate: bool = Field(True, description="Whether the kept model is evaluated afterwards.")


class AddTimeForm(BaseModel):
    """How much longer a training may take."""

    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(gt=0, le=30 * 86400)


class EvaluationForm(BaseModel):
    """What to measure on."""

    model_config = ConfigDict(extra="forbid")

    test: tuple[str, ...] = Field(
        (), max_length=100, description="`DATASET` or `DATASET@v2`; empty = what the training names or held out."
    )
    text: Literal["given", "read"] = Field(
        "read", description="OCR: the dataset's own text, or as the product reads it."
    )


@router.get("", dependencies=[needs(Role.VIEWER)])
def list_tasks(
    studio: OpenStudio,
    q: Search = "",
    scenario: str | None = None,
    stage: Stage | None = None,
    status: Annotated[str | None, Query(max_length=40, description="Status within the stage.")] = None,
    tag: Annotated[str | None, Query(max_length=200)] = None,
    sort: SortKey = "created",
    descending: bool = True,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Page[TaskView]:
    """Tasks with their versions."""
    return studio.task_views.list(
        q=q,
        scenario=scenario,
        stage=stage,
        status=status,
        tag=tag,
        sort=sort,
        descending=descending,
        limit=limit,
        offset=offset,
    )


@router.post("", status_code=202, responses=responses(404, 409, 503), dependencies=[needs(Role.DEVELOPER)])
def create_task(studio: OpenStudio, form: NewTask) -> CreatedTask:
    """Create a task, or a new version of one, and queue its training."""
    if form.new_version_of is not None:
        studio.access.require("task", form.new_version_of, Right.CHANGE)
    return created_task(studio, studio.tasks.create(form))


@router.post("/check", response_model=DataCheckOut, dependencies=[needs(Role.DEVELOPER, audit=False)])
def check_task_data(studio: OpenStudio, choice: DataChoice) -> DataCheck:
    """Check the data of a form before the task is created; nothing is published or stored."""
    return studio.tasks.check(choice)


@router.get("/name-check", response_model=NameCheckOut, dependencies=[needs(Role.VIEWER)])
def check_task_name(studio: OpenStudio, name: Annotated[str, Query(max_length=200)]) -> NameCheck:
    """Whether a new task may have this name."""
    return studio.tasks.check_name(name)


@router.get("/tags", dependencies=[needs(Role.VIEWER)])
def list_task_tags(studio: OpenStudio) -> Page[TagCount]:
    """Tags that tasks carry, the most frequent first."""
    items = [TagCount(tag=tag, tasks=count) for tag, count in studio.task_views.tags().items()]
    return Page(items=items, total=len(items))


@router.get("/{task}", dependencies=[needs(Role.VIEWER)])
def get_task(studio: OpenStudio, task: str) -> TaskView:
    """One task by name or id, with its versions."""
    return studio.task_views.get(task)


@router.delete(
    "/{task}", status_code=204, responses=responses(404, 409), dependencies=[needs(Role.DEVELOPER, own="task")]
)
def delete_task(studio: OpenStudio, task: str) -> None:
    """Delete a task with its runs, models and evaluations; a service that uses one of them forbids it."""
    studio.tasks.delete(task)


Number = Annotated[int, Field(ge=1, le=2**31 - 1)]


@router.get("/{task}/versions/{number}", response_model=TaskVersionOut, dependencies=[needs(Role.VIEWER)])
def get_task_version(studio: OpenStudio, task: str, number: Number) -> TaskVersionView:
    """One version of a task with its training and its latest evaluation."""
    return studio.task_views.version(task, number)


@router.post(
    "/{task}/versions/{number}/stop",
    status_code=202,
    response_model=RunOut,
    responses=responses(404, 409),
    dependencies=[needs(Role.DEVELOPER, change="task")],
)
def stop_training(studio: OpenStudio, task: str, number: Number, form: StopForm | None = None) -> RunView:
    """Stop a training; the best model so far is kept."""
    return studio.runs.stop(_training(studio, task, number), evaluate=(form or StopForm()).evaluate)


@router.post(
    "/{task}/versions/{number}/restart",
    status_code=202,
    response_model=RunOut,
    responses=responses(404, 409),
    dependencies=[needs(Role.DEVELOPER, change="task")],
)
def restart_training(studio: OpenStudio, task: str, number: Number) -> RunView:
    """Go on with a failed, interrupted or stopped training from its last checkpoint."""
    return studio.runs.restart(_training(studio, task, number))


@router.post(
    "/{task}/versions/{number}/add-time",
    status_code=202,
    response_model=RunOut,
    responses=responses(404, 409),
    dependencies=[needs(Role.DEVELOPER, change="task")],
)
def add_training_time(studio: OpenStudio, task: str, number: Number, form: AddTimeForm) -> RunView:
    """Raise the maximum of a training; one that ended at its limit or was stopped goes on."""
    return studio.runs.add_time(_training(studio, task, number), form.seconds)


@router.post(
    "/{task}/versions/{number}/evaluations",
    status_code=202,
    response_model=RunOut,
    tags=["evaluations"],
    responses=responses(404, 409),
    dependencies=[needs(Role.DEVELOPER, change="task")],
)
def create_evaluation(studio: OpenStudio, task: str, number: Number, form: EvaluationForm) -> RunView:
    """Measure the best model of a task version."""
    return studio.evaluations.start(task, number, test=form.test, text=form.text)


@router.get(
    "/{task}/versions/{number}/evaluations",
    response_model=EvaluationList,
    tags=["evaluations"],
    dependencies=[needs(Role.VIEWER)],
)
def list_evaluations(studio: OpenStudio, task: str, number: Number) -> dict[str, Any]:
    """Evaluation runs of a task version, the newest first."""
    items = studio.evaluations.list(task, number)
    return {"items": items, "total": len(items)}


def _training(studio: Studio, task: str, number: int) -> str:
    run = studio.task_views.training_run(task, number)
    if run is None:
        raise NotFound(
            "run_not_found",
            Text(en=f"{task} v{number} has no training.", zh=f"{task} v{number} 没有训练。"),
            Text(en="Look at the task.", zh="请查看任务。"),
        )
    return run
