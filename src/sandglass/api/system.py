"""``/v1/health`` and ``/v1/activity``: whether the server answers, and what goes on."""

from fastapi import APIRouter

from sandglass import __version__
from sandglass.api.permissions import needs, open_to_all
from sandglass.api.problems import responses
from sandglass.api.schemas import ExportJobOut, ImportOut, Out, RunOut
from sandglass.api.studio import OpenStudio
from sandglass.core.actor import Role
from sandglass.engine.base import Capacity

router = APIRouter(prefix="/v1", tags=["system"], responses=responses())


class Health(Out):
    """The server answers."""

    status: str
    version: str


class ActivityOut(Out):
    """Runs, imports and exports that are not over, how many services run, and what of the machine is free."""

    runs: list[RunOut]
    imports: list[ImportOut]
    exports: list[ExportJobOut]
    services: int
    capacity: Capacity


@router.get("/health", dependencies=[open_to_all()])
async def get_health() -> Health:
    """Whether the server answers, and its version."""
    return Health(status="ok", version=__version__)


@router.get("/activity", dependencies=[needs(Role.VIEWER)])
def get_activity(studio: OpenStudio) -> ActivityOut:
    """What is going on now."""
    return ActivityOut.model_validate(
        {
            "runs": studio.runs.active(),
            "imports": studio.imports.list(active=True, limit=100).items,
            "exports": studio.exports.active(),
            "services": studio.services.active_count(),
            "capacity": studio.engine.capacity(),
        },
        from_attributes=True,
    )
