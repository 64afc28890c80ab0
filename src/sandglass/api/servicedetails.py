"""``/v1/services/{service}/…``: versions and traffic, settings, update records, events, monitoring, logs."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from sandglass.api.permissions import needs
from sandglass.api.problems import responses
from sandglass.api.schemas import ServiceEventList, ServiceOut
from sandglass.api.studio import Limit, Offset, OpenStudio
from sandglass.core.actor import Role
from sandglass.studio.access import Right
from sandglass.studio.metricseries import By, ServiceMetrics
from sandglass.studio.page import Page
from sandglass.studio.servicechanges import NewServiceVersion, ServiceChange
from sandglass.studio.serviceevents import ServiceEventView
from sandglass.studio.servicelogs import InstancePage
from sandglass.studio.serviceupdates import ServiceUpdateView
from sandglass.studio.serviceviews import ServiceView

router = APIRouter(prefix="/v1/services/{service}", tags=["services"], responses=responses(404))

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


class WeightsForm(BaseModel):
    """Traffic weights of all versions of a service, in percent."""

    model_config = ConfigDict(extra="forbid")

    weights: dict[int, int] = Field(description="Version number → percent; all versions, together 100.")


@router.patch(
    "",
    status_code=202,
    response_model=ServiceOut,
    responses=responses(404, 409, 503),
    dependencies=[needs(Role.DEVELOPER, change="service")],
)
def change_service(studio: OpenStudio, service: str, form: ServiceChange) -> ServiceView:
    """Change spec, number of processes, thresholds, run time, limits, scaling or what is kept; the rest stays."""
    if form.keep is not None:
        studio.access.require("dataset", form.keep.dataset, Right.CHANGE)
    changed = studio.service_changes.change(service, form.model_dump(exclude_unset=True))
    studio.changed()
    return changed


@router.post(
    "/versions",
    status_code=202,
    response_model=ServiceOut,
    responses=responses(404, 409, 503),
    dependencies=[needs(Role.DEVELOPER, change="service")],
)
def add_service_version(studio: OpenStudio, service: str, form: NewServiceVersion) -> ServiceView:
    """Publish the best model of a task version as a new version of this service, with a share of the traffic."""
    changed = studio.service_changes.add_version(service, form)
    studio.changed()
    return changed


@router.delete(
    "/versions/{number}",
    response_model=ServiceOut,
    responses=responses(404, 409),
    dependencies=[needs(Role.DEVELOPER, change="service")],
)
def remove_service_version(studio: OpenStudio, service: str, number: Number) -> ServiceView:
    """Remove a version that has no traffic."""
    changed = studio.service_changes.remove_version(service, number)
    studio.changed()
    return changed


@router.put(
    "/weights", status_code=202, response_model=ServiceOut, dependencies=[needs(Role.DEVELOPER, change="service")]
)
def set_service_weights(studio: OpenStudio, service: str, form: WeightsForm) -> ServiceView:
    """Set the traffic weights of all versions together; a version that gets traffic gets processes first."""
    changed = studio.service_changes.set_weights(service, form.weights)
    studio.changed()
    return changed


@router.get("/updates", dependencies=[needs(Role.VIEWER)])
def list_service_updates(
    studio: OpenStudio, service: str, limit: Limit = 50, offset: Offset = 0
) -> Page[ServiceUpdateView]:
    """Update records, the latest first: who changed what when, and all settings after it."""
    return studio.services.updates(service, limit=limit, offset=offset)


@router.post(
    "/updates/{number}/rollback",
    status_code=202,
    response_model=ServiceOut,
    responses=responses(404, 409),
    dependencies=[needs(Role.DEVELOPER, change="service")],
)
def roll_back_service(studio: OpenStudio, service: str, number: Number) -> ServiceView:
    """Restore all settings of an update record."""
    changed = studio.service_changes.roll_back(service, number)
    studio.changed()
    return changed


@router.post(
    "/instances/{instance}/restart",
    status_code=202,
    response_model=ServiceOut,
    dependencies=[needs(Role.DEVELOPER, change="service")],
)
def restart_service_instance(studio: OpenStudio, service: str, instance: str) -> ServiceView:
    """Replace one process by a new one; the old one leaves when the new one is ready."""
    changed = studio.service_changes.restart_instance(service, instance)
    studio.changed()
    return changed


@router.get("/events", response_model=ServiceEventList, dependencies=[needs(Role.VIEWER)])
def list_service_events(
    studio: OpenStudio,
    service: str,
    severity: Annotated[Literal["normal", "warning"] | None, Query()] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Page[ServiceEventView]:
    """What happened to a service, the latest first; the same thing again raises the count."""
    return studio.service_events.list(service, severity=severity, limit=limit, offset=offset)


@router.get("/metrics", dependencies=[needs(Role.VIEWER)])
def get_service_metrics(
    studio: OpenStudio,
    service: str,
    range: Annotated[  # noqa: A002 - the name in the interface
        Literal["1h", "24h", "7d"] | None, Query(description="Up to now; 1h unless a start is given.")
    ] = None,
    start: Annotated[datetime | None, Query(description="With a zone.")] = None,
    end: Annotated[datetime | None, Query(description="With a zone; now unless given.")] = None,
    by: Annotated[By, Query(description="One curve for the service, or one per version or instance.")] = "service",
) -> ServiceMetrics:
    """Calls, latency, processor, memory and unsure answers over a range; a point that was not recorded is null."""
    return studio.metric_reader.read(service, range=range, start=start, end=end, by=by)


@router.get("/logs", dependencies=[needs(Role.VIEWER)])
def get_service_logs(
    studio: OpenStudio,
    service: str,
    instance: Annotated[str | None, Query(max_length=40, description="Only this instance.")] = None,
    cursor: Annotated[str | None, Query(max_length=100_000, description="Of the page before.")] = None,
    q: Annotated[str, Query(max_length=200, description="Only lines that hold this.")] = "",
    level: Annotated[Literal["debug", "info", "warning", "error"] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 500,
) -> InstancePage:
    """Lines of a service's processes in order of time; ``next`` is where to go on, also at the end."""
    return studio.service_logs.read(service, instance=instance, cursor=cursor, q=q, level=level, limit=limit)


@router.get("/logs/download", response_class=StreamingResponse, dependencies=[needs(Role.VIEWER)])
def download_service_logs(
    studio: OpenStudio,
    service: str,
    instance: Annotated[str | None, Query(max_length=40, description="Only this instance.")] = None,
) -> StreamingResponse:
    """The whole log as text."""
    name = studio.services.get(service).id
    return StreamingResponse(
        studio.service_logs.text(service, instance),
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.log"'},
    )
