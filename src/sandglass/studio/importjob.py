"""One import at work: check a folder, then store its pictures and samples, all or nothing, in memory that stays flat.

What the check found is spooled to a file between the two steps, so a person may look at the findings for as long as
they like, and what is stored is exactly what was checked.
"""

import hashlib
import json
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sandglass.core.annotation import annotation_labels
from sandglass.core.errors import Conflict, InvalidInput
from sandglass.core.finding import Finding, Severity
from sandglass.core.picture import picture_size
from sandglass.core.relabel import LabelMap, relabel
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.learning.data import complete
from sandglass.store.db import Database
from sandglass.store.objects import Objects
from sandglass.store.tables import Dataset, SampleLabel, SampleRow, new_id
from sandglass.studio.datasets import change_draft
from sandglass.studio.labels import LONGEST_LABEL, label_rows, register_labels

STORE_THREADS = 8
"""Pictures that are read, hashed and flushed to disk at a time: the disk's flushes overlap."""
WINDOW = 64
BATCH = 500
FINDINGS_PER_CODE = 200
LONGEST_PATH = 1000
LEFT_OUT = frozenset(
    {
        "ambiguous_picture",
        "label_without_picture",
        "name_too_long",
        "path_exists",
        "picture_damaged",
        "picture_unreadable",
    }
)
"""Findings each of which stands for a picture, or a label file, that is not imported."""


class Cancelled(Exception):
    """Somebody cancelled the import."""


class Tally:
    """Findings, at most `FINDINGS_PER_CODE` of a kind; the rest are counted."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Finding]] = {}
        self._more: Counter[str] = Counter()
        self._left_out = 0
        self._report: Path | None = None

    def write_to(self, report: Path) -> None:
        """Append every further finding to a file as well, one line of JSON each."""
        self._report = report

    def add(self, finding: Finding) -> None:
        """Keep or count a finding."""
        if finding.code in LEFT_OUT:
            self._left_out += finding.count
        if self._report is not None:
            with self._report.open("a", encoding="utf-8") as file:
                file.write(finding.model_dump_json(exclude_none=True) + "\n")
        kept = self._kept.setdefault(finding.code, [])
        if len(kept) < FINDINGS_PER_CODE:
            kept.append(finding)
        else:
            self._more[finding.code] += finding.count

    def list(self) -> list[Finding]:
        """All findings, errors first; one that stands for the rest of its kind names no file."""
        order = [Severity.ERROR, Severity.WARNING, Severity.NOTE]
        rest = [
            self._kept[code][-1].model_copy(update={"file": None, "line": None, "count": count})
            for code, count in self._more.items()
        ]
        kept = [finding for group in self._kept.values() for finding in group]
        return sorted([*kept, *rest], key=lambda finding: order.index(finding.severity))

    @property
    def left_out(self) -> int:
        """Pictures and label files that are not imported."""
        return self._left_out

    @property
    def error(self) -> Finding | None:
        """The first finding that forbids the import."""
        return next((group[0] for group in self._kept.values() if group[0].severity is Severity.ERROR), None)


class Spool:
    """Checked samples with the files of their pictures, one line of JSON each."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, samples: Iterator[tuple[Sample, Path]]) -> int:
        """Write all samples, whole or not at all; returns how many."""
        count = 0
        temporary = self._path.with_suffix(".new")
        with temporary.open("w", encoding="utf-8") as file:
            for sample, source in samples:
                line = {"source": str(source), "sample": sample.model_dump(mode="json")}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                count += 1
        temporary.replace(self._path)
        return count

    def read(self) -> Iterator[tuple[dict[str, Any], Path]]:
        """Samples as plain JSON values, with the files of their pictures."""
        with self._path.open(encoding="utf-8") as file:
            for line in file:
                told = json.loads(line)
                yield told["sample"], Path(told["source"])


