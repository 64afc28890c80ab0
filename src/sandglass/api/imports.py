"""``/v1/imports``: from a folder of the server, or from uploaded files or an archive."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from sandglass.api.language import current_language
from sandglass.api.multipart import Upload
from sandglass.api.permissions import needs, refuse_server_folder
from sandglass.api.problems import responses
from sandglass.api.schemas import FindingOut, ImportList, ImportOut
from sandglass.api.studio import Limit, Offset, OpenStudio
from sandglass.core.actor import Role
from sandglass.core.errors import InvalidInput, TooLarge
from sandglass.core.finding import Finding
from sandglass.core.text import Language, Text
from sandglass.studio.access import Right
from sandglass.studio.imports import ImportView, LabelChoice, NewImport
from sandglass.studio.page import Page
from sandglass.studio.studio import Studio
from sandglass.studio.validation import invalid_fields

router = APIRouter(prefix="/v1/imports", tags=["imports"], responses=responses(404))

CSV: dict[int | str, dict[str, Any]] = {
    200: {"description": "The table.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}
FindingCode = Annotated[str | None, Query(max_length=60, description="Only findings of this kind.")]

_FORM_SCHEMA = {
    "type": "object",
    "required": ["dataset", "scenario", "files"],
    "properties": {
        "dataset": {"type": "string"},
        "scenario": {"type": "string"},
        "format": {"type": "string", "default": "auto"},
        "confirm": {"type": "boolean", "default": True},
        "files": {
            "type": "array",
            "items": {"type": "string", "format": "binary"},
            "description": "One archive, or the files of a folder with their relative paths as file names.",
        },
    },
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/NewImport"}},
            "multipart/form-data": {"schema": _FORM_SCHEMA},
        },
    }
}


@router.post(
    "",
    status_code=202,
    response_model=ImportOut,
    responses=responses(404, 409),
    openapi_extra=_BODY,
    dependencies=[needs(Role.DEVELOPER)],
)
async def create_import(studio: OpenStudio, request: Request) -> ImportView:
    """Check data and store it as samples of a dataset, all or nothing.

    With JSON a folder or archive of the server is read, or an upload (`/v1/uploads`); with multipart/form-data the
    files that come with the request are. Unless
    `confirm` is false, what the check lets through is stored at once.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _upload(studio, request)
    if kind != "application/json":
        raise InvalidInput(
            "content_type_unknown",
            Text(en=f"The content type '{kind}' is not understood.", zh=f"不支持的内容类型“{kind}”。"),
            Text(
                en="Send application/json or multipart/form-data.",
                zh="请使用 application/json 或 multipart/form-data。",
            ),
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > 1 << 20:
            raise TooLarge("request_too_large", Text(en="The request has more than 1 MB.", zh="请求超过 1 MB。"))
    form = _form(lambda: NewImport.model_validate_json(bytes(body)))
    return await run_in_threadpool(_start, studio, form)


async def _upload(studio: Studio, request: Request) -> ImportView:
    most = studio.settings.max_upload_bytes
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise TooLarge(
            "upload_too_large",
            Text(en=f"The upload has more than {most >> 20} MB.", zh=f"上传内容超过 {most >> 20} MB。"),
            Text(en="Upload less at once, or import a folder on the server.", zh="请分批上传，或从服务器文件夹导入。"),
        )
    job_id, folder = await run_in_threadpool(studio.imports.new_folder)
    try:
        upload = Upload(request.headers["content-type"], folder, most)
        await upload.receive(request.stream())
        form = _form(lambda: NewImport.model_validate(_values(upload.fields)))
        if upload.files == 0:
            raise InvalidInput(
                "source_missing",
                Text(en="The upload has no file.", zh="上传中没有文件。"),
                Text(en="Send at least one file in the field 'files'.", zh="请在 files 字段中上传至少一个文件。"),
                field="files",
            )
        return await run_in_threadpool(_start, studio, form, job_id)
    except BaseException:
        await run_in_threadpool(studio.imports.discard, job_id)
        raise


def _start(studio: Studio, form: NewImport, uploaded: str | None = None) -> ImportView:
    if form.folder is not None:
        refuse_server_folder()
    studio.access.require_name("dataset", form.dataset, Right.CHANGE)
    return studio.imports.start(form, uploaded=uploaded)


def _values(fields: Mapping[str, str]) -> dict[str, Any]:
    """Form fields as the JSON form has them: what is empty was not given. Server paths are not taken from a form."""
    return {
        name: value
        for name, value in fields.items()
        if value != "" and name not in ("folder", "split_file", "label_map")
    }


def _form(parse: Any) -> NewImport:  # noqa: ANN401
    try:
        return parse()  # type: ignore[no-any-return]
    except ValidationError as error:
        raise invalid_fields(
            error,
            "invalid_request",
            Text(en="Some fields of the request are wrong.", zh="请求中有字段不正确。"),
        ) from error


@router.get("", response_model=ImportList, dependencies=[needs(Role.VIEWER)])
def list_imports(
    studio: OpenStudio,
    dataset: Annotated[str | None, Query(description="Only imports into this dataset.")] = None,
    active: bool = False,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Page[ImportView]:
    """Imports, the newest first."""
    return studio.imports.list(dataset=dataset, active=active, limit=limit, offset=offset)


@router.get("/{import_id}", response_model=ImportOut, dependencies=[needs(Role.VIEWER)])
def get_import(studio: OpenStudio, import_id: str) -> ImportView:
    """Where an import stands, with its findings."""
    return studio.imports.get(import_id)


@router.get("/{import_id}/findings", dependencies=[needs(Role.VIEWER)])
def list_findings(
    studio: OpenStudio, import_id: str, code: FindingCode = None, limit: Limit = 100, offset: Offset = 0
) -> Page[FindingOut]:
    """All findings of an import, page by page."""
    page, total = [], 0
    for finding in studio.imports.findings(import_id, code=code):
        if offset <= total < offset + limit:
            page.append(FindingOut.model_validate(finding))
        total += 1
    return Page(items=page, total=total)


@router.get(
    "/{import_id}/findings.csv", response_class=StreamingResponse, responses=CSV, dependencies=[needs(Role.VIEWER)]
)
def download_findings(studio: OpenStudio, import_id: str, code: FindingCode = None) -> StreamingResponse:
    """All findings of an import as a table."""
    found = studio.imports.findings(import_id, code=code)
    language = current_language()
    first = next(found, None)  # a wrong id answers before the stream begins
    rows = chain(() if first is None else (first,), found)
    headers = {"Content-Disposition": f'attachment; filename="{import_id}-findings.csv"'}
    return StreamingResponse(_table(rows, language), media_type="text/csv; charset=utf-8", headers=headers)


def _table(findings: Iterable[Finding], language: Language) -> Iterator[str]:
    """Lines of a CSV file; the mark at its beginning tells spreadsheets that it is UTF-8."""
    buffer = StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(["severity", "code", "file", "line", "count", "label", "message", "outcome"])
    for finding in findings:
        row = [finding.severity.value, finding.code, finding.file, finding.line, finding.count, finding.label]
        # A cell that begins like a formula would be run by a spreadsheet.
        texts = [str(cell if cell is not None else "") for cell in row]
        texts += [finding.message.to(language), finding.outcome.to(language)]
        writer.writerow([f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text for text in texts])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


@router.post(
    "/{import_id}/confirm",
    status_code=202,
    response_model=ImportOut,
    responses=responses(404, 409),
    dependencies=[needs(Role.DEVELOPER, change="import_id")],
)
def confirm_import(studio: OpenStudio, import_id: str, form: LabelChoice | None = None) -> ImportView:
    """Store what the check let through, with its labels renamed or merged if so asked."""
    return studio.imports.confirm(import_id, form.label_map if form else None)


@router.post(
    "/{import_id}/cancel",
    response_model=ImportOut,
    responses=responses(404, 409),
    dependencies=[needs(Role.DEVELOPER, change="import_id")],
)
def cancel_import(studio: OpenStudio, import_id: str) -> ImportView:
    """Give an import up; nothing of it is stored."""
    return studio.imports.cancel(import_id)
