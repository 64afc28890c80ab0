"""Signing in: passwords, sessions of browsers, and the lock that guessing runs into."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sandglass.core.actor import Actor, Role, acting
from sandglass.core.errors import Forbidden, InvalidInput, Limited, NotSignedIn
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.store.account_tables import SignInSession, SignInThrottle, UserAccount
from sandglass.store.db import Database
from sandglass.studio.credentials import (
    LONGEST_PASSWORD,
    KnownCallers,
    check_password,
    digest_of,
    hash_password,
    new_secret,
    verify_password,
)

SESSION_DAYS = 14
FREE_FAILURES = {"account": 5, "address": 20}
"""Attempts that may fail before the next one has to wait: 5 s, 10 s, 20 s … by account and by address."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=1)
"""Failures older than that no longer count."""


class SignedIn(Value):
    """A new session: what goes into the cookie, and who it is."""

    secret: str
    actor: Actor


class SignIn:
    """Sessions of browsers."""

    def __init__(self, database: Database, callers: KnownCallers) -> None:
        self._database = database
        self._callers = callers

    def sign_in(self, name: str, password: str, *, address: str) -> SignedIn:
        """Begin a session.

        Raises:
            NotSignedIn: ``sign_in_failed``; it does not say whether the name or the password is wrong.
            Limited: ``sign_in_locked`` after too many failures of the account or from the address.
        """
        keys = {"account": f"account {name.casefold()[:200]}", "address": f"address {address}"}
        self._count_attempt(keys)
        with self._database.read() as session:
            user = session.scalar(select(UserAccount).where(UserAccount.key == name.casefold()))
        known = user is not None and user.disabled_at is None
        right = verify_password(password[:LONGEST_PASSWORD], user.password if user is not None else None)
        if user is None or not known or not right:
            raise NotSignedIn(
                "sign_in_failed",
                Text(en="The name or the password is wrong.", zh="账号或密码不正确。"),
                Text(en="Try again, or ask an admin for a new password.", zh="请重试，或联系管理员重置密码。"),
                field="password",
            )
        with self._database.write() as session:
            session.execute(delete(SignInThrottle).where(SignInThrottle.key.in_(keys.values())))
            session.execute(delete(SignInSession).where(SignInSession.expires_at < utc_now()))
            fresh = session.get_one(UserAccount, user.id)
            fresh.signed_in_at = utc_now()
            return _begin(session, fresh, address)

    def _count_attempt(self, keys: dict[str, str]) -> None:
        """Count an attempt before it is tried, so that many at once are not free; success takes it back."""
        now = utc_now()
        with self._database.write() as session:
            rows = {kind: session.get(SignInThrottle, key) for kind, key in keys.items()}
            for row in rows.values():
                if row is not None and row.blocked_until is not None and row.blocked_until > now:
                    raise _locked((row.blocked_until - now).total_seconds())
            for kind, key in keys.items():
                row = rows[kind]
                if row is None:
                    row = SignInThrottle(key=key, failures=0, last_at=now)
                    session.add(row)
                elif now - row.last_at > FORGOTTEN_AFTER:
                    row.failures = 0
                row.failures += 1
                row.last_at = now
                beyond = row.failures - FREE_FAILURES[kind]
                row.blocked_until = None if beyond < 0 else now + min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(beyond, 10))

    def look_up(self, digest: str) -> Actor:
        """Whose session it is.

        Raises:
            NotSignedIn: ``session_over``.
        """
        with self._database.read() as session:
            found = session.execute(
                select(SignInSession, UserAccount)
                .join(UserAccount, UserAccount.id == SignInSession.user_id)
                .where(SignInSession.digest == digest, SignInSession.expires_at > utc_now())
            ).first()
            if found is None or found[1].disabled_at is not None:
                raise NotSignedIn(
                    "session_over",
                    Text(en="You are signed out.", zh="您已退出登录。"),
                    Text(en="Sign in again.", zh="请重新登录。"),
                )
            return _actor(found[1], found[0].id)

    def sign_out(self) -> None:
        """End the caller's session."""
        actor = acting()
        if actor is None or actor.entrance != "session":
            return
        with self._database.write() as session:
            session.execute(delete(SignInSession).where(SignInSession.id == actor.credential))
        self._callers.forget()

    def change_password(self, current: str, new: str, *, address: str) -> SignedIn:
        """Change the caller's own password; all its other sessions end and this one goes on under a new secret.

        Raises:
            Forbidden: ``session_needed``: tokens cannot change a password.
            InvalidInput: ``password_wrong``, ``password_same`` or ``password_weak``.
            Limited: ``sign_in_locked``.
        """
        actor = acting()
        if actor is None or actor.entrance != "session":
            raise Forbidden(
                "session_needed",
                Text(en="A password is changed by whoever has signed in with it.", zh="只有用密码登录后才能修改密码。"),
                Text(en="Sign in to the console.", zh="请登录控制台。"),
            )
        keys = {"account": f"account {actor.name.casefold()}"}
        self._count_attempt(keys)
        with self._database.read() as session:
            user = session.get_one(UserAccount, actor.user_id)
        if not verify_password(current[:LONGEST_PASSWORD], user.password):
            raise InvalidInput(
                "password_wrong",
                Text(en="The present password is wrong.", zh="当前密码不正确。"),
                Text(en="Type the password that you signed in with.", zh="请输入登录时使用的密码。"),
                field="current",
            )
        check_password(new, user.name)
        if new == current:
            raise InvalidInput(
                "password_same",
                Text(en="The new password is the old one.", zh="新密码与旧密码相同。"),
                Text(en="Choose another one.", zh="请换一个密码。"),
                field="password",
            )
        hashed = hash_password(new)
        with self._database.write() as session:
            fresh = session.get_one(UserAccount, user.id)
            fresh.password, fresh.must_change_password = hashed, False
            session.execute(delete(SignInThrottle).where(SignInThrottle.key.in_(keys.values())))
            session.execute(delete(SignInSession).where(SignInSession.user_id == user.id))
            begun = _begin(session, fresh, address)
        self._callers.forget()
        return begun


def _begin(session: Session, user: UserAccount, address: str) -> SignedIn:
    secret = new_secret("session")
    row = SignInSession(
        digest=digest_of(secret), user_id=user.id, address=address, expires_at=utc_now() + timedelta(days=SESSION_DAYS)
    )
    session.add(row)
    session.flush()
    return SignedIn(secret=secret, actor=_actor(user, row.id))


def _actor(user: UserAccount, session_id: str) -> Actor:
    return Actor(
        user_id=user.id,
        name=user.name,
        role=Role(user.role),
        entrance="session",
        credential=session_id,
        must_change_password=user.must_change_password,
    )


def _locked(seconds: float) -> Limited:
    wait = max(1, round(seconds + 0.5))
    return Limited(
        "sign_in_locked",
        Text(en=f"Too many failed attempts: wait {wait} s.", zh=f"失败次数过多，请等待 {wait} 秒。"),
        Text(en="Then try again, or ask an admin for a new password.", zh="之后再试，或联系管理员重置密码。"),
        retry_after=wait,
    )
