"""``/v1/audit``: what was done by whom, for admins."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from sandglass.api.permissions import needs
from sandglass.api.problems import responses
from sandglass.api.studio import Limit, OpenStudio
from sandglass.core.actor import Role
from sandglass.studio.audit import AuditView
from sandglass.studio.page import Page

router = APIRouter(prefix="/v1/audit", tags=["admin"], responses=responses())

_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "All entries that the filters leave, the oldest first.",
        "content": {"text/csv": {"schema": {"type": "string"}}, "application/jsonl": {"schema": {"type": "string"}}},
    }
}


def _filters(
    q: Annotated[str, Query(max_length=200, description="A part of the target, action, address or request id.")] = "",
    user: Annotated[str | None, Query(max_length=200, description="Name of an account.")] = None,
    action: Annotated[str | None, Query(max_length=80, description="Its beginning, such as `service`.")] = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    refused: Annotated[bool | None, Query(description="Only calls that were refused, or only others.")] = None,
) -> dict[str, str | datetime | bool | None]:
    return {"q": q, "user": user, "action": action, "since": since, "until": until, "refused": refused}


Filters = Annotated[dict[str, Any], Depends(_filters)]


@router.get("", dependencies=[needs(Role.ADMIN)])
def list_audit(
    studio: OpenStudio,
    filters: Filters,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=2000, description="`next` of the page before.")] = None,
) -> Page[AuditView]:
    """Calls that changed something or were refused, the newest first."""
    return studio.audit.list(**filters, limit=limit, cursor=cursor)


@router.get("/export", dependencies=[needs(Role.ADMIN)], response_class=StreamingResponse, responses=_FILES)
def export_audit(studio: OpenStudio, filters: Filters, format: Literal["csv", "jsonl"] = "csv") -> StreamingResponse:  # noqa: A002
    """The same entries as a file."""
    media = "text/csv; charset=utf-8" if format == "csv" else "application/jsonl"
    headers = {"Content-Disposition": f'attachment; filename="audit.{format}"'}
    return StreamingResponse(studio.audit.export(format, **filters), media_type=media, headers=headers)
