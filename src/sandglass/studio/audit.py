"""The audit log: every call that changed something or was refused; who, what, before and after, from where.

What a call changes is noticed at the database, so no subject has to say it, and is written in the same transaction: a change
without its entry cannot be. Entries are searched and exported, never changed, and kept for a number of days.
"""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Select, delete, event, func, inspect, or_, select
from sqlalchemy.orm import Session, UOWTransaction

from sandglass.core.actor import Actor
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.store.account_tables import (
    AccessToken,
    AuditEntry,
    LedgerEntry,
    ResourceGroup,
    Share,
    UserAccount,
)
from sandglass.store.db import Database
from sandglass.store.tables import Dataset, DatasetVersion, ImportJob, Run, Service, ServiceVersion, Task, TaskVersion
from sandglass.studio.page import Page, decode_cursor, encode_cursor

WATCHED = (
    Dataset,
    DatasetVersion,
    ImportJob,
    Task,
    TaskVersion,
    Run,
    Service,
    ServiceVersion,
    UserAccount,
    AccessToken,
    Share,
    ResourceGroup,
    LedgerEntry,
)
"""Tables whose rows are what people mean when they ask what was changed."""
SECRET = frozenset({"password", "digest", "key"})
"""Columns whose values are never written down."""
QUIET = frozenset({"updated_at", "revision", "heartbeat_at", "progress", "stages", "used_seconds"})
"""Columns that change with every change and say nothing."""
LONGEST_VALUE = 500
MOST_CHANGES = 50
KEPT_DAYS = 400


class Change(Value):
    """One row before and after a call.

    Attributes:
        kind: what it is: the table.
        id: of the row.
        name: as people know it.
        before: changed columns as they were; None = it was made.
        after: changed columns as they are; None = it was removed.
    """

    kind: str
    id: str
    name: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditView(Value):
    """One entry of the log."""

    id: int
    at: datetime
    user: str
    entrance: str
    action: str
    target: str
    status: int
    code: str | None
    address: str
    request_id: str
    changes: tuple[Change, ...]


@dataclass
class Trail:
    """What is known of the changing call that is being answered; it is written down once its ``action`` is known."""

    address: str
    request_id: str
    action: str = ""
    target: str = ""
    actor: Actor | None = None
    changes: list[Change] = field(default_factory=list)
    entry: int | None = None
    written: int = 0
    """How many of ``changes`` the entry holds."""
    written_actor: Actor | None = None
    """Whom the entry names."""


_trail: ContextVar[Trail | None] = ContextVar("trail", default=None)


@contextmanager
def follow(trail: Trail | None) -> Iterator[Trail | None]:
    """Note on ``trail`` what is changed inside the block; None = what is changed there is no part of the call."""
    token = _trail.set(trail)
    try:
        yield trail
    finally:
        _trail.reset(token)


def current_trail() -> Trail | None:
    """The trail of the call that is being answered, if it is one that may change something."""
    return _trail.get()


