"""The web console at ``/``, where the package ships one: files as they are, and its first page for every other path."""

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from sandglass import __version__


def mount(app: FastAPI) -> None:
    """Serve the console, or where there is none a few facts at ``/``. Call it after all routers."""
    folder = Path(str(files("sandglass"))) / "console"
    if (folder / "index.html").is_file():
        _mount_files(app, folder.resolve())
        return

    @app.get("/", include_in_schema=False)
    async def root() -> JSONResponse:
        return JSONResponse({"name": "Sandglass", "version": __version__, "docs": "/docs", "api": "/v1"})


def _mount_files(app: FastAPI, folder: Path) -> None:
    @app.get("/{path:path}", include_in_schema=False)
    async def console(path: str) -> Response:
        if path == "v1" or path.startswith("v1/"):
            raise HTTPException(404)
        target = (folder / path).resolve()
        if not target.is_relative_to(folder) or not target.is_file():
            # A path of the console itself; the page there finds its way by the address.
            return FileResponse(folder / "index.html", headers={"Cache-Control": "no-cache"})
        # Bundled files carry a hash of their content in their name.
        lasting = "assets" in target.relative_to(folder).parts
        return FileResponse(
            target, headers={"Cache-Control": "public, max-age=31536000, immutable" if lasting else "no-cache"}
        )
