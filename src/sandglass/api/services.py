"""``/v1/services``: publish, look at, stop, start, extend, delete, and recognise pictures."""

import re
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from sandglass.api.permissions import needs
from sandglass.api.problems import error_response, responses
from sandglass.api.schemas import ServiceList, ServiceOut
from sandglass.api.studio import Limit, Offset, OpenStudio, Search
from sandglass.core.actor import Role
from sandglass.core.errors import SandglassError
from sandglass.core.status import ServiceStatus
from sandglass.serving.answer import PredictAnswer
from sandglass.serving.gateway import Gateway
from sandglass.serving.intake import too_large
from sandglass.studio.access import Right
from sandglass.studio.page import Page
from sandglass.studio.services import NewService
from sandglass.studio.serviceviews import ServiceView

router = APIRouter(prefix="/v1/services", tags=["services"], responses=responses(404))

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,80}")
_FORM_SCHEMA = {
    "type": "object",
    "required": ["files"],
    "properties": {
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
        "keys": {"type": "string", "enum": ["labelled", "all", "custom"], "default": "labelled"},
        "custom_keys": {"type": "array", "items": {"type": "string"}},
        "threshold": {"type": "number", "minimum": 0, "maximum": 1},
    },
}
_PREDICT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _FORM_SCHEMA},
            "application/json": {"schema": {"$ref": "#/components/schemas/PredictRequest"}},
        },
    }
}


class ExtendForm(BaseModel):
    """How much longer a service may run."""

    model_config = ConfigDict(extra="forbid")

    seconds: float | None = Field(gt=0, le=366 * 86400, description="None = no limit any more.")


@router.get("", response_model=ServiceList, dependencies=[needs(Role.VIEWER)])
def list_services(
    studio: OpenStudio,
    q: Search = "",
    status: Annotated[list[ServiceStatus], Query()] = [],  # noqa: B006 - FastAPI copies it
    limit: Limit = 50,
    offset: Offset = 0,
) -> Page[ServiceView]:
    """Services, the newest first."""
    return studio.services.list(q=q, status=status, limit=limit, offset=offset)


@router.post(
    "",
    status_code=202,
    response_model=ServiceOut,
    responses=responses(404, 409, 503),
    dependencies=[needs(Role.DEVELOPER)],
)
def publish_service(studio: OpenStudio, form: NewService) -> ServiceView:
    """Publish the best model of a task version as a new service."""
    if form.keep is not None:
        studio.access.require("dataset", form.keep.dataset, Right.CHANGE)
    published = studio.services.publish(form)
    studio.changed()
    return published


@router.get("/{service}", response_model=ServiceOut, dependencies=[needs(Role.VIEWER)])
def get_service(studio: OpenStudio, service: str) -> ServiceView:
    """One service by name or id, with its versions and instances."""
    return studio.services.get(service)


@router.delete(
    "/{service}", status_code=204, responses=responses(404, 409), dependencies=[needs(Role.DEVELOPER, own="service")]
)
def delete_service(studio: OpenStudio, service: str) -> None:
    """Delete a service that has stopped."""
    studio.services.delete(service)


@router.post(
    "/{service}/stop",
    status_code=202,
    response_model=ServiceOut,
    responses=responses(404, 409),
    dependencies=[needs(Role.DEVELOPER, change="service")],
)
def stop_service(studio: OpenStudio, service: str) -> ServiceView:
    """Stop a service; requests that it has begun are answered."""
    changed = studio.services.stop(service)
    studio.changed()
    return changed


@router.post(
    "/{service}/start",
    status_code=202,
    response_model=ServiceOut,
    responses=responses(404, 409),
    dependencies=[needs(Role.DEVELOPER, change="service")],
)
def start_service(studio: OpenStudio, service: str) -> ServiceView:
    """Start a stopped service again, for its maximum run time anew."""
    changed = studio.services.start(service)
    studio.changed()
    return changed


@router.post(
    "/{service}/extend",
    response_model=ServiceOut,
    responses=responses(404, 409),
    dependencies=[needs(Role.DEVELOPER, change="service")],
)
def extend_service(studio: OpenStudio, service: str, form: ExtendForm) -> ServiceView:
    """Let a service run longer."""
    return studio.services.extend(service, form.seconds)


@router.post(
    "/{service}/predict",
    response_class=Response,
    responses={
        200: {"model": PredictAnswer, "description": "One entry per picture."},
        **responses(404, 409, 429, 503, 504),
    },
    openapi_extra=_PREDICT,
    dependencies=[needs(Role.VIEWER, keys=True, audit=False)],
)
async def predict(request: Request, service: str) -> Response:
    """Recognise pictures: multipart files, or JSON with base64 or, where an admin allows it, addresses.

    ``X-Request-Id`` names the request and comes back; ``X-Request-Timeout`` gives it fewer seconds than the service does.
    """
    gateway = request.app.state.gateway
    assert isinstance(gateway, Gateway)
    request_id = _request_id(request.headers.get("x-request-id"))

    async def read(most: int) -> bytes:
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > most:
            raise too_large(most)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise too_large(most)
        return bytes(body)

    try:
        answer = await gateway.predict(service, request.headers, read, request_id=request_id)
    except SandglassError as error:
        refused = error_response(error)
        refused.headers["X-Request-Id"] = request_id
        return refused
    return Response(answer.body, answer.status, {**answer.headers, "x-request-id": request_id})


def _request_id(given: str | None) -> str:
    """The caller's own id if it is a plain one, else a fresh one."""
    return given if given is not None and _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
