"""All formats, and the one door through which a folder is read: format found out, split applied."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sandglass.core.errors import InvalidInput, NotFound
from sandglass.core.finding import Finding
from sandglass.core.text import Text
from sandglass.formats.base import Format, Found, FoundSample, Kind, WrittenSample
from sandglass.formats.classes import ClassFolders, TiClassification
from sandglass.formats.coco import Coco
from sandglass.formats.field_table import FieldTable
from sandglass.formats.findings import report
from sandglass.formats.funsd import Funsd, Xfund
from sandglass.formats.label_studio import LabelStudio
from sandglass.formats.labels import LabelsCsv, LabelsJsonl, LabelsTsv
from sandglass.formats.pictures import PictureIndex, write_pictures
from sandglass.formats.ppocrlabel import PpOcrLabel
from sandglass.formats.split_file import SplitFile, read_split
from sandglass.formats.sroie import Sroie, unlabelled
from sandglass.formats.ti_detection import TiDetection
from sandglass.formats.ti_ocr import TiOcr
from sandglass.formats.voc import PascalVoc
from sandglass.formats.yolo import Yolo

SURE = 0.35
"""Confidence from which a format is taken for the right one."""


class PicturesOnly(Format):
    """Pictures without any label, to be annotated later."""

    id = "pictures"
    name = Text(en="Pictures without labels", zh="无标注图片")
    kinds = frozenset({"document", "classes", "objects"})

    def detect(self, folder: Path) -> float:
        return 0.4 if len(PictureIndex(folder)) else 0.0

    def read(self, folder: Path, kind: Kind) -> Found:
        index = PictureIndex(folder)
        yield from index.findings()
        yield from unlabelled(index)

    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        return [
            report("not_held", sample.path, what="annotations")
            for sample, _ in write_pictures(samples, folder)
            if sample.annotation is not None
        ]


@cache
def _formats() -> dict[str, Format]:
    every: list[Format] = [
        Sroie(),
        TiOcr(),
        TiClassification(),
        TiDetection(),
        ClassFolders(),
        Coco(),
        PascalVoc(),
        Yolo(),
        LabelsTsv(),
        LabelsCsv(),
        LabelsJsonl(),
        PpOcrLabel(),
        Funsd(),
        Xfund(),
        LabelStudio(),
        FieldTable(),
        PicturesOnly(),
    ]
    return {item.id: item for item in every}


def list_formats(kind: Kind | None = None) -> list[Format]:
    """All formats, or those that can hold annotations of a kind."""
    return [item for item in _formats().values() if kind is None or kind in item.kinds]


def get_format(name: str, kind: Kind | None = None) -> Format:
    """The format of that id.

    Raises:
        NotFound: ``format_unknown``.
        InvalidInput: ``format_unfit``, it cannot hold annotations of ``kind``.
    """
    fitting = ", ".join(item.id for item in list_formats(kind))
    if name not in _formats():
        raise NotFound(
            "format_unknown",
            Text(en=f"There is no format '{name}'.", zh=f"没有名为“{name}”的格式。"),
            Text(en=f"Choose one of: {fitting}.", zh=f"可选格式：{fitting}。"),
            field="format",
        )
    found = _formats()[name]
    if kind is not None and kind not in found.kinds:
        raise InvalidInput(
            "format_unfit",
            Text(en=f"The format {name} does not fit this scenario.", zh=f"格式 {name} 不适用于该场景。"),
            Text(en=f"Choose one of: {fitting}.", zh=f"可选格式：{fitting}。"),
            field="format",
        )
    return found


def detect_format(folder: Path, kind: Kind) -> Format:
    """The format that ``folder`` most likely has.

    Raises:
        InvalidInput: ``format_not_detected`` (nothing fits) or ``format_ambiguous`` (several fit equally well).
    """
    sure = sorted(((item.detect(folder), item) for item in list_formats(kind)), key=lambda pair: -pair[0])
    best = [item for confidence, item in sure if confidence >= SURE and confidence == sure[0][0]]
    if len(best) == 1:
        return best[0]
    names = ", ".join(item.id for item in (best or list_formats(kind)))
    code = "format_ambiguous" if best else "format_not_detected"
    raise InvalidInput(
        code,
        Text(en=f"The format of {folder.name} is not clear.", zh=f"无法确定 {folder.name} 的格式。"),
        Text(en=f"Name the format, one of: {names}.", zh=f"请指定格式，可选：{names}。"),
        field="format",
    )


@dataclass
class Reading:
    """A folder being read.

    Attributes:
        format: that is used.
        found: samples and findings, as they come.
    """

    format: Format
    found: Found


def read_dataset(
    folder: Path,
    *,
    kind: Kind,
    format: str = "auto",  # noqa: A002
    split: Path | None = None,
    part: str | None = None,
) -> Reading:
    """Read a folder.

    Args:
        folder: with pictures and labels.
        kind: what the samples shall be annotated with.
        format: id of a format, or ``auto``.
        split: JSON file with lists ``train``, ``test`` and maybe ``validation``, and maybe groups.
        part: read only samples of this part of ``split``; otherwise all, each marked with its part.

    Raises:
        InvalidInput: the folder is none, its format is not clear, or the split cannot be read.
        NotFound: there is no such format.
    """
    if not folder.is_dir():
        raise InvalidInput(
            "folder_missing",
            Text(en=f"{folder} is no folder.", zh=f"{folder} 不是文件夹。"),
            Text(en="Give the folder that holds pictures and labels.", zh="请指定包含图片和标注的文件夹。"),
            field="folder",
        )
    chosen = detect_format(folder, kind) if format == "auto" else get_format(format, kind)
    rules = read_split(split, part) if split is not None else None
    found = chosen.read(folder, kind)
    return Reading(chosen, found if rules is None else _apply(found, rules, part))


def _apply(found: Found, rules: SplitFile, part: str | None) -> Iterator[FoundSample | Finding]:
    """Keep what belongs to the wanted part; mark part and group; report names of the split that were not met."""
    met: set[str] = set()
    for item in found:
        if isinstance(item, Finding):
            yield item
            continue
        names = rules.names_of(item.sample.path)
        place = rules.part_of(names)
        met.update(names)
        if part is not None and (place is None or place.value != rules.wanted):
            continue
        mark = place if part is None else item.sample.part
        update = {"part": mark or item.sample.part, "group": rules.group_of(names) or item.sample.group}
        yield FoundSample(item.sample.model_copy(update=update), item.source)
    for name in rules.listed(part):
        if name not in met:
            yield report("split_without_picture", rules.file, what=name)
