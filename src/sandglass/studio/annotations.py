"""Annotation edits: operations on one sample, safe against two writers, repeatable, with what they replaced kept."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeVar
from uuid import UUID

from pydantic import Field, TypeAdapter
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from sandglass.core.annotation import (
    Annotation,
    ClassAnnotation,
    DocumentAnnotation,
    FieldValue,
    ObjectsAnnotation,
    ObjectShape,
    Suggestion,
    TextBox,
    annotation_labels,
    empty_annotation,
    with_object_ids,
)
from sandglass.core.errors import InvalidInput, Stale
from sandglass.core.sample import Part
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.store.db import Database
from sandglass.store.tables import Dataset, DatasetLabel, SampleHistory, SampleLabel, SampleOperation, SampleRow
from sandglass.studio.annotationcheck import check_annotation
from sandglass.studio.datasets import find_dataset
from sandglass.studio.kinds import AnnotationKind, annotation_kind
from sandglass.studio.labels import check_label, label_rows, register_labels
from sandglass.studio.samples import SampleView, find_sample, sample_view

SITTING = timedelta(minutes=10)
"""Edits by one writer that follow each other sooner are one entry of the history."""
KEPT_VERSIONS = 50
CLEARED = "cleared"
"""Source of a sample of which nothing is known any more, because a person said so: it may be pre-labelled again."""
OPERATION_MEMORY = timedelta(days=30)
"""How long an applied operation is known, and so can be sent again without effect."""

_ANNOTATION: TypeAdapter[Annotation] = TypeAdapter(Annotation)
State = Literal["unlabelled", "pre_labelled", "labelled"]


class Change(Value):
    """Parts of a sample that get new values; what is not named stays as it is.

    Attributes:
        boxes: text boxes by id; None removes one.
        objects: objects by id; None removes one.
        values: all values of a field, by field; an empty list removes them.
        absent: fields that are said not to be on the page.
        labels: class labels.
        suggested: by box id or class label; None = a person has confirmed or rejected it.
        state: labelled also confirms all that is still suggested.
        part: mark train / validation / test, or ``none``.
    """

    boxes: dict[str, TextBox | None] = Field(default_factory=dict)
    objects: dict[str, ObjectShape | None] = Field(default_factory=dict)
    values: dict[str, tuple[FieldValue, ...]] = Field(default_factory=dict)
    absent: tuple[str, ...] | None = None
    labels: tuple[str, ...] | None = None
    suggested: dict[str, Suggestion | None] = Field(default_factory=dict)
    state: State | None = None
    part: Literal["train", "validation", "test", "none"] | None = None


class Operation(Change):
    """A change with the id that makes it safe to send again."""

    id: UUID


class HistoryItem(Value):
    """An annotation that was replaced."""

    id: int
    revision: int
    state: str
    part: Part | None
    annotation: Annotation | None
    suggested: dict[str, Suggestion]
    source: str
    written_at: datetime
    replaced_at: datetime


class SampleChanged(Stale):
    """Somebody else has changed the sample since the caller read it.

    Attributes:
        current: the sample as it is now.
        applied: ids of the caller's operations that are in it already.
    """

    def __init__(self, current: SampleView, applied: Sequence[str] = ()) -> None:
        super().__init__(
            "sample_changed",
            Text(
                en=f"{current.path} was changed by someone else (revision {current.revision}).",
                zh=f"{current.path} 已被他人修改（修订 {current.revision}）。",
            ),
            Text(
                en="Merge your changes with the present state, then send them with its revision.",
                zh="请与当前内容合并后，使用新的修订号重新提交。",
            ),
            details={"revision": current.revision},
        )
        self.current = current
        self.applied = tuple(applied)


class Annotations:
    """Writes annotations of single samples."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(
        self,
        dataset: str,
        sample: str,
        operations: Sequence[Operation],
        *,
        revision: int | None,
        writer: str = "",
        create: Collection[str] = (),
    ) -> SampleView:
        """Apply operations in order, all or none.

        Args:
            dataset: name or id.
            sample: id or path.
            operations: those that were applied before are left out.
            revision: that the caller's changes are made on; None = whatever it is now.
            writer: which browser or program writes; tells two people on one sample apart.
            create: labels or fields that may be new to the dataset.

        Raises:
            SampleChanged: the sample is at another revision; nothing was changed.
            InvalidInput: the result would not be valid; the error names the box.
        """
        with self._database.write() as session:
            found = find_dataset(session, dataset)
            row = find_sample(session, found, sample)
            session.refresh(row, with_for_update=True)
            ids = [str(operation.id) for operation in operations]
            applied = _applied(session, row, ids)
            rest = [operation for operation in operations if str(operation.id) not in applied]
            if not rest:
                return sample_view(session, row)
            if revision is not None and revision != row.revision:
                raise SampleChanged(sample_view(session, row), [name for name in ids if name in applied])
            kind = annotation_kind(found.scenario)
            draft = _Draft(row, kind)
            for operation in rest:
                draft.apply(operation)
            _store(session, found, row, draft, source=f"person:{writer}"[:80], create=create)
            session.add_all(
                SampleOperation(id=str(operation.id), sample_id=row.id, dataset_id=found.id) for operation in rest
            )
            session.execute(
                delete(SampleOperation).where(
                    SampleOperation.sample_id == row.id, SampleOperation.at < utc_now() - OPERATION_MEMORY
                )
            )
            return sample_view(session, row)

    def replace(
        self,
        dataset: str,
        sample: str,
        annotation: Annotation | None,
        *,
        revision: int | None,
        state: State | None = None,
        part: Literal["train", "validation", "test", "none"] | None = None,
        suggested: Mapping[str, Suggestion] | None = None,
        writer: str = "",
        create: Collection[str] = (),
        key: UUID | None = None,
    ) -> SampleView:
        """Put a whole annotation in place of what is there.

        Args:
            dataset: name or id.
            sample: id or path.
            annotation: None = nothing is known of the picture.
            revision: that the caller has seen; None = whatever it is now.
            state: labelled unless given, unlabelled without an annotation.
            part: mark; None = as it is.
            suggested: parts that no person has confirmed.
            writer: which browser or program writes.
            create: labels or fields that may be new to the dataset.
            key: makes the call safe to send again.

        Raises:
            SampleChanged: the sample is at another revision; nothing was changed.
            InvalidInput: the annotation is not valid; the error names the box.
        """
        with self._database.write() as session:
            found = find_dataset(session, dataset)
            row = find_sample(session, found, sample)
            session.refresh(row, with_for_update=True)
            if key is not None and _applied(session, row, [str(key)]):
                return sample_view(session, row)
            if revision is not None and revision != row.revision:
                raise SampleChanged(sample_view(session, row))
            kind = annotation_kind(found.scenario)
            draft = _Draft(row, kind)
            draft.annotation = annotation
            draft.suggested = dict(suggested or {})
            draft.state = state or ("unlabelled" if annotation is None else "labelled")
            draft.mark(part)
            _store(session, found, row, draft, source=f"person:{writer}"[:80], create=create)
            if key is not None:
                session.add(SampleOperation(id=str(key), sample_id=row.id, dataset_id=found.id))
            return sample_view(session, row)

    def history(self, dataset: str, sample: str) -> list[HistoryItem]:
        """Annotations of a sample that were replaced, the newest first."""
        with self._database.read() as session:
            row = find_sample(session, find_dataset(session, dataset), sample)
            rows = session.scalars(
                select(SampleHistory).where(SampleHistory.sample_id == row.id).order_by(SampleHistory.id.desc())
            )
            return [_history_item(item) for item in rows]


