"""Exports: a dataset's draft or version as a folder or an archive in any format that can hold it, whole or not at all."""

import os
import tempfile
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from io import RawIOBase
from pathlib import Path
from typing import Literal

from sandglass.core.actor import acting
from sandglass.core.annotation import DocumentAnnotation, Role
from sandglass.core.dictionary import KeyDictionary
from sandglass.core.errors import Broken, Conflict, InvalidInput, NotFound
from sandglass.core.finding import Finding
from sandglass.core.problem import Problem, problem_of
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.formats import WrittenSample, get_format
from sandglass.formats.ti_ocr import TiOcr, write_dictionary
from sandglass.store.objects import Objects
from sandglass.store.tables import new_id
from sandglass.studio.importjob import Tally, remove_tree
from sandglass.studio.kinds import annotation_kind
from sandglass.studio.labels import Labels
from sandglass.studio.versions import Source, Versions

KEPT_EXPORTS = 20
CHUNK = 1 << 20


class Exported(Value):
    """What an export wrote, and what the format cannot hold."""

    folder: str
    format: str
    written: int
    findings: tuple[Finding, ...]


class ExportView(Value):
    """An export at work or ready.

    Attributes:
        dataset: with its version, ``receipts@v2``; without one it is the draft.
        folder: on the server; None = an archive to download.
        written: pictures written so far.
        total: pictures to write.
        size: bytes of the archive's files, once ready.
    """

    id: str
    dataset: str
    format: str
    folder: str | None
    status: Literal["writing", "ready", "failed", "cancelled"]
    written: int
    total: int
    size: int | None
    findings: tuple[Finding, ...]
    error: Problem | None


class _Cancelled(Exception):
    """Somebody cancelled the export."""


class _Job:
    def __init__(self, source: Source, format_id: str, folder: str | None, total: int) -> None:
        self.id = new_id("ex")
        self.owner = acting()
        self.source, self.format, self.folder, self.total = source, format_id, folder, total
        self.status: Literal["writing", "ready", "failed", "cancelled"] = "writing"
        self.written = 0
        self.size: int | None = None
        self.findings: tuple[Finding, ...] = ()
        self.error: Problem | None = None
        self.cancelled = threading.Event()
        self.thread: threading.Thread | None = None

    def view(self) -> ExportView:
        return ExportView(
            id=self.id,
            dataset=self.source.title,
            format=self.format,
            folder=self.folder,
            status=self.status,
            written=self.written,
            total=self.total,
            size=self.size,
            findings=self.findings,
            error=self.error,
        )


def _seen(job: _Job) -> bool:
    actor = acting()
    return actor is None or actor.role == "admin" or (job.owner is not None and job.owner.user_id == actor.user_id)


