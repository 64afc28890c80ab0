"""Multipart uploads straight to disk: nothing is held in memory, names stay inside the folder, sizes are limited."""

import asyncio
import errno
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from sandglass.core.errors import Broken, InvalidInput, TooLarge
from sandglass.core.text import Text

LONGEST_FIELD = 64 * 1024
MOST_FILES = 500_000
LONGEST_NAME = 1000


class Upload:
    """Receives one multipart body.

    Args:
        content_type: of the request, with its boundary.
        folder: that files are written to.
        most_bytes: of all files and fields together.

    Raises:
        InvalidInput: ``upload_unreadable``: there is no boundary.
    """

    def __init__(self, content_type: str, folder: Path, most_bytes: int) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:
            raise _unreadable("it has no boundary", "缺少 boundary")
        self.fields: dict[str, str] = {}
        self.files = 0
        self._folder = folder
        self._most = most_bytes
        self._received = 0
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._headers: dict[bytes, bytes] = {}
        self._name = ""
        self._value: bytearray | None = None
        self._file: BinaryIO | None = None
        self._complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    async def receive(self, stream: AsyncIterator[bytes]) -> None:
        """Take the whole body.

        Raises:
            InvalidInput: ``upload_unreadable``, ``upload_cut`` or ``upload_name_unsafe``.
            TooLarge: ``upload_too_large``.
            Broken: ``storage_full``.
        """
        try:
            async for chunk in stream:
                self._received += len(chunk)
                if self._received > self._most:
                    raise _too_large(self._most)
                if chunk:
                    await asyncio.to_thread(self._parser.write, chunk)
        except MultipartParseError as error:
            raise _unreadable(str(error), str(error)) from error
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise Broken(
                "storage_full",
                Text(en="The disk is full.", zh="磁盘空间不足。"),
                Text(
                    en="Free some space, then upload again; nothing was kept.",
                    zh="请清理空间后重新上传；没有保留任何内容。",
                ),
            ) from error
        finally:
            if self._file is not None:
                self._file.close()
        if not self._complete:
            raise InvalidInput(
                "upload_cut",
                Text(en="The upload ended before it was complete.", zh="上传在完成之前中断。"),
                Text(en="Upload again.", zh="请重新上传。"),
            )

    # Called by the parser

    def _on_part_begin(self) -> None:
        self._headers = {}
        self._header = (bytearray(), bytearray())

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _on_header_end(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        self._header = (bytearray(), bytearray())

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            self._value = bytearray()
            return
        target = self._folder / safe_name(options[b"filename"].decode("utf-8", "replace"))
        self.files += 1
        if self.files > MOST_FILES:
            raise _too_large(self._most)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = target.open("xb")
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            raise InvalidInput(
                "upload_name_twice",
                Text(en=f"Two uploaded files are named '{target.name}'.", zh=f"有两个上传文件同名：“{target.name}”。"),
                Text(en="Give them different names or folders.", zh="请使用不同的名称或文件夹。"),
                field=self._name,
            ) from error

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
        elif self._value is not None:
            self._value.extend(data[start:end])
            if len(self._value) > LONGEST_FIELD:
                raise _too_large(LONGEST_FIELD)

    def _on_part_end(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        elif self._value is not None:
            self.fields[self._name] = self._value.decode("utf-8", "replace")
            self._value = None

    def _on_end(self) -> None:
        self._complete = True


def safe_name(name: str) -> str:
    """The relative path that an uploaded file is stored under.

    Raises:
        InvalidInput: ``upload_name_unsafe``: it is absolute, leaves the folder, is hidden, or holds control characters.
    """
    path = PurePosixPath(unicodedata.normalize("NFC", name.replace("\\", "/")))
    unsafe = (
        not path.parts
        or path.is_absolute()
        or len(name) > LONGEST_NAME
        or any(part in ("..", ".") or part.startswith(".") or len(part.encode()) > 255 for part in path.parts)
        or any(unicodedata.category(character) == "Cc" for character in name)
        or (len(path.parts[0]) == 2 and path.parts[0][1] == ":")
    )
    if unsafe:
        raise InvalidInput(
            "upload_name_unsafe",
            Text(en=f"A file cannot be named '{name[:100]}'.", zh=f"文件名“{name[:100]}”不可用。"),
            Text(en="Use plain relative names.", zh="请使用普通的相对路径。"),
            field="files",
        )
    return path.as_posix()


def _unreadable(reason_en: str, reason_zh: str) -> InvalidInput:
    return InvalidInput(
        "upload_unreadable",
        Text(en=f"The upload cannot be read: {reason_en}.", zh=f"无法读取上传内容：{reason_zh}。"),
        Text(en="Send multipart/form-data.", zh="请使用 multipart/form-data。"),
    )


def _too_large(most: int) -> TooLarge:
    limit = f"{most >> 20} MB" if most >= 1 << 20 else f"{most} bytes"
    return TooLarge(
        "upload_too_large",
        Text(en=f"The upload has more than {limit}.", zh=f"上传内容超过 {limit}。"),
        Text(en="Upload less at once, or import a folder on the server.", zh="请分批上传，或从服务器文件夹导入。"),
    )