class _Draft:
    """A sample while operations are applied to it."""

    def __init__(self, row: SampleRow, kind: AnnotationKind) -> None:
        parsed = None if row.annotation is None else _ANNOTATION.validate_python(row.annotation)
        self.annotation = with_object_ids(parsed) if isinstance(parsed, ObjectsAnnotation) else parsed
        self.suggested = {name: Suggestion.model_validate(told) for name, told in (row.suggested or {}).items()}
        self.state: str = row.state
        self.part = row.part
        self._kind = kind

    def apply(self, change: Change) -> None:
        """Give the named parts their new values."""
        touched = change.boxes or change.objects or change.values or change.suggested
        if touched or change.absent is not None or change.labels is not None:
            self.annotation = _changed(self.annotation or empty_annotation(self._kind), change)
        for name, suggestion in change.suggested.items():
            if suggestion is None:
                self.suggested.pop(name, None)
            else:
                self.suggested[name] = suggestion
        if change.state is not None:
            self.state = change.state
        self.mark(change.part)

    def mark(self, part: str | None) -> None:
        """Set the mark train / validation / test; None = leave it."""
        if part is not None:
            self.part = None if part == "none" else part


def _changed(annotation: Annotation, change: Change) -> Annotation:
    """The annotation with a change; parts of another kind of annotation are refused."""
    foreign = {
        "document": ("objects", "labels"),
        "classes": ("boxes", "objects", "values", "absent"),
        "objects": ("boxes", "values", "absent", "labels"),
    }[annotation.kind]
    for part in foreign:
        if getattr(change, part):
            raise InvalidInput(
                "annotation_kind_wrong",
                Text(
                    en=f"A '{annotation.kind}' annotation has no {part}.",
                    zh=f"“{annotation.kind}”类型的标注没有 {part}。",
                ),
                Text(en="Send what fits the dataset's scenario.", zh="请发送与数据集场景一致的内容。"),
                field=part,
            )
    match annotation:
        case DocumentAnnotation():
            return annotation.model_copy(
                update={
                    "boxes": _put(annotation.boxes, change.boxes, "boxes"),
                    "values": _put_values(annotation.values, change.values),
                    "absent": annotation.absent if change.absent is None else change.absent,
                }
            )
        case ObjectsAnnotation():
            return ObjectsAnnotation(objects=_put(annotation.objects, change.objects, "objects"))
        case ClassAnnotation():
            return annotation if change.labels is None else ClassAnnotation(labels=change.labels)


