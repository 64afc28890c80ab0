"""Imports: a folder, an archive or uploaded files become samples of a dataset, after a check and all or nothing."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

import psutil
from pydantic import Field
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from sandglass.core.dictionary import KeyDictionary
from sandglass.core.errors import Conflict, InvalidInput, NotFound, SandglassError
from sandglass.core.finding import Finding
from sandglass.core.problem import Problem, problem_of
from sandglass.core.relabel import LabelMap
from sandglass.core.sample import Sample
from sandglass.core.settings import Settings
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.formats import get_format
from sandglass.store.db import Database
from sandglass.store.manifest import read_lines
from sandglass.store.objects import Objects
from sandglass.store.tables import Dataset, ImportJob, new_id
from sandglass.studio.importjob import Cancelled, Claims, ImportWork, Spool, Tally, remove_tree
from sandglass.studio.importsource import open_source
from sandglass.studio.kinds import annotation_kind
from sandglass.studio.labels import check_label, register_labels
from sandglass.studio.page import Page
from sandglass.studio.uploads import Uploads
from sandglass.studio.validation import check_name

log = logging.getLogger(__name__)

WORKING = ("checking", "importing")
REPORT = "findings.jsonl"
MOST_LABELS = 2000
"""Labels of which the check tells the counts."""
CHECK_SHARE = 0.3
"""Share of the progress bar that the check takes; how many pictures there are is known only at its end."""
TELL_SECONDS = 0.3


class ImportSource(Value):
    """Where an import comes from.

    Attributes:
        folder: folder or archive on the server; None = files that were uploaded for this import.
        split_file: JSON file with lists train, test and maybe validation.
        part: the part of the split to import.
    """

    folder: str | None = None
    split_file: str | None = None
    part: str | None = Field(None, max_length=40)


class NewImport(ImportSource):
    """The form of an import.

    Attributes:
        upload: id of an upload that is imported, instead of a folder of the server.
        label_map: label in the source → its name in the dataset, or None to leave it out.
        dataset: name of a new dataset, or of one of the same scenario that the pictures are added to.
        format: of the labels; ``auto`` finds it out.
        confirm: store at once what the check lets through; otherwise it waits for a confirmation.
    """

    dataset: str = Field(max_length=200)
    scenario: str = Field(max_length=40)
    format: str = Field("auto", max_length=40)
    upload: str | None = Field(None, max_length=60)
    label_map: dict[str, str | None] = Field(default_factory=dict, max_length=10_000)
    confirm: bool = True


class LabelChoice(Value):
    """Names that the labels of a checked import get when it is stored; see `NewImport.label_map`."""

    label_map: dict[str, str | None] = Field(default_factory=dict, max_length=10_000)


class ImportView(Value):
    """Where an import stands.

    Attributes:
        found: samples that the check lets through.
        left_out: pictures and label files that it does not let through.
        labels: label → samples that carry it, as the check found them, the most frequent first.
        label_map: what the labels are renamed to.
        stored: pictures stored so far.
        findings: a bounded number of each kind, in which the last one counts for the rest.
        progress: 0..1.
    """

    id: str
    dataset: str
    dataset_id: str | None
    scenario: str
    source: ImportSource
    format: str
    status: Literal["checking", "checked", "importing", "done", "failed", "cancelled"]
    progress: float
    found: int
    left_out: int
    stored: int
    labels: dict[str, int]
    label_map: dict[str, str | None]
    findings: tuple[Finding, ...]
    error: Problem | None
    created_at: datetime
    updated_at: datetime


class Imports:
    """Runs imports in threads of the server."""

    def __init__(self, settings: Settings, database: Database, objects: Objects, uploads: Uploads) -> None:
        self._uploads = uploads
        self._database = database
        self._objects = objects
        self._folder = settings.home / "imports"
        self._owner = _owner(os.getpid())
        self.claims = Claims()
        self._lock = threading.Lock()
        self._running: dict[str, tuple[threading.Thread, threading.Event]] = {}
        self._closing = False

    def recover(self) -> None:
        """Fail imports whose process is gone: nothing of them is stored, and they do not look as if they still ran."""
        with self._database.write() as session:
            for job in session.scalars(select(ImportJob).where(ImportJob.status.in_(WORKING))):
                if not _alive(job.owner):
                    job.status, job.updated_at = "failed", utc_now()
                    job.error = _interrupted().model_dump(mode="json")
            waiting = set(session.scalars(select(ImportJob.id).where(ImportJob.status.in_((*WORKING, "checked")))))
        if self._folder.is_dir():
            for left in self._folder.iterdir():
                if left.name not in waiting:
                    remove_tree(left)

    def close(self) -> None:
        """Cancel what runs and wait for it; it is stored whole or not at all."""
        with self._lock:
            self._closing = True
            running = list(self._running.values())
        for _, event in running:
            event.set()
        for thread, _ in running:
            thread.join()

    def new_folder(self) -> tuple[str, Path]:
        """Id of an import to come, and the folder that its files are uploaded to."""
        job_id = new_id("im")
        folder = self._folder / job_id / "upload"
        folder.mkdir(parents=True)
        return job_id, folder

    def discard(self, job_id: str) -> None:
        """Remove the files of an import that was never started."""
        remove_tree(self._folder / job_id)

    def start(self, form: NewImport, *, uploaded: str | None = None) -> ImportView:
        """Begin an import.

        Args:
            form: what to import.
            uploaded: id from `new_folder`, where files were uploaded; None = ``form.folder`` is read.

        Raises:
            InvalidInput: the name, the folder or the format is wrong.
            NotFound: the scenario is unknown.
            Conflict: the dataset has another scenario, an import into it is running, or the upload is not whole.
        """
        name = check_name(form.dataset, field="dataset")
        kind = annotation_kind(form.scenario)
        if form.format != "auto":
            get_format(form.format, kind)
        _check_split(form)
        label_map = check_label_map(form.label_map)
        source = ImportSource(folder=form.folder, split_file=form.split_file, part=form.part)
        job_id = uploaded or new_id("im")
        sent = self._folder / job_id / "upload"
        path = sent if uploaded is not None or form.upload is not None else _given_folder(form.folder)
        with self._database.write() as session:
            existing = session.scalar(select(Dataset).where(Dataset.name == name))
            if existing is not None and existing.scenario != form.scenario:
                raise Conflict(
                    "dataset_scenario_differs",
                    Text(
                        en=f"{name} is a dataset for '{existing.scenario}'.",
                        zh=f"{name} 是“{existing.scenario}”数据集。",
                    ),
                    Text(
                        en="Choose another name, or import with that scenario.", zh="请换一个名称，或使用该场景导入。"
                    ),
                    field="scenario",
                )
            _refuse_second(session, name)
            if form.upload is not None:
                self._uploads.take(form.upload, sent)
            job = ImportJob(
                id=job_id,
                dataset_id=existing.id if existing else None,
                dataset_name=name,
                scenario=form.scenario,
                source=source.model_dump(mode="json"),
                format=form.format,
                status="checking",
                label_map=label_map,
                owner=self._owner,
            )
            session.add(job)
            session.flush()
            view = _view(job)
        self._spawn(job.id, lambda event: self._work(job.id, form, path, event))
        return view

    def confirm(self, job_id: str, label_map: LabelMap | None = None) -> ImportView:
        """Store what the check let through.

        Args:
            job_id: of a checked import.
            label_map: new names of labels; None = those given at the start.

        Raises:
            Conflict: ``import_not_waiting`` or ``dataset_importing``.
            InvalidInput: ``label_invalid``.
        """
        checked = None if label_map is None else check_label_map(label_map)
        with self._database.write() as session:
            job = _find(session, job_id)
            if job.status != "checked":
                raise _wrong_state(job, "checked")
            _refuse_second(session, job.dataset_name)
            job.status, job.owner, job.updated_at = "importing", self._owner, utc_now()
            if checked is not None:
                job.label_map = checked
            view = _view(job)
        tally = Tally()
        for finding in view.findings:
            tally.add(finding)
        tally.write_to(self._folder / job_id / REPORT)
        self._spawn(job_id, lambda event: self._finish(job_id, tally, event))
        return view

    def cancel(self, job_id: str) -> ImportView:
        """Give an import up; nothing of it is stored.

        Raises:
            Conflict: ``import_over``.
        """
        with self._lock:
            running = self._running.get(job_id)
        if running is not None:
            running[1].set()
            running[0].join()
        with self._database.write() as session:
            job = _find(session, job_id)
            if job.status == "checked":
                job.status, job.updated_at = "cancelled", utc_now()
            elif job.status != "cancelled":
                raise _wrong_state(job, "cancelled")
            view = _view(job)
        remove_tree(self._folder / job_id)
        return view

    def get(self, job_id: str) -> ImportView:
        """Where an import stands.

        Raises:
            NotFound: ``import_not_found``.
        """
        with self._database.read() as session:
            return _view(_find(session, job_id))

    def list(
        self, *, dataset: str | None = None, active: bool = False, limit: int = 50, offset: int = 0
    ) -> Page[ImportView]:
        """Imports, the newest first."""
        query = select(ImportJob)
        if dataset:
            query = query.where(ImportJob.dataset_name == dataset)
        if active:
            query = query.where(ImportJob.status.in_(WORKING))
        with self._database.read() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            rows = session.scalars(
                query.order_by(ImportJob.created_at.desc(), ImportJob.id).limit(limit).offset(offset)
            )
            return Page(items=[_view(row) for row in rows], total=total)

    def store(self, dataset: str, scenario: str, samples: Iterable[tuple[Sample, bytes]]) -> int:
        """Store samples that the product made itself, in the caller's thread; all or nothing, without an import to see.

        Raises:
            Conflict: ``dataset_importing``, or ``dataset_changed`` by somebody else meanwhile.
            Broken: the disk is full or cannot be written.
        """
        with self._database.read() as session:
            _refuse_second(session, dataset)
        job_id, folder = self.new_folder()
        try:
            work = ImportWork(
                self._database, self._objects, self.claims, dataset, {}, _never, lambda _done, _total: None
            )
            tally, spool = Tally(), Spool(self._folder / job_id / "samples.jsonl")
            count, _ = work.check(_written(samples, folder), tally, spool)
            if count:
                work.store(spool, count, scenario, tally, lambda _session, _dataset, _count: None)
        finally:
            self.discard(job_id)
        return count

    def findings(self, job_id: str, *, code: str | None = None) -> Iterator[Finding]:
        """All findings of an import, also those that its view only counts.

        Raises:
            NotFound: ``import_not_found``.
        """
        with self._database.read() as session:
            job = _find(session, job_id)
            report, kept = job.report, [Finding.model_validate(finding) for finding in job.findings]
        if report is None:
            yield from (finding for finding in kept if code is None or finding.code == code)
            return
        for line in read_lines(self._objects, report):
            finding = Finding.model_validate_json(line)
            if code is None or finding.code == code:
                yield finding

    # In the import's thread

    def _spawn(self, job_id: str, work: Callable[[threading.Event], None]) -> None:
        event = threading.Event()

        def run() -> None:
            try:
                work(event)
            except Cancelled:
                self._end(job_id, "cancelled")
            except Exception as error:
                if not isinstance(error, SandglassError):
                    log.exception("import %s failed", job_id)
                self._end(job_id, "failed", problem_of(error))
            finally:
                with self._lock:
                    self._running.pop(job_id, None)

        thread = threading.Thread(target=run, name=f"import-{job_id}", daemon=True)
        with self._lock:
            if self._closing:
                event.set()
            self._running[job_id] = (thread, event)
        thread.start()

    def _work(self, job_id: str, form: NewImport, path: Path, event: threading.Event) -> None:
        scratch = self._folder / job_id
        scratch.mkdir(parents=True, exist_ok=True)
        tally = Tally()
        tally.write_to(scratch / REPORT)
        opened = open_source(
            path,
            scratch / "unpacked",
            uploaded=path.is_relative_to(self._folder),
            format_id=form.format,
            kind=annotation_kind(form.scenario),
            split_file=None if form.split_file is None else Path(form.split_file),
            part=form.part,
            dictionary=self._dictionary(job_id),
        )
        (scratch / "dictionary.json").write_text(opened.dictionary.model_dump_json(), "utf-8")
        count, labels = self._job_work(self.get(job_id), event).check(
            opened.found, tally, Spool(scratch / "samples.jsonl")
        )
        self._save(
            job_id,
            format=opened.format,
            found=count,
            left_out=tally.left_out,
            labels=dict(list(labels.items())[:MOST_LABELS]),
            findings=[finding.model_dump(mode="json") for finding in tally.list()],
            report=self._keep_report(job_id),
            progress=CHECK_SHARE,
        )
        refusal = tally.error
        if refusal is not None:
            raise InvalidInput(refusal.code, refusal.message, refusal.outcome)
        if count == 0:
            raise InvalidInput(
                "nothing_to_import",
                Text(en="No picture of the source can be imported.", zh="来源中没有可导入的图片。"),
                Text(en="The findings say why each was left out.", zh="检查结果中说明了每张图片被跳过的原因。"),
            )
        if not form.confirm:
            self._save(job_id, status="checked")
            return
        self._save(job_id, status="importing")
        self._finish(job_id, tally, event)

    def _finish(self, job_id: str, tally: Tally, event: threading.Event) -> None:
        view = self.get(job_id)
        spool = Spool(self._folder / job_id / "samples.jsonl")
        told = (self._folder / job_id / "dictionary.json").read_text("utf-8")
        dictionary = KeyDictionary.model_validate_json(told).renamed(view.label_map)
        work = self._job_work(view, event)

        def done(session: Session, dataset_id: str, count: int) -> None:
            dataset = session.get_one(Dataset, dataset_id)
            known = KeyDictionary.model_validate(dataset.dictionary)
            dataset.dictionary = known.joined(dictionary).model_dump(mode="json")
            register_labels(session, dataset_id, [*dictionary.keys.values(), *dictionary.additional])
            job = session.get_one(ImportJob, job_id)
            job.dataset_id, job.stored, job.progress, job.status = dataset_id, count, 1.0, "done"
            job.findings = [finding.model_dump(mode="json") for finding in tally.list()]
            job.report = self._keep_report(job_id)
            job.updated_at = utc_now()
            dataset = session.get_one(Dataset, dataset_id)
            dataset.owner_id = dataset.owner_id or job.created_by

        work.store(spool, view.found, view.scenario, tally, done)
        remove_tree(self._folder / job_id)

    def _dictionary(self, job_id: str) -> KeyDictionary:
        with self._database.read() as session:
            dataset_id = _find(session, job_id).dataset_id
            dataset = session.get(Dataset, dataset_id) if dataset_id is not None else None
            return KeyDictionary() if dataset is None else KeyDictionary.model_validate(dataset.dictionary)

    def _keep_report(self, job_id: str) -> str | None:
        path = self._folder / job_id / REPORT
        return self._objects.put_file(path)[0] if path.exists() else None

    def _job_work(self, job: ImportView, event: threading.Event) -> ImportWork:
        told = 0.0

        def progress(done: int, total: int | None) -> None:
            nonlocal told
            if time.monotonic() - told < TELL_SECONDS:
                return
            told = time.monotonic()
            if total is None:
                self._save(job.id, found=done)
            else:
                self._save(job.id, stored=done, progress=CHECK_SHARE + (1 - CHECK_SHARE) * done / max(1, total))

        return ImportWork(
            self._database, self._objects, self.claims, job.dataset, job.label_map, event.is_set, progress
        )

    def _save(self, job_id: str, **columns: object) -> None:
        with self._database.write() as session:
            session.execute(update(ImportJob).where(ImportJob.id == job_id).values(**columns, updated_at=utc_now()))

    def _end(self, job_id: str, status: Literal["failed", "cancelled"], error: Problem | None = None) -> None:
        # First the files: whoever reads the final status finds nothing left of the import.
        remove_tree(self._folder / job_id)
        self._save(job_id, status=status, stored=0, error=None if error is None else error.model_dump(mode="json"))


def _never() -> bool:
    return False


def _written(samples: Iterable[tuple[Sample, bytes]], folder: Path) -> Iterator[tuple[Sample, Path]]:
    for sample, data in samples:
        target = folder / sample.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        yield sample, target


def check_label_map(label_map: LabelMap) -> LabelMap:
    """The map without names that stay as they are.

    Raises:
        InvalidInput: ``label_invalid``.
    """
    checked = {
        label: None if name is None else check_label(name, field="label_map") for label, name in label_map.items()
    }
    return {label: name for label, name in checked.items() if name != label}


def _check_split(form: NewImport) -> None:
    if form.part is not None and form.split_file is None:
        raise InvalidInput(
            "part_without_split",
            Text(
                en=f"Part '{form.part}' is asked for, but no split file is given.",
                zh=f"指定了“{form.part}”部分，但没有划分文件。",
            ),
            Text(en="Name the split file too.", zh="请同时指定划分文件。"),
            field="split_file",
        )
    if form.split_file is not None and not Path(form.split_file).is_file():
        raise InvalidInput(
            "split_file_not_found",
            Text(en=f"The server has no file '{form.split_file}'.", zh=f"服务器上没有文件“{form.split_file}”。"),
            Text(en="Give the whole path of a JSON file.", zh="请填写 JSON 文件的完整路径。"),
            field="split_file",
        )


def _given_folder(folder: str | None) -> Path:
    if not folder:
        raise InvalidInput(
            "source_missing",
            Text(en="The import names no folder and has no files.", zh="导入没有指定文件夹，也没有文件。"),
            Text(en="Name a folder of the server, or upload files.", zh="请指定服务器上的文件夹，或上传文件。"),
            field="folder",
        )
    path = Path(folder)
    if not path.is_absolute() or not path.exists():
        raise InvalidInput(
            "folder_not_found",
            Text(en=f"The server has no folder or archive '{folder}'.", zh=f"服务器上没有文件夹或压缩包“{folder}”。"),
            Text(en="Give the whole path of something that exists there.", zh="请填写服务器上存在的完整路径。"),
            field="folder",
        )
    return path


def _refuse_second(session: Session, name: str) -> None:
    running = session.scalar(
        select(ImportJob.id).where(ImportJob.dataset_name == name, ImportJob.status.in_(WORKING)).limit(1)
    )
    if running is not None:
        raise Conflict(
            "dataset_importing",
            Text(en=f"An import into {name} is running.", zh=f"正在向 {name} 导入数据。"),
            Text(en="Wait for it or cancel it.", zh="请等待完成或取消导入。"),
            field="dataset",
            details={"import": running},
        )


def _find(session: Session, job_id: str) -> ImportJob:
    found = session.get(ImportJob, job_id)
    if found is None:
        raise NotFound(
            "import_not_found",
            Text(en=f"There is no import '{job_id}'.", zh=f"没有导入“{job_id}”。"),
            Text(en="Look at the list of imports.", zh="请查看导入列表。"),
        )
    return found


def _wrong_state(job: ImportJob, wanted: str) -> Conflict:
    if wanted == "checked":
        return Conflict(
            "import_not_waiting",
            Text(
                en=f"The import does not wait for a confirmation: it is {job.status}.",
                zh=f"导入当前不在等待确认（{job.status}）。",
            ),
            Text(en="Start a new import.", zh="请重新导入。"),
            details={"status": job.status},
        )
    return Conflict(
        "import_over",
        Text(en=f"The import is over already: {job.status}.", zh=f"导入已经结束（{job.status}）。"),
        Text(en="Delete the dataset to undo a finished import.", zh="如需撤销已完成的导入，请删除数据集。"),
        details={"status": job.status},
    )


def _interrupted() -> Problem:
    return Problem(
        code="import_interrupted",
        message=Text(en="The server ended during the import.", zh="导入期间服务器意外退出。"),
        action=Text(en="Nothing was stored; import again.", zh="没有存储任何内容，请重新导入。"),
    )


def _owner(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}:{psutil.Process(pid).create_time():.2f}"


def _alive(owner: str) -> bool:
    host, pid, started = [*owner.rsplit(":", 2), "", ""][:3]
    if host != socket.gethostname() or not pid.isdecimal():
        return host != socket.gethostname() and bool(pid)
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" == started
    except psutil.Error:
        return False


def _view(job: ImportJob) -> ImportView:
    return ImportView(
        id=job.id,
        dataset=job.dataset_name,
        dataset_id=job.dataset_id,
        scenario=job.scenario,
        source=ImportSource.model_validate(job.source),
        format=job.format,
        status=job.status,
        progress=job.progress,
        found=job.found,
        left_out=job.left_out,
        labels=job.labels,
        label_map=job.label_map,
        stored=job.stored,
        findings=tuple(Finding.model_validate(finding) for finding in job.findings),
        error=None if job.error is None else Problem.model_validate(job.error),
        created_at=job.created_at,
        updated_at=job.updated_at,
    )
