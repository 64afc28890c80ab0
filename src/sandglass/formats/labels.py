"""Plain label lists: ``labels.tsv``, ``labels.csv`` or ``labels.jsonl`` with a picture and its text or classes a line.

For documents the second column is the text of a picture that is one line; for classification every further column is a
class (one cell may hold several, separated by ``|``). A first line with a known column name is a header. In JSONL the
keys are ``file`` and ``text`` or ``labels``.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

from sandglass.core.annotation import Annotation, ClassAnnotation, DocumentAnnotation, TextBox
from sandglass.core.finding import Finding
from sandglass.core.geometry import Box
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.formats.base import Format, Found, FoundSample, Kind, WrittenSample
from sandglass.formats.field_table import PICTURE_COLUMNS
from sandglass.formats.findings import report
from sandglass.formats.pictures import PictureIndex, check_picture, write_pictures
from sandglass.formats.sroie import unlabelled
from sandglass.formats.textfile import json_lines, read_text, table_rows

LINE = "line"
"""Id of the one box of a picture that is a line."""
LABEL_COLUMNS = ("text", "label", "labels", "transcription", "class", "标签", "文本", "文字", "类别")


class LabelList(Format):
    """A list of pictures with text or classes.

    Class attributes:
        suffix: of the list.
    """

    kinds = frozenset({"document", "classes"})
    suffix: ClassVar[str]

    def detect(self, folder: Path) -> float:
        path = self._path(folder)
        if path is None:
            return 0.0
        rows = [cells for _, (_, cells) in zip(range(3), self._rows(path, []), strict=False)]
        return 0.85 if rows and all(isinstance(cells, list) and len(cells) >= 2 for cells in rows[1:] or rows) else 0.1

    def _path(self, folder: Path) -> Path | None:
        found = [
            path
            for path in sorted(folder.glob(f"*{self.suffix}"))
            if path.stem.lower() in ("labels", "label", "gt", "rec_gt")
        ]
        return found[0] if found else None

    def _rows(self, path: Path, findings: list[Finding]) -> Iterator[tuple[int, list[str] | str]]:
        text, found = read_text(path, path.name)
        findings += found
        header: list[str] | None = None
        for line, cells in table_rows(text or "", self.suffix):
            if line == 1 and [cell.strip().casefold() for cell in cells[:1]] and _is_header(cells):
                header = cells
                continue
            if len(cells) < 2 or (header is not None and len(cells) != len(header)):
                yield line, f"{len(cells)} columns instead of {len(header) if header else 'two or more'}"
            else:
                yield line, cells

    def read(self, folder: Path, kind: Kind) -> Found:
        path = self._path(folder)
        index = PictureIndex(folder)
        yield from index.findings()
        findings: list[Finding] = []
        for line, cells in self._rows(path, findings) if path else ():
            assert path is not None
            yield from findings
            findings.clear()
            if isinstance(cells, str):
                yield report("wrong_columns", path.name, line=line, what=cells)
                continue
            name = index.find(cells[0].strip(), path.name, line)
            if isinstance(name, Finding):
                yield name
                continue
            if (again := index.take(name, path.name, line)) is not None:
                yield again
                continue
            size, more = check_picture(index.path(name), name)
            yield from more
            if size is None:
                continue
            annotation = _annotation(cells[1:], kind, size, self.suffix)
            if annotation is None:
                yield report("label_empty", path.name, line=line)
            yield FoundSample(Sample(path=name, width=size[0], height=size[1], annotation=annotation), index.path(name))
        yield from findings
        yield from unlabelled(index)

    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        findings: list[Finding] = []
        rows: list[list[str]] = []
        for sample, _ in write_pictures(samples, folder):
            row, more = _row(sample)
            findings += more
            if row is not None:
                rows.append([sample.path, *row])
        self._write_rows(rows, folder / f"labels{self.suffix}")
        return findings

    def _write_rows(self, rows: list[list[str]], path: Path) -> None:
        path.write_text("".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows), "utf-8")


class LabelsTsv(LabelList):
    """Tabs between columns; cells as they stand."""

    id = "labels-tsv"
    name = Text(en="labels.tsv", zh="labels.tsv")
    suffix = ".tsv"


class LabelsCsv(LabelList):
    """Commas or semicolons between columns, quotes around cells that hold them."""

    id = "labels-csv"
    name = Text(en="labels.csv", zh="labels.csv")
    suffix = ".csv"

    def _write_rows(self, rows: list[list[str]], path: Path) -> None:
        import csv

        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([[" ".join(cell.split()) for cell in row] for row in rows])


class LabelsJsonl(LabelList):
    """One JSON object a line."""

    id = "labels-jsonl"
    name = Text(en="labels.jsonl", zh="labels.jsonl")
    suffix = ".jsonl"

    def _rows(self, path: Path, findings: list[Finding]) -> Iterator[tuple[int, list[str] | str]]:
        text, found = read_text(path, path.name)
        findings += found
        for line, value in json_lines(text or ""):
            if not isinstance(value, dict):
                yield line, f"no object: {value}"
                continue
            picture = next((str(value[key]) for key in value if key.casefold() in PICTURE_COLUMNS), None)
            label = next((value[key] for key in value if key.casefold() in LABEL_COLUMNS), None)
            if picture is None or label is None:
                yield line, "no picture or no label"
            else:
                yield line, [picture, *(map(str, label) if isinstance(label, list) else [str(label)])]

    def _write_rows(self, rows: list[list[str]], path: Path) -> None:
        lines = [json.dumps({"file": row[0], "labels": row[1:]}, ensure_ascii=False) + "\n" for row in rows]
        path.write_text("".join(lines), "utf-8")


def _is_header(cells: list[str]) -> bool:
    named = [cell.strip().casefold() for cell in cells]
    return named[0] in PICTURE_COLUMNS and (len(named) < 2 or named[1] in LABEL_COLUMNS)


def _annotation(cells: list[str], kind: Kind, size: tuple[int, int], suffix: str) -> Annotation | None:
    if kind == "document":
        text = (cells[0] if len(cells) == 1 else "\t".join(cells)).strip()
        if not text:
            return None
        whole = Box(0, 0, *map(float, size)).to_polygon()
        return DocumentAnnotation(boxes=(TextBox(id=LINE, polygon=whole, text=text),))
    split = [part.strip() for cell in cells for part in (cell.split("|") if suffix != ".jsonl" else [cell])]
    labels = tuple(dict.fromkeys(part for part in split if part))
    return ClassAnnotation(labels=labels) if labels else None


def _row(sample: Sample) -> tuple[list[str] | None, list[Finding]]:
    match sample.annotation:
        case ClassAnnotation(labels=labels) if labels:
            return list(labels), []
        case DocumentAnnotation(boxes=boxes, values=values) if boxes:
            more = (
                [report("not_held", sample.path, what="more than one line, or fields")]
                if len(boxes) > 1 or values
                else []
            )
            return [" ".join(box.text for box in boxes)], more
        case None:
            return None, []
        case _:
            return None, [report("not_held", sample.path, what="its annotation")]
