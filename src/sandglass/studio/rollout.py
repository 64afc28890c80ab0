"""Which processes a service should have and which should leave: new ones are ready before old ones go."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sandglass.core.problem import Problem
from sandglass.core.status import InstanceStatus
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.store.tables import Instance, Service, ServiceVersion
from sandglass.studio.allocation import allocate
from sandglass.studio.serviceevents import note
from sandglass.studio.serviceviews import GONE, recipe_of, wanted_total

KEPT_GONE = 20
"""Processes that have ended and whose logs can still be read, per service."""


def live_instances(session: Session, service_id: str) -> list[Instance]:
    """Processes of a service that have not ended, the oldest first."""
    return list(
        session.scalars(
            select(Instance)
            .where(Instance.service_id == service_id, Instance.status.not_in(GONE))
            .order_by(Instance.created_at, Instance.id)
        )
    )


def roll_out(session: Session, service: Service) -> bool:
    """Add processes that are missing and let those drain that are too many; whether anything was changed.

    A process leaves only once every version has all its processes ready, so requests always find one: an update that
    never gets ready leaves the old processes in service.
    """
    rows = [row for row in live_instances(session, service.id) if row.status != InstanceStatus.DRAINING]
    versions = list(session.scalars(select(ServiceVersion).where(ServiceVersion.service_id == service.id)))
    wanted = allocate(wanted_total(service), {version.number: version.weight for version in versions})
    spare: list[Instance] = []
    complete = True
    changed = False
    for version in versions:
        recipe = recipe_of(service, version)
        mine = [row for row in rows if row.version_id == version.id]
        current = [row for row in mine if row.recipe == recipe]
        spare += [row for row in mine if row.recipe != recipe]
        count = wanted[version.number]
        for _ in range(count - len(current)):
            session.add(
                Instance(
                    service_id=service.id,
                    version_id=version.id,
                    status=InstanceStatus.STARTING,
                    recipe=recipe,
                    works=[],
                    places=1,
                )
            )
            changed = True
        # Those that are not ready are the first to go, then the youngest.
        current.sort(key=lambda row: (row.status != InstanceStatus.READY, row.created_at))
        spare += current[count:]
        complete = complete and sum(row.status == InstanceStatus.READY for row in current[:count]) >= count
    for row in spare:
        if complete or row.status != InstanceStatus.READY:
            drain(row)
            changed = True
    session.flush()
    return changed


def drain(row: Instance) -> None:
    """Send no more requests to a process; it is asked to end a moment later."""
    row.status, row.draining_at = InstanceStatus.DRAINING, utc_now()


def prune_gone(session: Session, service_id: str) -> None:
    """Forget processes that ended long ago."""
    gone = session.scalars(
        select(Instance.id)
        .where(Instance.service_id == service_id, Instance.status.in_(GONE))
        .order_by(Instance.ended_at.desc(), Instance.id)
        .offset(KEPT_GONE)
    ).all()
    if gone:
        session.execute(delete(Instance).where(Instance.id.in_(gone)))


def not_answering(rows: Sequence[Instance]) -> Problem:
    """Why a service does not answer, as far as its processes tell."""
    why = next((row.reason for row in rows if row.reason), None)
    return Problem(
        code="service_not_answering",
        message=Text(
            en="No instance of the service answers" + (f" ({why})." if why else "."),
            zh="服务没有可用的实例" + (f"（{why}）。" if why else "。"),
        ),
        action=Text(en="Look at the service's logs; it is restarted by itself.", zh="请查看服务日志；系统会自动重启。"),
    )


def note_ready(session: Session, row: Instance) -> None:
    """An instance is ready."""
    seconds = (utc_now() - (row.started_at or row.created_at)).total_seconds()
    note(
        session,
        row.service_id,
        "instance_ready",
        Text(en=f"The instance is ready ({seconds:.1f} s).", zh=f"实例已就绪（{seconds:.1f} 秒）。"),
        instance=row.id,
    )
