"""Errors as problem details (RFC 9457) in the caller's language: the same shape from the interface and from instances."""

from typing import Any

from sandglass.core.errors import SandglassError
from sandglass.core.text import Language

STATUS = {
    "error": 500,
    "broken": 500,
    "invalid": 422,
    "not_found": 404,
    "conflict": 409,
    "stale": 412,
    "too_large": 413,
    "busy": 503,
    "not_signed_in": 401,
    "payment_needed": 402,
    "forbidden": 403,
    "limited": 429,
    "timed_out": 504,
}
"""HTTP status by kind of error."""

TITLES = {
    401: "Not signed in",
    402: "Payment needed",
    403: "Forbidden",
    404: "Not found",
    409: "Conflict",
    412: "Changed meanwhile",
    413: "Too large",
    422: "Invalid input",
    429: "Too many requests",
    500: "Internal error",
    503: "Busy",
    504: "Timed out",
}
CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1
"""What a caller is told to wait when nothing better is known."""


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


def problem_headers(error: SandglassError) -> dict[str, str]:
    """Headers that go with an error: how to sign in, or when to try again where trying again may help."""
    status = STATUS.get(error.kind, 500)
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if status not in (429, 503):
        return {}
    return {"Retry-After": str(error.retry_after or RETRY_AFTER_SECONDS)}
