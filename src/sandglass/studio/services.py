"""Online services: publish a model, stop, start, extend, delete; `studio.servicechanges` changes one that is there."""

from collections.abc import Sequence
from datetime import timedelta

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sandglass.core.actor import acting_name
from sandglass.core.errors import Conflict
from sandglass.core.status import ServiceStatus
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.serving.limits import Limits
from sandglass.store.db import Database
from sandglass.store.tables import Service, ServiceVersion
from sandglass.studio.billing import Billing
from sandglass.studio.evaluations import best_model
from sandglass.studio.keeping import check_keep
from sandglass.studio.keepsettings import KeepPictures
from sandglass.studio.monitoring import ENDED, Monitor
from sandglass.studio.page import Page
from sandglass.studio.scaling import MOST_INSTANCES, ScalingRules
from sandglass.studio.serviceevents import note
from sandglass.studio.serviceupdates import Change, ServiceUpdateView, list_updates, record, settings_of
from sandglass.studio.serviceviews import ServiceView, find_service, view
from sandglass.studio.specs import Specs
from sandglass.studio.tasks import find_version
from sandglass.studio.validation import check_name


class NewService(Value):
    """The form of a new service.

    Attributes:
        task: name or id of the task whose best model is published.
        version: of the task; None = the newest.
        spec: of one instance; None = the default one that fits this machine.
        max_run_seconds: it stops by itself after that; None = no limit.
        threshold: confidence below which answers are left out; None = the model's recommended one.
        limits: what callers may ask; None = the usual.
        scaling: None = by hand.
        keep: whether callers' pictures are kept; None = no.
    """

    name: str = Field(max_length=200)
    task: str
    version: int | None = Field(None, ge=1, le=2**31 - 1)
    spec: str | None = None
    instances: int = Field(1, ge=1, le=MOST_INSTANCES)
    max_run_seconds: float | None = Field(3600.0, gt=0, le=366 * 86400)
    threshold: float | None = Field(None, ge=0, le=1)
    limits: Limits | None = None
    scaling: ScalingRules | None = None
    keep: KeepPictures | None = None


