"""``/v1/services/{service}/keys``: keys that open the prediction of one service and nothing else."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from sandglass.api.account import MOST_DAYS
from sandglass.api.permissions import needs
from sandglass.api.problems import responses
from sandglass.api.studio import OpenStudio
from sandglass.core.actor import Role
from sandglass.studio.page import Page
from sandglass.studio.tokens import NewToken, TokenView

router = APIRouter(prefix="/v1/services/{service}/keys", tags=["access"], responses=responses(404))


class KeyForm(BaseModel):
    """A new key of a service."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200)
    days: float | None = Field(90, gt=0, le=MOST_DAYS, description="How long it lasts; null = until it is revoked.")


@router.get("", dependencies=[needs(Role.DEVELOPER, change="service")])
def list_service_keys(studio: OpenStudio, service: str) -> Page[TokenView]:
    """Keys of a service, the newest first; their secrets are not known any more."""
    keys = studio.tokens.list_keys(service)
    return Page(items=list(keys), total=len(keys))


@router.post("", status_code=201, dependencies=[needs(Role.DEVELOPER, change="service")])
def create_service_key(studio: OpenStudio, service: str, form: KeyForm) -> NewToken:
    """Make a key of a service; its secret is shown this once."""
    return studio.tokens.create_key(service, form.name, days=form.days)


@router.delete("/{key}", dependencies=[needs(Role.DEVELOPER, change="service")])
def revoke_service_key(studio: OpenStudio, service: str, key: str) -> TokenView:
    """Make a key useless at once."""
    return studio.tokens.revoke_key(service, key)
