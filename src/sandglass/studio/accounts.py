"""Accounts: made, listed, changed by admins; the first one is made by the first start."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sandglass.core.actor import Actor, Entrance, Role, acting
from sandglass.core.errors import Conflict
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.store.account_tables import SignInSession, SignInThrottle, UserAccount
from sandglass.store.db import Database
from sandglass.studio.access import find_user
from sandglass.studio.credentials import KnownCallers, hash_password, one_time_password
from sandglass.studio.page import Page
from sandglass.studio.validation import check_name

FIRST_ADMIN = "admin"


class Preferences(Value):
    """What a person chose for the console, on every machine.

    Attributes:
        language: None = as the browser says.
        theme: None = as this machine was set before.
        compact: rows of tables closer together.
        previews: whether pictures of badcases are shown at once.
    """

    language: Literal["en", "zh-CN"] | None = None
    theme: Literal["system", "light", "dark"] | None = None
    compact: bool = False
    previews: bool = False


class UserView(Value):
    """An account as admins see it."""

    id: str
    name: str
    role: Role
    disabled: bool
    must_change_password: bool
    preferences: Preferences
    created_at: datetime
    signed_in_at: datetime | None


class NewPassword(Value):
    """An account with the password for its next sign-in, shown this once."""

    user: UserView
    one_time_password: str


class Accounts:
    """The accounts of an installation."""

    def __init__(self, database: Database, callers: KnownCallers) -> None:
        self._database = database
        self._callers = callers

    def first_start(self, *, login: bool) -> NewPassword | None:
        """Make the first admin, and give it a password where people sign in and no admin could.

        Returns:
            The admin with its one-time password, if it was given one now.
        """
        with self._database.write() as session:
            admins = select(UserAccount).where(UserAccount.role == Role.ADMIN, UserAccount.disabled_at.is_(None))
            admin = session.scalars(admins.order_by(UserAccount.created_at)).first()
            if admin is None:
                admin = UserAccount(name=FIRST_ADMIN, key=FIRST_ADMIN, role=Role.ADMIN)
                session.add(admin)
                session.flush()
            if not login or session.scalar(admins.where(UserAccount.password.is_not(None)).limit(1)) is not None:
                return None
            password = _one_time(admin)
            return NewPassword(user=_view(admin), one_time_password=password)

    def owner(self, entrance: Entrance) -> Actor:
        """Who acts for the owner of the machine: the oldest admin."""
        with self._database.read() as session:
            admin = session.scalars(
                select(UserAccount)
                .where(UserAccount.role == Role.ADMIN, UserAccount.disabled_at.is_(None))
                .order_by(UserAccount.created_at)
            ).first()
            assert admin is not None, "the first start makes an admin, and the last one cannot be disabled"
            return Actor(user_id=admin.id, name=admin.name, role=Role.ADMIN, entrance=entrance)

    def create(self, name: str, role: Role) -> NewPassword:
        """Make an account with a one-time password.

        Raises:
            InvalidInput: ``name_invalid``.
            Conflict: ``user_name_taken``.
        """
        name = check_name(name)
        try:
            with self._database.write() as session:
                user = UserAccount(name=name, key=name.casefold(), role=role)
                password = _one_time(user)
                session.add(user)
                session.flush()
                return NewPassword(user=_view(user), one_time_password=password)
        except IntegrityError as error:
            raise Conflict(
                "user_name_taken",
                Text(en=f"There is already an account '{name}'.", zh=f"已存在账号“{name}”。"),
                Text(en="Choose another name.", zh="请换一个名称。"),
                field="name",
            ) from error

    def list(self, *, q: str = "", limit: int = 50, offset: int = 0) -> Page[UserView]:
        """Accounts by name; ``q`` is a part of it."""
        query = select(UserAccount)
        if q:
            query = query.where(UserAccount.name.icontains(q, autoescape=True))
        with self._database.read() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            rows = session.scalars(query.order_by(UserAccount.key).limit(limit).offset(offset))
            return Page(items=[_view(row) for row in rows], total=total)

    def get(self, name: str) -> UserView:
        """One account by name or id.

        Raises:
            NotFound: ``user_not_found``.
        """
        with self._database.read() as session:
            return _view(find_user(session, name))

    def change(self, name: str, *, role: Role | None = None, disabled: bool | None = None) -> UserView:
        """Give an account another role, disable it (its sessions end, its tokens stop working) or enable it again.

        Raises:
            NotFound: ``user_not_found``.
            Conflict: ``last_admin``: nobody could administer the installation any more.
        """
        with self._database.write() as session:
            user = find_user(session, name)
            if role is not None:
                user.role = role
            if disabled is True and user.disabled_at is None:
                user.disabled_at = utc_now()
                session.execute(delete(SignInSession).where(SignInSession.user_id == user.id))
            elif disabled is False:
                user.disabled_at = None
            session.flush()
            left = session.scalar(
                select(func.count())
                .select_from(UserAccount)
                .where(UserAccount.role == Role.ADMIN, UserAccount.disabled_at.is_(None))
            )
            if not left:
                raise Conflict(
                    "last_admin",
                    Text(en=f"{user.name} is the last admin.", zh=f"{user.name} 是最后一个管理员。"),
                    Text(en="Make somebody else an admin first.", zh="请先将其他人设为管理员。"),
                    field="role" if role is not None else "disabled",
                )
            view = _view(user)
        self._callers.forget()
        return view

    def reset_password(self, name: str) -> NewPassword:
        """Give an account a one-time password; it is signed out everywhere.

        Raises:
            NotFound: ``user_not_found``.
        """
        with self._database.write() as session:
            user = find_user(session, name)
            password = _one_time(user)
            session.execute(delete(SignInSession).where(SignInSession.user_id == user.id))
            session.execute(delete(SignInThrottle).where(SignInThrottle.key == f"account {user.key}"))
            view = _view(user)
        self._callers.forget()
        return NewPassword(user=view, one_time_password=password)

    def prefer(self, changes: dict[str, Any]) -> UserView:
        """Change the caller's own preferences."""
        actor = acting()
        assert actor is not None
        with self._database.write() as session:
            user = find_user(session, actor.user_id)
            kept = Preferences.model_validate(user.preferences).model_copy(update=changes)
            user.preferences = kept.model_dump(mode="json")
            return _view(user)

    def names(self, *, q: str = "", limit: int = 20) -> Sequence[str]:
        """Names of accounts that are not disabled, for whoever wants to share something."""
        query = select(UserAccount.name).where(UserAccount.disabled_at.is_(None))
        if q:
            query = query.where(UserAccount.name.icontains(q, autoescape=True))
        with self._database.read() as session:
            return session.scalars(query.order_by(UserAccount.key).limit(limit)).all()


def admins(session: Session) -> list[str]:
    """Names of those whom a person can ask."""
    query = select(UserAccount.name).where(UserAccount.role == Role.ADMIN, UserAccount.disabled_at.is_(None))
    return list(session.scalars(query.order_by(UserAccount.created_at)))


def _one_time(user: UserAccount) -> str:
    password = one_time_password()
    user.password, user.must_change_password = hash_password(password), True
    return password


def _view(user: UserAccount) -> UserView:
    return UserView(
        id=user.id,
        name=user.name,
        role=Role(user.role),
        disabled=user.disabled_at is not None,
        must_change_password=user.must_change_password,
        preferences=Preferences.model_validate(user.preferences or {}),
        created_at=user.created_at,
        signed_in_at=user.signed_in_at,
    )
