"""Classification formats: class folders, and TI classification JSON (one file a picture)."""

import hashlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from sandglass.core.annotation import ClassAnnotation
from sandglass.core.finding import Finding
from sandglass.core.sample import Part, Sample
from sandglass.core.text import Text
from sandglass.formats.base import Format, Found, FoundSample, Kind, WrittenSample
from sandglass.formats.findings import report
from sandglass.formats.pictures import PictureIndex, check_picture, write_pictures
from sandglass.formats.sroie import unlabelled
from sandglass.formats.textfile import read_json, write_json
from sandglass.formats.ti_ocr import detect_json, label_files

PARTS = {
    "train": Part.TRAIN,
    "training": Part.TRAIN,
    "val": Part.VALIDATION,
    "valid": Part.VALIDATION,
    "validation": Part.VALIDATION,
    "test": Part.TEST,
    "testing": Part.TEST,
}
"""Folder names that mark what samples are for."""


class ClassFolders(Format):
    """One folder a class, maybe below folders train, val and test; the folder's name is the label."""

    id = "class-folders"
    name = Text(en="Class folders", zh="按类别分文件夹")
    kinds = frozenset({"classes"})

    def detect(self, folder: Path) -> float:
        names = [PurePosixPath(name).parts for name in PictureIndex(folder).names()]
        in_class = [parts for parts in names if len(parts) - (parts[0].lower() in PARTS) >= 2]
        labels = {parts[-2] for parts in in_class}
        plain = labels - {"images", "img", "JPEGImages"}
        return 0.6 if names and len(in_class) >= 0.9 * len(names) and plain else 0.0

    def read(self, folder: Path, kind: Kind) -> Found:
        index = PictureIndex(folder)
        yield from index.findings()
        for name in index.names():
            parts = PurePosixPath(name).parts
            mark = PARTS.get(parts[0].lower()) if len(parts) > 1 else None
            inner = parts[1:] if mark is not None else parts
            size, findings = check_picture(index.path(name), name)
            yield from findings
            if size is None:
                continue
            label = "/".join(inner[:-1])
            if not label:
                yield report("picture_without_label", name)
            annotation = ClassAnnotation(labels=(label,)) if label else None
            sample = Sample(path=name, width=size[0], height=size[1], annotation=annotation, part=mark)
            yield FoundSample(sample, index.path(name))

    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        findings: list[Finding] = []

        def placed() -> Iterable[WrittenSample]:
            for sample, picture in samples:
                labels = sample.annotation.labels if isinstance(sample.annotation, ClassAnnotation) else ()
                if len(labels) > 1:
                    findings.append(report("not_held", sample.path, what="more than one label"))
                if not labels:
                    findings.append(report("not_held", sample.path, what="a picture without a label"))
                    continue
                part = {Part.TRAIN: "train/", Part.VALIDATION: "val/", Part.TEST: "test/", None: ""}[sample.part]
                flat = sample.path.replace("/", "_") if not sample.path.startswith(f"{part}{labels[0]}/") else None
                path = sample.path if flat is None else f"{part}{labels[0]}/{flat}"
                yield sample.model_copy(update={"path": path}), picture

        for _ in write_pictures(placed(), folder):
            pass
        return findings


class TiClassification(Format):
    """``{"info": {"md5", "path"}, "tags": {"classification_tags": [{"first_class", "confidence_level"}]}}``."""

    id = "ti-classification"
    name = Text(en="TI classification JSON", zh="TI 图片分类 JSON")
    kinds = frozenset({"classes"})

    def detect(self, folder: Path) -> float:
        return detect_json(folder, lambda value: "classification_tags" in (value.get("tags") or {}))

    def read(self, folder: Path, kind: Kind) -> Found:
        index = PictureIndex(folder)
        yield from index.findings()
        for path in label_files(folder):
            file = path.relative_to(folder)
            label, findings = read_json(path, file)
            yield from findings
            if label is None:
                continue
            labels = _labels(label)
            if labels is None:
                yield report("label_unreadable", file, what="it has no classification_tags")
                continue
            reference = ti_picture(label, path)
            name = index.find(reference, file)
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
            if not labels:
                yield report("label_empty", file)
            annotation = ClassAnnotation(labels=labels) if labels else None
            yield FoundSample(Sample(path=name, width=size[0], height=size[1], annotation=annotation), index.path(name))
        yield from unlabelled(index)

    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        for sample, picture in write_pictures(samples, folder):
            if isinstance(sample.annotation, ClassAnnotation):
                tags = [{"first_class": label, "confidence_level": 1.0} for label in sample.annotation.labels]
                label = {"info": ti_info(sample, picture()), "tags": {"classification_tags": tags}}
                write_json(folder / f"{sample.path}.json", label)
        return []


def _labels(label: Any) -> tuple[str, ...] | None:  # noqa: ANN401
    try:
        tags = label["tags"]["classification_tags"]
        names = [str(tag["first_class"]).strip() for tag in tags]
    except (KeyError, TypeError):
        return None
    return tuple(dict.fromkeys(name for name in names if name))


def ti_picture(label: Any, path: Path) -> str:  # noqa: ANN401
    """The picture that a TI label names, or the one that its own file name tells."""
    info = label.get("info") if isinstance(label, dict) else None
    named = info.get("path") if isinstance(info, dict) else None
    return str(named) if named else path.with_suffix("" if Path(path.stem).suffix else ".jpg").name


def ti_info(sample: Sample, data: bytes) -> dict[str, str]:
    """The ``info`` of a TI label."""
    return {"md5": hashlib.md5(data, usedforsecurity=False).hexdigest(), "path": sample.path}
