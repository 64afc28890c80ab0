"""Online services: publish a model, stop, start, extend, delete; where their instances answer is kept by supervision."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sandglass.core.errors import Conflict, NotFound
from sandglass.core.problem import Problem
from sandglass.core.status import InstanceStatus, ServiceStatus
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.store.db import Database
from sandglass.store.tables import Instance, Model, Run, Service, ServiceVersion, Task, TaskVersion
from sandglass.studio.evaluations import best_model
from sandglass.studio.page import Page
from sandglass.studio.specs import Specs
from sandglass.studio.tasks import find_version
from sandglass.studio.validation import check_name

ENDED = tuple(status.value for status in ServiceStatus if status.final)
GONE = (InstanceStatus.STOPPED.value, InstanceStatus.LOST.value)

REPLACED = "replaced"
"""Reason of an instance that a new one takes the place of."""


class NewService(Value):
    """The form of a new service.

    Attributes:
        task: name or id of the task whose best model is published.
        version: of the task; None = the newest.
        spec: of one instance; None = the default one that fits this machine.
        max_run_seconds: it stops by itself after that; None = no limit.
        threshold: confidence below which answers are left out; None = the model's recommended one.
    """

    name: str = Field(max_length=200)
    task: str
    version: int | None = Field(None, ge=1, le=2**31 - 1)
    spec: str | None = None
    instances: int = Field(1, ge=1, le=64)
    max_run_seconds: float | None = Field(3600.0, gt=0, le=366 * 86400)
    threshold: float | None = Field(None, ge=0, le=1)


class InstanceView(Value):
    """One serving process."""

    id: str
    status: InstanceStatus
    reason: str | None
    restarts: int
    created_at: datetime
    heartbeat_at: datetime | None


class ServiceVersionView(Value):
    """One model behind a service, with the percent of the traffic that it gets."""

    number: int
    weight: int
    model_id: str
    task: str
    task_version: int
    score: float


class ServiceView(Value):
    """A service as a person sees it.

    Attributes:
        instance_count: processes that it should have.
        instances: processes that it has, or had when it ended.
        remaining_seconds: until it stops by itself; None = no limit.
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
    instances: tuple[InstanceView, ...]
    versions: tuple[ServiceVersionView, ...]
    threshold: float | None
    max_run_seconds: float | None
    remaining_seconds: float | None
    created_at: datetime
    started_at: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None


class Services:
    """Publishes models; what it writes down is carried out by `studio.serving`."""

    def __init__(self, database: Database, specs: Specs) -> None:
        self._database = database
        self._specs = specs

    def publish(self, form: NewService) -> ServiceView:
        """Publish the best model of a task version as a new service.

        Raises:
            InvalidInput: the name, the spec or a number is wrong.
            NotFound: the task or its version does not exist.
            Conflict: ``service_name_taken``, or ``no_model``.
        """
        name = check_name(form.name)
        spec = self._specs.get(form.spec) if form.spec is not None else self._specs.default("1C2G")
        try:
            with self._database.write() as session:
                task, version = find_version(session, form.task, form.version)
                if session.scalar(select(Service.id).where(Service.name == name)) is not None:
                    raise _taken(name)
                model_id = best_model(session, version.id)
                if model_id is None:
                    raise Conflict(
                        "no_model",
                        Text(
                            en=f"{task.name} v{version.number} has no model to publish.",
                            zh=f"{task.name} v{version.number} 没有可发布的模型。",
                        ),
                        Text(
                            en="Wait until training has a first model, or train again.",
                            zh="请等待训练产生模型，或重新训练。",
                        ),
                        field="task",
                    )
                service = Service(
                    name=name,
                    scenario=task.scenario,
                    status=ServiceStatus.CREATING,
                    spec=spec.id,
                    instances=form.instances,
                    threshold=form.threshold,
                    max_run_seconds=form.max_run_seconds,
                )
                session.add(service)
                session.flush()
                session.add(ServiceVersion(service_id=service.id, number=1, model_id=model_id, weight=100))
                session.flush()
                _add_instances(session, service)
                return _view(session, service)
        except IntegrityError as error:
            raise _taken(name) from error

    def list(self, *, q: str = "", status: Sequence[str] = (), limit: int = 50, offset: int = 0) -> Page[ServiceView]:
        """Services, the newest first; ``q`` is a part of the name."""
        query = select(Service)
        if q:
            query = query.where(Service.name.icontains(q, autoescape=True))
        if status:
            query = query.where(Service.status.in_(status))
        with self._database.read() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            rows = session.scalars(query.order_by(Service.created_at.desc(), Service.id).limit(limit).offset(offset))
            return Page(items=[_view(session, row) for row in rows], total=total)

    def active_count(self) -> int:
        """Services that have not ended."""
        with self._database.read() as session:
            return session.scalar(select(func.count()).select_from(Service).where(Service.status.not_in(ENDED))) or 0

    def get(self, name: str) -> ServiceView:
        """One service by name or id.

        Raises:
            NotFound: ``service_not_found``.
        """
        with self._database.read() as session:
            return _view(session, find_service(session, name))

    def stop(self, name: str) -> ServiceView:
        """Stop a service; its processes finish what they are doing and end.

        Raises:
            Conflict: ``service_ended``.
        """
        with self._database.write() as session:
            service = find_service(session, name)
            if service.status in ENDED:
                raise Conflict(
                    "service_ended",
                    Text(en=f"{service.name} does not run.", zh=f"{service.name} 未在运行。"),
                    Text(en="Nothing is to be stopped.", zh="无需停止。"),
                )
            service.status = ServiceStatus.STOPPING
            service.reason = service.reason or "stopped_by_person"
            return _view(session, service)

    def start(self, name: str) -> ServiceView:
        """Start a stopped service again, for its maximum run time anew.

        Raises:
            Conflict: ``service_running``.
        """
        with self._database.write() as session:
            service = find_service(session, name)
            if service.status not in ENDED:
                raise Conflict(
                    "service_running",
                    Text(en=f"{service.name} has not stopped.", zh=f"{service.name} 尚未停止。"),
                    Text(en="Stop it first.", zh="请先停止。"),
                )
            self._specs.get(service.spec)
            service.status = ServiceStatus.STARTING
            service.reason = service.error = None
            service.started_at = service.expires_at = service.ended_at = None
            for row in session.scalars(select(Instance).where(Instance.service_id == service.id)):
                session.delete(row)
            session.flush()
            _add_instances(session, service)
            return _view(session, service)

    def extend(self, name: str, seconds: float | None) -> ServiceView:
        """Let a service run longer; None lifts the limit.

        Raises:
            Conflict: ``service_ended``, or ``no_time_limit``.
        """
        with self._database.write() as session:
            service = find_service(session, name)
            if service.status in ENDED or service.status == ServiceStatus.STOPPING:
                raise Conflict(
                    "service_ended",
                    Text(en=f"{service.name} does not run.", zh=f"{service.name} 未在运行。"),
                    Text(en="Start it again instead.", zh="请重新启动它。"),
                )
            if service.max_run_seconds is None:
                raise Conflict(
                    "no_time_limit",
                    Text(en=f"{service.name} has no maximum run time.", zh=f"{service.name} 没有最长运行时长。"),
                    Text(en="Nothing is to be added.", zh="无需延长。"),
                )
            if seconds is None:
                service.max_run_seconds = service.expires_at = None
            else:
                service.max_run_seconds += seconds
                if service.expires_at is not None:
                    service.expires_at += timedelta(seconds=seconds)
            # Processes know when to leave should the server be gone; new ones that know better take their place.
            for row in session.scalars(
                select(Instance).where(Instance.service_id == service.id, Instance.status.not_in(GONE))
            ):
                row.reason = REPLACED
            return _view(session, service)

    def delete(self, name: str) -> None:
        """Remove a service that has ended.

        Raises:
            Conflict: ``service_running``.
        """
        with self._database.write() as session:
            service = find_service(session, name)
            if service.status not in ENDED:
                raise Conflict(
                    "service_running",
                    Text(en=f"{service.name} has not stopped.", zh=f"{service.name} 尚未停止。"),
                    Text(en="Stop it first.", zh="请先停止。"),
                )
            session.delete(service)


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


