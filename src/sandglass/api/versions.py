"""``/v1/datasets/…/versions``: publish, list, compare, restore, delete."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from sandglass.api.permissions import needs
from sandglass.api.problems import responses
from sandglass.api.schemas import PublishedVersion
from sandglass.api.studio import Limit, Offset, OpenStudio
from sandglass.core.actor import Role
from sandglass.studio.differences import ChangeKind, DatasetComparison
from sandglass.studio.page import Page
from sandglass.studio.restore import Restored
from sandglass.studio.versions import VersionView

router = APIRouter(prefix="/v1/datasets/{dataset}", tags=["datasets"], responses=responses(404))


class RestoreForm(BaseModel):
    """How to bring a draft back."""

    model_config = ConfigDict(extra="forbid")

    revision: int | None = Field(
        None, description="Revision of the draft that the person saw; when it is another one now, nothing is done."
    )


@router.get("/versions", dependencies=[needs(Role.VIEWER)])
def list_versions(studio: OpenStudio, dataset: str) -> Page[VersionView]:
    """Published versions, the newest first."""
    versions = studio.versions.list(dataset)
    return Page(items=versions, total=len(versions))


@router.post(
    "/versions",
    status_code=201,
    responses={200: {"model": PublishedVersion, "description": "It was published already."}, **responses(404)},
    dependencies=[needs(Role.DEVELOPER, change="dataset")],
)
def publish_version(studio: OpenStudio, response: Response, dataset: str) -> PublishedVersion:
    """Publish the draft as a version that never changes; a draft that is published already answers 200."""
    version, new = studio.versions.publish(dataset)
    response.status_code = 201 if new else 200
    return PublishedVersion(**vars(version), new=new)


@router.delete(
    "/versions/{number}",
    status_code=204,
    responses=responses(404, 409),
    dependencies=[needs(Role.DEVELOPER, change="dataset")],
)
def delete_version(studio: OpenStudio, dataset: str, number: int) -> None:
    """Delete a version that no task uses; otherwise the answer names the task versions that would break."""
    studio.versions.delete(dataset, number)


@router.post(
    "/versions/{number}/restore", responses=responses(404, 409), dependencies=[needs(Role.DEVELOPER, change="dataset")]
)
def restore_version(studio: OpenStudio, dataset: str, number: int, form: RestoreForm | None = None) -> Restored:
    """Make the draft equal to a version, in one transaction."""
    return studio.restores.restore(dataset, number, expected_revision=form.revision if form else None)


@router.get("/compare", dependencies=[needs(Role.VIEWER)])
def compare_versions(
    studio: OpenStudio,
    dataset: str,
    a: Annotated[int, Query(ge=1, description="Version number of the first state.")],
    b: Annotated[int | None, Query(ge=1, description="Version number of the second state; none = the draft.")] = None,
    kind: Annotated[ChangeKind | None, Query(description="Only changes of this kind.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> DatasetComparison:
    """What differs between two versions, or between a version and the draft."""
    return studio.differences.compare(dataset, a, b, kind=kind, limit=limit, offset=offset)
