"""``/v1/datasets/…/export(s)`` and ``/v1/exports``: datasets as folders on the server or as archives to download."""

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from sandglass.api.permissions import needs, refuse_server_folder
from sandglass.api.problems import responses
from sandglass.api.schemas import ExportJobOut, ExportOut
from sandglass.api.studio import OpenStudio
from sandglass.core.actor import Role
from sandglass.studio.exports import Exported, ExportView

router = APIRouter(prefix="/v1", tags=["exports"], responses=responses(404))

ARCHIVE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The archive.",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class ExportForm(BaseModel):
    """Where and how to write a dataset."""

    model_config = ConfigDict(extra="forbid")

    format: str = Field(max_length=40)
    folder: str = Field(min_length=1, max_length=4096, description="New or empty folder on the server, its whole path.")
    version: int | None = Field(None, ge=1, description="None = the draft.")


class NewExport(BaseModel):
    """What to export, in the background."""

    model_config = ConfigDict(extra="forbid")

    format: str = Field(max_length=40)
    folder: str | None = Field(
        None,
        min_length=1,
        max_length=4096,
        description="New or empty folder on the server, its whole path; none = an archive to download.",
    )
    version: int | None = Field(None, ge=1, description="None = the draft.")


@router.post(
    "/datasets/{dataset}/export",
    responses=responses(404, 409),
    response_model=ExportOut,
    dependencies=[needs(Role.DEVELOPER)],
)
def export_dataset(studio: OpenStudio, dataset: str, form: ExportForm) -> Exported:
    """Write a dataset to a folder of the server, whole or not at all, and wait for it."""
    refuse_server_folder()
    return studio.exports.export(dataset, format_id=form.format, folder=form.folder, version=form.version)


@router.post(
    "/datasets/{dataset}/exports",
    status_code=202,
    responses=responses(404, 409),
    response_model=ExportJobOut,
    dependencies=[needs(Role.DEVELOPER)],
)
def create_export(studio: OpenStudio, dataset: str, form: NewExport) -> ExportView:
    """Begin an export: to a folder of the server, or to an archive that is downloaded when it is ready."""
    if form.folder is not None:
        refuse_server_folder()
    return studio.exports.start(dataset, format_id=form.format, folder=form.folder, version=form.version)


@router.get("/exports/{export}", response_model=ExportJobOut, dependencies=[needs(Role.VIEWER)])
def get_export(studio: OpenStudio, export: str) -> ExportView:
    """Where an export stands, and what the format cannot hold."""
    return studio.exports.get(export)


@router.delete("/exports/{export}", response_model=ExportJobOut, dependencies=[needs(Role.DEVELOPER)])
def cancel_export(studio: OpenStudio, export: str) -> ExportView:
    """Give an export up, or remove its archive."""
    return studio.exports.cancel(export)


@router.get(
    "/exports/{export}/download",
    response_class=StreamingResponse,
    responses={**responses(404, 409), **ARCHIVE},
    dependencies=[needs(Role.VIEWER)],
)
def download_export(studio: OpenStudio, export: str) -> StreamingResponse:
    """The archive of an export that is ready, as a stream."""
    name, chunks = studio.exports.archive(export)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}", "Cache-Control": "no-store"}
    return StreamingResponse(chunks, media_type="application/zip", headers=headers)
