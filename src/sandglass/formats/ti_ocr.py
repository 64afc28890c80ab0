"""TI OCR: one JSON a picture with ``OcrLabels`` (keys, values, links); optional ``keys.json`` names printed keys.

``keys.json`` is the key dictionary of a dataset: ``{"keys": {"raw printed key": "field"}, "additional": ["field"]}``.
Coordinates refer to the upright picture.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sandglass.core.annotation import Direction, DocumentAnnotation, FieldValue, Role, TextBox
from sandglass.core.dictionary import KeyDictionary
from sandglass.core.finding import Finding
from sandglass.core.geometry import Polygon, bounding_box
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.formats.base import Format, Found, FoundSample, Kind, WrittenSample
from sandglass.formats.findings import report
from sandglass.formats.pictures import PictureIndex, check_picture, write_pictures
from sandglass.formats.shapes import fit_polygon, numbers
from sandglass.formats.sroie import unlabelled
from sandglass.formats.textfile import read_json, write_json

DICTIONARY = "keys.json"


class TiOcr(Format):
    """Boxes with text, role, direction and links from values to keys."""

    id = "ti-ocr"
    name = Text(en="TI OCR JSON", zh="TI OCR JSON")
    kinds = frozenset({"document"})

    def detect(self, folder: Path) -> float:
        return detect_json(folder, lambda value: "OcrLabels" in value)

    def read(self, folder: Path, kind: Kind) -> Found:
        dictionary, findings = read_dictionary(folder)
        yield from findings
        index = PictureIndex(folder)
        yield from index.findings()
        for path in label_files(folder, DICTIONARY):
            file = path.relative_to(folder)
            label, findings = read_json(path, file)
            yield from findings
            if label is None:
                continue
            if not isinstance(label, dict) or not isinstance(label.get("OcrLabels"), list):
                yield report("label_unreadable", file, what="it has no list OcrLabels")
                continue
            name = index.find(str(label.get("FileName") or path.with_suffix(".jpg").name), file)
            if isinstance(name, Finding):
                yield name
                continue
            if (again := index.take(name, file)) is not None:
                yield again
                continue
            size, findings = check_picture(index.path(name), name)
            yield from findings
            if size is None:
                continue
            annotation, findings = _annotation(label["OcrLabels"], size, file, dictionary.keys)
            yield from findings
            yield FoundSample(Sample(path=name, width=size[0], height=size[1], annotation=annotation), index.path(name))
        yield from unlabelled(index)

    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        findings: list[Finding] = []
        for sample, _ in write_pictures(samples, folder):
            if not isinstance(sample.annotation, DocumentAnnotation):
                continue
            labels, more = _labels(sample, sample.annotation)
            findings += more
            scene = "STRUCTURE" if any(label["Key"] or label["KeyIdsForValue"] for label in labels) else "IDENTITY"
            label = {"FileName": sample.path, "OcrScene": scene, "OcrLabels": labels}
            write_json(folder / f"{sample.path}.json", label)
        return findings


def label_files(folder: Path, *but: str) -> Iterator[Path]:
    """JSON files below a folder, hidden ones and those named ``but`` aside, sorted."""
    for path in sorted(folder.rglob("*.json")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.name not in (*but, "split.json") and not hidden and path.is_file():
            yield path


def detect_json(folder: Path, fits: Any) -> float:  # noqa: ANN401
    """Share of the first few JSON files whose content is an object that ``fits``."""
    seen = fitting = 0
    for path in label_files(folder, DICTIONARY):
        value, _ = read_json(path, path.name)
        seen += 1
        fitting += isinstance(value, dict) and bool(fits(value))
        if seen == 5:
            break
    return 0.95 * fitting / seen if seen else 0.0


def read_dictionary(folder: Path) -> tuple[KeyDictionary, list[Finding]]:
    """The key dictionary that lies in a folder; an empty one when there is none or it cannot be read."""
    path = folder / DICTIONARY
    if not path.exists():
        return KeyDictionary(), []
    value, findings = read_json(path, DICTIONARY)
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, dict):
        return KeyDictionary(), [*findings, report("label_unreadable", DICTIONARY, what="it has no object 'keys'")]
    more = value.get("additional") if isinstance(value, dict) else None
    additional = tuple(str(field) for field in more if str(field).strip()) if isinstance(more, list) else ()
    return KeyDictionary(keys={str(key): str(field) for key, field in keys.items()}, additional=additional), findings


def write_dictionary(dictionary: KeyDictionary, folder: Path) -> None:
    """Write a key dictionary beside the labels; an empty one is not written."""
    if dictionary != KeyDictionary():
        write_json(folder / DICTIONARY, dictionary.model_dump(mode="json"))


def _annotation(
    labels: list[Any], size: tuple[int, int], file: Path, dictionary: dict[str, str]
) -> tuple[DocumentAnnotation, list[Finding]]:
    findings: list[Finding] = []
    boxes: list[TextBox] = []
    fields: dict[str, str] = {}
    for number, label in enumerate(labels, 1):
        if not isinstance(label, dict):
            findings.append(report("box_unreadable", file, what=f"entry {number} is no object"))
            continue
        key, value = str(label.get("Key") or ""), str(label.get("Value") or "")
        try:
            points = [tuple(numbers([point["X"], point["Y"]])) for point in label["Points"]]
        except (KeyError, TypeError, ValueError) as error:
            findings.append(report("box_unreadable", file, what=f"{key or value or number}: {error}"))
            continue
        polygon, more = fit_polygon([(x, y) for x, y in points], size, key or value, file)
        findings += more
        if polygon is None:
            continue
        own = str(label.get("KeyId") or "") or f"b{number}"
        if key:
            fields[own] = dictionary.get(key, key)
        links = label.get("KeyIdsForValue") or []
        boxes.append(
            TextBox(
                id=own,
                polygon=polygon,
                text=key or value,
                role=Role.KEY if key else Role.VALUE if links else Role.BACKGROUND,
                field=fields.get(own),
                direction=Direction.VERTICAL if "VERTICAL" in str(label.get("Direction")) else Direction.HORIZONTAL,
                key_ids=tuple(map(str, links)) if isinstance(links, list) else (),
            )
        )
    return _link(boxes, fields, file, findings)


def _link(
    boxes: list[TextBox], fields: dict[str, str], file: Path, findings: list[Finding]
) -> tuple[DocumentAnnotation, list[Finding]]:
    """Give every linked value the field of its key; several values of one key that lie together are one value each."""
    linked: list[TextBox] = []
    values: list[FieldValue] = []
    seen: set[str] = set()
    for box in boxes:
        unique = box.id if box.id not in seen else f"{box.id}~{len(linked)}"
        seen.add(unique)
        known = tuple(key for key in box.key_ids if key in fields)
        findings += [report("unknown_key", file, what=key) for key in box.key_ids if key not in fields]
        field = box.field or (fields[known[0]] if known else None)
        role = box.role if box.role is not Role.VALUE or known else Role.BACKGROUND
        linked.append(box.model_copy(update={"id": unique, "key_ids": known, "field": field, "role": role}))
        if role is Role.VALUE and field and box.text:
            values.append(FieldValue(field=field, text=box.text, box_ids=(unique,)))
    return DocumentAnnotation(boxes=tuple(linked), values=tuple(values)), findings


def _labels(sample: Sample, annotation: DocumentAnnotation) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Boxes as TI labels. A value without a key gets a key entry at its own place, so that its field is kept."""
    findings: list[Finding] = []
    labels: list[dict[str, Any]] = []
    by_box = {box_id: value.field for value in annotation.values for box_id in value.box_ids}
    for box in annotation.boxes:
        links = list(box.key_ids)
        field = by_box.get(box.id)
        if field and not links:
            key_id = f"key-{box.id}"
            labels.append(_label(box.polygon, key=field, key_id=key_id))
            links = [key_id]
        if box.role is Role.KEY:
            labels.append(_label(box.polygon, key=box.text, key_id=box.id, direction=box.direction))
        else:
            labels.append(_label(box.polygon, value=box.text, links=links, direction=box.direction))
    for value in annotation.values:
        if not value.box_ids:
            findings.append(report("not_held", sample.path, what=f"the value of '{value.field}' without a box"))
        elif len(value.box_ids) > 1:
            findings.append(report("not_held", sample.path, what=f"that the boxes of '{value.field}' are one value"))
    return labels, findings


def _label(
    polygon: Polygon,
    *,
    key: str = "",
    key_id: str = "",
    value: str = "",
    links: Iterable[str] = (),
    direction: Direction = Direction.HORIZONTAL,
) -> dict[str, Any]:
    rectangle = len(polygon) == 4 and set(polygon) == set(bounding_box(polygon).to_polygon())
    return {
        "FrameType": "FRAME_TYPE_RECTANGLE" if rectangle else "FRAME_TYPE_POLYGON",
        "Points": [{"X": x, "Y": y} for x, y in polygon],
        "Key": key,
        "KeyId": key_id,
        "Value": value,
        "KeyIdsForValue": list(links),
        "Direction": f"DIRECTION_{direction.name}",
    }
