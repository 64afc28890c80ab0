"""``/v1/services``: publish, look at, stop, start, extend, delete, and recognise pictures."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from sandglass.api.problems import responses
from sandglass.api.schemas import ServiceList, ServiceOut
from sandglass.api.studio import Limit, Offset, OpenStudio, Search
from sandglass.core.errors import TooLarge
from sandglass.core.status import ServiceStatus
from sandglass.core.text import Text
from sandglass.serving.answer import PredictAnswer
from sandglass.serving.gateway import Gateway
from sandglass.serving.intake import MAX_BODY
from sandglass.studio.logs import InstanceLine
from sandglass.studio.page import Page
from sandglass.studio.services import NewService, ServiceView

router = APIRouter(prefix="/v1/services", tags=["services"], responses=responses(404))

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


@router.get("", response_model=ServiceList)
def list_services(
    studio: OpenStudio,
    q: Search = "",
    status: Annotated[list[ServiceStatus], Query()] = [],  # noqa: B006 - FastAPI copies it
    limit: Limit = 50,
    offset: Offset = 0,
) -> Page[ServiceView]:
    """Services, the newest first."""
    return studio.services.list(q=q, status=status, limit=limit, offset=offset)


@router.post("", status_code=202, response_model=ServiceOut, responses=responses(404, 409, 503))
def publish_service(studio: OpenStudio, form: NewService) -> ServiceView:
    """Publish the best model of a task version as a new service."""
    return studio.services.publish(form)


@router.get("/{service}", response_model=ServiceOut)
def get_service(studio: OpenStudio, service: str) -> ServiceView:
    """One service by name or id, with its versions and instances."""
    return studio.services.get(service)


@router.delete("/{service}", status_code=204, responses=responses(404, 409))
def delete_service(studio: OpenStudio, service: str) -> None:
    """Delete a service that has stopped."""
    studio.services.delete(service)


@router.post("/{service}/stop", status_code=202, response_model=ServiceOut, responses=responses(404, 409))
def stop_service(studio: OpenStudio, service: str) -> ServiceView:
    """Stop a service; requests that it has begun are answered."""
    return studio.services.stop(service)


@router.post("/{service}/start", status_code=202, response_model=ServiceOut, responses=responses(404, 409))
def start_service(studio: OpenStudio, service: str) -> ServiceView:
    """Start a stopped service again, for its maximum run time anew."""
    return studio.services.start(service)


@router.post("/{service}/extend", response_model=ServiceOut, responses=responses(404, 409))
def extend_service(studio: OpenStudio, service: str, form: ExtendForm) -> ServiceView:
    """Let a service run longer."""
    return studio.services.extend(service, form.seconds)


@router.get("/{service}/logs")
def get_service_logs(
    studio: OpenStudio,
    service: str,
    q: Annotated[str, Query(max_length=200, description="Only lines that hold this.")] = "",
    level: Annotated[Literal["debug", "info", "warning", "error"] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 500,
) -> Page[InstanceLine]:
    """The latest lines of a service's instances."""
    lines = studio.logs.of_service(service, q=q, level=level, limit=limit)
    return Page(items=lines, total=len(lines))


@router.post(
    "/{service}/predict",
    response_class=Response,
    responses={200: {"model": PredictAnswer, "description": "One entry per picture."}, **responses(404, 409, 503)},
    openapi_extra=_PREDICT,
)
async def predict(request: Request, service: str) -> Response:
    """Recognise pictures: multipart files, or JSON with base64."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge(
                "request_too_large",
                Text(en=f"The request has more than {MAX_BODY >> 20} MB.", zh=f"请求超过 {MAX_BODY >> 20} MB。"),
                Text(en="Send fewer or smaller pictures.", zh="请减少图片数量或缩小图片。"),
            )
    gateway = request.app.state.gateway
    assert isinstance(gateway, Gateway)
    answer = await gateway.predict(service, bytes(body), request.headers)
    return Response(answer.body, answer.status, dict(answer.headers))
