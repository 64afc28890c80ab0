"""Lines that runs and instances wrote: paged by a cursor, searched and filtered over the whole log."""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select

from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.engine.base import Engine
from sandglass.store.db import Database
from sandglass.store.tables import RunEvent
from sandglass.studio.runs import find_run

LEVELS = ("debug", "info", "warning", "error")
_LONGEST_LINE = 64 * 1024
_PIECE = 5000
SCAN_BYTES = 16 << 20
"""Bytes that one page looks through at most, so that a search for something rare stays quick."""


class LogLine(Value):
    """One line; a line that is no JSON (what a library printed) has neither time nor stage.

    Attributes:
        number: place in the log, from 0, whatever was searched for.
    """

    number: int

    at: str | None
    level: str
    stage: str | None
    message: str
    attempt: int


class LogPage(Value):
    """Lines in order; ``next`` is where to go on, also at the end: what is written later comes there.

    Attributes:
        end: whether everything written so far was looked through.
    """

    items: tuple[LogLine, ...]
    next: str
    end: bool


class Logs:
    """Reads what the engine kept of the output of runs and instances."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine

    def of_run(
        self, run_id: str, *, cursor: str | None = None, q: str = "", level: str | None = None, limit: int = 500
    ) -> LogPage:
        """Lines of all attempts of a run.

        Args:
            run_id: the run.
            cursor: ``next`` of the page before; None or ``0`` = from the beginning.
            q: only lines whose message holds this, upper and lower case alike.
            level: only lines of this level or above.
            limit: most lines.

        Raises:
            NotFound: ``run_not_found``.
            InvalidInput: ``cursor_invalid``.
        """
        with self._database.read() as session:
            find_run(session, run_id)
            works = [
                data["work"]
                for data in session.scalars(
                    select(RunEvent.data)
                    .where(RunEvent.run_id == run_id, RunEvent.kind == "work")
                    .order_by(RunEvent.id)
                )
            ]
        attempt, offset, place = _parse(cursor)
        items: list[LogLine] = []
        scanned = 0
        while attempt < len(works) and len(items) < limit and scanned < SCAN_BYTES:
            finished = attempt + 1 < len(works)
            began = offset
            for line, offset in read_lines(self._engine, works[attempt], offset, finished=finished):  # noqa: B020
                parsed = parse_line(line, attempt + 1, place)
                place += 1
                if is_wanted(parsed, q, level):
                    items.append(parsed)
                if len(items) >= limit or offset - began > SCAN_BYTES:
                    break
            else:
                if finished:
                    attempt, offset, began = attempt + 1, 0, 0
                    continue
                return LogPage(items=tuple(items), next=f"{attempt}.{offset}.{place}", end=True)
            scanned += offset - began
        return LogPage(items=tuple(items), next=f"{attempt}.{offset}.{place}", end=attempt >= len(works))

    def tail_of_run(self, run_id: str, count: int, *, level: str | None = None) -> LogPage:
        """The last lines of a run, for instance those around its failure.

        Raises:
            NotFound: ``run_not_found``.
        """
        kept: deque[LogLine] = deque(maxlen=count)
        page = self.of_run(run_id, level=level, limit=_PIECE)
        kept.extend(page.items)
        while not page.end:
            page = self.of_run(run_id, cursor=page.next, level=level, limit=_PIECE)
            kept.extend(page.items)
        return LogPage(items=tuple(kept), next=page.next, end=True)

    def text_of_run(self, run_id: str) -> Iterator[str]:
        """The whole log as text, line by line, piece by piece.

        Raises:
            NotFound: ``run_not_found``.
        """
        page = self.of_run(run_id, limit=_PIECE)

        def lines() -> Iterator[str]:
            nonlocal page
            while True:
                yield "".join(f"{line.at or '-'} {line.level} {line.message}\n" for line in page.items)
                if page.end:
                    return
                page = self.of_run(run_id, cursor=page.next, limit=_PIECE)

        return lines()


def _parse(cursor: str | None) -> tuple[int, int, int]:
    """Attempt, byte in its output, number of the next line."""
    if cursor in (None, "", "0"):
        return 0, 0, 0
    parts = cursor.split(".")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        raise bad_cursor()
    return int(parts[0]), int(parts[1]), int(parts[2])


def bad_cursor() -> InvalidInput:
    """A cursor that no page of a log gave."""
    return InvalidInput(
        "cursor_invalid",
        Text(en="The cursor does not belong to this log.", zh="游标不属于此日志。"),
        Text(en="Begin again without a cursor.", zh="请不带游标重新开始。"),
        field="cursor",
    )


def read_lines(engine: Engine, work_id: str, offset: int, *, finished: bool) -> Iterator[tuple[bytes, int]]:
    """Whole lines from ``offset`` with the offset behind each; a last line without its end only when ``finished``."""
    rest = b""
    position = offset
    while True:
        piece, position = engine.logs(work_id, position)
        if not piece:
            break
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            offset += len(line) + 1
            yield line, offset
        if len(rest) > _LONGEST_LINE:
            offset += len(rest)
            yield rest, offset
            rest = b""
    if rest and finished:
        yield rest, offset + len(rest)


def parse_line(line: bytes, attempt: int, number: int) -> LogLine:
    """A line as it was written: JSON with a message, or what a library printed."""
    text = line.decode("utf-8", "replace")
    try:
        told: Any = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict) or not isinstance(told.get("message"), str):
        return LogLine(number=number, at=None, level="info", stage=None, message=text.rstrip("\r"), attempt=attempt)
    level = told.get("level")
    return LogLine(
        number=number,
        at=told.get("at"),
        level=level if level in LEVELS else "info",
        stage=told.get("stage"),
        message=told["message"],
        attempt=attempt,
    )


def is_wanted(line: LogLine, q: str, level: str | None) -> bool:
    """Whether a line is of this level or above and holds the word, upper and lower case alike."""
    loud: Sequence[str] = LEVELS[LEVELS.index(level) :] if level in LEVELS else LEVELS
    return line.level in loud and (not q or q.casefold() in line.message.casefold())
