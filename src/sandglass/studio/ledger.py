"""The ledger: immutable entries per account, and sums that the database itself keeps from falling below zero.

A balance is what was topped up less what was settled; the frozen part of it is promised to something that runs. Every movement
locks the account's wallet first, so two at once come one after the other on every database.
"""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import PlainSerializer
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.store.account_tables import Charge, LedgerEntry, Wallet
from sandglass.studio.page import Page, decode_cursor, encode_cursor

PLACES = Decimal("0.0001")
"""The smallest amount that is kept."""
ZERO = Decimal(0)


class EntryKind(StrEnum):
    """What a movement does: to the balance, to the frozen part of it."""

    TOP_UP = "top_up"
    FREEZE = "freeze"
    SETTLE = "settle"
    RELEASE = "release"


_EFFECT = {
    EntryKind.TOP_UP: (1, 0),
    EntryKind.FREEZE: (0, 1),
    EntryKind.SETTLE: (-1, -1),
    EntryKind.RELEASE: (0, -1),
}
"""Sign of the amount on the balance and on the frozen part."""


def money(amount: Decimal) -> str:
    """An amount as a decimal string with two to four decimals: ``1.20``, ``0.0125``."""
    text = f"{amount.quantize(PLACES):f}"
    return text[:-2] if text.endswith("00") else text.rstrip("0") if text.endswith("0") else text


Money = Annotated[Decimal, PlainSerializer(money, return_type=str)]
"""An amount in the currency of the installation; a decimal string in JSON, never a float."""


def rounded(amount: Decimal) -> Decimal:
    """``amount`` to the smallest amount that is kept, halves up."""
    return amount.quantize(PLACES, ROUND_HALF_UP)


class Balance(Value):
    """How an account stands: ``free`` is the balance without what is frozen."""

    balance: Money
    frozen: Money
    free: Money


class EntryView(Value):
    """One entry of a ledger.

    Attributes:
        number: its place in the account's ledger, from 1.
        amount: above zero; ``kind`` says which way it goes.
        subject: what it was for: the name of a service or a task version.
    """

    number: int
    at: datetime
    kind: EntryKind
    amount: Money
    balance_after: Money
    frozen_after: Money
    resource_kind: str | None
    resource_id: str | None
    subject: str | None
    spec: str | None
    by: str | None
    note: str


class NotEnough(Exception):
    """The free balance falls short by ``missing``."""

    def __init__(self, balance: Balance, missing: Decimal) -> None:
        super().__init__(f"{missing} is missing")
        self.balance = balance
        self.missing = missing


def locked_wallet(session: Session, user_id: str, opening: Decimal) -> Wallet:
    """The wallet of an account, locked until the transaction ends; made with its opening balance on first use."""
    wallet = session.get(Wallet, user_id, with_for_update=True, populate_existing=True)
    if wallet is not None:
        return wallet
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    empty = insert(Wallet).values(user_id=user_id, balance=ZERO, frozen=ZERO, entries=0)
    made = session.scalar(empty.on_conflict_do_nothing().returning(Wallet.user_id))
    wallet = session.get_one(Wallet, user_id, with_for_update=True, populate_existing=True)
    if made is not None and opening > 0:  # of two at once, one makes it
        move(session, wallet, EntryKind.TOP_UP, opening, note="opening balance")
    return wallet


def move(
    session: Session,
    wallet: Wallet,
    kind: EntryKind,
    amount: Decimal,
    *,
    charge: Charge | None = None,
    by: str | None = None,
    note: str = "",
    at: datetime | None = None,
) -> None:
    """Add one entry; an amount of zero adds none.

    Args:
        session: the transaction in which ``wallet`` was locked.
        wallet: of the account.
        kind: what the movement does.
        amount: above or equal to zero, to four decimals.
        charge: what it is for.
        by: who topped up.
        note: for people.
        at: when; now unless given.

    Raises:
        NotEnough: more would be frozen than is free.
    """
    if amount < 0 or amount != rounded(amount):
        raise ValueError(f"no amount of money: {amount}")
    if amount == 0:
        return
    on_balance, on_frozen = _EFFECT[kind]
    balance, frozen = wallet.balance + on_balance * amount, wallet.frozen + on_frozen * amount
    if frozen > balance:
        raise NotEnough(_balance(wallet), frozen - balance)
    wallet.balance, wallet.frozen, wallet.entries = balance, frozen, wallet.entries + 1
    session.add(
        LedgerEntry(
            user_id=wallet.user_id,
            number=wallet.entries,
            at=at or utc_now(),
            kind=kind,
            amount=amount,
            balance_after=balance,
            frozen_after=frozen,
            charge_id=None if charge is None else charge.id,
            by=by,
            note=note,
        )
    )
    session.flush()


def balance_of(session: Session, user_id: str, opening: Decimal) -> Balance:
    """How an account stands; one that never paid has its opening balance."""
    wallet = session.get(Wallet, user_id)
    if wallet is None:
        return Balance(balance=opening, frozen=ZERO, free=opening)
    return _balance(wallet)


def entries_of(
    session: Session,
    user_id: str,
    *,
    kind: EntryKind | None = None,
    resource_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[EntryView]:
    """Entries of an account, the newest first."""
    query = (
        select(LedgerEntry, Charge)
        .outerjoin(Charge, Charge.id == LedgerEntry.charge_id)
        .where(LedgerEntry.user_id == user_id)
    )
    if kind is not None:
        query = query.where(LedgerEntry.kind == kind)
    if resource_id is not None:
        query = query.where(Charge.resource_id == resource_id)
    if since is not None:
        query = query.where(LedgerEntry.at >= since)
    if until is not None:
        query = query.where(LedgerEntry.at <= until)
    total = session.scalar(select(func.count()).select_from(query.with_only_columns(LedgerEntry.id).subquery())) or 0
    if cursor:
        (before,) = decode_cursor(cursor, int)
        query = query.where(LedgerEntry.number < before)
    rows = session.execute(query.order_by(LedgerEntry.number.desc()).limit(limit + 1)).all()
    following = encode_cursor(rows[limit - 1][0].number) if len(rows) > limit else None
    return Page(items=[_entry(entry, charge) for entry, charge in rows[:limit]], total=total, next=following)


def _balance(wallet: Wallet) -> Balance:
    return Balance(balance=wallet.balance, frozen=wallet.frozen, free=wallet.balance - wallet.frozen)


def _entry(entry: LedgerEntry, charge: Charge | None) -> EntryView:
    return EntryView(
        number=entry.number,
        at=entry.at,
        kind=EntryKind(entry.kind),
        amount=entry.amount,
        balance_after=entry.balance_after,
        frozen_after=entry.frozen_after,
        resource_kind=None if charge is None else charge.resource_kind,
        resource_id=None if charge is None else charge.resource_id,
        subject=None if charge is None else charge.title,
        spec=None if charge is None else charge.spec,
        by=entry.by,
        note=entry.note,
    )
