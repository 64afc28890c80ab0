"""The web console at ``/``, where the package ships one: files as they are, and its first page for every other path."""

import mimetypes
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from sandglass import __version__

FOLDER = Path(str(files("sandglass"))) / "console"
"""Where the package holds the built console."""


def is_shipped() -> bool:
    """Whether this installation has a console."""
    return (FOLDER / "index.html").is_file()


def mount(app: FastAPI) -> None:
    """Serve the console, or where there is none a few facts at ``/``. Call it after all routers."""
    if is_shipped():
        _mount_files(app, FOLDER.resolve())
        return

    @app.get("/", include_in_schema=False)
    async def root() -> JSONResponse:
        return JSONResponse({"name": "Sandglass", "version": __version__, "docs": "/docs", "api": "/v1"})


def _mount_files(app: FastAPI, folder: Path) -> None:
    @app.get("/{path:path}", include_in_schema=False)
    async def console(request: Request, path: str) -> Response:
        if path == "v1" or path.startswith("v1/"):
            raise HTTPException(404)
        target = (folder / path).resolve()
        # Bundled files carry a hash of their content in their name; a page of an older console may ask for one that is gone.
        lasting = path.startswith("assets/")
        if not target.is_relative_to(folder) or not target.is_file():
            if lasting:
                raise HTTPException(404)
            # A path of the console itself; the page there finds its way by the address.
            target = folder / "index.html"
        packed = "gzip" in request.headers.get("accept-encoding", "")
        return _file(target, packed=packed, lasting=lasting)


def _file(target: Path, *, packed: bool, lasting: bool) -> FileResponse:
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if lasting else "no-cache",
        "Vary": "Accept-Encoding",
    }
    media_type = mimetypes.guess_type(target.name)[0] or "application/octet-stream"
    compressed = target.with_name(target.name + ".gz")
    if packed and compressed.is_file():
        return FileResponse(compressed, headers=headers | {"Content-Encoding": "gzip"}, media_type=media_type)
    return FileResponse(target, headers=headers, media_type=media_type)
