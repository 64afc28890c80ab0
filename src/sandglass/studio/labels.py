"""Labels or fields of a dataset: their list and colours, renaming, merging, removing, and the key dictionary."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from pydantic import Field
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from sandglass.core.annotation import annotation_labels
from sandglass.core.dictionary import KeyDictionary
from sandglass.core.errors import Conflict, InvalidInput, NotFound
from sandglass.core.relabel import LabelMap, mentioned_labels, parse_annotation, relabel
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.learning.data import complete
from sandglass.store.db import Database
from sandglass.store.tables import Dataset, DatasetLabel, SampleLabel, SampleRow
from sandglass.studio.datasets import change_draft, find_dataset
from sandglass.studio.kinds import annotation_kind

LONGEST_LABEL = 200
PALETTE_SIZE = 36
"""Looks that the console tells apart: twelve colours with three strokes."""
BATCH = 500


class LabelView(Value):
    """A label or field of a dataset.

    Attributes:
        colour: place in the palette, from 0; never changes by itself.
        samples: on how many samples it is.
        occurrences: how many times altogether.
    """

    label: str
    colour: int
    samples: int
    occurrences: int


class NewLabel(Value):
    """A label to add, or to give another colour."""

    label: str = Field(max_length=1000)
    colour: int | None = Field(None, ge=0, lt=PALETTE_SIZE)


class LabelRename(Value):
    """A new name for a label.

    Attributes:
        merge: whether the two labels become one when ``to`` exists already.
    """

    label: str = Field(max_length=LONGEST_LABEL)
    to: str = Field(max_length=1000)
    merge: bool = False


class LabelRemoval(Value):
    """A label to take off all samples."""

    label: str = Field(max_length=LONGEST_LABEL)


class Relabelled(Value):
    """What a change of labels did: samples that it changed, and the draft's revision now."""

    samples: int
    revision: int


