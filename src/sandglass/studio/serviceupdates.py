"""Update records of services: who changed what when, with all settings after it, so that any of them can be restored."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sandglass.core.errors import NotFound
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.serving.limits import Limits
from sandglass.store.db import Database
from sandglass.store.tables import Service, ServiceUpdate, ServiceVersion
from sandglass.studio.keepsettings import KeepPictures
from sandglass.studio.page import Page
from sandglass.studio.scaling import ScalingRules

SYSTEM = "system"
"""Who acts when nobody asked."""


class VersionSettings(Value):
    """One version of a service."""

    number: int
    model_id: str
    weight: int
    threshold: float | None


class ServiceSettings(Value):
    """All settings of a service that a person can change; what a roll back restores."""

    spec: str
    instances: int
    max_run_seconds: float | None
    limits: Limits
    scaling: ScalingRules
    keep: KeepPictures | None
    versions: tuple[VersionSettings, ...]


class Change(Value):
    """One setting before and after; ``field`` is its path, e.g. ``versions.2.weight``."""

    field: str
    before: Any
    after: Any


class ServiceUpdateView(Value):
    """One update record."""

    number: int
    at: datetime
    actor: str
    action: str
    changes: tuple[Change, ...]
    settings: ServiceSettings


def settings_of(session: Session, service: Service) -> ServiceSettings:
    """The present settings of a service."""
    versions = session.scalars(
        select(ServiceVersion).where(ServiceVersion.service_id == service.id).order_by(ServiceVersion.number)
    )
    return ServiceSettings(
        spec=service.spec,
        instances=service.instances,
        max_run_seconds=service.max_run_seconds,
        limits=Limits.model_validate(service.limits),
        scaling=ScalingRules.model_validate(service.scaling),
        keep=None if service.keep is None else KeepPictures.model_validate(service.keep),
        versions=tuple(
            VersionSettings(number=row.number, model_id=row.model_id, weight=row.weight, threshold=row.threshold)
            for row in versions
        ),
    )


def record(
    session: Session,
    service: Service,
    action: str,
    actor: str,
    before: ServiceSettings | None,
    *,
    changes: tuple[Change, ...] = (),
) -> None:
    """Write down a change that was made; a change that changed nothing is not one.

    Args:
        session: of the change itself.
        service: after the change.
        action: publish, version, weights, settings, scale, extend, roll_back, remove_version, stop or start.
        actor: who did it.
        before: settings before; None for the first record.
        changes: beside the settings, e.g. of the status.
    """
    session.flush()
    after = settings_of(session, service)
    found = (*changes, *diff(before, after))
    if before is not None and not found:
        return
    service.revision += 1
    session.add(
        ServiceUpdate(
            service_id=service.id,
            number=service.revision,
            actor=actor,
            action=action,
            changes=[change.model_dump(mode="json") for change in found],
            settings=after.model_dump(mode="json"),
        )
    )


def diff(before: ServiceSettings | None, after: ServiceSettings) -> tuple[Change, ...]:
    """What differs, setting by setting."""
    old = {} if before is None else _flat(before)
    new = _flat(after)
    return tuple(
        Change(field=name, before=old.get(name), after=new.get(name))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


def _flat(settings: ServiceSettings) -> dict[str, Any]:
    plain = settings.model_dump(mode="json")
    versions = plain.pop("versions")
    flat: dict[str, Any] = {}
    for name, value in plain.items():
        if isinstance(value, dict) and name in ("limits", "scaling"):
            flat |= {f"{name}.{part}": inner for part, inner in value.items()}
        else:
            flat[name] = value
    for version in versions:
        number = version["number"]
        flat |= {f"versions.{number}.{name}": version[name] for name in ("model_id", "weight", "threshold")}
    return flat


def find_update(session: Session, service: Service, number: int) -> ServiceUpdate:
    """The update record of that number.

    Raises:
        NotFound: ``update_not_found``.
    """
    found = session.scalar(
        select(ServiceUpdate).where(ServiceUpdate.service_id == service.id, ServiceUpdate.number == number)
    )
    if found is None:
        raise NotFound(
            "update_not_found",
            Text(en=f"{service.name} has no update record {number}.", zh=f"{service.name} 没有更新记录 {number}。"),
            Text(en="Choose one from the list of update records.", zh="请从更新记录中选择。"),
            field="number",
        )
    return found


def list_updates(database: Database, service_id: str, limit: int, offset: int) -> Page[ServiceUpdateView]:
    """Update records, the latest first."""
    query = select(ServiceUpdate).where(ServiceUpdate.service_id == service_id)
    with database.read() as session:
        total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
        rows = session.scalars(query.order_by(ServiceUpdate.number.desc()).limit(limit).offset(offset))
        return Page(
            items=[
                ServiceUpdateView(
                    number=row.number,
                    at=row.at,
                    actor=row.actor,
                    action=row.action,
                    changes=tuple(Change.model_validate(change) for change in row.changes),
                    settings=ServiceSettings.model_validate(row.settings),
                )
                for row in rows
            ],
            total=total,
        )
