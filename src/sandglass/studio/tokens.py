"""Tokens of users and keys of services: shown once, stored as a digest, limited in scope and time, revoked at once."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from sandglass.core.actor import Actor, Role, acting
from sandglass.core.errors import Forbidden, NotFound, NotSignedIn
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.store.account_tables import AccessToken, UserAccount
from sandglass.store.db import Database
from sandglass.studio.credentials import PREFIX_LENGTH, KnownCallers, digest_of, new_secret
from sandglass.studio.serviceviews import find_service
from sandglass.studio.validation import check_name

USE_NOTED_AFTER = timedelta(seconds=60)
"""How exact the time of the last use is."""
DAY = 86400


class TokenView(Value):
    """A token or key without its secret.

    Attributes:
        prefix: the visible beginning of the secret.
        role: what it may do at most; None = all that its user may.
        user: whose it is, or who made the key.
        state: whether it opens anything.
    """

    id: str
    name: str
    prefix: str
    role: Role | None
    user: str
    state: Literal["active", "expired", "revoked"]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


class NewToken(TokenView):
    """A token or key with its secret, shown this once."""

    secret: str


class Tokens:
    """Makes, lists and revokes tokens and keys, and says who comes with one."""

    def __init__(self, database: Database, callers: KnownCallers) -> None:
        self._database = database
        self._callers = callers

    def create(self, name: str, *, role: Role | None, days: float | None) -> NewToken:
        """A token of the caller.

        Args:
            name: to tell it from others.
            role: what it may do at most; None = all that the caller may.
            days: that it lasts; None = until it is revoked.

        Raises:
            InvalidInput: ``name_invalid``.
            Forbidden: ``role_above``: the caller's own role does not cover it.
        """
        actor = acting()
        assert actor is not None
        if role is not None and not actor.role.covers(role):
            raise Forbidden(
                "role_above",
                Text(
                    en=f"You are {actor.role}, which does not cover {role}.",
                    zh=f"您的角色是 {actor.role}，低于 {role}。",
                ),
                Text(en="Choose your own role or a lower one.", zh="请选择不高于自己的角色。"),
                field="role",
            )
        with self._database.write() as session:
            # A token that may do less must not beget one that may do more.
            capped = role or (actor.role if actor.entrance == "token" else None)
            return _add(session, name, actor.user_id, days=days, role=capped, service_id=None)

    def list(self) -> list[TokenView]:
        """The caller's tokens, the newest first."""
        actor = acting()
        assert actor is not None
        with self._database.read() as session:
            return _list(session, None, actor.user_id)

    def revoke(self, token: str) -> TokenView:
        """Make one of the caller's tokens useless at once; admins may revoke anybody's.

        Raises:
            NotFound: ``token_not_found``.
        """
        actor = acting()
        assert actor is not None
        return self._revoke(token, lambda row: row.service_id is None and actor.user_id == row.user_id)

    def create_key(self, service: str, name: str, *, days: float | None) -> NewToken:
        """A key that opens the prediction of one service and nothing else.

        Raises:
            NotFound: ``service_not_found``.
            InvalidInput: ``name_invalid``.
        """
        actor = acting()
        assert actor is not None
        with self._database.write() as session:
            found = find_service(session, service)
            return _add(session, name, actor.user_id, days=days, role=None, service_id=found.id)

    def list_keys(self, service: str) -> Sequence[TokenView]:
        """Keys of a service, the newest first.

        Raises:
            NotFound: ``service_not_found``.
        """
        with self._database.read() as session:
            return _list(session, find_service(session, service).id, None)

    def revoke_key(self, service: str, key: str) -> TokenView:
        """Make a key useless at once.

        Raises:
            NotFound: ``service_not_found`` or ``token_not_found``.
        """
        with self._database.read() as session:
            service_id = find_service(session, service).id
        return self._revoke(key, lambda row: row.service_id == service_id)

    def _revoke(self, token: str, mine: Callable[[AccessToken], bool]) -> TokenView:
        with self._database.write() as session:
            row = session.get(AccessToken, token) or session.scalar(
                select(AccessToken).where(AccessToken.prefix == token)
            )
            if row is None or not mine(row):
                raise NotFound(
                    "token_not_found",
                    Text(en=f"There is no token or key '{token}'.", zh=f"没有令牌或密钥“{token}”。"),
                    Text(en="Look at the list; name it by its id or prefix.", zh="请查看列表，并用编号或前缀指定。"),
                    field="token",
                )
            row.revoked_at = row.revoked_at or utc_now()
            view = _view(row, session.get_one(UserAccount, row.user_id).name)
        self._callers.forget()
        return view

    def look_up(self, digest: str) -> Actor:
        """Who comes with a token or key; notes that it was used.

        Raises:
            NotSignedIn: ``token_invalid``, also for one that was revoked or has expired.
        """
        with self._database.read() as session:
            found = session.execute(
                select(AccessToken, UserAccount)
                .join(UserAccount, UserAccount.id == AccessToken.user_id)
                .where(AccessToken.digest == digest)
            ).first()
        now = utc_now()
        if found is None or _state(found[0], now) != "active" or (found[1].disabled_at and found[0].service_id is None):
            raise NotSignedIn(
                "token_invalid",
                Text(en="The token is unknown, revoked or has expired.", zh="令牌无效、已吊销或已过期。"),
                Text(en="Make a new one in the console.", zh="请在控制台新建令牌。"),
            )
        row, user = found
        if row.used_at is None or now - row.used_at > USE_NOTED_AFTER:
            with self._database.write() as session:
                session.get_one(AccessToken, row.id).used_at = now
        role = Role(user.role)
        if row.service_id is not None:
            role = Role.VIEWER
        elif row.role is not None and role.covers(Role(row.role)):
            role = Role(row.role)
        return Actor(
            user_id=user.id,
            name=user.name,
            role=role,
            entrance="token" if row.service_id is None else "key",
            credential=row.id,
            service_id=row.service_id,
        )


def _add(
    session: Session, name: str, user_id: str, *, days: float | None, role: Role | None, service_id: str | None
) -> NewToken:
    secret = new_secret("token" if service_id is None else "key")
    row = AccessToken(
        name=check_name(name),
        prefix=secret[:PREFIX_LENGTH],
        digest=digest_of(secret),
        user_id=user_id,
        service_id=service_id,
        role=role,
        expires_at=None if days is None else utc_now() + timedelta(seconds=days * DAY),
    )
    session.add(row)
    session.flush()
    view = _view(row, session.get_one(UserAccount, user_id).name)
    return NewToken(**vars(view), secret=secret)


def _list(session: Session, service_id: str | None, user_id: str | None) -> list[TokenView]:
    query = select(AccessToken, UserAccount.name).join(UserAccount, UserAccount.id == AccessToken.user_id)
    query = (
        query.where(AccessToken.service_id == service_id)
        if service_id
        else query.where(AccessToken.service_id.is_(None), AccessToken.user_id == user_id)
    )
    rows = session.execute(query.order_by(AccessToken.created_at.desc(), AccessToken.id))
    return [_view(row, name) for row, name in rows]


def _state(row: AccessToken, now: datetime) -> Literal["active", "expired", "revoked"]:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "active"


def _view(row: AccessToken, user: str) -> TokenView:
    return TokenView(
        id=row.id,
        name=row.name,
        prefix=row.prefix,
        role=None if row.role is None else Role(row.role),
        user=user,
        state=_state(row, utc_now()),
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
