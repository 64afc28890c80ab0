"""Unpack archives from people one does not know: nothing leaves the folder, nothing explodes, all or nothing."""

import gzip
import lzma
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sandglass.core.errors import InvalidInput, TooLarge
from sandglass.core.text import Text
from sandglass.formats.pictures import safe_reference

CHUNK = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What an archive may hold.

    Attributes:
        files: most entries.
        total: most bytes, unpacked.
        ratio: most bytes unpacked per byte of the archive (beyond the first 100 MB).
    """

    files: int = 500_000
    total: int = 200 * 1024**3
    ratio: int = 200


def is_archive(path: Path) -> bool:
    """Whether a file is an archive that `unpack` understands, by its content."""
    return path.is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))


def unpack(archive: Path, folder: Path, limits: Limits | None = None) -> None:
    """Unpack a zip or tar archive (plain, gz, bz2, xz) into ``folder``, which must not exist yet.

    Raises:
        InvalidInput: ``archive_unreadable``, or ``archive_unsafe`` for absolute paths, ``..``, links and devices.
        TooLarge: ``archive_too_large``.
    """
    limits = limits or Limits()
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".unpack-"))
    try:
        written = files = 0
        allowed = min(limits.total, max(100 * 1024**2, archive.stat().st_size * limits.ratio))
        try:
            for name, stream in _entries(archive):
                files += 1
                if files > limits.files:
                    raise _too_large(archive, f"more than {limits.files} files")
                target = scratch / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    while chunk := stream.read(CHUNK):
                        written += len(chunk)
                        if written > allowed:
                            raise _too_large(archive, f"more than {allowed >> 20} MB")
                        file.write(chunk)
        except (
            zipfile.BadZipFile,
            tarfile.TarError,
            EOFError,
            lzma.LZMAError,
            gzip.BadGzipFile,
            RuntimeError,
            OSError,
        ) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise InvalidInput(
                "archive_unreadable",
                Text(en=f"{archive.name} cannot be unpacked: {error}", zh=f"无法解压 {archive.name}：{error}"),
                Text(
                    en="Pack it again as zip or tar.gz, without a password.",
                    zh="请重新打包为 zip 或 tar.gz，且不要加密。",
                ),
            ) from error
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _entries(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                mode = info.external_attr >> 16
                if info.is_dir():
                    continue
                name = _zip_name(info)
                if mode and (mode & 0o170000) not in (0, 0o100000):
                    raise _unsafe(archive, name, "it is a link or device")
                with opened.open(info) as stream:
                    yield _safe(archive, name), stream
        return
    with tarfile.open(archive) as opened_tar:
        for member in opened_tar:
            if member.isdir():
                continue
            if not member.isreg():
                raise _unsafe(archive, member.name, "it is a link or device")
            stream_or_none = opened_tar.extractfile(member)
            assert stream_or_none is not None
            yield _safe(archive, member.name), stream_or_none


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The name of an entry; old Chinese tools write GBK without saying so, which zipfile reads as code page 437."""
    if info.flag_bits & 0x800:
        return info.filename
    raw = info.filename.encode("cp437", errors="surrogateescape")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _safe(archive: Path, name: str) -> str:
    safe = safe_reference(name)
    if safe is None:
        raise _unsafe(archive, name, "it points outside the folder")
    return safe


def _unsafe(archive: Path, name: str, reason: str) -> InvalidInput:
    return InvalidInput(
        "archive_unsafe",
        Text(en=f"{archive.name} holds '{name}': {reason}.", zh=f"{archive.name} 中的“{name}”不安全：{reason}。"),
        Text(en="Pack plain files with relative paths only.", zh="请只打包使用相对路径的普通文件。"),
    )


def _too_large(archive: Path, reason: str) -> TooLarge:
    return TooLarge(
        "archive_too_large",
        Text(en=f"{archive.name} is too large: {reason}.", zh=f"{archive.name} 过大：{reason}。"),
        Text(en="Split it, or import a folder on the server.", zh="请拆分，或从服务器文件夹导入。"),
    )
