"""Pascal VOC: ``Annotations/NAME.xml``, ``JPEGImages/NAME.jpg``, ``ImageSets/Main/{train,val,test}.txt``.

Corners count pixels from 1 and include the last one; inside Sandglass edges count from 0. Coordinates refer to the
upright picture.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

from sandglass.core.annotation import ObjectsAnnotation, ObjectShape
from sandglass.core.finding import Finding
from sandglass.core.geometry import Box
from sandglass.core.sample import Part, Sample
from sandglass.core.text import Text
from sandglass.formats.base import Format, Found, FoundSample, Kind, WrittenSample
from sandglass.formats.classes import PARTS
from sandglass.formats.findings import report
from sandglass.formats.pictures import PictureIndex, check_picture, write_pictures
from sandglass.formats.shapes import fit_box, numbers
from sandglass.formats.sroie import unlabelled
from sandglass.formats.textfile import read_text


class PascalVoc(Format):
    """Labelled boxes."""

    id = "voc"
    name = Text(en="Pascal VOC", zh="Pascal VOC")
    kinds = frozenset({"objects"})

    def detect(self, folder: Path) -> float:
        for path in _label_files(folder)[:3]:
            text, _ = read_text(path, path.name)
            if text and "<annotation" in text:
                return 0.9
        return 0.0

    def read(self, folder: Path, kind: Kind) -> Found:
        marks, findings = _marks(folder)
        yield from findings
        index = PictureIndex(folder)
        yield from index.findings()
        for path in _label_files(folder):
            file = path.relative_to(folder)
            text, findings = read_text(path, file)
            yield from findings
            if text is None:
                continue
            try:
                if "<!DOCTYPE" in text or "<!ENTITY" in text:
                    raise ET.ParseError("document types are not allowed")
                root = ET.fromstring(text.encode())  # noqa: S314 - entities are refused above
            except ET.ParseError as error:
                yield report("label_unreadable", file, what=error)
                continue
            named = (root.findtext("filename") or "").strip()
            name = index.find(f"{path.stem}.jpg", file)
            if isinstance(name, Finding) and named:
                name = index.find(named, file)
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
            objects = []
            for element in root.findall("object"):
                found, findings = _object(element, size, file)
                yield from findings
                objects += found
            sample = Sample(
                path=name,
                width=size[0],
                height=size[1],
                annotation=ObjectsAnnotation(objects=tuple(objects)),
                part=marks.get(path.stem),
            )
            yield FoundSample(sample, index.path(name))
        yield from unlabelled(index)

    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        findings: list[Finding] = []
        parts: dict[Part, list[str]] = {}
        for sample, _ in write_pictures(samples, folder / "JPEGImages"):
            if not isinstance(sample.annotation, ObjectsAnnotation):
                continue
            stem = Path(sample.path).with_suffix("").as_posix()
            target = folder / "Annotations" / f"{stem}.xml"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_element(sample, sample.annotation))
            if sample.part is not None:
                parts.setdefault(sample.part, []).append(stem)
            if any(shape.polygon for shape in sample.annotation.objects):
                findings.append(report("not_held", sample.path, what="polygons"))
        names = {Part.TRAIN: "train", Part.VALIDATION: "val", Part.TEST: "test"}
        for part, stems in parts.items():
            target = folder / "ImageSets" / "Main" / f"{names[part]}.txt"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("".join(f"{stem}\n" for stem in stems), "utf-8")
        return findings


def _label_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*.xml")) if not path.name.startswith(".")]


def _marks(folder: Path) -> tuple[dict[str, Part], list[Finding]]:
    marks: dict[str, Part] = {}
    findings: list[Finding] = []
    for path in sorted((folder / "ImageSets" / "Main").glob("*.txt")):
        part = PARTS.get(path.stem.lower())
        if part is None:
            continue
        text, more = read_text(path, path.relative_to(folder))
        findings += more
        marks.update({line.split()[0]: part for line in (text or "").splitlines() if line.strip()})
    return marks, findings


def _object(element: ET.Element, size: tuple[int, int], file: Path) -> tuple[list[ObjectShape], list[Finding]]:
    label = (element.findtext("name") or "").strip()
    if not label:
        return [], [report("label_empty", file)]
    try:
        edges = [element.findtext(f"bndbox/{edge}") for edge in ("xmin", "ymin", "xmax", "ymax")]
        left, top, right, bottom = numbers(edges)
    except ValueError as error:
        return [], [report("box_unreadable", file, what=f"{label}: {error}")]
    if right <= left or bottom <= top:
        return [], [report("box_without_area", file, what=label)]
    # From inclusive pixels counted from 1 to edges counted from 0; tools that count from 0 lose nothing by the clip.
    box, findings = fit_box(Box(max(0.0, left - 1), max(0.0, top - 1), right, bottom), size, label, file)
    difficult = (element.findtext("difficult") or "0").strip() == "1"
    return ([ObjectShape(label=label, box=box, difficult=difficult)] if box else []), findings


def _element(sample: Sample, annotation: ObjectsAnnotation) -> bytes:
    root = ET.Element("annotation")
    ET.SubElement(root, "filename").text = sample.path
    size = ET.SubElement(root, "size")
    for name, value in (("width", sample.width), ("height", sample.height), ("depth", 3)):
        ET.SubElement(size, name).text = str(value)
    for shape in annotation.objects:
        element = ET.SubElement(root, "object")
        ET.SubElement(element, "name").text = shape.label
        ET.SubElement(element, "difficult").text = str(int(shape.difficult))
        box = ET.SubElement(element, "bndbox")
        edges = (shape.box.left + 1, shape.box.top + 1, shape.box.right, shape.box.bottom)
        for name, edge in zip(("xmin", "ymin", "xmax", "ymax"), edges, strict=True):
            ET.SubElement(box, name).text = f"{edge:g}"
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
