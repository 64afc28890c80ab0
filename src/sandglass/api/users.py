"""``/v1/users``: accounts, for admins."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from sandglass.api.permissions import needs
from sandglass.api.problems import responses
from sandglass.api.studio import Limit, Offset, OpenStudio, Search
from sandglass.core.actor import Role
from sandglass.studio.accounts import NewPassword, UserView
from sandglass.studio.page import Page

router = APIRouter(prefix="/v1/users", tags=["admin"], responses=responses(404))


class UserForm(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200)
    role: Role = Role.DEVELOPER


class UserChanges(BaseModel):
    """What to change of an account; what is not given stays."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    disabled: bool | None = None


@router.get("", dependencies=[needs(Role.ADMIN)])
def list_users(studio: OpenStudio, q: Search = "", limit: Limit = 50, offset: Offset = 0) -> Page[UserView]:
    """Accounts by name."""
    return studio.accounts.list(q=q, limit=limit, offset=offset)


@router.post("", status_code=201, dependencies=[needs(Role.ADMIN)], responses=responses(409))
def create_user(studio: OpenStudio, form: UserForm) -> NewPassword:
    """Make an account; its one-time password is shown this once."""
    return studio.accounts.create(form.name, form.role)


@router.get("/{user}", dependencies=[needs(Role.ADMIN)])
def get_user(studio: OpenStudio, user: str) -> UserView:
    """One account by name or id."""
    return studio.accounts.get(user)


@router.patch("/{user}", dependencies=[needs(Role.ADMIN)], responses=responses(409))
def change_user(studio: OpenStudio, user: str, form: UserChanges) -> UserView:
    """Give an account another role, disable or enable it."""
    return studio.accounts.change(user, role=form.role, disabled=form.disabled)


@router.post("/{user}/reset-password", dependencies=[needs(Role.ADMIN)])
def reset_password(studio: OpenStudio, user: str) -> NewPassword:
    """Give an account a one-time password, shown this once; it is signed out everywhere."""
    return studio.accounts.reset_password(user)
