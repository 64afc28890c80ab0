"""Take pictures out of a request: multipart files, or JSON with base64 or addresses."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from sandglass.core.errors import InvalidInput, TooLarge
from sandglass.core.picture import MAX_PIXELS
from sandglass.core.text import Text
from sandglass.scenarios.base import PredictOptions
from sandglass.serving.answer import MAX_PICTURES, PredictRequest, check_options, parse_options
from sandglass.serving.fetch import Fetcher

MAX_BODY = 64 * 1024**2
"""Bytes of one request, unless the service says otherwise."""


@dataclass(frozen=True)
class ReceivedPicture:
    """A picture as it came, not decoded yet."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Allowed:
    """The most that one request may hold: bytes, pictures, and pixels of each picture."""

    bytes: int = MAX_BODY
    pictures: int = MAX_PICTURES
    pixels: int = MAX_PIXELS

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Allowed":
        """What the gateway tells; it passes no such header of a caller on."""

        def number(name: str, default: int) -> int:
            told = headers.get(name, "")
            return int(told) if told.isdecimal() else default

        return cls(
            bytes=number("x-max-bytes", MAX_BODY),
            pictures=number("x-max-pictures", MAX_PICTURES),
            pixels=number("x-max-pixels", MAX_PIXELS),
        )


async def receive(
    request: Request, allowed: Allowed, fetcher: Fetcher | None = None
) -> tuple[list[ReceivedPicture], PredictOptions]:
    """Pictures and options of a request.

    Args:
        request: not read yet.
        allowed: limits.
        fetcher: gets pictures by address; None = they are refused.

    Raises:
        InvalidInput: ``invalid_request``, ``invalid_options``, ``no_pictures``, ``too_many_pictures``,
            ``url_not_allowed`` and what `Fetcher.fetch` raises.
        TooLarge: ``request_too_large``.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > allowed.bytes:
        raise too_large(allowed.bytes)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        return await _from_json(await _body(request, allowed.bytes), allowed, fetcher)
    if kind == "multipart/form-data":
        return await _from_form(request, allowed)
    raise InvalidInput(
        "invalid_request",
        Text(en=f"The content type '{kind}' is not understood.", zh=f"不支持的内容类型“{kind}”。"),
        Text(
            en="Send multipart/form-data with files, or application/json.",
            zh="请使用 multipart/form-data 上传文件，或 application/json。",
        ),
    )


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise too_large(most)
    return bytes(body)


async def _from_json(
    body: bytes, allowed: Allowed, fetcher: Fetcher | None
) -> tuple[list[ReceivedPicture], PredictOptions]:
    asked = _parse(body)
    _check_count(len(asked.images), allowed)
    pictures: list[ReceivedPicture] = []
    left = allowed.bytes
    for number, picture in enumerate(asked.images):
        if picture.url is not None:
            if fetcher is None:
                raise InvalidInput(
                    "url_not_allowed",
                    Text(en="Pictures by address are not allowed here.", zh="此处不允许通过地址获取图片。"),
                    Text(en="Send the picture itself, as a file or in base64.", zh="请直接发送图片文件或 base64。"),
                    field=f"images.{number}.url",
                )
            data = await fetcher.fetch(picture.url, most=left, field=f"images.{number}.url")
            left -= len(data)
        else:
            data = _decode(picture.base64 or "", number)
        pictures.append(ReceivedPicture(picture.name, data))
    return pictures, check_options(asked.options.model_dump())


def _parse(body: bytes) -> PredictRequest:
    try:
        return PredictRequest.model_validate_json(body)
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


def _decode(text: str, number: int) -> bytes:
    try:
        return base64.b64decode(text.split("base64,", 1)[-1], validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(
            "invalid_base64",
            Text(en=f"images.{number}.base64 is not base64.", zh=f"images.{number}.base64 不是有效的 base64。"),
            field=f"images.{number}.base64",
        ) from error


def _check_count(count: int, allowed: Allowed) -> None:
    if count > allowed.pictures:
        raise InvalidInput(
            "too_many_pictures",
            Text(
                en=f"The request has {count} pictures; {allowed.pictures} are allowed.",
                zh=f"请求包含 {count} 张图片，最多允许 {allowed.pictures} 张。",
            ),
            Text(en="Send fewer pictures at once.", zh="请减少每次发送的图片数量。"),
        )


async def _from_form(request: Request, allowed: Allowed) -> tuple[list[ReceivedPicture], PredictOptions]:
    fields: dict[str, list[str]] = {}
    pictures: list[ReceivedPicture] = []
    total = 0
    try:
        async with request.form(max_files=MAX_PICTURES, max_fields=200) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    data = await value.read()
                    total += len(data)
                    if total > allowed.bytes:
                        raise too_large(allowed.bytes)
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
    _check_count(len(pictures), allowed)
    return pictures, parse_options(fields)


def too_large(most: int) -> TooLarge:
    """The request has more than ``most`` bytes."""
    return TooLarge(
        "request_too_large",
        Text(en=f"The request has more than {most >> 20} MB.", zh=f"请求超过 {most >> 20} MB。"),
        Text(en="Send fewer or smaller pictures.", zh="请减少图片数量或缩小图片。"),
    )
