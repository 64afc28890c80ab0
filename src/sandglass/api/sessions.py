"""``/v1/session``: who is signed in, sign in and out, change the password."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from sandglass.api.permissions import cookie_name, needs, open_to_all
from sandglass.api.problems import responses
from sandglass.api.schemas import Out
from sandglass.api.studio import OpenStudio
from sandglass.core.actor import Entrance, Role, acting
from sandglass.studio.accounts import Preferences
from sandglass.studio.audit import current_trail
from sandglass.studio.signin import SESSION_DAYS, SignedIn

router = APIRouter(prefix="/v1/session", tags=["account"], responses=responses())


class SignInForm(BaseModel):
    """Who wants to come in."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=1000)


class PasswordForm(BaseModel):
    """A change of the caller's own password."""

    model_config = ConfigDict(extra="forbid")

    current: str = Field(min_length=1, max_length=1000)
    password: str = Field(max_length=1000)


class SessionOut(Out):
    """Who the caller is to this installation.

    Attributes:
        login: whether people sign in here at all.
        signed_in: whether somebody is.
        must_change_password: whether nothing else is possible before.
        money: whether computing costs money here, in ``currency``.
    """

    login: bool
    signed_in: bool
    name: str | None = None
    role: Role | None = None
    entrance: Entrance | None = None
    must_change_password: bool = False
    preferences: Preferences = Preferences()
    money: bool
    currency: str


@router.get("", dependencies=[open_to_all()])
def get_session(studio: OpenStudio) -> SessionOut:
    """Who is signed in, if anybody is."""
    settings, actor = studio.settings, acting()
    if actor is None:
        return SessionOut(login=settings.login, signed_in=False, money=settings.charged, currency=settings.currency)
    return SessionOut(
        login=settings.login,
        signed_in=True,
        name=actor.name,
        role=actor.role,
        entrance=actor.entrance,
        must_change_password=actor.must_change_password,
        preferences=studio.accounts.get(actor.user_id).preferences,
        money=settings.charged,
        currency=settings.currency,
    )


@router.post("", dependencies=[open_to_all()], responses=responses(429))
def begin_session(studio: OpenStudio, request: Request, response: Response, form: SignInForm) -> SessionOut:
    """Begin a session; the answer sets its cookie."""
    trail = current_trail()
    if trail is not None:
        trail.target = form.name
    signed_in = studio.sign_in.sign_in(form.name, form.password, address=_address(request))
    if trail is not None:
        trail.actor = signed_in.actor
    return _begun(studio, request, response, signed_in)


@router.delete("", status_code=204, dependencies=[needs(Role.VIEWER, unready=True)])
def end_session(studio: OpenStudio, request: Request, response: Response) -> None:
    """End the session."""
    studio.sign_in.sign_out()
    response.delete_cookie(cookie_name(request), path="/")


@router.put("/password", dependencies=[needs(Role.VIEWER, unready=True)], responses=responses(429))
def change_password(studio: OpenStudio, request: Request, response: Response, form: PasswordForm) -> SessionOut:
    """Change the caller's own password; sessions elsewhere end."""
    begun = studio.sign_in.change_password(form.current, form.password, address=_address(request))
    return _begun(studio, request, response, begun)


def _begun(studio: OpenStudio, request: Request, response: Response, signed_in: SignedIn) -> SessionOut:
    response.set_cookie(
        cookie_name(request),
        signed_in.secret,
        max_age=SESSION_DAYS * 86400,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    actor, settings = signed_in.actor, studio.settings
    return SessionOut(
        login=settings.login,
        signed_in=True,
        name=actor.name,
        role=actor.role,
        entrance=actor.entrance,
        must_change_password=actor.must_change_password,
        preferences=studio.accounts.get(actor.user_id).preferences,
        money=settings.charged,
        currency=settings.currency,
    )


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
