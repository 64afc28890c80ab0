"""SROIE (ICDAR 2019): ``images/NAME.jpg``, ``boxes/NAME.txt`` (eight coordinates, text), ``fields/NAME.json``.

Either of boxes and fields may be missing. The folders of the competition itself (``img``, ``box``, ``key``) are read
as well. Coordinates refer to the upright picture.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sandglass.core.annotation import DocumentAnnotation, FieldValue, TextBox
from sandglass.core.finding import Finding
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.formats.base import Format, Found, FoundSample, Kind, WrittenSample
from sandglass.formats.findings import report
from sandglass.formats.pictures import PictureIndex, check_picture, write_pictures
from sandglass.formats.shapes import fit_polygon, numbers, pairs
from sandglass.formats.textfile import read_json, read_text, write_json

BOXES = ("boxes", "box")
FIELDS = ("fields", "key", "entities")


class Sroie(Format):
    """Boxes with text, and fields without a place."""

    id = "sroie"
    name = Text(en="SROIE", zh="SROIE")
    kinds = frozenset({"document"})

    def detect(self, folder: Path) -> float:
        boxes, fields = _sub(folder, BOXES), _sub(folder, FIELDS)
        sure = 0.5 * bool(boxes and any(boxes.glob("*.txt"))) + 0.45 * bool(fields and any(fields.iterdir()))
        return sure if sure >= 0.5 else sure / 2

    def read(self, folder: Path, kind: Kind) -> Found:
        index = PictureIndex(folder)
        yield from index.findings()
        boxes, fields = _sub(folder, BOXES), _sub(folder, FIELDS)
        box_files = {path.stem: path for path in sorted(boxes.glob("*.txt"))} if boxes else {}
        field_files = (
            {path.stem: path for path in sorted(fields.iterdir()) if path.suffix in (".json", ".txt")} if fields else {}
        )
        for stem in sorted(box_files.keys() | field_files.keys()):
            first = box_files.get(stem) or field_files[stem]
            file = first.relative_to(folder)
            name = index.find(f"{stem}.jpg", file)
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
            found: list[TextBox] = []
            values: list[FieldValue] = []
            if stem in box_files:
                found, findings = _read_boxes(box_files[stem], box_files[stem].relative_to(folder), size)
                yield from findings
            if stem in field_files:
                values, findings = _read_fields(field_files[stem], field_files[stem].relative_to(folder))
                yield from findings
            annotation = DocumentAnnotation(boxes=tuple(found), values=tuple(values))
            labelled = annotation if found or values else None
            yield FoundSample(Sample(path=name, width=size[0], height=size[1], annotation=labelled), index.path(name))
        yield from unlabelled(index)

    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        findings: list[Finding] = []
        for sample, _ in write_pictures(samples, folder / "images"):
            annotation = sample.annotation
            if not isinstance(annotation, DocumentAnnotation):
                continue
            stem = Path(sample.path).with_suffix("").as_posix()
            rows = []
            for box in annotation.boxes:
                if len(box.polygon) != 4:
                    findings.append(report("not_held", sample.path, what=f"a polygon of {len(box.polygon)} corners"))
                    continue
                corners = ",".join(f"{round(v, 2):g}" for point in box.polygon for v in point)
                rows.append(f"{corners},{' '.join(box.text.split())}")
            target = folder / "boxes" / f"{stem}.txt"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("".join(f"{row}\n" for row in rows), "utf-8")
            fields: dict[str, Any] = {}
            for value in annotation.values:
                present = fields.get(value.field)
                fields[value.field] = (
                    value.text
                    if present is None
                    else [*(present if isinstance(present, list) else [present]), value.text]
                )
            write_json(folder / "fields" / f"{stem}.json", fields)
            if any(box.key_ids or box.field for box in annotation.boxes):
                findings.append(report("not_held", sample.path, what="links and fields of boxes"))
        return findings


def _sub(folder: Path, names: Iterable[str]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_dir()), None)


def _read_boxes(path: Path, file: Path, size: tuple[int, int]) -> tuple[list[TextBox], list[Finding]]:
    text, findings = read_text(path, file)
    boxes: list[TextBox] = []
    for number, line in enumerate((text or "").splitlines(), 1):
        if not line.strip():
            continue
        parts = line.split(",", 8)
        if len(parts) < 9:
            findings.append(report("wrong_columns", file, line=number, what=f"{len(parts)} columns instead of 9"))
            continue
        try:
            points = pairs(numbers(parts[:8]))
        except ValueError as error:
            findings.append(report("box_unreadable", file, line=number, what=error))
            continue
        polygon, more = fit_polygon(points, size, parts[8], file, number)
        findings += more
        if polygon is not None:
            boxes.append(TextBox(id=f"b{number}", polygon=polygon, text=parts[8].strip()))
    return boxes, findings


def _read_fields(path: Path, file: Path) -> tuple[list[FieldValue], list[Finding]]:
    fields, findings = read_json(path, file)
    if fields is None:
        return [], findings
    if not isinstance(fields, dict):
        return [], [*findings, report("label_unreadable", file, what="it is no object of fields")]
    values, more = field_values(fields, file)
    return values, findings + more


def field_values(
    fields: dict[str, Any], file: Path | str, line: int | None = None
) -> tuple[list[FieldValue], list[Finding]]:
    """Field values of a mapping; a list stands for several values, nothing and empty text for none."""
    values: list[FieldValue] = []
    findings: list[Finding] = []
    for name, value in fields.items():
        if not name.strip():
            findings.append(report("label_empty", file, line=line))
            continue
        for item in value if isinstance(value, list) else [value]:
            if item is None or (isinstance(item, str) and not item.strip()):
                continue
            if isinstance(item, dict | list):
                findings.append(report("label_unreadable", file, line=line, what=f"{name} holds {type(item).__name__}"))
                continue
            values.append(FieldValue(field=name.strip(), text=str(item).strip()))
    return values, findings


def unlabelled(index: PictureIndex) -> Found:
    """Pictures that no label named, as samples without annotation."""
    for name in index.unused():
        size, findings = check_picture(index.path(name), name)
        yield from findings
        if size is not None:
            yield report("picture_without_label", name)
            yield FoundSample(Sample(path=name, width=size[0], height=size[1]), index.path(name))
