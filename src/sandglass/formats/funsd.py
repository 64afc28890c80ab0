"""FUNSD and XFUND: forms with entities (question, answer, header, other), their words and the links between them.

FUNSD has one JSON a picture (``form``); XFUND one JSON for many (``documents``). The text of a question is the field of
the answers linked to it. Coordinates refer to the upright picture.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from sandglass.core.annotation import DocumentAnnotation, FieldValue, Role, TextBox
from sandglass.core.finding import Finding
from sandglass.core.geometry import Box, bounding_box
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.formats.base import Format, Found, FoundSample, Kind, WrittenSample
from sandglass.formats.findings import report
from sandglass.formats.pictures import PictureIndex, check_picture, write_pictures
from sandglass.formats.shapes import fit_box, numbers
from sandglass.formats.sroie import unlabelled
from sandglass.formats.textfile import read_json, write_json
from sandglass.formats.ti_ocr import detect_json, label_files

ROLES = {"question": Role.KEY, "answer": Role.VALUE}


class Funsd(Format):
    """One JSON a picture."""

    id: ClassVar[str] = "funsd"
    name = Text(en="FUNSD", zh="FUNSD")
    kinds = frozenset({"document"})

    def detect(self, folder: Path) -> float:
        return detect_json(folder, lambda value: isinstance(value.get("form"), list))

    def read(self, folder: Path, kind: Kind) -> Found:
        index = PictureIndex(folder)
        yield from index.findings()
        for path in label_files(folder):
            file = path.relative_to(folder)
            label, findings = read_json(path, file)
            yield from findings
            if label is None:
                continue
            yield from self._read_label(label, path, file, index)
        yield from unlabelled(index)

    def _read_label(self, label: Any, path: Path, file: Path, index: PictureIndex) -> Found:  # noqa: ANN401
        if not isinstance(label, dict) or not isinstance(label.get("form"), list):
            yield report("label_unreadable", file, what="it has no list 'form'")
            return
        yield from read_document(label["form"], f"{path.stem}.png", file, index)

    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        findings: list[Finding] = []
        for sample, _ in write_pictures(samples, folder / "images"):
            if isinstance(sample.annotation, DocumentAnnotation):
                entities, more = write_document(sample, sample.annotation)
                findings += more
                stem = Path(sample.path).with_suffix("").as_posix()
                write_json(folder / "annotations" / f"{stem}.json", {"form": entities})
        return findings


class Xfund(Funsd):
    """One JSON for many pictures."""

    id: ClassVar[str] = "xfund"
    name = Text(en="XFUND", zh="XFUND")

    def detect(self, folder: Path) -> float:
        return detect_json(folder, lambda value: isinstance(value.get("documents"), list))

    def _read_label(self, label: Any, path: Path, file: Path, index: PictureIndex) -> Found:  # noqa: ANN401
        if not isinstance(label, dict) or not isinstance(label.get("documents"), list):
            yield report("label_unreadable", file, what="it has no list 'documents'")
            return
        for number, document in enumerate(label["documents"], 1):
            try:
                reference, entities = str(document["img"]["fname"]), list(document["document"])
            except (KeyError, TypeError) as error:
                yield report("label_unreadable", file, what=f"document {number}: {error}")
                continue
            yield from read_document(entities, reference, file, index)

    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        findings: list[Finding] = []
        documents = []
        for sample, _ in write_pictures(samples, folder):
            if isinstance(sample.annotation, DocumentAnnotation):
                entities, more = write_document(sample, sample.annotation)
                findings += more
                picture = {"fname": sample.path, "width": sample.width, "height": sample.height}
                documents.append({"id": sample.path, "document": entities, "img": picture})
        write_json(folder / "documents.json", {"lang": "", "version": "0.1", "documents": documents})
        return findings


def read_document(entities: list[Any], reference: str, file: Path, index: PictureIndex) -> Found:
    """The sample of one picture from its entities."""
    name = index.find(reference, file)
    if isinstance(name, Finding):
        yield name
        return
    if (again := index.take(name, file)) is not None:
        yield again
        return
    size, findings = check_picture(index.path(name), name)
    yield from findings
    if size is None:
        return
    boxes: list[TextBox] = []
    links: list[tuple[str, str]] = []
    for number, entity in enumerate(entities, 1):
        try:
            own, text, label = str(entity["id"]), str(entity.get("text") or ""), str(entity.get("label") or "other")
            left, top, right, bottom = numbers(entity["box"])
            links += [(str(first), str(second)) for first, second in entity.get("linking") or []]
        except (KeyError, TypeError, ValueError) as error:
            yield report("box_unreadable", file, what=f"entity {number}: {error}")
            continue
        box, findings = fit_box(Box(left, top, right, bottom), size, text, file)
        yield from findings
        if box is not None:
            role = ROLES.get(label.lower(), Role.BACKGROUND)
            boxes.append(TextBox(id=own, polygon=box.to_polygon(), text=text, role=role))
    by_id = {box.id: box for box in boxes}
    keys: dict[str, list[str]] = {}
    for first, second in dict.fromkeys(links):
        pair = [item for item in (first, second) if item in by_id]
        question = next((item for item in pair if by_id[item].role is Role.KEY), None)
        answer = next((item for item in pair if by_id[item].role is Role.VALUE), None)
        if question and answer:
            keys.setdefault(answer, []).append(question)
    linked = [_linked(box, keys, by_id) for box in boxes]
    values = tuple(
        FieldValue(field=box.field, text=box.text, box_ids=(box.id,))
        for box in linked
        if box.role is Role.VALUE and box.field and box.text
    )
    annotation = DocumentAnnotation(boxes=tuple(linked), values=values)
    yield FoundSample(Sample(path=name, width=size[0], height=size[1], annotation=annotation), index.path(name))


def _linked(box: TextBox, keys: dict[str, list[str]], by_id: dict[str, TextBox]) -> TextBox:
    questions = keys.get(box.id, [])
    field = by_id[questions[0]].text.rstrip(":： ") if questions else None
    own = box.text.rstrip(":： ") if box.role is Role.KEY else None
    return box.model_copy(update={"key_ids": tuple(questions), "field": field or own or None})


def write_document(sample: Sample, annotation: DocumentAnnotation) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Entities of one picture; ids become numbers in the order of the boxes."""
    findings: list[Finding] = []
    number = {box.id: index for index, box in enumerate(annotation.boxes)}
    labels = {Role.KEY: "question", Role.VALUE: "answer", Role.BACKGROUND: "other"}
    entities = []
    for box in annotation.boxes:
        edges = bounding_box(box.polygon)
        if len(box.polygon) != 4 or set(box.polygon) != set(edges.to_polygon()):
            findings.append(report("not_held", sample.path, what=f"that the box '{box.text}' is no upright rectangle"))
        own = [[number[key], number[box.id]] for key in box.key_ids if key in number]
        own += [[number[box.id], number[other.id]] for other in annotation.boxes if box.id in other.key_ids]
        words = [{"box": list(edges), "text": box.text}] if box.text else []
        entities.append(
            {
                "id": number[box.id],
                "text": box.text,
                "label": labels[box.role],
                "box": list(edges),
                "words": words,
                "linking": own,
            }
        )
    unlinked = [v for v in annotation.values if not any(b.id in v.box_ids and b.key_ids for b in annotation.boxes)]
    if unlinked:
        findings.append(report("not_held", sample.path, what=f"{len(unlinked)} values without a printed key"))
    return entities, findings
