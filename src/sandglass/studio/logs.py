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
from sandglass.store.tables import Instance, RunEvent
from sandglass.studio.runs import find_run
from sandglass.studio.services import find_service

LEVELS = ("debug", "info", "warning", "error")
_LONGEST_LINE = 64 * 1024
_SCAN_BYTES = 16 << 20
"""Bytes that one page looks through at most, so that a search for something rare stays quick."""


class LogLine(Value):
    """One line; a line that is no JSON (what a library printed) has neither time nor stage."""

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


class InstanceLine(LogLine):
    """One line of a service's instance."""

    instance: str


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
        number, offset = _parse(cursor)
        items: list[LogLine] = []
        scanned = 0
        while number < len(works) and len(items) < limit and scanned < _SCAN_BYTES:
            finished = number + 1 < len(works)
            began = offset
            for line, offset in _lines(self._engine, works[number], offset, finished=finished):  # noqa: B020
                parsed = _parse_line(line, number + 1)
                if _wanted(parsed, q, level):
                    items.append(parsed)
                if len(items) >= limit or offset - began > _SCAN_BYTES:
                    break
            else:
                if finished:
                    number, offset, began = number + 1, 0, 0
                    continue
                return LogPage(items=tuple(items), next=f"{number}.{offset}", end=True)
            scanned += offset - began
        return LogPage(items=tuple(items), next=f"{number}.{offset}", end=number >= len(works))

    def of_service(
        self, service: str, *, q: str = "", level: str | None = None, limit: int = 500
    ) -> list[InstanceLine]:
        """The last ``limit`` lines of each of a service's present instances, in order of time."""
        with self._database.read() as session:
            row = find_service(session, service)
            instances = session.execute(
                select(Instance.id, Instance.work_id).where(Instance.service_id == row.id).order_by(Instance.created_at)
            ).all()
        found: list[InstanceLine] = []
        for instance, work in instances:
            if work is None:
                continue
            lines = (_parse_line(line, 1) for line, _ in _lines(self._engine, work, 0, finished=True))
            kept = deque((line for line in lines if _wanted(line, q, level)), maxlen=limit)
            found += [InstanceLine(instance=instance, **vars(line)) for line in kept]
        return sorted(found, key=lambda line: line.at or "")[-limit:] if len(instances) > 1 else found


def _parse(cursor: str | None) -> tuple[int, int]:
    if cursor in (None, "", "0"):
        return 0, 0
    number, _, offset = cursor.partition(".")
    if not (number.isdecimal() and offset.isdecimal()):
        raise InvalidInput(
            "cursor_invalid",
            Text(en="The cursor does not belong to this log.", zh="游标不属于此日志。"),
            Text(en="Begin again without a cursor.", zh="请不带游标重新开始。"),
            field="cursor",
        )
    return int(number), int(offset)


def _lines(engine: Engine, work_id: str, offset: int, *, finished: bool) -> Iterator[tuple[bytes, int]]:
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


def _parse_line(line: bytes, attempt: int) -> LogLine:
    text = line.decode("utf-8", "replace")
    try:
        told: Any = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict) or not isinstance(told.get("message"), str):
        return LogLine(at=None, level="info", stage=None, message=text.rstrip("\r"), attempt=attempt)
    level = told.get("level")
    return LogLine(
        at=told.get("at"),
        level=level if level in LEVELS else "info",
        stage=told.get("stage"),
        message=told["message"],
        attempt=attempt,
    )


def _wanted(line: LogLine, q: str, level: str | None) -> bool:
    loud: Sequence[str] = LEVELS[LEVELS.index(level) :] if level in LEVELS else LEVELS
    return line.level in loud and (not q or q.casefold() in line.message.casefold())
