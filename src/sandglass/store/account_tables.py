"""Tables of accounts and access: who may come in and how, what is shared with whom, what was done, and money."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sandglass.core.time import utc_now
from sandglass.store.base import Base, Json, row_id


class UserAccount(Base):
    """A person. Accounts are disabled, never deleted: what they did and paid stays theirs."""

    __tablename__ = "user_account"

    id: Mapped[str] = row_id("us")
    name: Mapped[str] = mapped_column(String(60))
    key: Mapped[str] = mapped_column(String(200), unique=True)
    """The name as it is compared: case folded."""
    role: Mapped[str] = mapped_column(String(20))
    """`core.actor.Role`."""
    password: Mapped[str | None] = mapped_column(String(200))
    """argon2id hash; None = nobody can sign in by password."""
    must_change_password: Mapped[bool] = mapped_column(default=False)
    disabled_at: Mapped[datetime | None]
    preferences: Mapped[Json] = mapped_column(default=dict)
    """`studio.accounts.Preferences`."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    signed_in_at: Mapped[datetime | None]


class SignInSession(Base):
    """A browser in which somebody is signed in; the cookie holds what ``digest`` is the SHA-256 of."""

    __tablename__ = "sign_in_session"

    id: Mapped[str] = row_id("se")
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    address: Mapped[str] = mapped_column(String(60), default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]


class AccessToken(Base):
    """A user's token or a service's key; only its prefix and the SHA-256 of the whole are kept."""

    __tablename__ = "access_token"

    id: Mapped[str] = row_id("tk")
    name: Mapped[str] = mapped_column(String(60))
    prefix: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    """For a service's key, who made it."""
    service_id: Mapped[str | None] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"), index=True)
    """The one service that a key opens; None = a user's token."""
    role: Mapped[str | None] = mapped_column(String(20))
    """What a user's token may do at most; None = all that its user may."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class SignInThrottle(Base):
    """Failed attempts to sign in, by account and by address."""

    __tablename__ = "sign_in_throttle"

    key: Mapped[str] = mapped_column(String(250), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime]
    blocked_until: Mapped[datetime | None]


class Share(Base):
    """A dataset, task or service that others than its owner may see or change."""

    __tablename__ = "share"
    __table_args__ = (Index("ix_share_user", "user_id", "kind"),)

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    """dataset, task or service."""
    resource_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    """Account, or ``*`` for everybody who is signed in."""
    right: Mapped[str] = mapped_column(String(10))
    """see or change."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class AuditEntry(Base):
    """One call that changed something, or was refused."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_at", "at"), Index("ix_audit_entry_user", "user_id", "at"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    user_id: Mapped[str | None] = mapped_column(String(40))
    user: Mapped[str] = mapped_column(String(60))
    entrance: Mapped[str] = mapped_column(String(20))
    """`core.actor.Entrance`; empty = not signed in."""
    action: Mapped[str] = mapped_column(String(80))
    target: Mapped[str] = mapped_column(String(300))
    status: Mapped[int]
    """HTTP status of the answer."""
    code: Mapped[str | None] = mapped_column(String(80))
    """Of the problem, when it was refused."""
    address: Mapped[str] = mapped_column(String(60))
    request_id: Mapped[str] = mapped_column(String(80))
    changes: Mapped[Json]
    """list of `studio.audit.Change`."""


class ResourceGroup(Base):
    """Prepaid capacity of the machine that is kept for the group's members."""

    __tablename__ = "resource_group"

    id: Mapped[str] = row_id("rg")
    name: Mapped[str] = mapped_column(String(60), unique=True)
    description: Mapped[str] = mapped_column(default="")
    cpu: Mapped[int]
    """Cores kept for it."""
    memory_mb: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class GroupMember(Base):
    """Somebody who may use a group."""

    __tablename__ = "group_member"

    group_id: Mapped[str] = mapped_column(ForeignKey("resource_group.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)


class Wallet(Base):
    """Sums of an account's ledger. The database itself refuses one that would fall below zero."""

    __tablename__ = "wallet"
    __table_args__ = (
        CheckConstraint("frozen >= 0", name="ck_wallet_frozen"),
        CheckConstraint("balance >= frozen", name="ck_wallet_free"),
    )

    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    balance: Mapped[Decimal]
    frozen: Mapped[Decimal]
    entries: Mapped[int]
    """How many the ledger has: the number of the last."""


class LedgerEntry(Base):
    """One movement of money. Entries are added, never changed."""

    __tablename__ = "ledger_entry"
    __table_args__ = (UniqueConstraint("user_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id"))
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=utc_now)
    kind: Mapped[str] = mapped_column(String(10))
    """top_up, freeze, settle or release."""
    amount: Mapped[Decimal]
    """Above zero."""
    balance_after: Mapped[Decimal]
    frozen_after: Mapped[Decimal]
    charge_id: Mapped[str | None] = mapped_column(ForeignKey("charge.id"), index=True)
    by: Mapped[str | None] = mapped_column(String(60))
    """Name of the admin who topped up."""
    note: Mapped[str] = mapped_column(String(300), default="")


class Charge(Base):
    """What one run or instance costs: a price per hour, seconds used, and the money frozen for it."""

    __tablename__ = "charge"
    __table_args__ = (Index("ix_charge_open", "closed_at", "kind"),)

    id: Mapped[str] = row_id("ch")
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    """run or instance."""
    subject: Mapped[str] = mapped_column(String(80), unique=True)
    """Id of the instance, or of the run with its attempt; a second charge for it is impossible."""
    resource_kind: Mapped[str] = mapped_column(String(10))
    """task or service."""
    resource_id: Mapped[str] = mapped_column(String(40), index=True)
    title: Mapped[str] = mapped_column(String(120))
    spec: Mapped[str] = mapped_column(String(40))
    price: Mapped[Decimal]
    """Per hour, as it was at the start."""
    frozen: Mapped[Decimal]
    """Still frozen for it."""
    settled: Mapped[Decimal]
    """Paid so far."""
    base_seconds: Mapped[float] = mapped_column(default=0.0)
    """Used time of the run before this charge, which earlier charges cover."""
    seconds: Mapped[float] = mapped_column(default=0.0)
    """Metered so far."""
    opened_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    arrears_at: Mapped[datetime | None]
    """When it was stopped because the balance could not cover the next hour."""
    closed_at: Mapped[datetime | None]
