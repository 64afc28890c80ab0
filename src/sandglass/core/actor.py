"""Who acts: the person or the key behind a call, known to whatever asks while the call is answered.

Work in the background acts for nobody: the installation itself, which sees and may do everything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Literal

from sandglass.core.value import Value


class Role(StrEnum):
    """What an account may do at most; each role may do what the ones before it may."""

    VIEWER = "viewer"
    ANNOTATOR = "annotator"
    DEVELOPER = "developer"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        """Whether this role may do what ``needed`` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


Entrance = Literal["session", "token", "key", "owner", "open"]
"""How a caller came in: a browser session, a user's token, a service's key, the token of the machine's owner, or through an
installation without sign-in."""


class Actor(Value):
    """The caller of a request.

    Attributes:
        user_id: the account that acts; for a service key, the one that made it.
        name: of the account.
        role: what it may do at most.
        entrance: how it came in.
        credential: id of the session, token or key.
        service_id: the one service that a key opens.
        must_change_password: whether it may do nothing else before.
    """

    user_id: str
    name: str
    role: Role
    entrance: Entrance
    credential: str | None = None
    service_id: str | None = None
    must_change_password: bool = False


_acting: ContextVar[Actor | None] = ContextVar("acting", default=None)


def acting() -> Actor | None:
    """The caller of the request that is being answered; None = the installation itself."""
    return _acting.get()


def acting_user_id() -> str | None:
    """The account that acts now: what new things belong to."""
    actor = _acting.get()
    return None if actor is None else actor.user_id


def acting_name() -> str:
    """The name of the account that acts now, for records that people read."""
    actor = _acting.get()
    return "system" if actor is None else actor.name


def act_as(actor: Actor | None) -> None:
    """Act as ``actor`` from here to the end of the present context (a request, a thread)."""
    _acting.set(actor)


@contextmanager
def acting_as(actor: Actor | None) -> Iterator[None]:
    """Act as ``actor`` inside the block; None = as the installation, for which nothing is hidden."""
    token = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(token)
