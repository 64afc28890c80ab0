"""Bytes by content: every object is named by its SHA-256, so equal content is stored once and nothing ever changes."""

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlparse

from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from sandglass.core.errors import Broken, NotFound
from sandglass.core.text import Text

CHUNK = 1 << 20


class Objects:
    """An object store in a folder (``file:///…``) or a bucket (``s3://bucket/prefix``).

    Args:
        url: address of the store; bucket credentials come from the usual ``AWS_*`` variables.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        parsed = urlparse(url)
        self._folder: Path | None = None
        self._store: LocalStore | S3Store
        if parsed.scheme == "file":
            self._folder = Path(unquote(parsed.path))
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise self._unwritable(error) from error
            self._store = LocalStore(self._folder)
        else:
            self._store = S3Store.from_url(url, client_options={"timeout": timedelta(seconds=60)})

    def put(self, data: bytes) -> str:
        """Store bytes and return their digest; whole or not at all, and at once when they are there already.

        Raises:
            Broken: ``storage_full`` or ``storage_unwritable``.
        """
        digest = hashlib.sha256(data).hexdigest()
        if self._folder is not None:
            self._write_file(digest, data)
        elif not self.exists(digest):
            try:
                self._store.put(_key(digest), data)
            except BaseError as error:
                raise self._unwritable(error) from error
        return digest

    def put_file(self, path: Path) -> tuple[str, int]:
        """Store a file and return digest and size in bytes; large files are not held in memory.

        Raises:
            Broken: ``storage_full`` or ``storage_unwritable``.
        """
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if self._folder is not None:
            self._write_file(digest, path)
        elif not self.exists(digest):
            try:
                self._store.put(_key(digest), path)
            except BaseError as error:
                raise self._unwritable(error) from error
        return digest, path.stat().st_size

    def _write_file(self, digest: str, content: bytes | Path) -> None:
        """Write next to the final place, flush to the disk, then rename: a reader sees all of it or nothing."""
        assert self._folder is not None
        target = self._folder / _key(digest)
        if target.exists():
            return
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    if isinstance(content, bytes):
                        file.write(content)
                    else:
                        with content.open("rb") as source:
                            while chunk := source.read(CHUNK):
                                file.write(chunk)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(target)
            finally:
                Path(temporary).unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def get(self, digest: str) -> bytes:
        """All bytes of an object.

        Raises:
            NotFound: ``object_missing``.
            Broken: ``object_damaged``, its content no longer has its name.
        """
        data = b"".join(self.stream(digest))
        if hashlib.sha256(data).hexdigest() != digest:
            raise Broken(
                "object_damaged",
                Text(en=f"The stored object {digest} is damaged.", zh=f"存储对象 {digest} 已损坏。"),
                Text(en="Restore it from a backup, or import the data again.", zh="请从备份恢复，或重新导入数据。"),
            )
        return data

    def stream(self, digest: str, chunk: int = CHUNK) -> Iterator[bytes]:
        """The bytes of an object in pieces.

        Raises:
            NotFound: ``object_missing``.
        """
        try:
            if self._folder is not None:
                with (self._folder / _key(digest)).open("rb") as file:
                    while piece := file.read(chunk):
                        yield piece
            else:
                for part in self._store.get(_key(digest)).stream(min_chunk_size=chunk):
                    yield bytes(part)
        except FileNotFoundError as error:
            raise _missing(digest) from error

    def exists(self, digest: str) -> bool:
        """Whether the object is there."""
        if self._folder is not None:
            return (self._folder / _key(digest)).exists()
        try:
            self._store.head(_key(digest))
        except FileNotFoundError:
            return False
        return True

    def size(self, digest: str) -> int:
        """Size in bytes.

        Raises:
            NotFound: ``object_missing``.
        """
        try:
            return int(self._store.head(_key(digest))["size"])
        except FileNotFoundError as error:
            raise _missing(digest) from error

    def delete(self, digest: str) -> None:
        """Delete an object; one that is not there is fine."""
        if self.exists(digest):
            self._store.delete(_key(digest))

    def _unwritable(self, error: Exception) -> Broken:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if full:
            return Broken(
                "storage_full",
                Text(en=f"The object store {self._url} is full.", zh=f"对象存储 {self._url} 空间不足。"),
                Text(
                    en="Free some space, then try again; nothing was half-stored.",
                    zh="请清理空间后重试；没有留下不完整的数据。",
                ),
            )
        return Broken(
            "storage_unwritable",
            Text(
                en=f"The object store {self._url} cannot be written: {error}",
                zh=f"无法写入对象存储 {self._url}：{error}",
            ),
            Text(en="Check its permissions or address.", zh="请检查权限或地址。"),
        )


def _key(digest: str) -> str:
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


def _missing(digest: str) -> NotFound:
    return NotFound(
        "object_missing",
        Text(en=f"The stored object {digest} is missing.", zh=f"缺少存储对象 {digest}。"),
        Text(en="Restore it from a backup, or import the data again.", zh="请从备份恢复，或重新导入数据。"),
    )
