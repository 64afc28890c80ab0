"""Secrets that prove who calls: made, compared and remembered. Only digests are stored; passwords by argon2id.

Sessions, tokens and keys are long random strings, so one SHA-256 hides them well enough; a password is not, so it is hashed
slowly: argon2id with the costs of https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html.
"""

import hashlib
import hmac
import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from sandglass.core.actor import Actor
from sandglass.core.errors import Broken, InvalidInput
from sandglass.core.text import Text

SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
SECRET_BYTES = 32
PREFIX_LENGTH = 12
"""Characters of a token that stay visible, so that people can tell their tokens apart."""
KEPT_SECONDS = 2.0
"""How long a look-up is believed. What this process revokes it forgets at once; this is for what another process revokes."""
MOST_KEPT = 10_000
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Characters that nobody mistakes for one another."""
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY = _hasher.hash("nobody")
"""Verified against where there is no account, so that time does not tell whether there is one."""

SecretKind = Literal["session", "token", "key", "owner"]
PREFIXES: dict[SecretKind, str] = {"session": "sgs_", "token": "sgt_", "key": "sgk_", "owner": "sgo_"}


def new_secret(kind: SecretKind) -> str:
    """A secret such as ``sgt_…`` that says what it is and nothing else."""
    return PREFIXES[kind] + secrets.token_urlsafe(SECRET_BYTES)


def kind_of(secret: str) -> SecretKind | None:
    """What a secret says that it is."""
    return next((kind for kind, prefix in PREFIXES.items() if secret.startswith(prefix)), None)


def digest_of(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def one_time_password() -> str:
    """A password for one sign-in, easy to read out: three groups of five characters, 74 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(3))


def hash_password(password: str) -> str:
    """The argon2id hash of a password."""
    return _hasher.hash(password)


def verify_password(password: str, stored: str | None) -> bool:
    """Whether a password is the one that ``stored`` was made from; takes as long where there is none."""
    try:
        return _hasher.verify(stored or _NOBODY, password) and stored is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


def check_password(password: str, name: str) -> None:
    """Check that a new password may be used.

    Raises:
        InvalidInput: ``password_weak``.
    """
    fault = None
    if len(password) < SHORTEST_PASSWORD:
        fault = Text(
            en=f"The password has fewer than {SHORTEST_PASSWORD} characters.",
            zh=f"密码少于 {SHORTEST_PASSWORD} 个字符。",
        )
    elif len(password) > LONGEST_PASSWORD:
        fault = Text(
            en=f"The password has more than {LONGEST_PASSWORD} characters.", zh=f"密码超过 {LONGEST_PASSWORD} 个字符。"
        )
    elif name.casefold() in password.casefold() and len(password) < len(name) + SHORTEST_PASSWORD // 2:
        fault = Text(en="The password is little more than the name.", zh="密码与账号名过于相似。")
    elif len(set(password)) < 4:
        fault = Text(en="The password repeats few characters.", zh="密码中不同的字符太少。")
    if fault is not None:
        raise InvalidInput(
            "password_weak",
            fault,
            Text(en="Several words in a row make a good one.", zh="建议使用由几个词组成的密码。"),
            field="password",
        )


class OwnerToken:
    """The secret in a file that only the account which runs the server can read: whoever reads it owns the installation.

    Args:
        home: of the installation; the file is made there on first use.

    Raises:
        Broken: ``owner_token_exposed``: others can read the file.
    """

    def __init__(self, home: Path) -> None:
        path = owner_token_file(home)
        with suppress(FileExistsError):
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "w") as file:
                file.write(new_secret("owner"))
        if path.stat().st_mode & 0o077:
            raise Broken(
                "owner_token_exposed",
                Text(en=f"Other accounts of this machine can read {path}.", zh=f"本机其他账户可以读取 {path}。"),
                Text(en="Delete it and start again: a new one is made.", zh="请删除该文件后重新启动，将生成新的令牌。"),
            )
        self._secret = path.read_text().strip()

    def matches(self, secret: str) -> bool:
        """Whether ``secret`` is it, in a time that does not depend on where it differs."""
        return bool(self._secret) and hmac.compare_digest(secret.encode(), self._secret.encode())


def owner_token_file(home: Path) -> Path:
    """Where an installation keeps its owner's token."""
    return home / "owner.token"


class KnownCallers:
    """Callers by the digest of their secret, remembered for a moment; safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Actor]] = {}
        self._changes = 0

    def get(self, digest: str) -> Actor | None:
        """Who it is, if that was looked up a moment ago."""
        until, actor = self._known.get(digest, (0.0, None))
        return actor if time.monotonic() < until else None

    def find(self, digest: str, look_up: Callable[[str], Actor]) -> Actor:
        """Who it is, looked up unless it was a moment ago; what ``look_up`` raises is not remembered."""
        known = self.get(digest)
        if known is not None:
            return known
        seen = self._changes
        actor = look_up(digest)
        with self._lock:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            if seen == self._changes:  # nothing was revoked while it was being looked up
                self._known[digest] = (time.monotonic() + KEPT_SECONDS, actor)
        return actor

    def forget(self) -> None:
        """Look everybody up anew: something was revoked, or an account was changed."""
        with self._lock:
            self._changes += 1
            self._known.clear()
