"""``/v1/datasets/…/samples/…/annotation`` and pre-labels: edits with ETag and If-Match, history, neighbours, suggestions."""

import json
import math
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sandglass.api.permissions import needs
from sandglass.api.problems import error_response, responses
from sandglass.api.schemas import RunList, RunOut
from sandglass.api.studio import OpenStudio
from sandglass.core.actor import Role
from sandglass.core.annotation import Annotation, Suggestion
from sandglass.core.errors import InvalidInput
from sandglass.core.geometry import Polygon
from sandglass.core.text import Text
from sandglass.scenarios.base import BoxText
from sandglass.studio.annotations import HistoryItem, Operation, SampleChanged, State
from sandglass.studio.neighbours import Neighbours, neighbours
from sandglass.studio.page import Page
from sandglass.studio.prelabels import PageSuggestion
from sandglass.studio.runs import RunView
from sandglass.studio.samples import SampleFilter, SamplePart, SampleSort, SampleState, SampleView

router = APIRouter(prefix="/v1/datasets", tags=["annotations"], responses=responses(404))

MOST_OPERATIONS = 50
_Label = Annotated[str, Field(min_length=1, max_length=200)]
Writer = Annotated[str, Field(max_length=60, pattern=r"^[\w.-]*$", description="Which browser or program writes.")]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match", description="The ETag that the caller's changes are made on, or `*` for whatever is there."
    ),
]
_CHANGED: dict[int | str, dict[str, Any]] = {
    **responses(404, 412),
    412: {
        "description": "Somebody else has changed the sample; nothing was written.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ChangedProblem"}}},
    },
}