class Exports:
    """Writes datasets to folders of the server, and to archives that are downloaded.

    Args:
        home: of the installation; archives are put together below it.
        objects: where pictures come from.
        versions: of datasets.
        labels: of datasets, for their key dictionaries.
    """

    def __init__(self, home: Path, objects: Objects, versions: Versions, labels: Labels) -> None:
        self._folder = home / "exports"
        self._objects = objects
        self._versions = versions
        self._labels = labels
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, _Job] = OrderedDict()

    def recover(self) -> None:
        """Remove what a server that was killed left behind."""
        remove_tree(self._folder)

    def close(self) -> None:
        """Cancel what runs, and remove archives."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.cancelled.set()
        for job in jobs:
            if job.thread is not None:
                job.thread.join()
        remove_tree(self._folder)

    def start(
        self, dataset: str, *, format_id: str, folder: str | None = None, version: int | None = None
    ) -> ExportView:
        """Begin an export in the background; without ``folder`` an archive is made, to be downloaded.

        Raises:
            NotFound: the dataset, its version or the format does not exist.
            InvalidInput: the format does not fit, ``folder`` is no whole path, or ``dataset_empty``.
            Conflict: ``folder_not_empty``.
        """
        source = self._source(dataset, version, format_id)
        if folder is not None:
            _check_target(folder)
        total = self._versions.sample_count(source)
        if total == 0:
            raise InvalidInput(
                "dataset_empty",
                Text(en=f"{source.title} has no pictures.", zh=f"{source.title} 中没有图片。"),
                Text(en="Import pictures first.", zh="请先导入图片。"),
                field="dataset",
            )
        job = _Job(source, format_id, folder, total)
        with self._lock:
            self._jobs[job.id] = job
            over = [old for old in self._jobs.values() if old.status != "writing"]
            for old in over[: max(0, len(self._jobs) - KEPT_EXPORTS)]:
                del self._jobs[old.id]
                remove_tree(self._folder / old.id)
        job.thread = threading.Thread(target=self._work, args=(job,), name=f"export-{job.id}", daemon=True)
        job.thread.start()
        return job.view()

    def get(self, export: str) -> ExportView:
        """Where an export stands.

        Raises:
            NotFound: ``export_not_found``.
        """
        return self._find(export).view()

    def active(self) -> list[ExportView]:
        """Exports at work."""
        with self._lock:
            return [job.view() for job in self._jobs.values() if job.status == "writing" and _seen(job)]

    def cancel(self, export: str) -> ExportView:
        """Give an export up, or remove its archive; nothing of it is left.

        Raises:
            NotFound: ``export_not_found``.
        """
        job = self._find(export)
        job.cancelled.set()
        if job.thread is not None:
            job.thread.join()
        if job.folder is None:
            remove_tree(self._folder / job.id)
            job.status = "cancelled"
        return job.view()

    def archive(self, export: str) -> tuple[str, Iterator[bytes]]:
        """File name and bytes of an archive, put together as it is read: memory does not grow with it.

        Raises:
            NotFound: ``export_not_found``.
            Conflict: ``export_not_ready``.
        """
        job = self._find(export)
        if job.status != "ready" or job.folder is not None:
            raise Conflict(
                "export_not_ready",
                Text(en=f"There is no archive to download: {job.status}.", zh=f"没有可下载的压缩包（{job.status}）。"),
                Text(en="Wait until the export is ready, or start a new one.", zh="请等待导出完成，或重新导出。"),
                details={"status": job.status},
            )
        name = f"{job.source.title.replace('@', '-')}-{job.format}.zip"
        return name, _zip(self._folder / job.id)

    def _find(self, export: str) -> _Job:
        with self._lock:
            job = self._jobs.get(export)
        if job is None or not _seen(job):
            raise NotFound(
                "export_not_found",
                Text(en=f"There is no export '{export}'.", zh=f"没有导出“{export}”。"),
                Text(
                    en="Exports are kept until the server ends; start a new one.",
                    zh="导出在服务器停止后清除，请重新导出。",
                ),
            )
        return job

    def _work(self, job: _Job) -> None:
        def wrote(count: int) -> None:
            job.written = count
            if job.cancelled.is_set():
                raise _Cancelled

        target = Path(job.folder) if job.folder is not None else self._folder / job.id
        try:
            job.findings = self._write(job.source, job.format, target, wrote)
            job.size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
            job.status = "ready"
        except _Cancelled:
            job.status = "cancelled"
        except Exception as error:  # told to the person who asks for the export
            job.error, job.status = problem_of(error), "failed"

    def _source(self, dataset: str, version: int | None, format_id: str) -> Source:
        source = self._versions.find(dataset if version is None else f"{dataset}@v{version}")
        get_format(format_id, annotation_kind(source.scenario))
        return source

    def export(self, dataset: str, *, format_id: str, folder: str, version: int | None = None) -> Exported:
        """Write a dataset to a folder and wait for it.

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
        source = self._source(dataset, version, format_id)
        target = _check_target(folder)
        written = 0

        def wrote(count: int) -> None:
            nonlocal written
            written = count

        findings = self._write(source, format_id, target, wrote)
        return Exported(folder=folder, format=format_id, written=written, findings=findings)

    def _write(self, source: Source, format_id: str, target: Path, wrote: Callable[[int], None]) -> tuple[Finding, ...]:
        writer = get_format(format_id, annotation_kind(source.scenario))
        printed: dict[str, str] = {}

        def counted(samples: Iterable[Sample]) -> Iterator[WrittenSample]:
            for count, sample in enumerate(samples, 1):
                _note_printed_keys(sample, printed)
                yield sample, partial(self._objects.get, sample.digest)
                wrote(count)

        scratch: Path | None = None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=".export-"))
            tally = Tally()
            for finding in writer.write(counted(self._versions.samples(source)), scratch):
                tally.add(finding)
            if isinstance(writer, TiOcr):
                known = self._labels.dictionary(source.dataset_id)
                write_dictionary(KeyDictionary(keys=printed | known.keys, additional=known.additional), scratch)
            scratch.chmod(0o777 & ~_umask())
            scratch.rename(target)  # an empty folder in its place is replaced
        except OSError as error:
            raise Broken(
                "export_failed",
                Text(en=f"{target} cannot be written: {error.strerror}.", zh=f"无法写入 {target}：{error.strerror}。"),
                Text(
                    en="Free some space or choose another folder; nothing was left there.",
                    zh="请清理空间或换一个文件夹；没有留下任何内容。",
                ),
            ) from error
        finally:
            if scratch is not None:
                remove_tree(scratch)
        return tuple(tally.list())


def _check_target(folder: str) -> Path:
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
    return target


def _note_printed_keys(sample: Sample, printed: dict[str, str]) -> None:
    """Printed keys and the fields that they stand for, as the boxes tell them: what a reader of TI OCR needs to know."""
    if isinstance(sample.annotation, DocumentAnnotation):
        for box in sample.annotation.boxes:
            if box.role is Role.KEY and box.field and box.text and box.text != box.field:
                printed.setdefault(box.text, box.field)


class _Pipe(RawIOBase):
    """Takes what an archive writer writes; it cannot seek, so nothing is kept."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.chunks.append(bytes(data))  # type: ignore[call-overload]
        return len(self.chunks[-1])

    def take(self) -> bytes:
        taken = b"".join(self.chunks)
        self.chunks = []
        return taken


def _zip(folder: Path) -> Iterator[bytes]:
    """A zip archive of a folder's files. Pictures are compressed already, so only texts are."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo.from_file(path, path.relative_to(folder).as_posix())
            texts = path.suffix.lower() in (".json", ".jsonl", ".txt", ".csv", ".tsv", ".xml", ".yaml")
            info.compress_type = zipfile.ZIP_DEFLATED if texts else zipfile.ZIP_STORED
            with path.open("rb") as source, archive.open(info, "w") as target:
                while chunk := source.read(CHUNK):
                    target.write(chunk)
                    if pipe.chunks:
                        yield pipe.take()
            yield pipe.take()
    yield pipe.take()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
