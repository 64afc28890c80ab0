"""YOLO: beside ``images/…/NAME.jpg`` a file ``labels/…/NAME.txt`` with class, centre and size in shares of the picture.

Class names stand in ``data.yaml`` (``names``) or ``classes.txt``. Five numbers a line are a box, more are a polygon. A
picture with an empty label file holds no object. Coordinates refer to the upright picture.
"""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from sandglass.core.annotation import ObjectsAnnotation, ObjectShape
from sandglass.core.finding import Finding
from sandglass.core.geometry import Box, Polygon, bounding_box
from sandglass.core.sample import Part, Sample
from sandglass.core.text import Text
from sandglass.formats.base import Format, Found, FoundSample, Kind, WrittenSample
from sandglass.formats.classes import PARTS
from sandglass.formats.findings import report
from sandglass.formats.pictures import PictureIndex, check_picture, write_pictures
from sandglass.formats.shapes import fit_box, fit_polygon, numbers, pairs
from sandglass.formats.textfile import read_text

NAMES = ("data.yaml", "dataset.yaml", "classes.txt", "obj.names")


class Yolo(Format):
    """Labelled boxes in shares of the picture."""

    id = "yolo"
    name = Text(en="YOLO", zh="YOLO")
    kinds = frozenset({"objects"})

    def detect(self, folder: Path) -> float:
        named = any((folder / name).is_file() for name in NAMES)
        for path in [item for item in sorted(folder.rglob("*.txt")) if item.name not in NAMES][:5]:
            text, _ = read_text(path, path.name)
            if text and all(
                re.fullmatch(r"\d+( -?\d*\.?\d+(e-?\d+)?){4,}", " ".join(line.split()))
                for line in text.splitlines()[:3]
            ):
                return 0.9 if named else 0.7
        return 0.5 if named and (folder / "labels").is_dir() else 0.0

    def read(self, folder: Path, kind: Kind) -> Found:
        names, findings = _names(folder)
        yield from findings
        index = PictureIndex(folder)
        yield from index.findings()
        for name in index.names():
            size, findings = check_picture(index.path(name), name)
            yield from findings
            if size is None:
                continue
            label = _label_file(folder, name)
            annotation = None
            if label is None:
                yield report("picture_without_label", name)
            else:
                objects, findings = _read(label, label.relative_to(folder), size, names)
                yield from findings
                annotation = ObjectsAnnotation(objects=tuple(objects))
            mark = next((PARTS[part.lower()] for part in PurePosixPath(name).parts[:-1] if part.lower() in PARTS), None)
            sample = Sample(path=name, width=size[0], height=size[1], annotation=annotation, part=mark)
            yield FoundSample(sample, index.path(name))
        stems = {Path(name).stem for name in index.names()}
        for path in sorted((folder / "labels").rglob("*.txt")):
            if path.stem not in stems and path.name not in NAMES:
                yield report("label_without_picture", path.relative_to(folder), what=path.stem)

    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        findings: list[Finding] = []
        names: dict[str, int] = {}

        def placed() -> Iterable[WrittenSample]:
            for sample, picture in samples:
                part = {Part.TRAIN: "train/", Part.VALIDATION: "val/", Part.TEST: "test/", None: ""}[sample.part]
                yield sample.model_copy(update={"path": f"{part}{sample.path}"}), picture

        for sample, _ in write_pictures(placed(), folder / "images"):
            if not isinstance(sample.annotation, ObjectsAnnotation):
                continue
            rows = []
            for shape in sample.annotation.objects:
                number = names.setdefault(shape.label, len(names))
                rows.append(f"{number} {_row(shape, sample.width, sample.height)}\n")
                if shape.difficult or shape.crowd:
                    findings.append(report("not_held", sample.path, what="that an object is difficult or a crowd"))
            target = folder / "labels" / Path(sample.path).with_suffix(".txt")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("".join(rows), "utf-8")
        if names:
            (folder / "classes.txt").write_text("".join(f"{name}\n" for name in names), "utf-8")
        return findings


def _names(folder: Path) -> tuple[list[str], list[Finding]]:
    for name in NAMES:
        path = folder / name
        if not path.is_file():
            continue
        text, findings = read_text(path, name)
        if text is None:
            return [], findings
        if path.suffix != ".yaml":
            return [line.strip() for line in text.splitlines() if line.strip()], findings
        return _yaml_names(text), findings
    return [], []


def _yaml_names(text: str) -> list[str]:
    """The ``names`` of a data.yaml: a list in brackets, a list of dashes, or numbered entries."""
    inline = re.search(r"^names\s*:\s*\[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    if inline:
        return [part.strip().strip("'\"") for part in inline.group(1).split(",") if part.strip()]
    block = re.search(r"^names\s*:\s*\n((?:[ \t]+.*\n?|-.*\n?)+)", text, re.MULTILINE)
    rows = block.group(1).splitlines() if block else []
    return [re.sub(r"^\s*(?:-|\d+\s*:)\s*", "", row).strip().strip("'\"") for row in rows if row.strip()]


def _label_file(folder: Path, name: str) -> Path | None:
    path = PurePosixPath(name)
    parts = ["labels" if part == "images" else part for part in path.parts[:-1]]
    for candidate in (
        Path(*parts, f"{path.stem}.txt"),
        Path("labels", *parts, f"{path.stem}.txt"),
        Path(path.parent, f"{path.stem}.txt"),
    ):
        if (folder / candidate).is_file():
            return folder / candidate
    return None


def _read(path: Path, file: Path, size: tuple[int, int], names: list[str]) -> tuple[list[ObjectShape], list[Finding]]:
    if path.stat().st_size == 0:
        return [], []
    text, findings = read_text(path, file)
    objects: list[ObjectShape] = []
    unknown: set[int] = set()
    for line, row in enumerate((text or "").splitlines(), 1):
        if not row.strip():
            continue
        try:
            number, *shares = numbers(row.split())
        except ValueError as error:
            findings.append(report("box_unreadable", file, line=line, what=error))
            continue
        if len(shares) < 4 or (len(shares) > 4 and len(shares) % 2) or number != int(number) or number < 0:
            findings.append(report("wrong_columns", file, line=line, what=f"{len(shares) + 1} columns instead of 5"))
            continue
        if number >= len(names) and int(number) not in unknown:
            unknown.add(int(number))
            findings.append(report("unknown_class", file, line=line, what=int(number)))
        label = names[int(number)] if number < len(names) else str(int(number))
        width, height = size
        polygon: Polygon | None = None
        if len(shares) == 4:
            x, y, w, h = shares
            edges = Box((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
            box, more = (
                fit_box(edges, size, label, file, line)
                if w > 0 and h > 0
                else (None, [report("box_without_area", file, line=line, what=label)])
            )
        else:
            polygon, more = fit_polygon([(x * width, y * height) for x, y in pairs(shares)], size, label, file, line)
            box = None if polygon is None else bounding_box(polygon)
        findings += more
        if box is not None:
            objects.append(ObjectShape(label=label, box=box, polygon=polygon))
    return objects, findings


def _row(shape: ObjectShape, width: int, height: int) -> str:
    if shape.polygon:
        return " ".join(f"{x / width:.8g} {y / height:.8g}" for x, y in shape.polygon)
    box = shape.box
    shares = (
        (box.left + box.right) / 2 / width,
        (box.top + box.bottom) / 2 / height,
        box.width / width,
        box.height / height,
    )
    return " ".join(f"{share:.10g}" for share in shares)
