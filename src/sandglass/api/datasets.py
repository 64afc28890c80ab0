"""``/v1/datasets``: make, list, look up, change, delete; samples, labels and versions have files of their own."""

from typing import Annotated

from fastapi import APIRouter, Query

from sandglass.api.permissions import needs
from sandglass.api.problems import responses
from sandglass.api.studio import Limit, Offset, OpenStudio, Search
from sandglass.core.actor import Role
from sandglass.studio.datasets import DatasetChange, DatasetSort, DatasetState, DatasetUse, DatasetView, NewDataset
from sandglass.studio.page import Page

router = APIRouter(prefix="/v1/datasets", tags=["datasets"], responses=responses(404))


@router.get("", dependencies=[needs(Role.VIEWER)])
def list_datasets(
    studio: OpenStudio,
    q: Search = "",
    name: Annotated[str | None, Query(max_length=200, description="The whole name.")] = None,
    scenario: str | None = None,
    state: DatasetState | None = None,
    tag: Annotated[str | None, Query(max_length=40)] = None,
    sort: DatasetSort = "updated",
    descending: bool = True,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Page[DatasetView]:
    """Datasets, the latest changed first unless told otherwise."""
    return studio.datasets.list(
        q=q,
        name=name,
        scenario=scenario,
        state=state,
        tag=tag,
        sort=sort,
        descending=descending,
        limit=limit,
        offset=offset,
    )


@router.post("", status_code=201, responses=responses(404, 409), dependencies=[needs(Role.DEVELOPER)])
def create_dataset(studio: OpenStudio, form: NewDataset) -> DatasetView:
    """Make an empty dataset, to import into or to annotate."""
    return studio.datasets.create(form)


@router.get("/{dataset}", dependencies=[needs(Role.VIEWER)])
def get_dataset(studio: OpenStudio, dataset: str) -> DatasetView:
    """One dataset by name or id."""
    return studio.datasets.get(dataset)


@router.patch("/{dataset}", responses=responses(404, 409), dependencies=[needs(Role.DEVELOPER, change="dataset")])
def change_dataset(studio: OpenStudio, dataset: str, form: DatasetChange) -> DatasetView:
    """Change name, description or tags; what is not given stays."""
    return studio.datasets.change(dataset, form)


@router.delete(
    "/{dataset}", status_code=204, responses=responses(404, 409), dependencies=[needs(Role.DEVELOPER, own="dataset")]
)
def delete_dataset(studio: OpenStudio, dataset: str) -> None:
    """Delete a dataset that no task uses; otherwise the answer names the task versions that would break."""
    studio.datasets.delete(dataset)


@router.get("/{dataset}/uses", dependencies=[needs(Role.VIEWER)])
def list_dataset_uses(studio: OpenStudio, dataset: str) -> Page[DatasetUse]:
    """Task versions that name the dataset, and which of its versions."""
    uses = studio.datasets.uses(dataset)
    return Page(items=list(uses), total=len(uses))