class Labels:
    """The labels or fields of datasets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, name: str) -> Sequence[LabelView]:
        """Labels or fields of the draft, the most frequent first, those on no sample at the end."""
        with self._database.read() as session:
            dataset = find_dataset(session, name)
            return _views(session, dataset.id)

    def add(self, name: str, form: NewLabel) -> LabelView:
        """Add a label, or change the colour of one that exists.

        Raises:
            InvalidInput: ``label_invalid``.
        """
        label = check_label(form.label)
        with self._database.write() as session:
            dataset = find_dataset(session, name)
            register_labels(session, dataset.id, [label])
            if form.colour is not None:
                session.execute(
                    update(DatasetLabel)
                    .where(DatasetLabel.dataset_id == dataset.id, DatasetLabel.name == label)
                    .values(colour=form.colour)
                )
            return next(view for view in _views(session, dataset.id) if view.label == label)

    def rename(self, name: str, form: LabelRename) -> Relabelled:
        """Rename a label on all samples, or merge it into another one, in one transaction.

        Raises:
            NotFound: ``label_not_found``.
            InvalidInput: ``label_invalid`` or ``label_same``.
            Conflict: ``label_exists``: the new name is taken and ``merge`` was not asked for.
        """
        to = check_label(form.to, field="to")
        if to == form.label:
            raise InvalidInput(
                "label_same",
                Text(en=f"The label is named '{to}' already.", zh=f"标签已经是“{to}”。"),
                Text(en="Type another name.", zh="请输入其他名称。"),
                field="to",
            )
        with self._database.write() as session:
            dataset = change_draft(session, name)
            known = {view.label: view for view in _views(session, dataset.id)}
            _require(dataset, known, form.label)
            if to in known and not form.merge:
                raise Conflict(
                    "label_exists",
                    Text(
                        en=f"{dataset.name} has a label '{to}' already, on {known[to].samples} samples.",
                        zh=f"{dataset.name} 中已有标签“{to}”（{known[to].samples} 个样本）。",
                    ),
                    Text(en="Merge the two, or choose another name.", zh="请选择合并，或换一个名称。"),
                    field="to",
                    details={"samples": known[to].samples},
                )
            if to not in known:
                session.add(DatasetLabel(dataset_id=dataset.id, name=to, colour=known[form.label].colour))
            changed = _apply(session, dataset, {form.label: to})
            return Relabelled(samples=changed, revision=dataset.revision)

    def remove(self, name: str, form: LabelRemoval) -> Relabelled:
        """Take a label off all samples, in one transaction.

        Samples stay labelled: what a person said about the rest of the picture still holds.

        Raises:
            NotFound: ``label_not_found``.
        """
        with self._database.write() as session:
            dataset = change_draft(session, name)
            _require(dataset, {view.label for view in _views(session, dataset.id)}, form.label)
            changed = _apply(session, dataset, {form.label: None})
            return Relabelled(samples=changed, revision=dataset.revision)

    def dictionary(self, name: str) -> KeyDictionary:
        """The key dictionary of a dataset of documents."""
        with self._database.read() as session:
            return KeyDictionary.model_validate(find_dataset(session, name).dictionary)

    def set_dictionary(self, name: str, dictionary: KeyDictionary) -> KeyDictionary:
        """Replace the key dictionary; its fields become known fields of the dataset.

        Raises:
            InvalidInput: ``label_invalid``, or ``dictionary_unfit`` when the dataset holds no documents.
        """
        keys = {key.strip(): check_label(field, field="keys") for key, field in dictionary.keys.items() if key.strip()}
        additional = tuple(dict.fromkeys(check_label(field, field="additional") for field in dictionary.additional))
        checked = KeyDictionary(keys=keys, additional=additional)
        with self._database.write() as session:
            dataset = find_dataset(session, name)
            if annotation_kind(dataset.scenario) != "document":
                raise InvalidInput(
                    "dictionary_unfit",
                    Text(en=f"{dataset.name} holds no documents.", zh=f"{dataset.name} 不是文档数据集。"),
                    Text(en="Only OCR datasets have a key dictionary.", zh="只有 OCR 数据集有 key 字典。"),
                )
            dataset.dictionary = checked.model_dump(mode="json")
            dataset.updated_at = utc_now()
            register_labels(session, dataset.id, [*keys.values(), *additional])
        return checked


def check_label(label: str, *, field: str = "label") -> str:
    """Return ``label`` trimmed and in Unicode's composed form.

    Raises:
        InvalidInput: ``label_invalid``: empty, longer than 200 characters, or with control characters.
    """
    label = unicodedata.normalize("NFC", label).strip()
    if label and len(label) <= LONGEST_LABEL and not any(unicodedata.category(letter) == "Cc" for letter in label):
        return label
    raise InvalidInput(
        "label_invalid",
        Text(en=f"'{label[:60]}' cannot be a label.", zh=f"“{label[:60]}”不能用作标签。"),
        Text(en=f"Use 1 to {LONGEST_LABEL} characters on one line.", zh=f"请使用 1–{LONGEST_LABEL} 个字符，不能换行。"),
        field=field,
    )


def register_labels(session: Session, dataset_id: str, labels: Iterable[str]) -> None:
    """Make labels known to a dataset, each with the next free colour; those that are known stay as they are.

    Whatever writes annotations calls this in its transaction, so that a label has its colour from its first sample on.
    """
    known = set(session.scalars(select(DatasetLabel.name).where(DatasetLabel.dataset_id == dataset_id)))
    new = [label for label in dict.fromkeys(labels) if label not in known]
    if new:
        colours = _free_colours(session, dataset_id)
        session.execute(
            insert(DatasetLabel),
            [
                {"dataset_id": dataset_id, "name": label, "colour": next(colours), "created_at": utc_now()}
                for label in new
            ],
        )


def _free_colours(session: Session, dataset_id: str) -> Iterator[int]:
    used = set(session.scalars(select(DatasetLabel.colour).where(DatasetLabel.dataset_id == dataset_id)))
    yield from (colour for colour in range(PALETTE_SIZE) if colour not in used)
    for number in count():
        yield number % PALETTE_SIZE


def label_rows(sample_id: str, dataset_id: str, stored: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """Rows of `SampleLabel` for a sample's annotation as stored (None = no rows)."""
    annotation = parse_annotation(stored)
    if annotation is None:
        return []
    return [
        {"sample_id": sample_id, "label": label, "dataset_id": dataset_id, "count": times}
        for label, times in Counter(annotation_labels(complete(annotation))).items()
    ]


