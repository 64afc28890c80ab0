"""Changes of a service that is there: versions, traffic weights, settings, roll back. Each leaves an update record."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sandglass.core.actor import acting_name
from sandglass.core.errors import Conflict, InvalidInput, NotFound
from sandglass.core.status import InstanceStatus
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.serving.limits import Limits
from sandglass.store.db import Database
from sandglass.store.tables import Instance, Model, Service, ServiceUpdate, ServiceVersion
from sandglass.studio.allocation import check_weights
from sandglass.studio.billing import Billing
from sandglass.studio.keeping import check_keep
from sandglass.studio.keepsettings import KeepPictures
from sandglass.studio.monitoring import ENDED, Monitor
from sandglass.studio.scaling import MOST_INSTANCES, ScalingRules
from sandglass.studio.serviceevents import note
from sandglass.studio.services import model_to_publish, set_run_time
from sandglass.studio.serviceupdates import ServiceSettings, find_update, record, settings_of
from sandglass.studio.serviceviews import GONE, ServiceView, find_service, view
from sandglass.studio.specs import Specs
from sandglass.studio.tasks import find_version

MOST_VERSIONS = 20


class NewServiceVersion(Value):
    """The form of a new version of a service.

    Attributes:
        task: name or id of the task whose best model is published.
        version: of the task; None = the newest.
        weight: percent of the traffic; the other versions share the rest in their present proportion.
        threshold: confidence below which answers are left out; None = the model's recommended one.
        confirm: publish although the model's score is below that of the version with the most traffic.
    """

    task: str
    version: int | None = Field(None, ge=1, le=2**31 - 1)
    weight: int = Field(0, ge=0, le=100)
    threshold: float | None = Field(None, ge=0, le=1)
    confirm: bool = False


class ServiceChange(Value):
    """What to change; what is not given stays as it is.

    Attributes:
        spec: of each instance; processes are replaced one for one, new ones first.
        instances: number of processes.
        thresholds: by version number; None = the model's recommended one.
        max_run_seconds: counted from the start; None = no limit.
        keep: None = callers' pictures are not kept any more.
    """

    spec: str | None = None
    instances: int | None = Field(None, ge=1, le=MOST_INSTANCES)
    thresholds: dict[int, float | None] | None = None
    max_run_seconds: float | None = Field(None, gt=0, le=366 * 86400)
    limits: Limits | None = None
    scaling: ScalingRules | None = None
    keep: KeepPictures | None = None


class ServiceChanges:
    """Changes services; what it writes down is carried out by `studio.instances`."""

    def __init__(self, database: Database, specs: Specs, monitor: Monitor, billing: Billing) -> None:
        self._database = database
        self._specs = specs
        self._monitor = monitor
        self._billing = billing

    def add_version(self, name: str, form: NewServiceVersion, *, actor: str | None = None) -> ServiceView:
        """Publish the best model of a task version as a new version of a service.

        Raises:
            NotFound: the service, the task or its version does not exist.
            InvalidInput: ``scenario_differs``.
            Conflict: ``no_model``, ``model_worse`` (give ``confirm``), ``too_many_versions``.
        """
        actor = actor or acting_name()
        with self._database.write() as session:
            service = find_service(session, name)
            task, version = find_version(session, form.task, form.version)
            if task.scenario != service.scenario:
                raise InvalidInput(
                    "scenario_differs",
                    Text(
                        en=f"{task.name} learns {task.scenario}, {service.name} serves {service.scenario}.",
                        zh=f"{task.name} 的场景为 {task.scenario}，{service.name} 的场景为 {service.scenario}。",
                    ),
                    Text(en="Publish it as a new service.", zh="请发布为新服务。"),
                    field="task",
                )
            rows = _versions(session, service)
            if len(rows) >= MOST_VERSIONS:
                raise Conflict(
                    "too_many_versions",
                    Text(
                        en=f"{service.name} has {len(rows)} versions.", zh=f"{service.name} 已有 {len(rows)} 个版本。"
                    ),
                    Text(en="Remove one first.", zh="请先移除一个版本。"),
                )
            model_id = model_to_publish(session, task.name, version.id, version.number)
            if not form.confirm:
                _compare(session, model_id, max(rows, key=lambda row: (row.weight, row.number)))
            before = settings_of(session, service)
            shares = share_rest({row.number: row.weight for row in rows}, 100 - form.weight)
            for row in rows:
                row.weight = shares[row.number]
            number = _next_number(session, service)
            session.add(
                ServiceVersion(
                    service_id=service.id,
                    number=number,
                    model_id=model_id,
                    weight=form.weight,
                    threshold=form.threshold,
                )
            )
            record(session, service, "version", actor, before)
            note(
                session,
                service.id,
                "version_added",
                Text(
                    en=f"v{number} ({task.name} v{version.number}) was added with {form.weight} % of the traffic.",
                    zh=f"新增版本 v{number}（{task.name} v{version.number}），流量 {form.weight}%。",
                ),
                key=str(number),
            )
            return view(session, service, self._monitor)

    def set_weights(self, name: str, weights: Mapping[int, int], *, actor: str | None = None) -> ServiceView:
        """Set the traffic weights of all versions together.

        Raises:
            InvalidInput: ``weights_wrong``: a version is missing or unknown, or they do not sum to 100.
        """
        actor = actor or acting_name()
        with self._database.write() as session:
            service = find_service(session, name)
            rows = _versions(session, service)
            check_weights(weights, {row.number for row in rows})
            before = settings_of(session, service)
            for row in rows:
                row.weight = weights[row.number]
            record(session, service, "weights", actor, before)
            return view(session, service, self._monitor)

    def remove_version(self, name: str, number: int, *, actor: str | None = None) -> ServiceView:
        """Remove a version that has no traffic.

        Raises:
            NotFound: ``service_version_not_found``.
            Conflict: ``version_has_traffic``.
        """
        actor = actor or acting_name()
        with self._database.write() as session:
            service = find_service(session, name)
            row = _version(session, service, number)
            if row.weight > 0:
                raise Conflict(
                    "version_has_traffic",
                    Text(
                        en=f"v{number} has {row.weight} % of the traffic.", zh=f"v{number} 承载 {row.weight}% 的流量。"
                    ),
                    Text(en="Set its weight to 0 first.", zh="请先将其权重设为 0。"),
                )
            if _processes(session, row):
                raise Conflict(
                    "version_in_use",
                    Text(en=f"v{number} still has processes that end.", zh=f"v{number} 仍有正在结束的实例。"),
                    Text(en="Try again in a moment.", zh="请稍后再试。"),
                )
            before = settings_of(session, service)
            session.delete(row)
            record(session, service, "remove_version", actor, before)
            return view(session, service, self._monitor)

    def change(self, name: str, given: Mapping[str, Any], *, actor: str | None = None) -> ServiceView:
        """Change settings.

        Args:
            name: name or id of the service.
            given: the fields of `ServiceChange` to change; those that are left out stay.
            actor: who asks; the caller unless given.

        Raises:
            NotFound: ``spec_unknown``, ``service_version_not_found``, ``dataset_not_found``.
            InvalidInput: ``spec_too_large``, or a value is wrong.
        """
        actor = actor or acting_name()
        form = ServiceChange.model_validate(dict(given))
        with self._database.write() as session:
            service = find_service(session, name)
            before = settings_of(session, service)
            if form.spec is not None:
                service.spec = self._specs.get(form.spec).id
            if form.instances is not None:
                if service.status not in ENDED:
                    self._billing.reserve_instances(session, service, max(0, form.instances - service.instances))
                service.instances = form.instances
            for number, threshold in (form.thresholds or {}).items():
                if threshold is not None and not 0 <= threshold <= 1:
                    raise InvalidInput(
                        "threshold_invalid",
                        Text(en="A threshold is from 0 to 1.", zh="阈值范围为 0 到 1。"),
                        field="thresholds",
                    )
                _version(session, service, number).threshold = threshold
            if "max_run_seconds" in given:
                set_run_time(service, form.max_run_seconds)
            if form.limits is not None:
                service.limits = form.limits.model_dump(mode="json")
            if form.scaling is not None:
                service.scaling = form.scaling.model_dump(mode="json")
            if "keep" in given:
                keep = check_keep(session, form.keep, service.scenario)
                service.keep = None if keep is None else keep.model_dump(mode="json")
            scaled = set(given) <= {"instances", "scaling"}
            record(session, service, "scale" if scaled else "settings", actor, before)
            return view(session, service, self._monitor)

    def roll_back(self, name: str, number: int, *, actor: str | None = None) -> ServiceView:
        """Restore all settings of an update record; versions that were removed since come back.

        Raises:
            NotFound: ``update_not_found``.
            Conflict: ``model_gone``: a model of that time has been deleted.
        """
        actor = actor or acting_name()
        with self._database.write() as session:
            service = find_service(session, name)
            wanted = ServiceSettings.model_validate(find_update(session, service, number).settings)
            before = settings_of(session, service)
            self._specs.get(wanted.spec)
            self._restore_versions(session, service, wanted)
            service.spec, service.instances = wanted.spec, wanted.instances
            service.limits = wanted.limits.model_dump(mode="json")
            service.scaling = wanted.scaling.model_dump(mode="json")
            service.keep = None if wanted.keep is None else wanted.keep.model_dump(mode="json")
            if wanted.max_run_seconds != service.max_run_seconds:
                set_run_time(service, wanted.max_run_seconds)
            record(session, service, "roll_back", actor, before)
            note(
                session,
                service.id,
                "rolled_back",
                Text(en=f"Rolled back to r{number} by {actor}.", zh=f"由 {actor} 回滚到 r{number}。"),
                key=str(number),
            )
            return view(session, service, self._monitor)

    def _restore_versions(self, session: Session, service: Service, wanted: ServiceSettings) -> None:
        rows = {row.number: row for row in _versions(session, service)}
        for version in wanted.versions:
            row = rows.pop(version.number, None)
            if row is None:
                if session.get(Model, version.model_id) is None:
                    raise Conflict(
                        "model_gone",
                        Text(
                            en=f"The model of v{version.number} has been deleted.",
                            zh=f"v{version.number} 的模型已被删除。",
                        ),
                        Text(en="Choose another update record.", zh="请选择其他更新记录。"),
                        field="number",
                    )
                row = ServiceVersion(service_id=service.id, number=version.number, model_id=version.model_id)
                session.add(row)
            row.weight, row.threshold = version.weight, version.threshold
        for row in rows.values():
            row.weight = 0  # came later: it stays, without traffic

    def restart_instance(self, name: str, instance_id: str, *, actor: str | None = None) -> ServiceView:
        """Replace one process by a new one; the old one leaves when the new one is ready.

        Raises:
            NotFound: ``instance_not_found``.
        """
        actor = actor or acting_name()
        with self._database.write() as session:
            service = find_service(session, name)
            row = session.get(Instance, instance_id)
            if row is None or row.service_id != service.id or row.status in GONE:
                raise NotFound(
                    "instance_not_found",
                    Text(
                        en=f"{service.name} has no instance '{instance_id}'.",
                        zh=f"{service.name} 没有实例“{instance_id}”。",
                    ),
                    Text(en="Choose one from the list of instances.", zh="请从实例列表中选择。"),
                    field="instance",
                )
            if service.status not in ENDED and row.status != InstanceStatus.DRAINING:
                row.recipe = {}
                note(
                    session,
                    service.id,
                    "instance_restart",
                    Text(en=f"Restart asked for by {actor}.", zh=f"由 {actor} 请求重启。"),
                    instance=row.id,
                )
            return view(session, service, self._monitor)


def share_rest(weights: Mapping[int, int], rest: int) -> dict[int, int]:
    """``rest`` percent over versions in their present proportion, whole numbers (largest remainder).

    >>> share_rest({1: 75, 2: 25}, 90)
    {1: 68, 2: 22}
    """
    total = sum(weights.values())
    if total == 0:
        newest = max(weights, default=None)
        return {number: rest if number == newest else 0 for number in weights}
    exact = {number: weight * rest / total for number, weight in weights.items()}
    shares = {number: int(value) for number, value in exact.items()}
    by_remainder = sorted(exact, key=lambda number: (int(exact[number]) - exact[number], number))
    for number in by_remainder[: rest - sum(shares.values())]:
        shares[number] += 1
    return shares


def _compare(session: Session, model_id: str, main: ServiceVersion) -> None:
    new, old = session.get_one(Model, model_id).score, session.get_one(Model, main.model_id).score
    if new < old:
        raise Conflict(
            "model_worse",
            Text(
                en=f"The model scores {new:.3f}, v{main.number} in service {old:.3f}.",
                zh=f"该模型得分 {new:.3f}，低于在用版本 v{main.number} 的 {old:.3f}。",
            ),
            Text(
                en="Publish it all the same with 'confirm', or keep the present one.",
                zh="如仍要发布请确认，或保留当前版本。",
            ),
            field="confirm",
            details={"score": new, "published_score": old},
        )


def _versions(session: Session, service: Service) -> list[ServiceVersion]:
    return list(
        session.scalars(
            select(ServiceVersion).where(ServiceVersion.service_id == service.id).order_by(ServiceVersion.number)
        )
    )


def _version(session: Session, service: Service, number: int) -> ServiceVersion:
    found = session.scalar(
        select(ServiceVersion).where(ServiceVersion.service_id == service.id, ServiceVersion.number == number)
    )
    if found is None:
        raise NotFound(
            "service_version_not_found",
            Text(en=f"{service.name} has no v{number}.", zh=f"{service.name} 没有版本 v{number}。"),
            Text(en="Choose one of its versions.", zh="请选择已有版本。"),
            field="version",
        )
    return found


def _processes(session: Session, version: ServiceVersion) -> bool:
    return (
        session.scalar(
            select(func.count())
            .select_from(Instance)
            .where(Instance.version_id == version.id, Instance.status.not_in(GONE))
        )
        or 0
    ) > 0


def _next_number(session: Session, service: Service) -> int:
    """Never one that was used before: update records name versions by number."""
    present = session.scalar(select(func.max(ServiceVersion.number)).where(ServiceVersion.service_id == service.id))
    told = session.scalars(select(ServiceUpdate.settings).where(ServiceUpdate.service_id == service.id))
    numbers: list[int] = [version["number"] for settings in told for version in settings["versions"]]
    return max([present or 0, *numbers]) + 1
