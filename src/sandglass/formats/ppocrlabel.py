"""PPOCRLabel: ``Label.txt`` with a picture, a tab and a JSON list of boxes (``transcription``, ``points``) a line.

``key_cls`` (its key mode) is read as the box's field. Coordinates refer to the upright picture.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from sandglass.core.annotation import DocumentAnnotation, FieldValue, Role, TextBox
from sandglass.core.finding import Finding
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.formats.base import Format, Found, FoundSample, Kind, WrittenSample
from sandglass.formats.findings import report
from sandglass.formats.pictures import PictureIndex, check_picture, write_pictures
from sandglass.formats.shapes import fit_polygon, numbers
from sandglass.formats.sroie import unlabelled
from sandglass.formats.textfile import parse_json, read_text

UNREADABLE = "###"
"""What PPOCRLabel writes for a box whose text is not to be read."""
NO_KEY = "None"


class PpOcrLabel(Format):
    """Boxes with text, and maybe a field each."""

    id = "ppocrlabel"
    name = Text(en="PPOCRLabel", zh="PPOCRLabel")
    kinds = frozenset({"document"})

    def detect(self, folder: Path) -> float:
        path = folder / "Label.txt"
        if not path.is_file():
            return 0.0
        text, _ = read_text(path, path.name)
        return 0.95 if text and "\t[" in text.split("\n", 1)[0] else 0.1

    def read(self, folder: Path, kind: Kind) -> Found:
        index = PictureIndex(folder)
        yield from index.findings()
        text, findings = read_text(folder / "Label.txt", "Label.txt")
        yield from findings
        for line, row in enumerate((text or "").splitlines(), 1):
            if not row.strip():
                continue
            reference, tab, listed = row.partition("\t")
            if not tab:
                yield report("wrong_columns", "Label.txt", line=line, what="no tab between picture and boxes")
                continue
            # The tool writes the name of the folder that was open before the picture's own.
            name = index.find(reference, "Label.txt", line)
            if isinstance(name, Finding):
                yield name
                continue
            if (again := index.take(name, "Label.txt", line)) is not None:
                yield again
                continue
            size, findings = check_picture(index.path(name), name)
            yield from findings
            if size is None:
                continue
            annotation, findings = _annotation(listed, size, line)
            yield from findings
            yield FoundSample(Sample(path=name, width=size[0], height=size[1], annotation=annotation), index.path(name))
        yield from unlabelled(index)

    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        findings: list[Finding] = []
        rows = []
        for sample, _ in write_pictures(samples, folder):
            if not isinstance(sample.annotation, DocumentAnnotation):
                continue
            field_of = {box: value.field for value in sample.annotation.values for box in value.box_ids}
            boxes = []
            for box in sample.annotation.boxes:
                entry = {
                    "transcription": box.text or UNREADABLE,
                    "points": [list(p) for p in box.polygon],
                    "difficult": False,
                }
                boxes.append(
                    entry | ({"key_cls": field_of[box.id]} if field_of else {}) if box.id in field_of else entry
                )
            rows.append(f"{sample.path}\t{json.dumps(boxes, ensure_ascii=False)}\n")
            if any(len(value.box_ids) != 1 for value in sample.annotation.values):
                findings.append(report("not_held", sample.path, what="values without a box or over several boxes"))
            if any(box.key_ids for box in sample.annotation.boxes):
                findings.append(report("not_held", sample.path, what="links"))
        (folder / "Label.txt").write_text("".join(rows), "utf-8")
        return findings


def _annotation(listed: str, size: tuple[int, int], line: int) -> tuple[DocumentAnnotation | None, list[Finding]]:
    try:
        entries = parse_json(listed)
    except ValueError as error:
        return None, [report("label_unreadable", "Label.txt", line=line, what=error)]
    if not isinstance(entries, list):
        return None, [report("label_unreadable", "Label.txt", line=line, what="it is no list of boxes")]
    findings: list[Finding] = []
    boxes: list[TextBox] = []
    values: list[FieldValue] = []
    for number, entry in enumerate(entries, 1):
        try:
            text = str(entry["transcription"])
            points = [(x, y) for x, y in (numbers(point) for point in entry["points"])]
        except (KeyError, TypeError, ValueError) as error:
            findings.append(report("box_unreadable", "Label.txt", line=line, what=f"box {number}: {error}"))
            continue
        polygon, more = fit_polygon(points, size, text, "Label.txt", line)
        findings += more
        if polygon is None:
            continue
        field = entry.get("key_cls") or None
        field = None if field == NO_KEY else field
        text = "" if text == UNREADABLE else text
        role = Role.VALUE if field else Role.BACKGROUND
        boxes.append(TextBox(id=f"b{number}", polygon=polygon, text=text, role=role, field=field))
        if field and text:
            values.append(FieldValue(field=str(field), text=text, box_ids=(f"b{number}",)))
    return DocumentAnnotation(boxes=tuple(boxes), values=tuple(values)), findings