def _views(session: Session, dataset_id: str) -> list[LabelView]:
    colours = dict(
        session.execute(select(DatasetLabel.name, DatasetLabel.colour).where(DatasetLabel.dataset_id == dataset_id))
        .tuples()
        .all()
    )
    counts = {
        label: (samples, int(occurrences))
        for label, samples, occurrences in session.execute(
            select(SampleLabel.label, func.count(), func.sum(SampleLabel.count))
            .where(SampleLabel.dataset_id == dataset_id)
            .group_by(SampleLabel.label)
        )
    }
    free = iter(_free_colours(session, dataset_id))
    views = [
        LabelView(
            label=label,
            colour=colours[label] if label in colours else next(free),
            samples=counts.get(label, (0, 0))[0],
            occurrences=counts.get(label, (0, 0))[1],
        )
        for label in sorted({*colours, *counts})
    ]
    return sorted(views, key=lambda view: (-view.samples, view.label))


def _require(dataset: Dataset, known: Iterable[str], label: str) -> None:
    if label not in known:
        raise NotFound(
            "label_not_found",
            Text(en=f"{dataset.name} has no label '{label}'.", zh=f"{dataset.name} 中没有标签“{label}”。"),
            Text(en="Look at the list of labels again.", zh="请刷新标签列表。"),
            field="label",
        )


def _apply(session: Session, dataset: Dataset, mapping: LabelMap) -> int:
    """Relabel all samples that carry a mapped label (or say that a field is absent), and what is known of the labels."""
    carriers = session.scalars(
        select(SampleLabel.sample_id)
        .where(SampleLabel.dataset_id == dataset.id, SampleLabel.label.in_(list(mapping)))
        .distinct()
    ).all()
    ids = set(carriers)
    # No label row stands for pre-labelled samples, for boxes that name a field without a value, for absent fields.
    ids.update(_mentioning(session, dataset, mapping, ids))
    now = utc_now()
    every = sorted(ids)
    for start in range(0, len(every), BATCH):
        some = every[start : start + BATCH]
        rows = session.execute(
            select(SampleRow.id, SampleRow.annotation, SampleRow.suggested, SampleRow.state).where(
                SampleRow.id.in_(some)
            )
        ).all()
        truths = {row.id for row in rows if row.state == "labelled"}
        updated = [
            {
                "id": row.id,
                "annotation": relabel(row.annotation, mapping),
                "suggested": _renamed(row.suggested, mapping),
                "updated_at": now,
            }
            for row in rows
        ]
        session.execute(update(SampleRow), updated)
        session.execute(
            update(SampleRow)
            .where(SampleRow.id.in_(some))
            .values(revision=SampleRow.revision + 1)
            .execution_options(synchronize_session=False)
        )
        session.execute(delete(SampleLabel).where(SampleLabel.sample_id.in_(some)))
        labels = [
            found
            for row in updated
            if row["id"] in truths
            for found in label_rows(row["id"], dataset.id, row["annotation"])
        ]
        if labels:
            session.execute(insert(SampleLabel), labels)
    session.execute(
        delete(DatasetLabel).where(DatasetLabel.dataset_id == dataset.id, DatasetLabel.name.in_(list(mapping)))
    )
    dictionary = KeyDictionary.model_validate(dataset.dictionary)
    dataset.dictionary = dictionary.renamed(mapping).model_dump(mode="json")
    return len(ids)


def _renamed(suggested: dict[str, Any], mapping: LabelMap) -> dict[str, Any]:
    """Suggestions of classes are kept by the class's label; those of boxes by an id, which no label is."""
    named = {mapping.get(key, key): value for key, value in suggested.items()}
    return {key: value for key, value in named.items() if key is not None}


def _mentioning(session: Session, dataset: Dataset, mapping: LabelMap, known: set[str]) -> Iterator[str]:
    """Samples whose annotation names a mapped label although no label row says so."""
    rows = select(SampleRow.id, SampleRow.annotation).where(SampleRow.dataset_id == dataset.id)
    if annotation_kind(dataset.scenario) != "document":
        rows = rows.where(SampleRow.state != "labelled")
    for sample, stored in session.execute(rows, execution_options={"yield_per": BATCH}):
        if stored is not None and sample not in known and not mentioned_labels(stored).isdisjoint(mapping):
            yield sample
