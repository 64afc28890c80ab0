"""Take pictures out of a request: multipart files, or JSON with base64."""

import base64
import binascii
from dataclasses import dataclass

from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from sandglass.core.errors import InvalidInput, TooLarge
from sandglass.core.text import Text
from sandglass.scenarios.base import PredictOptions
from sandglass.serving.answer import MAX_PICTURES, PredictRequest, check_options, parse_options

MAX_BODY = 64 * 1024**2
"""Bytes of one request."""


@dataclass(frozen=True)
class ReceivedPicture:
    """A picture as it came, not decoded yet."""

    name: str
    data: bytes


async def receive(request: Request) -> tuple[list[ReceivedPicture], PredictOptions]:
    """Pictures and options of a request.

    Raises:
        InvalidInput: ``invalid_request``, ``invalid_options``, ``no_pictures``, ``url_not_allowed``.
        TooLarge: ``request_too_large``.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_BODY:
        raise _too_large()
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        return _from_json(await _body(request))
    if kind == "multipart/form-data":
        return await _from_form(request)
    raise InvalidInput(
        "invalid_request",
        Text(en=f"The content type '{kind}' is not understood.", zh=f"不支持的内容类型“{kind}”。"),
        Text(
            en="Send multipart/form-data with files, or application/json.",
            zh="请使用 multipart/form-data 上传文件，或 application/json。",
        ),
    )


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise _too_large()
    return bytes(body)


def _from_json(body: bytes) -> tuple[list[ReceivedPicture], PredictOptions]:
    try:
        asked = PredictRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidInput(
            "invalid_request",
            Text(
                en=f"The request is wrong at {where or 'its root'}: {first['msg']}",
                zh=f"请求内容有误（{where or '根'}）：{first['msg']}",
            ),
            Text(
                en='Send {"images": [{"base64": "…"}], "options": {…}}.',
                zh='请发送 {"images": [{"base64": "…"}], "options": {…}}。',
            ),
            field=where or None,
        ) from error
    pictures = []
    for number, picture in enumerate(asked.images):
        if picture.url is not None:
            raise InvalidInput(
                "url_not_allowed",
                Text(en="Pictures by address are not allowed here.", zh="此处不允许通过地址获取图片。"),
                Text(en="Send the picture itself, as a file or in base64.", zh="请直接发送图片文件或 base64。"),
                field=f"images.{number}.url",
            )
        try:
            data = base64.b64decode((picture.base64 or "").split("base64,", 1)[-1], validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidInput(
                "invalid_base64",
                Text(en=f"images.{number}.base64 is not base64.", zh=f"images.{number}.base64 不是有效的 base64。"),
                field=f"images.{number}.base64",
            ) from error
        pictures.append(ReceivedPicture(picture.name, data))
    return pictures, check_options(asked.options.model_dump())


async def _from_form(request: Request) -> tuple[list[ReceivedPicture], PredictOptions]:
    fields: dict[str, list[str]] = {}
    pictures: list[ReceivedPicture] = []
    total = 0
    try:
        async with request.form(max_files=MAX_PICTURES, max_fields=200) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    data = await value.read()
                    total += len(data)
                    if total > MAX_BODY:
                        raise _too_large()
                    pictures.append(ReceivedPicture(value.filename or f"picture-{len(pictures) + 1}", data))
                else:
                    fields.setdefault(name, []).append(value)
    except HTTPException as error:
        raise InvalidInput(
            "invalid_request", Text(en=f"The form cannot be read: {error.detail}", zh=f"无法读取表单：{error.detail}")
        ) from error
    if not pictures:
        raise InvalidInput(
            "no_pictures",
            Text(en="The request has no picture.", zh="请求中没有图片。"),
            Text(en="Send at least one file in the field 'files'.", zh="请在 files 字段中上传至少一个文件。"),
            field="files",
        )
    return pictures, parse_options(fields)


def _too_large() -> TooLarge:
    return TooLarge(
        "request_too_large",
        Text(en=f"The request has more than {MAX_BODY >> 20} MB.", zh=f"请求超过 {MAX_BODY >> 20} MB。"),
        Text(en="Send fewer or smaller pictures.", zh="请减少图片数量或缩小图片。"),
    )
