"""``/v1/account``: what belongs to the caller: preferences and tokens."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from sandglass.api.permissions import needs
from sandglass.api.problems import responses
from sandglass.api.studio import OpenStudio
from sandglass.core.actor import Role
from sandglass.studio.accounts import Preferences
from sandglass.studio.page import Page
from sandglass.studio.tokens import NewToken, TokenView

router = APIRouter(prefix="/v1/account", tags=["account"], responses=responses(404))

MOST_DAYS = 3660


class PreferencesForm(BaseModel):
    """Preferences to change; what is not given stays."""

    model_config = ConfigDict(extra="forbid")

    language: Literal["en", "zh-CN"] | None = None
    theme: Literal["system", "light", "dark"] | None = None
    compact: bool | None = None
    previews: bool | None = None


class TokenForm(BaseModel):
    """A new token."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200)
    role: Role | None = Field(None, description="What it may do at most; all that its user may if not given.")
    days: float | None = Field(90, gt=0, le=MOST_DAYS, description="How long it lasts; null = until it is revoked.")


@router.patch("/preferences", dependencies=[needs(Role.VIEWER)])
def change_preferences(studio: OpenStudio, form: PreferencesForm) -> Preferences:
    """Change what the caller chose for the console."""
    given = form.model_dump(exclude_unset=True)
    return studio.accounts.prefer(
        {name: value for name, value in given.items() if value is not None or name == "language"}
    ).preferences


@router.get("/tokens", dependencies=[needs(Role.VIEWER)])
def list_tokens(studio: OpenStudio) -> Page[TokenView]:
    """The caller's tokens, the newest first; their secrets are not known any more."""
    tokens = studio.tokens.list()
    return Page(items=tokens, total=len(tokens))


@router.post("/tokens", status_code=201, dependencies=[needs(Role.VIEWER)])
def create_token(studio: OpenStudio, form: TokenForm) -> NewToken:
    """Make a token for programs of the caller; its secret is shown this once."""
    return studio.tokens.create(form.name, role=form.role, days=form.days)


@router.delete("/tokens/{token}", dependencies=[needs(Role.VIEWER)])
def revoke_token(studio: OpenStudio, token: str) -> TokenView:
    """Make a token useless at once."""
    return studio.tokens.revoke(token)
