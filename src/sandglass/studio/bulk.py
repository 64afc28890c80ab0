"""Changes of many samples of a draft at once: each in one transaction, of everything that is meant or of nothing."""

from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import delete, insert, update

from sandglass.core.annotation import ClassAnnotation
from sandglass.core.errors import InvalidInput
from sandglass.core.sample import Part
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.store.db import Database
from sandglass.store.tables import Dataset, SampleLabel, SampleRow
from sandglass.studio.datasets import change_draft
from sandglass.studio.kinds import annotation_kind
from sandglass.studio.labels import check_label, label_rows, register_labels
from sandglass.studio.samples import SampleSelection, selected_ids

BATCH = 500


class BulkChange(Value):
    """One change of many samples.

    Attributes:
        action: mark (as training, validation or test data), label (classification: these labels and no others) or
            remove (from the draft; versions keep them).
        selection: which samples.
        part: for ``mark``; None takes the mark away.
        labels: for ``label``.
        revision: of the draft that the person saw; when it is another one now, nothing is done. None = do it anyway.
    """

    action: Literal["mark", "label", "remove"]
    selection: SampleSelection
    part: Part | None = None
    labels: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    revision: int | None = None


class BulkChanged(Value):
    """How many samples were changed, and the draft's revision now."""

    samples: int
    revision: int


class Bulk:
    """Changes many samples at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(self, name: str, form: BulkChange) -> BulkChanged:
        """Do one change.

        Raises:
            NotFound: ``dataset_not_found``.
            InvalidInput: ``label_invalid``, ``labels_missing``, ``label_unfit`` (no classification) or
                ``nothing_selected``.
            Conflict: ``dataset_changed``: the draft is no longer what the person saw.
        """
        labels = tuple(dict.fromkeys(check_label(label, field="labels") for label in form.labels))
        with self._database.write() as session:
            dataset = change_draft(session, name, expected_revision=form.revision)
            _check(dataset, form)
            ids = selected_ids(session, dataset.id, form.selection)
            if not ids:
                raise InvalidInput(
                    "nothing_selected",
                    Text(en="No sample is selected.", zh="没有选中任何样本。"),
                    Text(en="Select samples, or clear the filter.", zh="请选择样本，或清除筛选。"),
                    field="selection",
                )
            if form.action == "label":
                register_labels(session, dataset.id, labels)
            annotation = ClassAnnotation(labels=labels).model_dump(mode="json")
            for start in range(0, len(ids), BATCH):
                some = ids[start : start + BATCH]
                here = SampleRow.id.in_(some)
                if form.action != "mark":
                    session.execute(delete(SampleLabel).where(SampleLabel.sample_id.in_(some)))
                if form.action == "remove":
                    session.execute(delete(SampleRow).where(here))
                    continue
                changed = (
                    {"part": None if form.part is None else form.part.value}
                    if form.action == "mark"
                    else {
                        "annotation": annotation,
                        "state": "labelled",
                        "suggested": {},
                        "doubt": None,
                        "source": "person:bulk",
                    }
                )
                session.execute(
                    update(SampleRow)
                    .where(here)
                    .values(revision=SampleRow.revision + 1, updated_at=utc_now(), **changed)
                    .execution_options(synchronize_session=False)
                )
                if form.action == "label":
                    rows = [row for sample in some for row in label_rows(sample, dataset.id, annotation)]
                    session.execute(insert(SampleLabel), rows)
            return BulkChanged(samples=len(ids), revision=dataset.revision)


def _check(dataset: Dataset, form: BulkChange) -> None:
    if form.action != "label":
        return
    if annotation_kind(dataset.scenario) != "classes":
        raise InvalidInput(
            "label_unfit",
            Text(
                en=f"Samples of {dataset.name} are not labelled as a whole.",
                zh=f"{dataset.name} 的样本不能整图打标签。",
            ),
            Text(en="Annotate them one by one, or pre-label them.", zh="请逐张标注，或使用预标注。"),
            field="action",
        )
    if not form.labels:
        raise InvalidInput(
            "labels_missing",
            Text(en="No label is given.", zh="没有指定标签。"),
            Text(en="Name at least one label.", zh="请至少指定一个标签。"),
            field="labels",
        )
