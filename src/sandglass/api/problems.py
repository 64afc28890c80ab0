"""Every failure as a problem detail (RFC 9457) in the caller's language."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from sandglass.api.language import current_language
from sandglass.core.errors import InvalidInput, SandglassError
from sandglass.core.text import Text
from sandglass.serving.problems import CONTENT_TYPE, TITLES, problem_detail, problem_headers
from sandglass.studio.validation import InvalidFields, field_problem

log = logging.getLogger(__name__)


class FieldError(BaseModel):
    """What is wrong with one field of the request; ``field`` is its path, e.g. ``parameters.members``."""

    field: str
    message: str


class ProblemDetail(BaseModel):
    """A failure: ``code`` is stable, ``detail`` and ``action`` are sentences in the caller's language."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    action: str | None = None
    field: str | None = None
    errors: list[FieldError] | None = None
    details: dict[str, str | int | float | bool | None] | None = None


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Failures that an operation documents, beside 422 and 500 which all have."""
    described = {**TITLES, 400: "Bad request", 405: "Method not allowed"}
    return {
        status: {
            "description": described.get(status, "Error"),
            "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetail"}}},
        }
        for status in sorted({*statuses, 400, 401, 402, 403, 413, 422, 500})
    }


def problem_response(
    status: int, code: str, message: Text, action: Text | None = None, *, headers: dict[str, str] | None = None
) -> JSONResponse:
    """A problem that no error of a lower floor stands for."""
    language = current_language()
    body = {
        "type": f"urn:sandglass:{code}",
        "title": {400: "Bad request", 405: "Method not allowed"}.get(status, TITLES.get(status, "Error")),
        "status": status,
        "detail": message.to(language),
        "code": code,
        "action": action.to(language) if action else None,
    }
    return JSONResponse(body, status, headers, media_type=CONTENT_TYPE)


def error_response(error: SandglassError) -> JSONResponse:
    """The problem detail of an expected failure."""
    language = current_language()
    detail = problem_detail(error, language)
    if isinstance(error, InvalidFields):
        detail["errors"] = [
            {"field": problem.field, "message": problem.message.to(language)} for problem in error.problems
        ]
    return JSONResponse(detail, detail["status"], problem_headers(error), media_type=CONTENT_TYPE)


def install(app: FastAPI) -> None:
    """Answer every failure of ``app`` with a problem detail."""

    @app.exception_handler(SandglassError)
    async def on_expected(request: Request, error: SandglassError) -> JSONResponse:
        request.state.problem = error.code
        if error.kind == "broken":
            log.error("%s: %s", error.code, error.message.en)
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        request.state.problem = "invalid_request"
        return error_response(_invalid_request(error.errors()))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> JSONResponse:
        known = {
            404: (
                "not_found",
                Text(en=f"There is nothing at {request.url.path}.", zh=f"{request.url.path} 不存在。"),
                Text(en="Look at /docs for what there is.", zh="请在 /docs 查看可用接口。"),
            ),
            405: (
                "method_not_allowed",
                Text(en=f"{request.method} is not possible here.", zh=f"此处不支持 {request.method}。"),
                Text(en="Look at /docs for what is possible.", zh="请在 /docs 查看可用接口。"),
            ),
        }
        plain = Text(en=str(error.detail), zh=str(error.detail))
        code, message, action = known.get(error.status_code, ("bad_request", plain, None))
        return problem_response(error.status_code, code, message, action, headers=dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def on_unexpected(request: Request, error: Exception) -> JSONResponse:
        log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
        return problem_response(
            500,
            "internal_error",
            Text(en=f"Something went wrong: {type(error).__name__}.", zh=f"内部错误：{type(error).__name__}。"),
            Text(en="Look at the server's log.", zh="请查看服务器日志。"),
        )


def _invalid_request(errors: Sequence[Any]) -> InvalidInput:
    problems = []
    for error in errors:
        # The first part says where the value stood (body, query, path), which is no part of the field's name.
        where, *path = error["loc"]
        problems.append(field_problem({**error, "loc": path or (where,)}))
    return InvalidFields(
        "invalid_request",
        Text(en="Some fields of the request are wrong.", zh="请求中有字段不正确。"),
        problems,
    )
