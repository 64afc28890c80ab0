"""What happened to services: each kind of thing once, with how often and when it was seen first and last."""

from datetime import datetime
from typing import Literal

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.store.db import Database
from sandglass.store.tables import ServiceEvent
from sandglass.studio.page import Page
from sandglass.studio.serviceviews import find_service

Severity = Literal["normal", "warning"]
MOST = 500
"""Events that one service keeps; the oldest go."""


class ServiceEventView(Value):
    """One event; ``count`` times between ``first_at`` and ``last_at``."""

    id: int
    code: str
    severity: Severity
    message: Text
    instance: str | None
    count: int
    first_at: datetime
    last_at: datetime


def note(
    session: Session,
    service_id: str,
    code: str,
    message: Text,
    *,
    severity: Severity = "normal",
    instance: str | None = None,
    key: str = "",
) -> None:
    """Write an event down; the same ``code``, ``instance`` and ``key`` again raises its count."""
    whole = f"{code}|{instance or ''}|{key}"[:200]
    now = utc_now()
    found = session.scalar(select(ServiceEvent).where(ServiceEvent.service_id == service_id, ServiceEvent.key == whole))
    if found is not None:
        found.count += 1
        found.last_at, found.message, found.severity = now, message.model_dump(), severity
        return
    session.add(
        ServiceEvent(
            service_id=service_id,
            key=whole,
            code=code,
            severity=severity,
            message=message.model_dump(),
            instance=instance,
            first_at=now,
            last_at=now,
        )
    )
    session.flush()
    last = session.scalar(
        select(ServiceEvent.last_at)
        .where(ServiceEvent.service_id == service_id)
        .order_by(ServiceEvent.last_at.desc())
        .offset(MOST)
        .limit(1)
    )
    if last is not None:
        session.execute(delete(ServiceEvent).where(ServiceEvent.service_id == service_id, ServiceEvent.last_at <= last))


class ServiceEvents:
    """Reads events of services."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self, service: str, *, severity: Severity | None = None, limit: int = 100, offset: int = 0
    ) -> Page[ServiceEventView]:
        """Events of a service, the latest first.

        Raises:
            NotFound: ``service_not_found``.
        """
        with self._database.read() as session:
            query = select(ServiceEvent).where(ServiceEvent.service_id == find_service(session, service).id)
            if severity is not None:
                query = query.where(ServiceEvent.severity == severity)
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            rows = session.scalars(
                query.order_by(ServiceEvent.last_at.desc(), ServiceEvent.id.desc()).limit(limit).offset(offset)
            )
            return Page(
                items=[
                    ServiceEventView(
                        id=row.id,
                        code=row.code,
                        severity="warning" if row.severity == "warning" else "normal",
                        message=Text.model_validate(row.message),
                        instance=row.instance,
                        count=row.count,
                        first_at=row.first_at,
                        last_at=row.last_at,
                    )
                    for row in rows
                ],
                total=total,
            )
