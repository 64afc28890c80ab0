"""Field tables: a CSV, TSV, JSON or JSONL with a picture and its field values a row, no boxes.

The first column (or one named file, image, picture, path, filename, 图片 or 文件) names the picture; every other column
is a field. In JSON a list stands for several values. The values are found on the page by the trainer.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sandglass.core.annotation import DocumentAnnotation
from sandglass.core.finding import Finding
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.formats.base import Format, Found, FoundSample, Kind, WrittenSample
from sandglass.formats.findings import report
from sandglass.formats.pictures import PictureIndex, check_picture, write_pictures
from sandglass.formats.sroie import field_values, unlabelled
from sandglass.formats.textfile import json_lines, parse_json, read_text, table_rows, write_json

PICTURE_COLUMNS = ("file", "filename", "file_name", "image", "picture", "path", "image_path", "图片", "文件", "文件名")
SUFFIXES = (".csv", ".tsv", ".json", ".jsonl")


class FieldTable(Format):
    """Pictures with field values."""

    id = "field-table"
    name = Text(en="Field table", zh="字段表")
    kinds = frozenset({"document"})

    def detect(self, folder: Path) -> float:
        table = _table(folder)
        if table is None:
            return 0.0
        rows = [row for _, row in zip(range(3), _rows(table, table.name, []), strict=False)]
        named = [row for _, row in rows if isinstance(row, dict) and _picture_column(row) is not None and len(row) >= 2]
        return 0.7 if named and any(column.casefold() in PICTURE_COLUMNS for column in named[0]) else 0.0

    def read(self, folder: Path, kind: Kind) -> Found:
        table = _table(folder)
        index = PictureIndex(folder)
        yield from index.findings()
        findings: list[Finding] = []
        for line, row in _rows(table, table.name, findings) if table else ():
            assert table is not None
            yield from findings
            findings.clear()
            if isinstance(row, str):
                yield report("line_unreadable", table.name, line=line, what=row)
                continue
            column = _picture_column(row)
            if column is None:
                yield report("wrong_columns", table.name, line=line, what="no column names a picture")
                continue
            name = index.find(str(row[column]), table.name, line)
            if isinstance(name, Finding):
                yield name
                continue
            if (again := index.take(name, table.name, line)) is not None:
                yield again
                continue
            size, more = check_picture(index.path(name), name)
            yield from more
            if size is None:
                continue
            fields = {key: value for key, value in row.items() if key != column}
            values, more = field_values(fields, table.name, line)
            yield from more
            annotation = DocumentAnnotation(values=tuple(values)) if values else None
            yield FoundSample(Sample(path=name, width=size[0], height=size[1], annotation=annotation), index.path(name))
        yield from findings
        yield from unlabelled(index)

    def write(self, samples: Iterable[WrittenSample], folder: Path) -> list[Finding]:
        findings: list[Finding] = []
        rows = []
        for sample, _ in write_pictures(samples, folder):
            row: dict[str, Any] = {"file": sample.path}
            if isinstance(sample.annotation, DocumentAnnotation):
                for value in sample.annotation.values:
                    row.setdefault(value.field, []).append(value.text)
                if sample.annotation.boxes:
                    findings.append(report("not_held", sample.path, what="boxes"))
            rows.append(
                {key: value[0] if isinstance(value, list) and len(value) == 1 else value for key, value in row.items()}
            )
        write_json(folder / "fields.json", rows)
        return findings


def _table(folder: Path) -> Path | None:
    files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES and path.name != "split.json"]
    preferred = [path for path in files if path.stem.lower() in ("fields", "values", "table")]
    return next(iter(preferred or files), None)


def _rows(path: Path, name: str, findings: list[Finding]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Line number and row by column name; a reason instead of a row that cannot be read."""
    text, found = read_text(path, name)
    findings += found
    if text is None:
        return
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        header: list[str] | None = None
        for line, cells in table_rows(text, suffix):
            if header is None:
                header = [cell.strip() for cell in cells]
            elif len(cells) != len(header):
                yield line, f"{len(cells)} columns instead of {len(header)}"
            else:
                yield line, dict(zip(header, cells, strict=True))
        return
    if suffix == ".jsonl":
        for line, value in json_lines(text):
            yield line, value if isinstance(value, dict) else str(value)
        return
    try:
        value = parse_json(text)
    except ValueError as error:
        findings.append(report("file_unreadable", name, what=error))
        return
    if isinstance(value, dict):
        value = [{"file": key, **fields} if isinstance(fields, dict) else fields for key, fields in value.items()]
    for line, row in enumerate(value if isinstance(value, list) else [value], 1):
        yield line, row if isinstance(row, dict) else f"entry {line} is no object"


def _picture_column(row: dict[str, Any]) -> str | None:
    for column, value in row.items():
        if column.casefold() in PICTURE_COLUMNS and isinstance(value, str):
            return column
    first = next(iter(row), None)
    return first if first is not None and isinstance(row[first], str) and "." in row[first] else None
