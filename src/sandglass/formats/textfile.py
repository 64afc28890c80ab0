"""Text files as people really save them: encodings, CSV dialects, JSON, each with a finding instead of an exception."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandglass.core.finding import Finding
from sandglass.formats.findings import report

MOST_BYTES = 512 * 1024**2


def decode_text(data: bytes) -> tuple[str, str | None]:
    """Text of a file, and the name of its encoding when that is not UTF-8.

    Raises:
        ValueError: it is in none of UTF-8, UTF-16 (with a mark) and GB18030.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16"), "UTF-16"
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError:
        return data.decode("gb18030"), "GB18030"


def read_text(path: Path, name: Path | str) -> tuple[str | None, list[Finding]]:
    """Text of a file, or None with a finding that says why not."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return None, [report("file_unreadable", name, what=f"more than {MOST_BYTES >> 20} MB")]
        data = path.read_bytes()
        if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return None, [report("file_unreadable", name, what="it is no text file")]
        text, encoding = decode_text(data)
    except (OSError, ValueError) as error:
        return None, [report("file_unreadable", name, what=error)]
    findings = [report("encoding", name, what=encoding)] if encoding else []
    if not text.strip():
        return None, [*findings, report("file_empty", name)]
    return text, findings


def read_json(path: Path, name: Path | str) -> tuple[Any, list[Finding]]:
    """Value of a JSON file, or None with a finding that says why not. Infinite and undefined numbers are refused."""
    text, findings = read_text(path, name)
    if text is None:
        return None, findings
    try:
        return parse_json(text), findings
    except ValueError as error:
        return None, [*findings, report("file_unreadable", name, what=error)]


def parse_json(text: str) -> Any:  # noqa: ANN401
    """A JSON value.

    Raises:
        ValueError: it is not JSON, or has NaN or infinity, or is nested too deeply.
    """

    def refuse(constant: str) -> float:
        raise ValueError(f"{constant} is no number")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def json_lines(text: str) -> Iterator[tuple[int, Any]]:
    """Line number and value of each line of JSON; a line that is none gives a ``ValueError`` as its value."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield number, parse_json(line)
            except ValueError as error:
                yield number, error


def table_rows(text: str, suffix: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row of a TSV (cells as they stand) or CSV (quotes understood, ``,`` or ``;``)."""
    if suffix == ".tsv":
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield number, line.split("\t")
        return
    head = text[:4096].split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            continue
        if any(cell.strip() for cell in row):
            yield reader.line_num, row


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401
    """Write a JSON file, UTF-8, readable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")
