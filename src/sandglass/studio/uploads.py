"""Uploads: files come to the server in parts, in any order and over any number of lost connections, before an import.

What has arrived is what lies in the upload's folder: a file that is whole under ``files``, one that is not under
``parts``. There is nothing else to keep in step, and a server that is killed loses no more than the part on its way.
"""

import hashlib
import json
import os
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import IO

from sandglass.core.errors import Conflict, InvalidInput, NotFound, TooLarge
from sandglass.core.settings import Settings
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.store.tables import new_id
from sandglass.studio.importjob import remove_tree

KEPT_SECONDS = 7 * 86400
"""An upload that nobody touched for so long is removed."""
MOST_FILES = 500_000
PART_BYTES = 8 * 1024**2
"""Bytes of a part that callers should send at a time."""


class UploadedFile(Value):
    """A file of an upload.

    Attributes:
        size: bytes that it will have.
        received: bytes that are here.
        modified: milliseconds since 1970, as the caller told; by it a file that is chosen again is known.
    """

    path: str
    size: int
    received: int
    modified: int


class UploadView(Value):
    """Where an upload stands; ``part_bytes`` is what to send at a time."""

    id: str
    created_at: datetime
    part_bytes: int
    files: tuple[UploadedFile, ...]


class Uploads:
    """Keeps uploads until an import takes them."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.home / "uploads"
        self._most = settings.max_upload_bytes
        self._lock = Lock()

    def recover(self) -> None:
        """Remove uploads that nobody touched for a week."""
        if not self._folder.is_dir():
            return
        oldest = time.time() - KEPT_SECONDS
        for left in self._folder.iterdir():
            newest = max((path.stat().st_mtime for path in (left, *left.glob("*"))), default=0.0)
            if newest < oldest:
                remove_tree(left)

    def create(self) -> UploadView:
        """Begin an upload."""
        upload = new_id("up")
        folder = self._folder / upload
        (folder / "files").mkdir(parents=True)
        (folder / "parts").mkdir()
        (folder / "upload.json").write_text(json.dumps({"created_at": utc_now().isoformat()}), "utf-8")
        return self.get(upload)

    def get(self, upload: str) -> UploadView:
        """What has arrived.

        Raises:
            NotFound: ``upload_not_found``.
        """
        folder = self._find(upload)
        created = datetime.fromisoformat(json.loads((folder / "upload.json").read_text("utf-8"))["created_at"])
        files = [
            UploadedFile(
                path=path.relative_to(folder / "files").as_posix(),
                size=path.stat().st_size,
                received=path.stat().st_size,
                modified=path.stat().st_mtime_ns // 1_000_000,
            )
            for path in sorted((folder / "files").rglob("*"))
            if path.is_file()
        ]
        for note in sorted((folder / "parts").glob("*.json")):
            told = json.loads(note.read_text("utf-8"))
            files.append(UploadedFile(**told, received=note.with_suffix(".part").stat().st_size))
        return UploadView(id=upload, created_at=created, part_bytes=PART_BYTES, files=tuple(files))

    def put(
        self, upload: str, path: str, *, size: int, offset: int, modified: int, data: IO[bytes], length: int
    ) -> UploadedFile:
        """Add bytes to a file.

        Args:
            upload: id.
            path: relative, safe, with forward slashes.
            size: bytes that the file will have.
            offset: bytes of it that are here already; 0 begins it (again).
            modified: milliseconds since 1970.
            data: the bytes, from where they were received.
            length: of ``data``, in bytes.

        Raises:
            NotFound: ``upload_not_found``.
            Conflict: ``upload_offset``: other bytes are expected; ``details.received`` says from where to go on.
            InvalidInput: ``upload_overrun``: more bytes than the file has; or ``upload_name_twice``.
            TooLarge: ``upload_too_large``.
        """
        folder = self._find(upload)
        part, note = self._part(folder, path)
        whole = folder / "files" / path
        received = part.stat().st_size if part.exists() else 0
        if whole.is_file() and whole.stat().st_size == size and offset + length == size:
            return UploadedFile(path=path, size=size, received=size, modified=modified)  # the answer got lost
        if offset not in (0, received):
            raise Conflict(
                "upload_offset",
                Text(
                    en=f"{path} goes on at byte {received}, not at {offset}.",
                    zh=f"{path} 应从第 {received} 字节继续，而不是 {offset}。",
                ),
                Text(en="Send the bytes from there.", zh="请从该位置继续上传。"),
                details={"received": received},
            )
        if offset + length > size:
            raise InvalidInput(
                "upload_overrun",
                Text(en=f"{path} is said to have {size} bytes.", zh=f"{path} 声明的大小为 {size} 字节。"),
                Text(
                    en="Send no more than that, or begin the file again.", zh="请勿超出声明的大小，或重新上传该文件。"
                ),
            )
        self._refuse_too_much(folder, length)
        note.write_text(json.dumps({"path": path, "size": size, "modified": modified}), "utf-8")
        with part.open("r+b" if offset else "wb") as file:
            file.seek(offset)
            while chunk := data.read(1 << 20):
                file.write(chunk)
            file.truncate()
        if offset + length == size:
            self._complete(part, whole, modified)
            note.unlink()
        os.utime(folder)
        return UploadedFile(path=path, size=size, received=offset + length, modified=modified)

    def add(self, upload: str, received: Path, modified: dict[str, int]) -> list[UploadedFile]:
        """Take whole files that were received into a folder; a file that is here already is replaced.

        Args:
            upload: id.
            received: folder with the files under their relative paths; they are moved away.
            modified: milliseconds since 1970, by path.

        Raises:
            NotFound: ``upload_not_found``.
            TooLarge: ``upload_too_large``.
            InvalidInput: ``upload_name_twice``.
        """
        folder = self._find(upload)
        found = sorted(path for path in received.rglob("*") if path.is_file())
        self._refuse_too_much(folder, sum(path.stat().st_size for path in found))
        taken = []
        for file in found:
            path = file.relative_to(received).as_posix()
            size = file.stat().st_size
            self._complete(file, folder / "files" / path, modified.get(path, 0))
            taken.append(UploadedFile(path=path, size=size, received=size, modified=modified.get(path, 0)))
        os.utime(folder)
        return taken

    def receiving_folder(self, upload: str) -> Path:
        """A new folder beside the upload's files, to receive some into.

        Raises:
            NotFound: ``upload_not_found``.
        """
        folder = self._find(upload) / f"new-{new_id('rc')}"
        folder.mkdir()
        return folder

    def remove_file(self, upload: str, path: str) -> None:
        """Give one file up; one that is not there is fine.

        Raises:
            NotFound: ``upload_not_found``.
        """
        folder = self._find(upload)
        part, note = self._part(folder, path)
        for file in (note, part, folder / "files" / path):
            with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
                file.unlink()

    def cancel(self, upload: str) -> None:
        """Give an upload up with all that arrived.

        Raises:
            NotFound: ``upload_not_found``.
        """
        remove_tree(self._find(upload))

    def take(self, upload: str, target: Path) -> None:
        """Move the files of a finished upload to ``target``, which must not exist; the upload is no more.

        Raises:
            NotFound: ``upload_not_found``.
            Conflict: ``upload_incomplete``: a file is not whole yet.
            InvalidInput: ``source_missing``: it has no file.
        """
        folder = self._find(upload)
        waiting = [json.loads(note.read_text("utf-8"))["path"] for note in sorted((folder / "parts").glob("*.json"))]
        if waiting:
            raise Conflict(
                "upload_incomplete",
                Text(
                    en=f"{len(waiting)} file(s) have not arrived whole: {', '.join(waiting[:3])}.",
                    zh=f"还有 {len(waiting)} 个文件没有上传完：{'、'.join(waiting[:3])}。",
                ),
                Text(en="Finish or remove them first.", zh="请先上传完成，或移除这些文件。"),
                field="upload",
            )
        if not any(path.is_file() for path in (folder / "files").rglob("*")):
            raise InvalidInput(
                "source_missing",
                Text(en="The upload has no file.", zh="上传中没有文件。"),
                Text(en="Upload at least one file first.", zh="请先上传至少一个文件。"),
                field="upload",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / "files").rename(target)
        remove_tree(folder)

    def _find(self, upload: str) -> Path:
        folder = self._folder / upload
        # Ids are made here, so that anything else, such as "..", names nothing.
        if not upload.startswith("up-") or not upload[3:].isalnum() or not (folder / "upload.json").is_file():
            raise NotFound(
                "upload_not_found",
                Text(en=f"There is no upload '{upload}'.", zh=f"没有上传“{upload}”。"),
                Text(
                    en="It may have been imported, cancelled or left for a week; begin a new one.",
                    zh="它可能已导入、已取消或超过一周未使用，请重新上传。",
                ),
                field="upload",
            )
        return folder

    def _part(self, folder: Path, path: str) -> tuple[Path, Path]:
        name = path.replace("%", "%25").replace("/", "%2F")
        if len(name.encode()) > 200:
            name = hashlib.sha256(path.encode()).hexdigest()
        return folder / "parts" / f"{name}.part", folder / "parts" / f"{name}.json"

    def _complete(self, file: Path, target: Path, modified: int) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            raise InvalidInput(
                "upload_name_twice",
                Text(en=f"'{target.name}' names a file and a folder.", zh=f"“{target.name}”同时是文件和文件夹的名称。"),
                Text(en="Give them different names.", zh="请使用不同的名称。"),
                field="files",
            ) from error
        if modified > 0:
            os.utime(target, ns=(modified * 1_000_000, modified * 1_000_000))

    def _refuse_too_much(self, folder: Path, more: int) -> None:
        """Keep the sum of bytes in a file, since adding up ten thousand files with each of them takes minutes."""
        tally = folder / "bytes.json"
        with self._lock:
            known = json.loads(tally.read_text("utf-8")) if tally.exists() else 0
            if known + more <= self._most:
                tally.write_text(json.dumps(known + more), "utf-8")
                return
        raise TooLarge(
            "upload_too_large",
            Text(en=f"The upload has more than {self._most >> 20} MB.", zh=f"上传内容超过 {self._most >> 20} MB。"),
            Text(en="Upload less at once, or import a folder on the server.", zh="请分批上传，或从服务器文件夹导入。"),
        )