def note(kind: str, name: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    """Note a change of something that is no row of the database (a file)."""
    trail = _trail.get()
    if trail is not None and before != after:
        trail.changes.append(Change(kind=kind, id=name, name=name, before=before, after=after))


class Audit:
    """Writes and reads the log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        sessions = database.sessions[1]
        event.listen(sessions, "after_flush", _notice)
        event.listen(sessions, "before_commit", _write)

    def finish(self, trail: Trail, status: int, code: str | None) -> None:
        """Complete the entry of a call with its outcome; one that changed nothing gets its entry here."""
        complete = trail.written == len(trail.changes) and trail.written_actor == trail.actor
        if not trail.action or (trail.entry is not None and status < 400 and complete):
            return
        with follow(None), self._database.write() as session:
            if trail.entry is None:
                session.add(_entry(trail, status, code))
                return
            entry = session.get_one(AuditEntry, trail.entry)
            entry.status, entry.code, entry.changes = status, code, _stored(trail)
            if trail.actor is not None:
                entry.user_id, entry.user, entry.entrance = trail.actor.user_id, trail.actor.name, trail.actor.entrance

    def list(
        self,
        *,
        q: str = "",
        user: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        refused: bool | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[AuditView]:
        """Entries, the newest first.

        Args:
            q: a part of the target, action, address or request id.
            user: name of an account.
            action: its beginning, such as ``service`` or ``service.publish``.
            since: the earliest.
            until: the latest.
            refused: only calls that were refused, or only those that were not.
            limit: most items.
            cursor: ``next`` of the page before.
        """
        query = _filtered(q=q, user=user, action=action, since=since, until=until, refused=refused)
        with self._database.read() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            if cursor:
                (before,) = decode_cursor(cursor, int)
                query = query.where(AuditEntry.id < before)
            rows = session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit + 1)).all()
            following = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
            return Page(items=[_view(row) for row in rows[:limit]], total=total, next=following)

    def export(self, kind: Literal["csv", "jsonl"], **filters: Any) -> Iterator[bytes]:  # noqa: ANN401
        """All entries that the filters of `list` leave, the oldest first, piece by piece."""
        query = _filtered(**filters).order_by(AuditEntry.id)
        if kind == "csv":
            yield ("\ufeff" + ",".join(_CSV) + "\n").encode()
        last = 0
        while True:
            with self._database.read() as session:
                rows = session.scalars(query.where(AuditEntry.id > last).limit(500)).all()
            if not rows:
                return
            last = rows[-1].id
            views = [_view(row) for row in rows]
            yield "".join(
                _csv_line(view) if kind == "csv" else view.model_dump_json() + "\n" for view in views
            ).encode()

    def prune(self) -> int:
        """Remove entries older than they are kept."""
        with self._database.write() as session:
            old = delete(AuditEntry).where(AuditEntry.at < utc_now() - timedelta(days=KEPT_DAYS))
            return int(session.execute(old).rowcount)  # type: ignore[attr-defined]


_CSV = ("at", "user", "entrance", "action", "target", "status", "code", "address", "request_id", "changes")


def _csv_line(view: AuditView) -> str:
    facts = view.model_dump(mode="json")
    facts["changes"] = json.dumps(facts["changes"], ensure_ascii=False)
    # A cell that a spreadsheet would take for a formula is text.
    cells = ["'" + str(cell) if str(cell).startswith(("=", "+", "-", "@")) else cell for cell in map(facts.get, _CSV)]
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _filtered(
    *,
    q: str = "",
    user: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    refused: bool | None = None,
) -> Select[AuditEntry]:
    query = select(AuditEntry)
    if q:
        columns = (AuditEntry.target, AuditEntry.action, AuditEntry.address, AuditEntry.request_id)
        query = query.where(or_(*(column.icontains(q, autoescape=True) for column in columns)))
    if user:
        query = query.where(AuditEntry.user == user)
    if action:
        query = query.where(AuditEntry.action.startswith(action, autoescape=True))
    if since is not None:
        query = query.where(AuditEntry.at >= since)
    if until is not None:
        query = query.where(AuditEntry.at <= until)
    if refused is not None:
        query = query.where(AuditEntry.status >= 400 if refused else AuditEntry.status < 400)
    return query


# At the database


def _notice(session: Session, _flush: UOWTransaction) -> None:
    trail = current_trail()
    if trail is None or not trail.action:
        return
    for row in session.new:
        if isinstance(row, WATCHED):
            after = {name: _plain(name, value) for name, value in _columns(row).items() if value is not None}
            trail.changes.append(_change(row, None, after))
    for row in session.dirty:
        if isinstance(row, WATCHED):
            before, after = _difference(row)
            if after:
                trail.changes.append(_change(row, before, after))
    for row in session.deleted:
        if isinstance(row, WATCHED):
            before = {name: _plain(name, value) for name, value in _columns(row).items() if value is not None}
            trail.changes.append(_change(row, before, None))


def _write(session: Session) -> None:
    trail = current_trail()
    if trail is None or not trail.action:
        return
    session.flush()
    if len(trail.changes) == trail.written:
        return
    if trail.entry is None:
        entry = _entry(trail, 200, None)
        session.add(entry)
        session.flush()
        trail.entry, trail.written_actor = entry.id, trail.actor
    else:
        session.get_one(AuditEntry, trail.entry).changes = _stored(trail)
    trail.written = len(trail.changes)


def _entry(trail: Trail, status: int, code: str | None) -> AuditEntry:
    noun = trail.action.partition(".")[0]
    # What was made by the call may bring other things along; the one that it is named for comes first.
    made = sorted(trail.changes, key=lambda change: (not change.kind.startswith(noun), change.name is None))
    target = trail.target or next((change.name or change.id for change in made), "")
    return AuditEntry(
        user_id=trail.actor.user_id if trail.actor else None,
        user=trail.actor.name if trail.actor else "",
        entrance=trail.actor.entrance if trail.actor else "",
        action=trail.action[:80],
        target=target[:300],
        status=status,
        code=code,
        address=trail.address[:60],
        request_id=trail.request_id[:80],
        changes=_stored(trail),
    )


def _stored(trail: Trail) -> list[dict[str, Any]]:
    return [change.model_dump(mode="json") for change in trail.changes[:MOST_CHANGES]]


def _change(row: Any, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Change:  # noqa: ANN401
    identity = inspect(row).identity or ()
    return Change(
        kind=row.__tablename__,
        id="/".join(str(part) for part in identity) or str(getattr(row, "id", "")),
        name=getattr(row, "name", None),
        before=before,
        after=after,
    )


def _columns(row: Any) -> dict[str, Any]:  # noqa: ANN401
    state = inspect(row)
    # What was not loaded is left alone: looking at it would ask the database in the middle of a flush.
    return {column.key: state.dict[column.key] for column in state.mapper.column_attrs if column.key in state.dict}


def _difference(row: Any) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ANN401
    state = inspect(row)
    before, after = {}, {}
    for column in state.mapper.column_attrs:
        history = state.attrs[column.key].history
        if not history.has_changes() or column.key in QUIET:
            continue
        old = history.deleted[0] if history.deleted else None
        new = history.added[0] if history.added else None
        if column.key in SECRET:
            old, new = "•", "changed"
        before[column.key], after[column.key] = _plain(column.key, old), _plain(column.key, new)
    return before, after


def _plain(name: str, value: Any) -> Any:  # noqa: ANN401
    """A column's value as JSON, cut where it is long, hidden where it is secret."""
    if name in SECRET and value not in ("•", "changed"):
        return "•"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict | list | tuple):
        text = json.dumps(value, ensure_ascii=False, default=str)
        return value if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        return value[:LONGEST_VALUE] + "…"
    return value


def _view(row: AuditEntry) -> AuditView:
    return AuditView(
        id=row.id,
        at=row.at,
        user=row.user,
        entrance=row.entrance,
        action=row.action,
        target=row.target,
        status=row.status,
        code=row.code,
        address=row.address,
        request_id=row.request_id,
        changes=tuple(Change.model_validate(change) for change in row.changes),
    )
