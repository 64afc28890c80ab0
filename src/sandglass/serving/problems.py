"""Errors as problem details (RFC 9457) in the caller's language: the same shape from the interface and from instances."""

from typing import Any

from sandglass.core.errors import SandglassError
from sandglass.core.text import Language

STATUS = {"error": 500, "broken": 500, "invalid": 422, "not_found": 404, "conflict": 409, "too_large": 413, "busy": 503}
"""HTTP status by kind of error."""

TITLES = {
    404: "Not found",
    409: "Conflict",
    413: "Too large",
    422: "Invalid input",
    500: "Internal error",
    503: "Busy",
}
CONTENT_TYPE = "application/problem+json"


def problem_detail(error: SandglassError, language: Language) -> dict[str, Any]:
    """The problem detail of an error."""
    status = STATUS.get(error.kind, 500)
    detail: dict[str, Any] = {
        "type": f"urn:sandglass:{error.code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": error.message.to(language),
        "code": error.code,
        "action": error.action.to(language) if error.action else None,
    }
    if error.field:
        detail["field"] = error.field
        detail["errors"] = [{"field": error.field, "message": error.message.to(language)}]
    if error.details:
        detail["details"] = error.details
    return detail