_Box = TypeVar("_Box", TextBox, ObjectShape)


def _put(items: Sequence[_Box], changes: Mapping[str, _Box | None], part: str) -> tuple[_Box, ...]:
    """Items with those of ``changes`` in place of the ones of the same id; new ones stand at the end."""
    for name, item in changes.items():
        if item is not None and item.id != name:
            raise InvalidInput(
                "box_id_differs",
                Text(en=f"Box '{name}' calls itself '{item.id}'.", zh=f"框“{name}”自身的编号是“{item.id}”。"),
                Text(en="Use the same id in both places.", zh="请保持两处编号一致。"),
                field=f"{part}.{name}",
            )
    there = {item.id for item in items}
    result: list[_Box] = []
    for old in items:
        present = changes.get(old.id, old)
        if present is not None:
            result.append(present)
    result += [item for name, item in changes.items() if item is not None and name not in there]
    return tuple(result)


def _put_values(values: Sequence[FieldValue], changes: Mapping[str, Sequence[FieldValue]]) -> tuple[FieldValue, ...]:
    for field, new in changes.items():
        for value in new:
            if value.field != field:
                raise InvalidInput(
                    "value_field_differs",
                    Text(
                        en=f"A value under '{field}' calls its field '{value.field}'.",
                        zh=f"“{field}”下的值标明的字段是“{value.field}”。",
                    ),
                    Text(en="Use the same field in both places.", zh="请保持两处字段一致。"),
                    field=f"values.{field}",
                )
    result: list[FieldValue] = []
    done: set[str] = set()
    for value in values:
        if value.field not in changes:
            result.append(value)
        elif value.field not in done:
            done.add(value.field)
            result += changes[value.field]
    for field, new in changes.items():
        if field not in done:
            result += new
    return tuple(result)


def _applied(session: Session, row: SampleRow, ids: Sequence[str]) -> set[str]:
    """Which of the operations are in the sample already."""
    found = session.execute(
        select(SampleOperation.id, SampleOperation.sample_id).where(SampleOperation.id.in_(ids))
    ).all()
    for name, sample_id in found:
        if sample_id != row.id:
            raise InvalidInput(
                "operation_id_reused",
                Text(en=f"Operation {name} was applied to another sample.", zh=f"操作 {name} 已用于另一个样本。"),
                Text(en="Give every operation an id of its own.", zh="请为每个操作使用不同的编号。"),
                field="operations",
            )
    return {name for name, _ in found}


