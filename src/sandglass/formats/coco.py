"""COCO: ``instances`` JSON with images, categories and annotations (bbox is left, top, width, height).

Every JSON of the folder with these three lists is read; ``train``, ``val`` or ``test`` in its name marks its samples.
Pictures that are listed without an annotation hold no object. Masks (run lengths) are not kept; polygons are.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sandglass.core.annotation import ObjectsAnnotation, ObjectShape
from sandglass.core.finding import Finding
from sandglass.core.geometry import Box, Polygon, polygon_area
from sandglass.core.sample import Part, Sample
from sandglass.core.text import Text
from sandglass.formats.base import Format, Found, FoundSample, Kind, WrittenSample
from sandglass.formats.findings import report
from sandglass.formats.pictures import PictureIndex, check_picture, write_pictures
from sandglass.formats.shapes import fit_box, fit_polygon, numbers, pairs
from sandglass.formats.sroie import unlabelled
from sandglass.formats.textfile import read_json, write_json
from sandglass.formats.ti_ocr import label_files

LISTS = ("images", "annotations", "categories")


class Coco(Format):
    """Labelled boxes."""

    id = "coco"
    name = Text(en="COCO", zh="COCO")
    kinds = frozenset({"objects"})

    def detect(self, folder: Path) -> float:
        for path in list(label_files(folder))[:5]:
            with path.open("rb") as file:
                head = file.read(200_000)
            if (
                all(f'"{name}"'.encode() in head or path.stat().st_size > 200_000 for name in LISTS)
                and b'"images"' in head
            ):
                return 0.9
        return 0.0

    def read(self, folder: Path, kind: Kind) -> Found:
        index = PictureIndex(folder)
        yield from index.findings()
        for path in label_files(folder):
            file = path.relative_to(folder)
            value, findings = read_json(path, file)
            yield from findings
            if value is None:
                continue
            if not isinstance(value, dict) or not all(isinstance(value.get(name), list) for name in LISTS):
                yield report("label_unreadable", file, what=f"it lacks one of {', '.join(LISTS)}")
                continue
            yield from _read(value, file, index)
        yield from unlabelled(index)

    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        findings: list[Finding] = []
        parts: dict[Part | None, dict[str, list[Any]]] = {}
        categories: dict[str, int] = {}
        for number, (sample, _) in enumerate(write_pictures(samples, folder / "images"), 1):
            if not isinstance(sample.annotation, ObjectsAnnotation):
                continue
            lists = parts.setdefault(sample.part, {"images": [], "annotations": []})
            lists["images"].append(
                {"id": number, "file_name": sample.path, "width": sample.width, "height": sample.height}
            )
            for shape in sample.annotation.objects:
                category = categories.setdefault(shape.label, len(categories) + 1)
                polygon = [[value for point in shape.polygon for value in point]] if shape.polygon else []
                lists["annotations"].append(
                    {
                        "id": sum(len(item["annotations"]) for item in parts.values()) + 1,
                        "image_id": number,
                        "category_id": category,
                        "bbox": [shape.box.left, shape.box.top, shape.box.width, shape.box.height],
                        "area": polygon_area(shape.polygon) if shape.polygon else shape.box.area,
                        "segmentation": polygon,
                        "iscrowd": int(shape.crowd),
                        "difficult": int(shape.difficult),
                    }
                )
        listed = [{"id": number, "name": name} for name, number in categories.items()]
        names = {Part.TRAIN: "train", Part.VALIDATION: "val", Part.TEST: "test", None: "all"}
        for part, lists in parts.items():
            write_json(folder / "annotations" / f"instances_{names[part]}.json", lists | {"categories": listed})
        return findings


def _mark(file: Path) -> Part | None:
    words = file.stem.lower().replace("-", "_").split("_")
    for part, names in (
        (Part.TRAIN, ("train",)),
        (Part.VALIDATION, ("val", "valid", "validation")),
        (Part.TEST, ("test",)),
    ):
        if any(name in words for name in names):
            return part
    return None


def _read(value: dict[str, Any], file: Path, index: PictureIndex) -> Found:
    names: dict[Any, str] = {}
    for category in value["categories"]:
        if isinstance(category, dict) and "id" in category:
            names[category["id"]] = str(category.get("name") or category["id"])
    grouped: dict[Any, list[dict[str, Any]]] = {}
    for number, annotation in enumerate(value["annotations"], 1):
        if isinstance(annotation, dict) and "image_id" in annotation:
            grouped.setdefault(annotation["image_id"], []).append(annotation)
        else:
            yield report("box_unreadable", file, what=f"annotation {number} names no image")
    for image in value["images"]:
        if not isinstance(image, dict) or "file_name" not in image or "id" not in image:
            yield report("label_unreadable", file, what=f"image {str(image)[:60]}")
            continue
        own = grouped.pop(image["id"], [])
        name = index.find(str(image["file_name"]), file)
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
        objects: list[ObjectShape] = []
        for annotation in own:
            for item in _object(annotation, names, size, file):
                if isinstance(item, Finding):
                    yield item
                else:
                    objects.append(item)
        group = image.get("photographer") or image.get("group")
        sample = Sample(
            path=name,
            width=size[0],
            height=size[1],
            annotation=ObjectsAnnotation(objects=tuple(objects)),
            part=_mark(file),
            group=None if group is None else str(group),
        )
        yield FoundSample(sample, index.path(name))
    for image_id, left in grouped.items():
        yield report("label_without_picture", file, what=f"image {image_id}", count=len(left))


def _object(
    annotation: dict[str, Any], names: dict[Any, str], size: tuple[int, int], file: Path
) -> Iterator[ObjectShape | Finding]:
    category = annotation.get("category_id")
    if category not in names:
        yield report("unknown_class", file, what=category)
    label = names.get(category, str(category))
    try:
        left, top, width, height = numbers(annotation["bbox"])
    except (KeyError, TypeError, ValueError) as error:
        yield report("box_unreadable", file, what=f"annotation {annotation.get('id')}: {error}")
        return
    if width <= 0 or height <= 0:
        yield report("box_without_area", file, what=label)
        return
    box, findings = fit_box(Box(left, top, left + width, top + height), size, label, file)
    yield from findings
    if box is None:
        return
    polygon: Polygon | None = None
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        yield report("not_held", file, what="masks")
    elif isinstance(segmentation, list) and len(segmentation) == 1 and len(segmentation[0]) >= 6:
        try:
            polygon, _ = fit_polygon(pairs(numbers(segmentation[0])), size, label, file)
        except (TypeError, ValueError) as error:
            yield report("box_unreadable", file, what=f"polygon of annotation {annotation.get('id')}: {error}")
    yield ObjectShape(
        label=label,
        box=box,
        polygon=polygon,
        difficult=bool(annotation.get("difficult")),
        crowd=bool(annotation.get("iscrowd")),
    )