class ChangedProblem(BaseModel):
    """The problem detail of a 412: with the sample as it is now, and which of the sent operations are in it already."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    action: str | None = None
    current: SampleView
    applied: list[str]


class Operations(BaseModel):
    """Edits in order; each id makes it safe to send the same edit again."""

    model_config = ConfigDict(extra="forbid")

    operations: list[Operation] = Field(min_length=1, max_length=MOST_OPERATIONS)
    create: list[_Label] = Field(default=[], max_length=200, description="Labels that may be new to the dataset.")
    writer: Writer = ""


class WholeAnnotation(BaseModel):
    """An annotation that replaces what is there."""

    model_config = ConfigDict(extra="forbid")

    annotation: Annotation | None
    state: State | None = Field(None, description="`labelled` unless given.")
    part: Literal["train", "validation", "test", "none"] | None = None
    suggested: dict[str, Suggestion] = Field(default={}, description="Parts that no person has confirmed.")
    create: list[_Label] = Field(default=[], max_length=200, description="Labels that may be new to the dataset.")
    writer: Writer = ""


def _finite(polygons: list[Polygon]) -> list[Polygon]:
    if not all(math.isfinite(value) for polygon in polygons for point in polygon for value in point):
        raise ValueError("a coordinate is no finite number")
    return polygons


class ReadForm(BaseModel):
    """Boxes to read: corners in reading order, in pixels of the upright picture."""

    model_config = ConfigDict(extra="forbid")

    polygons: Annotated[list[Polygon], AfterValidator(_finite)] = Field(min_length=1, max_length=200)


class ModelChoice(BaseModel):
    """Which model suggests: that of a task, or the base model."""

    model_config = ConfigDict(extra="forbid")

    task: str | None = Field(None, max_length=200, description="Name or id; none = the base model.")
    version: int | None = Field(None, ge=1, description="None = the newest.")


class PrelabelForm(ModelChoice):
    """What to pre-label a dataset with."""

    again: bool = Field(True, description="Replace what earlier runs suggested and no person has touched.")


@router.get("/{dataset}/samples/{sample}/annotation", response_model=SampleView, dependencies=[needs(Role.VIEWER)])
def get_annotation(studio: OpenStudio, response: Response, dataset: str, sample: str) -> SampleView:
    """A sample, by id or path, with its annotation; the ETag is what an edit must name."""
    return _told(response, studio.samples.get(dataset, sample))


@router.patch(
    "/{dataset}/samples/{sample}/annotation",
    response_model=SampleView,
    responses=_CHANGED,
    dependencies=[needs(Role.ANNOTATOR, change="dataset")],
)
def change_annotation(
    studio: OpenStudio, response: Response, dataset: str, sample: str, form: Operations, if_match: IfMatch = None
) -> SampleView | Response:
    """Apply edits, all or none. Those that were applied before change nothing, whatever `If-Match` says."""
    try:
        view = studio.annotations.change(
            dataset,
            sample,
            form.operations,
            revision=_revision(if_match),
            writer=form.writer,
            create=form.create,
        )
    except SampleChanged as error:
        return _changed(error)
    return _told(response, view)


@router.put(
    "/{dataset}/samples/{sample}/annotation",
    response_model=SampleView,
    responses=_CHANGED,
    dependencies=[needs(Role.ANNOTATOR, change="dataset")],
)
def replace_annotation(
    studio: OpenStudio,
    response: Response,
    dataset: str,
    sample: str,
    form: WholeAnnotation,
    if_match: IfMatch = None,
    idempotency_key: Annotated[UUID | None, Header(description="Makes the call safe to send again.")] = None,
) -> SampleView | Response:
    """Put a whole annotation in place of what is there; what it replaces stays in the history."""
    try:
        view = studio.annotations.replace(
            dataset,
            sample,
            form.annotation,
            revision=_revision(if_match),
            state=form.state,
            part=form.part,
            suggested=form.suggested,
            writer=form.writer,
            create=form.create,
            key=idempotency_key,
        )
    except SampleChanged as error:
        return _changed(error)
    return _told(response, view)


@router.get("/{dataset}/samples/{sample}/history", dependencies=[needs(Role.VIEWER)])
def list_annotation_history(studio: OpenStudio, dataset: str, sample: str) -> Page[HistoryItem]:
    """Annotations of a sample that were replaced, the newest first."""
    items = studio.annotations.history(dataset, sample)
    return Page(items=items, total=len(items))


@router.get("/{dataset}/neighbours", dependencies=[needs(Role.VIEWER)])
def list_neighbours(
    studio: OpenStudio,
    dataset: str,
    sample: Annotated[
        str | None, Query(max_length=1000, description="Id or path; none = the list's beginning.")
    ] = None,
    label: Annotated[str | None, Query(description="Only samples that carry this label or field.")] = None,
    state: SampleState | None = None,
    part: SamplePart | None = None,
    q: Annotated[str, Query(max_length=200, description="A part of the path.")] = "",
    sort: SampleSort = "path",
    around: Annotated[int, Query(ge=1, le=50)] = 8,
) -> Neighbours:
    """Where a sample stands in the list under a filter and an order, and which samples stand beside it."""
    chosen = SampleFilter(label=label, state=state, part=part, q=q)
    return neighbours(studio.database, dataset, sample, chosen, sort=sort, around=around)


@router.post("/{dataset}/samples/{sample}/read", dependencies=[needs(Role.ANNOTATOR, audit=False)])
def read_boxes(studio: OpenStudio, dataset: str, sample: str, form: ReadForm) -> Page[BoxText]:
    """The text of boxes that a person drew, with the confidence of each character."""
    items = studio.prelabels.read(dataset, sample, form.polygons)
    return Page(items=items, total=len(items))


@router.post(
    "/{dataset}/samples/{sample}/suggest",
    responses=responses(404, 409),
    dependencies=[needs(Role.ANNOTATOR, audit=False)],
)
def suggest_annotation(
    studio: OpenStudio, dataset: str, sample: str, form: ModelChoice | None = None
) -> PageSuggestion:
    """What a model suggests for one picture; nothing is stored."""
    chosen = form or ModelChoice()
    return studio.prelabels.page(dataset, sample, task=chosen.task, version=chosen.version)


@router.post(
    "/{dataset}/prelabel",
    status_code=202,
    response_model=RunOut,
    responses=responses(404, 409),
    dependencies=[needs(Role.ANNOTATOR, change="dataset")],
)
def prelabel_dataset(studio: OpenStudio, dataset: str, form: PrelabelForm | None = None) -> RunView:
    """Pre-label every picture that no person has worked on, as a run; labelled pictures are never touched."""
    chosen = form or PrelabelForm()
    return studio.prelabels.start(dataset, task=chosen.task, version=chosen.version, again=chosen.again)


@router.get("/{dataset}/prelabel", response_model=RunList, dependencies=[needs(Role.VIEWER)])
def list_prelabels(studio: OpenStudio, dataset: str) -> dict[str, object]:
    """Pre-label runs of a dataset, the newest first."""
    items = studio.prelabels.runs(dataset)
    return {"items": items, "total": len(items)}


def _told(response: Response, view: SampleView) -> SampleView:
    response.headers["ETag"] = f'"{view.revision}"'
    response.headers["Cache-Control"] = "no-store"
    return view


def _changed(error: SampleChanged) -> Response:
    answer = error_response(error)
    body = json.loads(bytes(answer.body)) | {
        "current": error.current.model_dump(mode="json"),
        "applied": list(error.applied),
    }
    headers = {"ETag": f'"{error.current.revision}"'}
    return JSONResponse(body, answer.status_code, headers, media_type=answer.media_type)


def _revision(if_match: str | None) -> int | None:
    """The revision that a caller's changes are made on; None for ``*``."""
    if if_match is not None:
        tag = if_match.strip()
        if tag == "*":
            return None
        plain = tag.removeprefix("W/").strip('"')
        if plain.isdecimal() and len(plain) < 18:
            return int(plain)
    raise InvalidInput(
        "if_match_invalid",
        Text(en="The request does not say which revision it is made on.", zh="请求未说明基于哪个修订。"),
        Text(
            en="Send If-Match with the ETag of the sample, or * for whatever is there.",
            zh="请在 If-Match 中发送样本的 ETag，或用 * 表示当前内容。",
        ),
        field="If-Match",
    )
