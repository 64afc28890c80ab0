"""Label Studio: its JSON export, a list of tasks with ``annotations[].result[]``; places in percent of the picture.

Read are rectangles and polygons with labels, text areas and choices (matched to boxes by their id), choices for the
whole picture, and relations from value to key. Coordinates refer to the picture as Label Studio showed it, upright.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

from sandglass.core.annotation import (
    Annotation,
    ClassAnnotation,
    DocumentAnnotation,
    FieldValue,
    ObjectsAnnotation,
    ObjectShape,
    Role,
    TextBox,
)
from sandglass.core.finding import Finding
from sandglass.core.geometry import Box, Polygon, bounding_box
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.formats.base import Format, Found, FoundSample, Kind, WrittenSample
from sandglass.formats.findings import report
from sandglass.formats.pictures import PictureIndex, check_picture, write_pictures
from sandglass.formats.shapes import fit_polygon, numbers
from sandglass.formats.sroie import unlabelled
from sandglass.formats.textfile import read_json, write_json
from sandglass.formats.ti_ocr import label_files

ROLES = {"key": Role.KEY, "question": Role.KEY, "value": Role.VALUE, "answer": Role.VALUE}
PLAIN = ("text", "other", "background", "header")


class LabelStudio(Format):
    """Everything that Sandglass annotates."""

    id = "label-studio"
    name = Text(en="Label Studio JSON", zh="Label Studio JSON")
    kinds = frozenset({"document", "classes", "objects"})

    def detect(self, folder: Path) -> float:
        for path in list(label_files(folder))[:3]:
            value, _ = read_json(path, path.name)
            if isinstance(value, list) and value and isinstance(value[0], dict) and "data" in value[0]:
                return 0.9 if "annotations" in value[0] or "completions" in value[0] else 0.4
        return 0.0

    def read(self, folder: Path, kind: Kind) -> Found:
        index = PictureIndex(folder)
        yield from index.findings()
        for path in label_files(folder):
            file = path.relative_to(folder)
            tasks, findings = read_json(path, file)
            yield from findings
            if tasks is None:
                continue
            if not isinstance(tasks, list):
                yield report("label_unreadable", file, what="it is no list of tasks")
                continue
            for number, task in enumerate(tasks, 1):
                yield from _read_task(task, number, kind, file, index)
        yield from unlabelled(index)

    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        findings: list[Finding] = []
        tasks = []
        for number, (sample, _) in enumerate(write_pictures(samples, folder), 1):
            results, more = _results(sample)
            findings += more
            annotations = [{"result": results}] if sample.annotation is not None else []
            tasks.append({"id": number, "data": {"image": sample.path}, "annotations": annotations})
        write_json(folder / "label-studio.json", tasks)
        return findings


def _read_task(task: Any, number: int, kind: Kind, file: Path, index: PictureIndex) -> Found:  # noqa: ANN401
    try:
        data = task["data"]
        reference = next(str(data[key]) for key in ("image", "ocr", "img", *data) if isinstance(data.get(key), str))
        done = task.get("annotations") or task.get("completions") or []
        results = [item for item in (done[0]["result"] if done else []) if isinstance(item, dict)]
    except (KeyError, TypeError, StopIteration, IndexError, AttributeError) as error:
        yield report("label_unreadable", file, what=f"task {number}: {type(error).__name__} {error}")
        return
    name = index.find(_file_of(reference), file)
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
    annotation: Annotation | None = None
    if done:
        annotation, findings = _annotation(results, kind, size, file)
        yield from findings
    yield FoundSample(Sample(path=name, width=size[0], height=size[1], annotation=annotation), index.path(name))


def _file_of(reference: str) -> str:
    """The file that a task means: its address may be local storage (``?d=``), an upload with a prefix, or a plain path."""
    parsed = urlparse(reference)
    query = parse_qs(parsed.query).get("d")
    path = unquote(query[0] if query else parsed.path)
    name = path.rsplit("/", 1)[-1] if parsed.scheme or path.startswith("/") else path
    head, dash, rest = name.partition("-")
    uploaded = (
        bool(dash) and len(head) == 8 and all(char in "0123456789abcdef" for char in head) and "/upload/" in reference
    )
    return rest if uploaded else name


def _corners(value: dict[str, Any], size: tuple[int, int]) -> list[tuple[float, float]] | None:
    """Corners in pixels of a rectangle (turned about its top left corner) or a polygon; None when it is neither."""
    width, height = size
    if "points" in value:
        return [(x * width / 100, y * height / 100) for x, y in (numbers(point) for point in value["points"])]
    if not {"x", "y", "width", "height"} <= value.keys():
        return None
    x, y, w, h = numbers([value["x"], value["y"], value["width"], value["height"]])
    left, top, across, down = x * width / 100, y * height / 100, w * width / 100, h * height / 100
    angle = math.radians(numbers([value.get("rotation") or 0])[0])
    cos, sin = math.cos(angle), math.sin(angle)
    offsets = ((0.0, 0.0), (across, 0.0), (across, down), (0.0, down))
    return [(left + dx * cos - dy * sin, top + dx * sin + dy * cos) for dx, dy in offsets]


def _annotation(
    results: list[dict[str, Any]], kind: Kind, size: tuple[int, int], file: Path
) -> tuple[Annotation, list[Finding]]:
    findings: list[Finding] = []
    places: dict[str, Polygon] = {}
    labels: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    links: dict[str, list[str]] = {}
    choices: list[str] = []
    for number, result in enumerate(results, 1):
        own = str(result.get("id") or f"r{number}")
        if result.get("type") == "relation":
            links.setdefault(str(result.get("from_id")), []).append(str(result.get("to_id")))
            continue
        value = result.get("value")
        if not isinstance(value, dict):
            findings.append(report("box_unreadable", file, what=f"result {number} has no value"))
            continue
        try:
            corners = _corners(value, size)
        except (TypeError, ValueError, KeyError) as error:
            findings.append(report("box_unreadable", file, what=f"result {number}: {error}"))
            continue
        named = [
            str(item)
            for key, items in value.items()
            if key.endswith("labels") and isinstance(items, list)
            for item in items
        ]
        if corners is None:
            choices += [str(item) for item in value.get("choices") or []]
            continue
        polygon, more = fit_polygon(corners, size, (named or [own])[0], file)
        findings += more if own not in places else []
        if polygon is None:
            continue
        places[own] = polygon
        labels.setdefault(own, []).extend(named)
        labels[own] += [str(item) for item in value.get("choices") or []]
        if value.get("text"):
            text = value["text"]
            texts[own] = " ".join(map(str, text)) if isinstance(text, list) else str(text)
    if kind == "classes":
        return ClassAnnotation(labels=tuple(dict.fromkeys(choices))), findings
    if kind == "objects":
        objects = []
        for own, polygon in places.items():
            box = bounding_box(polygon)
            shape = None if set(polygon) == set(box.to_polygon()) else polygon
            if not labels[own]:
                findings.append(report("label_empty", file))
            objects += [ObjectShape(label=label, box=box, polygon=shape) for label in dict.fromkeys(labels[own])]
        return ObjectsAnnotation(objects=tuple(objects)), findings
    return _document(places, labels, texts, links), findings


def _document(
    places: dict[str, Polygon], labels: dict[str, list[str]], texts: dict[str, str], links: dict[str, list[str]]
) -> DocumentAnnotation:
    boxes: dict[str, TextBox] = {}
    for own, polygon in places.items():
        named = [label for label in labels[own] if label.casefold() not in PLAIN]
        role = next((ROLES[label.casefold()] for label in named if label.casefold() in ROLES), None)
        field = next((label for label in named if label.casefold() not in ROLES), None)
        role = role or (Role.VALUE if field else Role.BACKGROUND)
        boxes[own] = TextBox(id=own, polygon=polygon, text=texts.get(own, ""), role=role, field=field)
    values = []
    for own, box in list(boxes.items()):
        keys = tuple(key for key in links.get(own, []) if key in boxes and key != own)
        field = box.field or next((boxes[key].field or boxes[key].text.rstrip(":： ") for key in keys), None)
        role = Role.VALUE if keys else box.role
        boxes[own] = box.model_copy(update={"key_ids": keys, "field": field or None, "role": role})
        if role is Role.VALUE and field and box.text:
            values.append(FieldValue(field=field, text=box.text, box_ids=(own,)))
    return DocumentAnnotation(boxes=tuple(boxes.values()), values=tuple(values))


def _results(sample: Sample) -> tuple[list[dict[str, Any]], list[Finding]]:
    match sample.annotation:
        case ClassAnnotation(labels=labels):
            value = {"choices": list(labels)}
            return [{"id": "c", "type": "choices", "from_name": "choice", "to_name": "image", "value": value}], []
        case ObjectsAnnotation(objects=objects):
            results = []
            for number, shape in enumerate(objects, 1):
                place, kind = _place(shape.polygon or shape.box.to_polygon(), sample)
                results.append(_result(f"o{number}", f"{kind}labels", place | {f"{kind}labels": [shape.label]}))
            lost = any(shape.difficult or shape.crowd for shape in objects)
            return results, [
                report("not_held", sample.path, what="that an object is difficult or a crowd")
            ] if lost else []
        case DocumentAnnotation():
            return _document_results(sample, sample.annotation)
        case _:
            return [], []


def _document_results(sample: Sample, annotation: DocumentAnnotation) -> tuple[list[dict[str, Any]], list[Finding]]:
    field_of = {box: value.field for value in annotation.values for box in value.box_ids}
    results: list[dict[str, Any]] = []
    for box in annotation.boxes:
        place, kind = _place(box.polygon, sample)
        named = [box.role.value] if box.role is not Role.BACKGROUND else ["text"]
        field = box.field or field_of.get(box.id)
        results.append(_result(box.id, f"{kind}labels", place | {f"{kind}labels": named + ([field] if field else [])}))
        if box.text:
            results.append(_result(box.id, "textarea", place | {"text": [box.text]}))
    for box in annotation.boxes:
        results += [{"type": "relation", "from_id": box.id, "to_id": key, "direction": "right"} for key in box.key_ids]
    lost = [value for value in annotation.values if len(value.box_ids) != 1]
    findings = [report("not_held", sample.path, what="values without a box or over several boxes")] if lost else []
    return results, findings


def _place(polygon: Polygon, sample: Sample) -> tuple[dict[str, Any], str]:
    width, height = max(1, sample.width), max(1, sample.height)
    box: Box = bounding_box(polygon)
    if len(polygon) == 4 and polygon == box.to_polygon():
        place = {
            "x": box.left / width * 100,
            "y": box.top / height * 100,
            "width": box.width / width * 100,
            "height": box.height / height * 100,
            "rotation": 0,
        }
        return place, "rectangle"
    return {"points": [[x / width * 100, y / height * 100] for x, y in polygon]}, "polygon"


def _result(own: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": own,
        "type": kind,
        "from_name": "transcription" if kind == "textarea" else "label",
        "to_name": "image",
        "value": value,
    }
