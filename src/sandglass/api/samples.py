"""``/v1/datasets/…/samples``: browse a draft, look at one sample, change many at once."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from sandglass.api.permissions import needs
from sandglass.api.pictures import PICTURE, PreviewSize, picture_response
from sandglass.api.problems import responses
from sandglass.api.studio import Limit, Offset, OpenStudio
from sandglass.core.actor import Role
from sandglass.studio.bulk import BulkChange, BulkChanged
from sandglass.studio.page import Page
from sandglass.studio.samples import SampleFilter, SamplePart, SampleSort, SampleState, SampleView

router = APIRouter(prefix="/v1/datasets/{dataset}/samples", tags=["datasets"], responses=responses(404))


@router.get("", dependencies=[needs(Role.VIEWER)])
def list_samples(
    studio: OpenStudio,
    dataset: str,
    label: Annotated[
        str | None, Query(max_length=200, description="Only samples that carry this label or field.")
    ] = None,
    state: SampleState | None = None,
    part: SamplePart | None = None,
    q: Annotated[str, Query(max_length=200, description="A part of the path.")] = "",
    sort: SampleSort = "path",
    annotations: Annotated[bool, Query(description="Whether to return annotations as well.")] = False,
    limit: Limit = 100,
    offset: Offset = 0,
    cursor: Annotated[str | None, Query(max_length=2000, description="`next` of the page before.")] = None,
) -> Page[SampleView]:
    """Samples of the draft. `cursor` goes on where a page ended; `offset` jumps."""
    chosen = SampleFilter(label=label, state=state, part=part, q=q)
    return studio.samples.list(
        dataset, chosen, sort=sort, annotations=annotations, limit=limit, offset=offset, cursor=cursor
    )


@router.post("/bulk", responses=responses(404, 409), dependencies=[needs(Role.ANNOTATOR, change="dataset")])
def change_samples(studio: OpenStudio, dataset: str, form: BulkChange) -> BulkChanged:
    """Mark, label or remove many samples in one transaction: those named, or all that a filter lets through."""
    return studio.bulk.change(dataset, form)


@router.get("/{sample}", dependencies=[needs(Role.VIEWER)])
def get_sample(studio: OpenStudio, dataset: str, sample: str) -> SampleView:
    """One sample with its annotation."""
    return studio.samples.get(dataset, sample)


@router.get("/{sample}/picture", response_class=Response, responses=PICTURE, dependencies=[needs(Role.VIEWER)])
def get_sample_picture(
    studio: OpenStudio, request: Request, dataset: str, sample: str, size: PreviewSize = None
) -> Response:
    """The picture of a sample: the file as it was imported, or a preview."""
    return picture_response(studio, request, studio.samples.get(dataset, sample).digest, size)