class Services:
    """Publishes models; what it writes down is carried out by `studio.instances`."""

    def __init__(self, database: Database, specs: Specs, monitor: Monitor, billing: Billing) -> None:
        self._database = database
        self._specs = specs
        self._monitor = monitor
        self._billing = billing

    def publish(self, form: NewService, *, actor: str | None = None) -> ServiceView:
        """Publish the best model of a task version as a new service.

        Raises:
            InvalidInput: the name, the spec or a number is wrong.
            NotFound: the task, its version or the dataset for pictures does not exist.
            Conflict: ``service_name_taken``, or ``no_model``.
        """
        actor = actor or acting_name()
        name = check_name(form.name)
        spec = self._specs.get(form.spec) if form.spec is not None else self._specs.default("1C2G")
        try:
            with self._database.write() as session:
                task, version = find_version(session, form.task, form.version)
                if session.scalar(select(Service.id).where(Service.name == name)) is not None:
                    raise _taken(name)
                model_id = model_to_publish(session, task.name, version.id, version.number)
                keep = check_keep(session, form.keep, task.scenario)
                service = Service(
                    name=name,
                    scenario=task.scenario,
                    status=ServiceStatus.CREATING,
                    spec=spec.id,
                    instances=form.instances,
                    max_run_seconds=form.max_run_seconds,
                    limits=(form.limits or Limits()).model_dump(mode="json"),
                    scaling=(form.scaling or ScalingRules()).model_dump(mode="json"),
                    keep=None if keep is None else keep.model_dump(mode="json"),
                    revision=0,
                    created_by=actor,
                )
                session.add(service)
                session.flush()
                session.add(
                    ServiceVersion(
                        service_id=service.id, number=1, model_id=model_id, weight=100, threshold=form.threshold
                    )
                )
                self._billing.reserve_instances(session, service, form.instances)
                record(session, service, "publish", actor, None)
                note(session, service.id, "published", Text(en=f"Published by {actor}.", zh=f"由 {actor} 发布。"))
                return view(session, service, self._monitor)
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
            return Page(items=[view(session, row, self._monitor) for row in rows], total=total)

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
            return view(session, find_service(session, name), self._monitor)

    def updates(self, name: str, *, limit: int = 50, offset: int = 0) -> Page[ServiceUpdateView]:
        """Update records, the latest first.

        Raises:
            NotFound: ``service_not_found``.
        """
        with self._database.read() as session:
            service_id = find_service(session, name).id
        return list_updates(self._database, service_id, limit, offset)

    def stop(self, name: str, *, actor: str | None = None, reason: str = "stopped_by_person") -> ServiceView:
        """Stop a service; its processes finish what they are doing and end.

        Args:
            name: name or id.
            actor: who asks; the caller unless given.
            reason: ``stopped_by_person``, or ``arrears``, after which it ends as stopped for arrears.

        Raises:
            Conflict: ``service_ended``.
        """
        actor = actor or acting_name()
        with self._database.write() as session:
            service = find_service(session, name)
            if service.status in ENDED:
                raise Conflict(
                    "service_ended",
                    Text(en=f"{service.name} does not run.", zh=f"{service.name} 未在运行。"),
                    Text(en="Nothing is to be stopped.", zh="无需停止。"),
                )
            before, status = settings_of(session, service), service.status
            if status != ServiceStatus.STOPPING:
                service.status, service.reason = ServiceStatus.STOPPING, reason
                changed = Change(field="status", before=status, after=ServiceStatus.STOPPING)
                record(session, service, "stop", actor, before, changes=(changed,))
                note(session, service.id, "stopping", Text(en=f"Stopped by {actor}.", zh=f"由 {actor} 停止。"))
            return view(session, service, self._monitor)

    def start(self, name: str, *, actor: str | None = None) -> ServiceView:
        """Start a stopped service again, for its maximum run time anew.

        Raises:
            Conflict: ``service_running``.
        """
        actor = actor or acting_name()
        with self._database.write() as session:
            service = find_service(session, name)
            if service.status not in ENDED:
                raise _runs(service)
            self._specs.get(service.spec)
            before, status = settings_of(session, service), service.status
            service.status = ServiceStatus.STARTING
            service.reason = service.error = None
            service.started_at = service.expires_at = service.ended_at = None
            service.scaled = service.scaled_at = None
            self._billing.reserve_instances(session, service, service.instances)
            changed = Change(field="status", before=status, after=ServiceStatus.STARTING)
            record(session, service, "start", actor, before, changes=(changed,))
            note(session, service.id, "starting", Text(en=f"Started by {actor}.", zh=f"由 {actor} 启动。"))
            return view(session, service, self._monitor)

    def extend(self, name: str, seconds: float | None, *, actor: str | None = None) -> ServiceView:
        """Let a service run longer; None lifts the limit.

        Raises:
            Conflict: ``service_ended``, or ``no_time_limit``.
        """
        actor = actor or acting_name()
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
            before = settings_of(session, service)
            set_run_time(service, None if seconds is None else service.max_run_seconds + seconds)
            record(session, service, "extend", actor, before)
            return view(session, service, self._monitor)

    def delete(self, name: str) -> None:
        """Remove a service that has ended.

        Raises:
            Conflict: ``service_running``.
        """
        with self._database.write() as session:
            service = find_service(session, name)
            if service.status not in ENDED:
                raise _runs(service)
            session.delete(service)


def set_run_time(service: Service, seconds: float | None) -> None:
    """Give a service another maximum run time; what it has run already counts."""
    service.max_run_seconds = seconds
    if service.started_at is not None:
        service.expires_at = None if seconds is None else service.started_at + timedelta(seconds=seconds)


def model_to_publish(session: Session, task: str, version_id: str, number: int) -> str:
    """The best model of a task version.

    Raises:
        Conflict: ``no_model``.
    """
    model_id = best_model(session, version_id)
    if model_id is None:
        raise Conflict(
            "no_model",
            Text(en=f"{task} v{number} has no model to publish.", zh=f"{task} v{number} 没有可发布的模型。"),
            Text(en="Wait until training has a first model, or train again.", zh="请等待训练产生模型，或重新训练。"),
            field="task",
        )
    return model_id


def _runs(service: Service) -> Conflict:
    return Conflict(
        "service_running",
        Text(en=f"{service.name} has not stopped.", zh=f"{service.name} 尚未停止。"),
        Text(en="Stop it first.", zh="请先停止。"),
    )


def _taken(name: str) -> Conflict:
    return Conflict(
        "service_name_taken",
        Text(en=f"There is already a service '{name}'.", zh=f"已存在服务“{name}”。"),
        Text(en="Choose another name, or delete that service.", zh="请换一个名称，或删除该服务。"),
        field="name",
    )