def _add_instances(session: Session, service: Service) -> None:
    version = session.scalars(select(ServiceVersion).where(ServiceVersion.service_id == service.id)).one()
    session.add_all(
        Instance(service_id=service.id, version_id=version.id, status=InstanceStatus.STARTING)
        for _ in range(service.instances)
    )
    session.flush()


def _view(session: Session, service: Service) -> ServiceView:
    instances = session.scalars(
        select(Instance).where(Instance.service_id == service.id).order_by(Instance.created_at, Instance.id)
    ).all()
    versions = session.execute(
        select(ServiceVersion, Model.score, Task.name, TaskVersion.number)
        .join(Model, Model.id == ServiceVersion.model_id)
        .join(Run, Run.id == Model.run_id)
        .join(TaskVersion, TaskVersion.id == Run.task_version_id)
        .join(Task, Task.id == TaskVersion.task_id)
        .where(ServiceVersion.service_id == service.id)
        .order_by(ServiceVersion.number)
    )
    remaining = service.max_run_seconds
    if service.expires_at is not None:
        remaining = max(0.0, (service.expires_at - utc_now()).total_seconds())
    if service.status in ENDED:
        remaining = 0.0
    return ServiceView(
        id=service.id,
        name=service.name,
        scenario=service.scenario,
        status=ServiceStatus(service.status),
        reason=service.reason,
        error=None if service.error is None else Problem.model_validate(service.error),
        spec=service.spec,
        instance_count=service.instances,
        ready_count=sum(row.status == InstanceStatus.READY for row in instances),
        instances=tuple(
            InstanceView(
                id=row.id,
                status=InstanceStatus(row.status),
                reason=row.reason,
                restarts=row.restarts,
                created_at=row.created_at,
                heartbeat_at=row.heartbeat_at,
            )
            for row in instances
        ),
        versions=tuple(
            ServiceVersionView(
                number=version.number,
                weight=version.weight,
                model_id=version.model_id,
                task=task,
                task_version=number,
                score=score,
            )
            for version, score, task, number in versions
        ),
        threshold=service.threshold,
        max_run_seconds=service.max_run_seconds,
        remaining_seconds=remaining,
        created_at=service.created_at,
        started_at=service.started_at,
        expires_at=service.expires_at,
        ended_at=service.ended_at,
    )


def _taken(name: str) -> Conflict:
    return Conflict(
        "service_name_taken",
        Text(en=f"There is already a service '{name}'.", zh=f"已存在服务“{name}”。"),
        Text(en="Choose another name, or delete that service.", zh="请换一个名称，或删除该服务。"),
        field="name",
    )
