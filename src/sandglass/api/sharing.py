"""``/v1/sharing``: with whom datasets, tasks and services are shared."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from sandglass.api.permissions import needs
from sandglass.api.problems import responses
from sandglass.api.studio import OpenStudio
from sandglass.core.actor import Role
from sandglass.studio.access import ResourceKind, SharedWith, Sharing

router = APIRouter(prefix="/v1", tags=["access"], responses=responses(404))


class SharesForm(BaseModel):
    """All shares of a thing; `*` stands for everybody."""

    model_config = ConfigDict(extra="forbid")

    shares: tuple[SharedWith, ...] = Field(max_length=1000)


@router.get("/sharing/{kind}/{resource}", dependencies=[needs(Role.VIEWER)])
def get_sharing(studio: OpenStudio, kind: ResourceKind, resource: str) -> Sharing:
    """To whom a dataset, task or service belongs, who may see or change it, and what the caller may."""
    return studio.access.sharing(kind, resource)


@router.put("/sharing/{kind}/{resource}", dependencies=[needs(Role.ANNOTATOR)])
def change_sharing(studio: OpenStudio, kind: ResourceKind, resource: str, form: SharesForm) -> Sharing:
    """Replace all shares of a dataset, task or service; only its owner and admins may."""
    return studio.access.share(kind, resource, form.shares)


@router.get("/people", dependencies=[needs(Role.ANNOTATOR)])
def list_people(studio: OpenStudio, q: Annotated[str, Query(max_length=200)] = "") -> list[str]:
    """Names of accounts, for whoever wants to share something."""
    return list(studio.accounts.names(q=q))
