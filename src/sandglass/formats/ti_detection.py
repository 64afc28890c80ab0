"""TI detection: one JSON a picture with ``detection_tags.shapes`` (rect, polygon or polyline).

A rectangle may come as two or four points or as ``bbox`` (left, top, width, height). Coordinates refer to the upright
picture.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sandglass.core.annotation import ObjectsAnnotation, ObjectShape
from sandglass.core.finding import Finding
from sandglass.core.geometry import Box, bounding_box
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.formats.base import Format, Found, FoundSample, Kind, WrittenSample
from sandglass.formats.classes import ti_info, ti_picture
from sandglass.formats.findings import report
from sandglass.formats.pictures import PictureIndex, check_picture, write_pictures
from sandglass.formats.shapes import fit_box, fit_polygon, numbers, pairs
from sandglass.formats.sroie import unlabelled
from sandglass.formats.textfile import read_json, write_json
from sandglass.formats.ti_ocr import detect_json, label_files


class TiDetection(Format):
    """Labelled boxes and polygons."""

    id = "ti-detection"
    name = Text(en="TI detection JSON", zh="TI 目标检测 JSON")
    kinds = frozenset({"objects"})

    def detect(self, folder: Path) -> float:
        return detect_json(folder, lambda value: "detection_tags" in (value.get("tags") or {}))

    def read(self, folder: Path, kind: Kind) -> Found:
        index = PictureIndex(folder)
        yield from index.findings()
        for path in label_files(folder):
            file = path.relative_to(folder)
            label, findings = read_json(path, file)
            yield from findings
            if label is None:
                continue
            try:
                shapes = list(label["tags"]["detection_tags"]["shapes"])
            except (KeyError, TypeError):
                yield report("label_unreadable", file, what="it has no detection_tags with shapes")
                continue
            name = index.find(ti_picture(label, path), file)
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
            for shape in shapes:
                found, findings = _shape(shape, size, file)
                yield from findings
                objects += found
            annotation = ObjectsAnnotation(objects=tuple(objects))
            yield FoundSample(Sample(path=name, width=size[0], height=size[1], annotation=annotation), index.path(name))
        yield from unlabelled(index)

    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        findings: list[Finding] = []
        for sample, picture in write_pictures(samples, folder):
            if not isinstance(sample.annotation, ObjectsAnnotation):
                continue
            shapes = []
            for shape in sample.annotation.objects:
                points = shape.polygon or shape.box.to_polygon()
                shapes.append(
                    {
                        "frame_type": "polygon" if shape.polygon else "rect",
                        "pts": [value for point in points for value in point],
                        "bbox": [shape.box.left, shape.box.top, shape.box.width, shape.box.height],
                        "tag": [
                            {"label_key_name": "label", "label_value_name": [shape.label], "confidence_level": [1.0]}
                        ],
                    }
                )
                if shape.difficult or shape.crowd:
                    findings.append(report("not_held", sample.path, what="that an object is difficult or a crowd"))
            label = {"tags": {"detection_tags": {"shapes": shapes}}, "info": ti_info(sample, picture())}
            write_json(folder / f"{sample.path}.json", label)
        return findings


def _shape(shape: Any, size: tuple[int, int], file: Path) -> tuple[list[ObjectShape], list[Finding]]:  # noqa: ANN401
    """One object per label of a shape."""
    try:
        labels = [str(name).strip() for tag in shape["tag"] for name in tag["label_value_name"]]
        rectangle = shape.get("frame_type", "rect") == "rect"
        points = pairs(numbers(shape.get("pts") or []))
        if not points:
            left, top, width, height = numbers(shape["bbox"])
            points, rectangle = [(left, top), (left + width, top + height)], True
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [], [report("box_unreadable", file, what=error)]
    labels = [label for label in labels if label]
    if not labels:
        return [], [report("label_empty", file)]
    what = labels[0]
    if rectangle:
        box, findings = fit_box(bounding_box(points), size, what, file)
        polygon = None
    else:
        polygon, findings = fit_polygon(points, size, what, file)
        box = None if polygon is None else bounding_box(polygon)
    if box is None:
        return [], findings
    return [ObjectShape(label=label, box=Box(*box), polygon=polygon) for label in labels], findings
