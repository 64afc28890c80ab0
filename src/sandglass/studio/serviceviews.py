"""Services as a person sees them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sandglass.core.actor import acting_as
from sandglass.core.errors import NotFound
from sandglass.core.problem import Problem
from sandglass.core.status import InstanceStatus, ServiceStatus
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.serving.limits import Limits
from sandglass.store.tables import Instance, Model, Run, Service, ServiceVersion, Task, TaskVersion
from sandglass.studio.allocation import allocate
from sandglass.studio.keepsettings import KeepPictures
from sandglass.studio.monitoring import ENDED, Monitor, Recent
from sandglass.studio.scaling import ScalingRules

GONE = (InstanceStatus.STOPPED.value, InstanceStatus.LOST.value)


class InstanceView(Value):
    """One serving process.

    Attributes:
        version: number of the service version that it serves.
        outdated: it was started with other settings than the present ones and is about to be replaced.
        cpu: cores used at present; None = not known yet.
        memory_mb: MiB of memory at present.
    """

    id: str
    version: int
    status: InstanceStatus
    reason: str | None
    outdated: bool
    restarts: int
    places: int
    cpu: float | None
    memory_mb: float | None
    created_at: datetime
    ready_at: datetime | None
    heartbeat_at: datetime | None


class ServiceVersionView(Value):
    """One model behind a service, with the percent of the traffic that it gets.

    Attributes:
        instance_count: processes that it should have.
        ready_count: processes of it that are ready.
        threshold: confidence below which answers are left out; None = the model's recommended one.
    """

    number: int
    weight: int
    model_id: str
    task: str
    task_version: int
    score: float
    threshold: float | None
    instance_count: int
    ready_count: int
    created_at: datetime


class ServiceView(Value):
    """A service as a person sees it.

    Attributes:
        instance_count: processes that it should have now.
        instances: processes that it has, or had when it ended.
        instances_set: processes that a person asked for; scaling may want others.
        threshold: of the version with the most traffic.
        updating: some process is not yet what the settings say.
        revision: number of the latest update record.
        remaining_seconds: until it stops by itself; None = no limit.
        recent: of the last minute.
    """

    id: str
    name: str
    scenario: str
    status: ServiceStatus
    reason: str | None
    error: Problem | None
    spec: str
    instance_count: int
    ready_count: int
    instances_set: int
    instances: tuple[InstanceView, ...]
    versions: tuple[ServiceVersionView, ...]
    threshold: float | None
    updating: bool
    revision: int
    limits: Limits
    scaling: ScalingRules
    keep: KeepPictures | None
    recent: Recent | None
    max_run_seconds: float | None
    remaining_seconds: float | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None


def find_service(session: Session, name: str) -> Service:
    """The service of that name or id.

    Raises:
        NotFound: ``service_not_found``.
    """
    found = session.scalar(select(Service).where(Service.name == name)) or session.get(Service, name)
    if found is None:
        raise NotFound(
            "service_not_found",
            Text(en=f"There is no service '{name}'.", zh=f"没有服务“{name}”。"),
            Text(
                en="Check the name in the list of services, or publish a model.",
                zh="请在服务列表中核对名称，或发布模型。",
            ),
            field="service",
        )
    return found


def wanted_total(service: Service) -> int:
    """Processes that a service should have: what scaling says, else what the person set."""
    return service.instances if service.scaled is None else service.scaled


def recipe_of(service: Service, version: ServiceVersion) -> dict[str, object]:
    """What a process of a version is started with; when it changes, processes are replaced."""
    return {"model": version.model_id, "spec": service.spec, "threshold": version.threshold}


def view(session: Session, service: Service, monitor: Monitor) -> ServiceView:
    """The view of one service."""
    with acting_as(None):  # who sees a service sees what it serves, also where the task is not shared
        versions = session.execute(
            select(ServiceVersion, Model.score, Task.name, TaskVersion.number)
            .join(Model, Model.id == ServiceVersion.model_id)
            .join(Run, Run.id == Model.run_id)
            .join(TaskVersion, TaskVersion.id == Run.task_version_id)
            .join(Task, Task.id == TaskVersion.task_id)
            .where(ServiceVersion.service_id == service.id)
            .order_by(ServiceVersion.number)
        ).all()
    rows = _shown(session, service)
    wanted = allocate(wanted_total(service), {version.number: version.weight for version, *_ in versions})
    numbers = {version.id: version.number for version, *_ in versions}
    recipes = {version.id: recipe_of(service, version) for version, *_ in versions}
    ended = service.status in ENDED
    ready = [row for row in rows if row.status == InstanceStatus.READY]
    shown = []
    for row in rows:
        usage = monitor.usage(row.id)
        shown.append(
            InstanceView(
                id=row.id,
                version=numbers.get(row.version_id, 0),
                status=InstanceStatus(row.status),
                reason=row.reason,
                outdated=not ended and row.recipe != recipes.get(row.version_id),
                restarts=row.restarts,
                places=row.places,
                cpu=None if usage is None else usage.cpu,
                memory_mb=None if usage is None else usage.memory_mb,
                created_at=row.created_at,
                ready_at=row.ready_at,
                heartbeat_at=row.heartbeat_at,
            )
        )
    main = max((version for version, *_ in versions), key=lambda version: (version.weight, version.number))
    return ServiceView(
        id=service.id,
        name=service.name,
        scenario=service.scenario,
        status=ServiceStatus(service.status),
        reason=service.reason,
        error=None if service.error is None else Problem.model_validate(service.error),
        spec=service.spec,
        instance_count=sum(wanted.values()),
        ready_count=len(ready),
        instances_set=service.instances,
        instances=tuple(shown),
        versions=tuple(
            ServiceVersionView(
                number=version.number,
                weight=version.weight,
                model_id=version.model_id,
                task=task,
                task_version=number,
                score=score,
                threshold=version.threshold,
                instance_count=0 if ended else wanted[version.number],
                ready_count=sum(row.version_id == version.id for row in ready),
                created_at=version.created_at,
            )
            for version, score, task, number in versions
        ),
        threshold=main.threshold,
        updating=not ended and _updating(shown, wanted),
        revision=service.revision,
        limits=Limits.model_validate(service.limits),
        scaling=ScalingRules.model_validate(service.scaling),
        keep=None if service.keep is None else KeepPictures.model_validate(service.keep),
        recent=None if ended else monitor.recent(service.id),
        max_run_seconds=service.max_run_seconds,
        remaining_seconds=_remaining(service),
        created_by=service.created_by,
        created_at=service.created_at,
        started_at=service.started_at,
        expires_at=service.expires_at,
        ended_at=service.ended_at,
    )


def _shown(session: Session, service: Service) -> Sequence[Instance]:
    """Processes that are there; of a service that has ended those of its end."""
    query = select(Instance).where(Instance.service_id == service.id)
    if service.status not in ENDED:
        return session.scalars(
            query.where(Instance.status.not_in(GONE)).order_by(Instance.created_at, Instance.id)
        ).all()
    latest = session.scalars(
        query.order_by(Instance.ended_at.desc(), Instance.created_at.desc()).limit(service.instances)
    ).all()
    return sorted(latest, key=lambda row: (row.created_at, row.id))


def _updating(shown: Sequence[InstanceView], wanted: dict[int, int]) -> bool:
    ready = [one for one in shown if one.status == InstanceStatus.READY and not one.outdated]
    counts = {number: sum(one.version == number for one in ready) for number in wanted}
    return counts != wanted or len(shown) != len(ready)


def _remaining(service: Service) -> float | None:
    if service.status in ENDED:
        return 0.0
    if service.expires_at is not None:
        return max(0.0, (service.expires_at - utc_now()).total_seconds())
    return service.max_run_seconds
