"""Adds one picture to a dataset's draft: a corrected answer of a service, a picture that a program collects."""

import hashlib
import json
from pathlib import PurePosixPath

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from sandglass.core.annotation import Annotation, annotation_labels
from sandglass.core.errors import Conflict, InvalidInput
from sandglass.core.picture import SUFFIXES, picture_size
from sandglass.core.sample import Part
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.store.db import Database
from sandglass.store.objects import Objects
from sandglass.store.tables import Dataset, SampleLabel, SampleRow, new_id
from sandglass.studio.datasets import change_draft
from sandglass.studio.importjob import LONGEST_PATH, Claims
from sandglass.studio.kinds import annotation_kind
from sandglass.studio.labels import LONGEST_LABEL, label_rows, register_labels
from sandglass.studio.samples import Samples, SampleView


class NewSample(Value):
    """What is known of a picture that is added.

    Attributes:
        path: its name in the dataset; one that is taken gets a number.
        annotation: None = not labelled yet.
        part: mark train, validation or test.
        group: samples of one group never stand on both sides of a split.
    """

    path: str
    annotation: Annotation | None = None
    part: Part | None = None
    group: str | None = None


class Additions:
    """Adds samples one by one; many at once are imported (`studio.imports`).

    Args:
        database: of the installation.
        objects: where pictures go.
        claims: shared with the imports of this process.
        samples: answers with the new sample.
    """

    def __init__(self, database: Database, objects: Objects, claims: Claims, samples: Samples) -> None:
        self._database = database
        self._objects = objects
        self._claims = claims
        self._samples = samples

    def add(self, dataset: str, sample: NewSample, data: bytes) -> SampleView:
        """Add a picture.

        Raises:
            NotFound: ``dataset_not_found``.
            InvalidInput: ``picture_unreadable``, ``path_invalid``, ``annotation_differs`` or ``label_too_long``.
            Conflict: ``picture_exists``, naming the sample that has the same picture.
            TooLarge: ``picture_too_large``.
        """
        path = _checked_path(sample.path)
        width, height = picture_size(data, path)
        digest = hashlib.sha256(data).hexdigest()
        self._claims.take(digest)
        new = not self._objects.exists(digest)
        try:
            self._objects.put(data)
            with self._database.write() as session:
                sample_id, dataset_id = _insert(session, dataset, sample, path, digest, (width, height), len(data))
        except BaseException:
            if new:
                self._claims.undo([digest], self._objects.delete)
            else:
                self._claims.give_back([digest])
            raise
        self._claims.give_back([digest])
        return self._samples.get(dataset_id, sample_id)


def _insert(
    session: Session, name: str, sample: NewSample, path: str, digest: str, size: tuple[int, int], length: int
) -> tuple[str, str]:
    dataset = change_draft(session, name)
    _check_annotation(dataset, sample.annotation)
    same = session.scalar(
        select(SampleRow).where(SampleRow.dataset_id == dataset.id, SampleRow.digest == digest).limit(1)
    )
    if same is not None:
        raise Conflict(
            "picture_exists",
            Text(
                en=f"{dataset.name} has this picture already: {same.path}.",
                zh=f"{dataset.name} 中已有这张图片：{same.path}。",
            ),
            Text(en="Correct the annotation of that sample.", zh="请修改该样本的标注。"),
            details={"sample": same.id, "dataset": dataset.name},
        )
    annotation = sample.annotation
    row = {
        "id": new_id("sm"),
        "dataset_id": dataset.id,
        "path": _free_path(session, dataset.id, path),
        "digest": digest,
        "width": size[0],
        "height": size[1],
        "size": length,
        "state": "unlabelled" if annotation is None else "labelled",
        "part": sample.part,
        "group": sample.group,
        "annotation": None if annotation is None else json.loads(annotation.model_dump_json()),
        "revision": 1,
        "updated_at": utc_now(),
    }
    session.execute(insert(SampleRow), [row])
    labels = label_rows(str(row["id"]), dataset.id, row["annotation"])
    if labels:
        session.execute(insert(SampleLabel), labels)
        register_labels(session, dataset.id, [label["label"] for label in labels])
    return str(row["id"]), dataset.id


def _checked_path(given: str) -> str:
    path = PurePosixPath(given.replace("\\", "/"))
    parts = path.parts
    wrong = (
        not parts
        or path.is_absolute()
        or any(part.startswith(".") for part in parts)
        or len(given) > LONGEST_PATH
        or any(ord(character) < ord(" ") for character in given)
        or path.suffix.lower() not in SUFFIXES
    )
    if wrong:
        raise InvalidInput(
            "path_invalid",
            Text(en=f"A picture cannot be named '{given[:100]}'.", zh=f"图片不能命名为“{given[:100]}”。"),
            Text(
                en=f"Use a plain relative name that ends in one of {', '.join(sorted(SUFFIXES))}.",
                zh=f"请使用普通的相对路径，并以 {'、'.join(sorted(SUFFIXES))} 之一结尾。",
            ),
            field="path",
        )
    return path.as_posix()


def _free_path(session: Session, dataset_id: str, path: str) -> str:
    name = PurePosixPath(path)
    tried, number = path, 1
    while session.scalar(select(SampleRow.id).where(SampleRow.dataset_id == dataset_id, SampleRow.path == tried)):
        number += 1
        tried = name.with_name(f"{name.stem}-{number}{name.suffix}").as_posix()
    return tried


def _check_annotation(dataset: Dataset, annotation: Annotation | None) -> None:
    if annotation is None:
        return
    wanted = annotation_kind(dataset.scenario)
    if annotation.kind != wanted:
        raise InvalidInput(
            "annotation_differs",
            Text(
                en=f"{dataset.name} holds annotations of kind '{wanted}', not '{annotation.kind}'.",
                zh=f"{dataset.name} 的标注类型是“{wanted}”，不是“{annotation.kind}”。",
            ),
            Text(en="Choose a dataset of the same scenario.", zh="请选择相同场景的数据集。"),
            field="annotation",
        )
    if any(len(label) > LONGEST_LABEL for label in annotation_labels(annotation)):
        raise InvalidInput(
            "label_too_long",
            Text(en=f"A label has more than {LONGEST_LABEL} characters.", zh=f"标签超过 {LONGEST_LABEL} 个字符。"),
            Text(en="Use shorter labels.", zh="请使用更短的标签。"),
            field="annotation",
        )
