"""``/v1/datasets``: list, browse, publish versions, export, delete."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from sandglass.api.pictures import PICTURE, picture_response
from sandglass.api.problems import responses
from sandglass.api.schemas import ExportOut, PublishedVersion
from sandglass.api.studio import Limit, Offset, OpenStudio, Search
from sandglass.studio.datasets import DatasetView, LabelCount, SampleView
from sandglass.studio.exports import Exported
from sandglass.studio.page import Page
from sandglass.studio.versions import VersionView

router = APIRouter(prefix="/v1/datasets", tags=["datasets"], responses=responses(404))

PreviewSize = Annotated[
    int | None,
    Query(ge=16, le=4096, description="Longer side of a JPEG preview, in pixels; the file itself if not given."),
]


class ExportForm(BaseModel):
    """Where and how to write a dataset."""

    model_config = ConfigDict(extra="forbid")

    format: str = Field(max_length=40)
    folder: str = Field(min_length=1, max_length=4096, description="New or empty folder on the server, its whole path.")
    version: int | None = Field(None, ge=1, description="None = the draft.")


@router.get("")
def list_datasets(
    studio: OpenStudio, q: Search = "", scenario: str | None = None, limit: Limit = 50, offset: Offset = 0
) -> Page[DatasetView]:
    """Datasets, the latest changed first."""
    return studio.datasets.list(q=q, scenario=scenario, limit=limit, offset=offset)


@router.get("/{dataset}")
def get_dataset(studio: OpenStudio, dataset: str) -> DatasetView:
    """One dataset by name or id."""
    return studio.datasets.get(dataset)


@router.delete("/{dataset}", status_code=204, responses=responses(404, 409))
def delete_dataset(studio: OpenStudio, dataset: str) -> None:
    """Delete a dataset that no task uses; otherwise the answer names the tasks that would break."""
    studio.datasets.delete(dataset)


@router.get("/{dataset}/samples")
def list_samples(
    studio: OpenStudio,
    dataset: str,
    label: Annotated[str | None, Query(description="Only samples that carry this label or field.")] = None,
    state: Literal["unlabelled", "pre_labelled", "labelled"] | None = None,
    part: Literal["train", "validation", "test", "none"] | None = None,
    q: Annotated[str, Query(max_length=200, description="A part of the path.")] = "",
    annotations: Annotated[bool, Query(description="Whether to return annotations as well.")] = False,
    limit: Limit = 100,
    cursor: Annotated[str | None, Query(max_length=2000, description="`next` of the page before.")] = None,
) -> Page[SampleView]:
    """Samples of the draft by path."""
    return studio.datasets.samples(
        dataset, label=label, state=state, part=part, q=q, annotations=annotations, limit=limit, cursor=cursor
    )


@router.get("/{dataset}/samples/{sample}")
def get_sample(studio: OpenStudio, dataset: str, sample: str) -> SampleView:
    """One sample with its annotation."""
    return studio.datasets.sample(dataset, sample)


@router.get("/{dataset}/samples/{sample}/picture", response_class=Response, responses=PICTURE)
def get_sample_picture(
    studio: OpenStudio, request: Request, dataset: str, sample: str, size: PreviewSize = None
) -> Response:
    """The picture of a sample: the file as it was imported, or a preview."""
    return picture_response(studio, request, studio.datasets.sample(dataset, sample).digest, size)


@router.get("/{dataset}/labels")
def list_labels(studio: OpenStudio, dataset: str) -> Page[LabelCount]:
    """How often each label or field occurs in the draft."""
    labels = studio.datasets.labels(dataset)
    return Page(items=labels, total=len(labels))


@router.get("/{dataset}/versions")
def list_versions(studio: OpenStudio, dataset: str) -> Page[VersionView]:
    """Published versions, the newest first."""
    versions = studio.versions.list(dataset)
    return Page(items=versions, total=len(versions))


@router.post("/{dataset}/versions", status_code=201, responses=responses(404))
def publish_version(studio: OpenStudio, response: Response, dataset: str) -> PublishedVersion:
    """Publish the draft as a version that never changes; a draft that is published already answers 200."""
    version, new = studio.versions.publish(dataset)
    response.status_code = 201 if new else 200
    return PublishedVersion(**vars(version), new=new)


@router.post("/{dataset}/export", responses=responses(404, 409), response_model=ExportOut)
def export_dataset(studio: OpenStudio, dataset: str, form: ExportForm) -> Exported:
    """Write a dataset to a folder of the server, whole or not at all."""
    return studio.exports.export(dataset, format_id=form.format, folder=form.folder, version=form.version)
