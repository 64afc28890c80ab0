"""``/v1/uploads``: files arrive in parts, resumable after a lost connection, until an import takes them."""

import errno
import json
import tempfile
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from sandglass.api.multipart import Upload, safe_name
from sandglass.api.permissions import needs
from sandglass.api.problems import responses
from sandglass.api.studio import OpenStudio
from sandglass.core.actor import Role
from sandglass.core.errors import Broken, InvalidInput, TooLarge
from sandglass.core.text import Text
from sandglass.studio.importjob import remove_tree
from sandglass.studio.uploads import UploadedFile, UploadView

router = APIRouter(prefix="/v1/uploads", tags=["imports"], responses=responses(404))

LARGEST_PART = 64 * 1024**2
"""Bytes that one request may carry."""
PathQuery = Annotated[str, Query(min_length=1, max_length=1000, description="Relative path of the file.")]

_PART: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_FILES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "modified": {
                            "type": "string",
                            "description": "JSON object: path → milliseconds since 1970 when the file was changed.",
                        },
                        "files": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "Files with their relative paths as file names.",
                        },
                    },
                }
            }
        },
    }
}


class UploadedFiles(BaseModel):
    """Files that arrived with a request."""

    files: list[UploadedFile]


@router.post("", status_code=201, dependencies=[needs(Role.DEVELOPER, audit=False)])
def create_upload(studio: OpenStudio) -> UploadView:
    """Begin an upload. Send files or parts of them, then name it in `POST /v1/imports`."""
    return studio.uploads.create()


@router.get("/{upload}", dependencies=[needs(Role.DEVELOPER)])
def get_upload(studio: OpenStudio, upload: str) -> UploadView:
    """What has arrived."""
    return studio.uploads.get(upload)


@router.delete("/{upload}", status_code=204, dependencies=[needs(Role.DEVELOPER, audit=False)])
def cancel_upload(studio: OpenStudio, upload: str) -> None:
    """Give an upload up with all that arrived."""
    studio.uploads.cancel(upload)


@router.put(
    "/{upload}/files",
    responses=responses(404, 409),
    openapi_extra=_PART,
    dependencies=[needs(Role.DEVELOPER, audit=False)],
)
async def put_part(
    studio: OpenStudio,
    request: Request,
    upload: str,
    path: PathQuery,
    size: Annotated[int, Query(ge=0, description="Bytes of the whole file.")],
    offset: Annotated[int, Query(ge=0, description="Bytes of it that are here already; 0 begins it.")] = 0,
    modified: Annotated[int, Query(ge=0, le=2**53, description="Milliseconds since 1970.")] = 0,
) -> UploadedFile:
    """Add bytes to a file. Of a request that is cut off nothing is kept."""
    name = safe_name(path)
    with tempfile.SpooledTemporaryFile(max_size=16 * 1024**2) as received:
        length = await _receive(request, received)
        return await run_in_threadpool(
            studio.uploads.put,
            upload,
            name,
            size=size,
            offset=offset,
            modified=modified,
            data=received,
            length=length,
        )


@router.post("/{upload}/files", openapi_extra=_FILES, dependencies=[needs(Role.DEVELOPER, audit=False)])
async def add_files(studio: OpenStudio, request: Request, upload: str) -> UploadedFiles:
    """Send several small files at once; of a request that is cut off nothing is kept."""
    folder = await run_in_threadpool(studio.uploads.receiving_folder, upload)
    try:
        body = Upload(request.headers.get("content-type", ""), folder, LARGEST_PART)
        await body.receive(request.stream())
        modified = _modified(body.fields.get("modified", "{}"))
        return UploadedFiles(files=await run_in_threadpool(studio.uploads.add, upload, folder, modified))
    finally:
        await run_in_threadpool(remove_tree, folder)


@router.delete("/{upload}/files", status_code=204, dependencies=[needs(Role.DEVELOPER, audit=False)])
def remove_upload_file(studio: OpenStudio, upload: str, path: PathQuery) -> None:
    """Give one file up."""
    studio.uploads.remove_file(upload, safe_name(path))


async def _receive(request: Request, target: Any) -> int:  # noqa: ANN401
    length = 0
    try:
        async for chunk in request.stream():
            length += len(chunk)
            if length > LARGEST_PART:
                raise TooLarge(
                    "part_too_large",
                    Text(en=f"A part has more than {LARGEST_PART >> 20} MB.", zh=f"分块超过 {LARGEST_PART >> 20} MB。"),
                    Text(en="Send smaller parts.", zh="请使用更小的分块。"),
                )
            await run_in_threadpool(target.write, chunk)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Broken(
            "storage_full",
            Text(en="The disk is full.", zh="磁盘空间不足。"),
            Text(en="Free some space, then go on.", zh="请清理空间后继续。"),
        ) from error
    target.seek(0)
    return length


def _modified(text: str) -> dict[str, int]:
    try:
        told = json.loads(text)
        return {str(path): int(moment) for path, moment in told.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidInput(
            "invalid_request",
            Text(en="'modified' is no JSON object of numbers.", zh="modified 不是由数字组成的 JSON 对象。"),
            field="modified",
        ) from error