class Claims:
    """Which objects imports at work rely on, so that one that fails does not take away what another one needs."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()

    def take(self, digest: str) -> None:
        """Rely on an object from now on."""
        with self._lock:
            self._counts[digest] += 1

    def give_back(self, digests: Iterable[str]) -> None:
        """Rely on them no longer."""
        with self._lock:
            for digest in digests:
                self._drop(digest)

    def undo(self, digests: Iterable[str], delete: Callable[[str], None]) -> None:
        """Rely on them no longer, and delete those that nobody else relies on."""
        for digest in digests:
            with self._lock:
                self._drop(digest)
                if digest not in self._counts:
                    delete(digest)

    def _drop(self, digest: str) -> None:
        self._counts[digest] -= 1
        if self._counts[digest] <= 0:
            del self._counts[digest]


class ImportWork:
    """The steps of one import.

    Args:
        database: of the installation.
        objects: where pictures go.
        claims: shared by all imports of the process.
        dataset: name of the dataset.
        label_map: new names of labels, or None for those to leave out.
        cancelled: whether somebody cancelled it; looked at between pictures.
        progress: is told how many of how many pictures are done.
    """

    def __init__(
        self,
        database: Database,
        objects: Objects,
        claims: Claims,
        dataset: str,
        label_map: LabelMap,
        cancelled: Callable[[], bool],
        progress: Callable[[int, int | None], None],
    ) -> None:
        self._database = database
        self._objects = objects
        self._claims = claims
        self._claimed: list[tuple[str, bool]] = []
        self._dataset = dataset
        self._label_map = label_map
        self._cancelled = cancelled
        self._progress = progress

    def check(
        self, found: Iterator[tuple[Sample, Path] | Finding], tally: Tally, spool: Spool
    ) -> tuple[int, dict[str, int]]:
        """Spool what may be stored and tally what is wrong.

        Returns:
            The number of samples, and on how many of them each label is, the most frequent first.

        Raises:
            Cancelled: somebody cancelled it.
        """
        labels: Counter[str] = Counter()

        def counted(samples: Iterator[tuple[Sample, Path]]) -> Iterator[tuple[Sample, Path]]:
            for sample, source in samples:
                if sample.annotation is not None:
                    labels.update(set(annotation_labels(complete(sample.annotation))))
                yield sample, source

        return spool.write(counted(self._new(self._accepted(found, tally), tally))), dict(labels.most_common())

    def _accepted(self, found: Iterator[tuple[Sample, Path] | Finding], tally: Tally) -> Iterator[tuple[Sample, Path]]:
        for count, item in enumerate(found):
            if self._cancelled():
                raise Cancelled
            if isinstance(item, Finding):
                tally.add(item)
                continue
            sample, source = item
            labels = annotation_labels(sample.annotation)
            if len(sample.path) > LONGEST_PATH or any(len(label) > LONGEST_LABEL for label in labels):
                tally.add(_too_long(sample.path))
                continue
            self._progress(count, None)
            yield sample, source

    def _new(self, samples: Iterator[tuple[Sample, Path]], tally: Tally) -> Iterator[tuple[Sample, Path]]:
        """Leave out what the dataset has already: an import never overwrites."""
        while batch := list(islice(samples, BATCH)):
            with self._database.read() as session:
                known = set(
                    session.scalars(
                        select(SampleRow.path)
                        .join(Dataset, Dataset.id == SampleRow.dataset_id)
                        .where(Dataset.name == self._dataset, SampleRow.path.in_([sample.path for sample, _ in batch]))
                    )
                )
            for sample, source in batch:
                if sample.path in known:
                    tally.add(_exists(sample.path))
                else:
                    yield sample, source

    def store(
        self, spool: Spool, total: int, scenario: str, tally: Tally, done: Callable[[Session, str, int], None]
    ) -> None:
        """Store the pictures, then all samples in one transaction.

        Args:
            spool: from `check`.
            total: samples in it.
            scenario: of the dataset, should it be new.
            tally: gets what is noticed on the way.
            done: is called at the end of that transaction with the dataset's id and the number of samples, to write
                down in the same transaction that the import is done.

        Raises:
            Cancelled: somebody cancelled it; nothing of it is stored.
            InvalidInput: a picture has changed since the check.
            Broken: the disk is full or cannot be written.
        """
        try:
            stored: list[tuple[str, int]] = []
            for told in self._store_pictures(spool):
                stored.append(told)
                self._progress(len(stored), total)
            self._report_duplicates(spool, stored, tally)
            self._insert(spool, stored, scenario, done)
        except BaseException:
            self._claims.give_back(digest for digest, new in self._claimed if not new)
            self._claims.undo((digest for digest, new in self._claimed if new), self._objects.delete)
            raise
        self._claims.give_back(digest for digest, _ in self._claimed)

    def _store_pictures(self, spool: Spool) -> Iterator[tuple[str, int]]:
        waiting: deque[Future[tuple[str, int]]] = deque()
        with ThreadPoolExecutor(STORE_THREADS, thread_name_prefix="import") as pool:
            try:
                for sample, source in spool.read():
                    if self._cancelled():
                        raise Cancelled
                    waiting.append(pool.submit(self._store_picture, sample, source))
                    if len(waiting) >= WINDOW:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _store_picture(self, sample: dict[str, Any], source: Path) -> tuple[str, int]:
        try:
            data = source.read_bytes()
            unchanged = picture_size(data, sample["path"]) == (sample["width"], sample["height"])
        except (OSError, InvalidInput):
            unchanged = False
        if not unchanged:
            raise InvalidInput(
                "source_changed",
                Text(
                    en=f"{sample['path']} has changed or vanished since it was checked.",
                    zh=f"{sample['path']} 在检查之后被修改或移除。",
                ),
                Text(en="Import again.", zh="请重新导入。"),
            )
        digest = hashlib.sha256(data).hexdigest()
        self._claims.take(digest)
        # list.append is atomic: threads of the pool share the list.
        self._claimed.append((digest, not self._objects.exists(digest)))
        return self._objects.put(data), len(data)

    def _report_duplicates(self, spool: Spool, stored: list[tuple[str, int]], tally: Tally) -> None:
        with self._database.read() as session:
            rows = session.execute(
                select(SampleRow.digest, SampleRow.path)
                .join(Dataset, Dataset.id == SampleRow.dataset_id)
                .where(Dataset.name == self._dataset)
            )
            seen = dict(rows.tuples().all())
        for (sample, _), (digest, _) in zip(spool.read(), stored, strict=True):
            first = seen.setdefault(digest, sample["path"])
            if first != sample["path"]:
                tally.add(_duplicate(sample["path"], first))

    def _named(self, sample: dict[str, Any]) -> dict[str, Any]:
        if not self._label_map or sample["annotation"] is None:
            return sample
        return {**sample, "annotation": relabel(sample["annotation"], self._label_map)}

    def _insert(
        self, spool: Spool, stored: list[tuple[str, int]], scenario: str, done: Callable[[Session, str, int], None]
    ) -> None:
        try:
            with self._database.write() as session:
                if self._cancelled():
                    raise Cancelled
                dataset = session.scalar(select(Dataset).where(Dataset.name == self._dataset))
                if dataset is None:
                    session.add(Dataset(name=self._dataset, scenario=scenario))
                    session.flush()
                dataset = change_draft(session, self._dataset)
                session.flush()
                pairs = zip(spool.read(), stored, strict=True)
                labels: dict[str, None] = {}
                while batch := list(islice(pairs, BATCH)):
                    rows = [(self._named(sample), *told) for (sample, _), told in batch]
                    labels.update(dict.fromkeys(_insert_batch(session, dataset.id, rows)))
                register_labels(session, dataset.id, labels)
                done(session, dataset.id, len(stored))
        except IntegrityError as error:
            raise Conflict(
                "dataset_changed",
                Text(
                    en=f"{self._dataset} was changed by someone else during the import.",
                    zh=f"导入期间 {self._dataset} 被他人修改。",
                ),
                Text(en="Import again.", zh="请重新导入。"),
            ) from error


def _insert_batch(session: Session, dataset_id: str, batch: list[tuple[dict[str, Any], str, int]]) -> list[str]:
    """Insert samples; returns the labels that they carry."""
    now = utc_now()
    samples, labels = [], []
    for sample, digest, size in batch:
        sample_id = new_id("sm")
        samples.append(
            {
                "id": sample_id,
                "dataset_id": dataset_id,
                "path": sample["path"],
                "digest": digest,
                "width": sample["width"],
                "height": sample["height"],
                "size": size,
                "state": "unlabelled" if sample["annotation"] is None else "labelled",
                "part": sample["part"],
                "group": sample["group"],
                "annotation": sample["annotation"],
                "revision": 1,
                "updated_at": now,
            }
        )
        labels += label_rows(sample_id, dataset_id, sample["annotation"])
    session.execute(insert(SampleRow), samples)
    if labels:
        session.execute(insert(SampleLabel), labels)
    return [row["label"] for row in labels]


def remove_tree(folder: Path) -> None:
    """Remove a folder with all it holds; links are removed, never followed. What is gone already is fine."""
    for root, folders, files in os.walk(folder, topdown=False):
        for name in files:
            with suppress(FileNotFoundError):
                Path(root, name).unlink()
        for name in folders:
            path = Path(root, name)
            with suppress(FileNotFoundError):
                path.unlink() if path.is_symlink() else path.rmdir()
    with suppress(FileNotFoundError):
        folder.rmdir()


def _too_long(path: str) -> Finding:
    return Finding(
        code="name_too_long",
        severity=Severity.WARNING,
        file=path,
        message=Text(
            en=f"The path has more than {LONGEST_PATH} characters, or a label more than {LONGEST_LABEL}.",
            zh=f"路径超过 {LONGEST_PATH} 个字符，或标签超过 {LONGEST_LABEL} 个字符。",
        ),
        outcome=Text(en="The picture is left out.", zh="该图片已跳过。"),
    )


def _exists(path: str) -> Finding:
    return Finding(
        code="path_exists",
        severity=Severity.WARNING,
        file=path,
        message=Text(en="The dataset already has a picture of this name.", zh="数据集中已有同名图片。"),
        outcome=Text(
            en="It is left out; the one in the dataset stays as it is.", zh="已跳过，数据集中的图片保持不变。"
        ),
    )


def _duplicate(path: str, first: str) -> Finding:
    return Finding(
        code="duplicate_picture",
        severity=Severity.NOTE,
        file=path,
        message=Text(en=f"The picture is the same as {first}.", zh=f"图片与 {first} 完全相同。"),
        outcome=Text(en="Both are kept.", zh="两者均保留。"),
    )