def _store(
    session: Session, dataset: Dataset, row: SampleRow, draft: _Draft, *, source: str, create: Collection[str]
) -> None:
    """Check a draft, keep what it replaces, and write it with its label counts."""
    kind = annotation_kind(dataset.scenario)
    if draft.state == "labelled":
        draft.annotation = draft.annotation or empty_annotation(kind)
        draft.suggested = {}
    if create:
        register_labels(session, dataset.id, [check_label(label, field="create") for label in create])
    if draft.annotation is not None:
        known = {*known_labels(session, dataset), *_present_labels(row)}
        draft.annotation = check_annotation(draft.annotation, kind, row.width, row.height, known)
        draft.suggested = _still_there(draft)
    _keep(session, row, source)
    row.annotation = None if draft.annotation is None else draft.annotation.model_dump(mode="json")
    row.suggested = {name: told.model_dump(mode="json") for name, told in draft.suggested.items()}
    row.state = draft.state
    row.part = draft.part
    if draft.state == "labelled":
        row.doubt = None
    row.source = CLEARED if draft.annotation is None and draft.state == "unlabelled" else source
    row.revision += 1
    now = utc_now()
    row.updated_at = now
    dataset.revision += 1
    dataset.updated_at = now
    count_labels(session, row)
    session.flush()


def count_labels(session: Session, row: SampleRow) -> None:
    """Write how often labels occur on a sample; only those of a labelled one count."""
    session.execute(delete(SampleLabel).where(SampleLabel.sample_id == row.id))
    rows = label_rows(row.id, row.dataset_id, row.annotation) if row.state == "labelled" else []
    if rows:
        session.execute(insert(SampleLabel), rows)


def known_labels(session: Session, dataset: Dataset) -> set[str]:
    """Labels or fields that a dataset knows, on samples or not yet."""
    registered = session.scalars(select(DatasetLabel.name).where(DatasetLabel.dataset_id == dataset.id))
    occurring = session.scalars(select(SampleLabel.label).where(SampleLabel.dataset_id == dataset.id).distinct())
    return {*registered, *occurring}


def _present_labels(row: SampleRow) -> set[str]:
    """Labels that the sample names already, whether they are known or not: saving it again is no mistake."""
    if row.annotation is None:
        return set()
    annotation = _ANNOTATION.validate_python(row.annotation)
    named = set(annotation_labels(annotation))
    if isinstance(annotation, DocumentAnnotation):
        named |= {box.field for box in annotation.boxes if box.field is not None} | set(annotation.absent)
    if isinstance(annotation, ClassAnnotation):
        named |= set(row.suggested or {})
    return named


def _still_there(draft: _Draft) -> dict[str, Suggestion]:
    """Suggestions of boxes that exist; the one of a box goes with it."""
    match draft.annotation:
        case DocumentAnnotation(boxes=boxes):
            names = {box.id for box in boxes}
        case ObjectsAnnotation(objects=objects):
            names = {shape.id for shape in objects}
        case _:
            return draft.suggested
    return {name: told for name, told in draft.suggested.items() if name in names}


def _keep(session: Session, row: SampleRow, source: str) -> None:
    """Put the present annotation into the history, unless it is an earlier moment of the same writer's sitting."""
    nothing = row.annotation is None and row.state == "unlabelled"
    same_sitting = row.source == source and utc_now() - row.updated_at < SITTING
    if nothing or same_sitting:
        return
    session.add(
        SampleHistory(
            sample_id=row.id,
            dataset_id=row.dataset_id,
            revision=row.revision,
            state=row.state,
            part=row.part,
            annotation=row.annotation,
            suggested=row.suggested,
            source=row.source,
            written_at=row.updated_at,
        )
    )
    session.flush()
    kept = select(SampleHistory.id).where(SampleHistory.sample_id == row.id)
    oldest = session.scalars(kept.order_by(SampleHistory.id.desc()).offset(KEPT_VERSIONS)).all()
    if oldest:
        session.execute(delete(SampleHistory).where(SampleHistory.id.in_(oldest)))


def _history_item(item: SampleHistory) -> HistoryItem:
    return HistoryItem(
        id=item.id,
        revision=item.revision,
        state=item.state,
        part=None if item.part is None else Part(item.part),
        annotation=item.annotation,
        suggested=item.suggested,
        source=item.source,
        written_at=item.written_at,
        replaced_at=item.replaced_at,
    )
