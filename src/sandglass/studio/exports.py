"""Exports: a dataset's draft or version as a folder in any format that can hold it, whole or not at all."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from sandglass.core.errors import Broken, Conflict, InvalidInput
from sandglass.core.finding import Finding
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.formats import WrittenSample, get_format
from sandglass.store.objects import Objects
from sandglass.studio.importjob import Tally, remove_tree
from sandglass.studio.kinds import annotation_kind
from sandglass.studio.versions import Versions


class Exported(Value):
    """What an export wrote, and what the format cannot hold."""

    folder: str
    format: str
    written: int
    findings: tuple[Finding, ...]


class Exports:
    """Writes datasets to folders of the server."""

    def __init__(self, objects: Objects, versions: Versions) -> None:
        self._objects = objects
        self._versions = versions

    def export(self, dataset: str, *, format_id: str, folder: str, version: int | None = None) -> Exported:
        """Write a dataset.

        Args:
            dataset: name or id.
            format_id: of a format that can hold its annotations.
            folder: whole path of a new or empty folder on the server.
            version: None = the draft.

        Raises:
            NotFound: the dataset, its version or the format does not exist.
            InvalidInput: the format does not fit, or ``folder`` is no whole path.
            Conflict: ``folder_not_empty``.
            Broken: ``export_failed``: the disk is full or the folder cannot be written.
        """
        source = self._versions.find(dataset if version is None else f"{dataset}@v{version}")
        written_by = get_format(format_id, annotation_kind(source.scenario))
        target = Path(folder)
        if not target.is_absolute():
            raise InvalidInput(
                "folder_not_absolute",
                Text(en=f"'{folder}' is not a whole path.", zh=f"“{folder}”不是完整路径。"),
                Text(en="Begin it with '/'.", zh="请以“/”开头。"),
                field="folder",
            )
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise Conflict(
                "folder_not_empty",
                Text(en=f"{folder} exists and is not an empty folder.", zh=f"{folder} 已存在且不是空文件夹。"),
                Text(en="Choose a new or empty folder.", zh="请选择新的或空的文件夹。"),
                field="folder",
            )
        written = 0

        def counted(samples: Iterable[Sample]) -> Iterator[WrittenSample]:
            nonlocal written
            for sample in samples:
                yield sample, partial(self._objects.get, sample.digest)
                written += 1

        scratch: Path | None = None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=".export-"))
            tally = Tally()
            for finding in written_by.write(counted(self._versions.samples(source)), scratch):
                tally.add(finding)
            scratch.chmod(0o777 & ~_umask())
            scratch.rename(target)  # an empty folder in its place is replaced
        except OSError as error:
            raise Broken(
                "export_failed",
                Text(en=f"{folder} cannot be written: {error.strerror}.", zh=f"无法写入 {folder}：{error.strerror}。"),
                Text(
                    en="Free some space or choose another folder; nothing was left there.",
                    zh="请清理空间或换一个文件夹；没有留下任何内容。",
                ),
            ) from error
        finally:
            if scratch is not None:
                remove_tree(scratch)
        return Exported(folder=folder, format=format_id, written=written, findings=tuple(tally.list()))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
