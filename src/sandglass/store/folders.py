"""Folders of files (models) as objects, and back: a folder on disk is whole or not there."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from sandglass.store.objects import Objects


class StoredFile(TypedDict):
    """Digest and size in bytes of one file of a folder."""

    digest: str
    size: int


def put_folder(objects: Objects, folder: Path) -> dict[str, StoredFile]:
    """Store every file of ``folder`` and return them by relative name.

    Raises:
        Broken: ``storage_full`` or ``storage_unwritable``.
    """
    files: dict[str, StoredFile] = {}
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        digest, size = objects.put_file(path)
        files[path.relative_to(folder).as_posix()] = {"digest": digest, "size": size}
    return files


def fetch_folder(objects: Objects, files: Mapping[str, StoredFile], target: Path) -> Path:
    """Bring a stored folder to ``target``; at once when it is there. Several processes may do so at the same time.

    Raises:
        NotFound: ``object_missing``.
    """
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new-"))
    try:
        for name, stored in files.items():
            path = scratch / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                for chunk in objects.stream(stored["digest"]):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
        try:
            scratch.rename(target)
        except OSError:
            if not target.is_dir():  # otherwise another process was faster, with the same content
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target
