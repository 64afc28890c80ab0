"""Pictures as answers: their bytes with the type that their content has, cached for ever since content never changes."""

from typing import Annotated, Any

import cv2
from fastapi import Query, Request
from fastapi.responses import Response

from sandglass.core.picture import decode_small
from sandglass.studio.studio import Studio

_MAGIC = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG": "image/png",
    b"BM": "image/bmp",
    b"GIF8": "image/gif",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
}
PREVIEW_QUALITY = 80
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture.", "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}},
    304: {"description": "The caller has it already."},
}
PreviewSize = Annotated[
    int | None,
    Query(ge=16, le=4096, description="Longer side of a JPEG preview, in pixels; the file itself if not given."),
]


def picture_response(studio: Studio, request: Request, digest: str, size: int | None) -> Response:
    """A stored picture, or with ``size`` a JPEG of it, upright, whose longer side has at most that many pixels.

    Raises:
        NotFound: ``object_missing``.
    """
    tag = f'"{digest}"' if size is None else f'"{digest}-{size}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=31536000, immutable"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    data = studio.samples.picture(digest)
    # A stored file is data, whatever it holds: it may neither run scripts nor fetch anything in the browser.
    headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    if size is not None:
        return Response(preview(data, size), media_type="image/jpeg", headers=headers)
    return Response(data, media_type=content_type(data), headers=headers)


def content_type(data: bytes) -> str:
    """Media type by content."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), "application/octet-stream")


def preview(data: bytes, size: int) -> bytes:
    """A JPEG of a picture, upright, whose longer side has at most ``size`` pixels."""
    _, encoded = cv2.imencode(".jpg", decode_small(data, size), [cv2.IMWRITE_JPEG_QUALITY, PREVIEW_QUALITY])
    return bytes(encoded)
