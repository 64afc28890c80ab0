"""``POST /v1/datasets/{dataset}/samples``: one picture with its annotation into the draft."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from sandglass.api.multipart import Upload
from sandglass.api.permissions import needs
from sandglass.api.problems import responses
from sandglass.api.studio import OpenStudio
from sandglass.core.actor import Role
from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text
from sandglass.serving.intake import MAX_BODY
from sandglass.studio.additions import NewSample
from sandglass.studio.samples import SampleView
from sandglass.studio.studio import Studio
from sandglass.studio.validation import FieldProblem, InvalidFields, invalid_fields

router = APIRouter(prefix="/v1/datasets", tags=["datasets"], responses=responses(404))

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "annotation": {"type": "string", "description": "JSON of the dataset's annotation kind."},
                        "path": {"type": "string", "description": "Name in the dataset; the file's if not given."},
                        "part": {"type": "string", "enum": ["train", "validation", "test"]},
                        "group": {"type": "string"},
                    },
                }
            }
        },
    }
}
_WRONG = ("invalid_request", Text(en="Some fields of the request are wrong.", zh="请求中有字段不正确。"))


@router.post(
    "/{dataset}/samples",
    status_code=201,
    responses=responses(404, 409),
    openapi_extra=_BODY,
    dependencies=[needs(Role.ANNOTATOR, change="dataset")],
)
async def add_sample(studio: OpenStudio, request: Request, dataset: str) -> SampleView:
    """Add one picture to the draft, with its annotation if it is known; many pictures are imported."""
    with tempfile.TemporaryDirectory(prefix="sandglass-sample-") as scratch:
        upload = Upload(request.headers.get("content-type", ""), Path(scratch), MAX_BODY)
        await upload.receive(request.stream())
        return await run_in_threadpool(_add, studio, dataset, upload.fields, Path(scratch))


def _add(studio: Studio, dataset: str, fields: Mapping[str, str], folder: Path) -> SampleView:
    files = [path for path in folder.rglob("*") if path.is_file()]
    if len(files) != 1:
        raise InvalidInput(
            "one_picture_expected",
            Text(en=f"The request has {len(files)} pictures.", zh=f"请求中有 {len(files)} 张图片。"),
            Text(en="Send one picture; many at once are imported.", zh="请发送一张图片；批量请使用导入。"),
            field="file",
        )
    sample = _sample(fields, files[0].relative_to(folder).as_posix())
    return studio.additions.add(dataset, sample, files[0].read_bytes())


def _sample(fields: Mapping[str, str], name: str) -> NewSample:
    told = {key: value for key, value in fields.items() if value != ""}
    try:
        annotation = json.loads(told["annotation"]) if "annotation" in told else None
        return NewSample.model_validate({"path": name, **told, "annotation": annotation})
    except ValidationError as error:
        raise invalid_fields(error, *_WRONG) from error
    except ValueError as error:
        message = Text(en=f"This is not valid JSON: {error}.", zh=f"不是有效的 JSON：{error}。")
        raise InvalidFields(*_WRONG, [FieldProblem(field="annotation", message=message)]) from error
