"""The log of a service: what its processes wrote, those before a restart included, merged in order of time."""

from collections.abc import Iterator

from sqlalchemy import select

from sandglass.core.value import Value
from sandglass.engine.base import Engine
from sandglass.store.db import Database
from sandglass.store.tables import Instance
from sandglass.studio.logs import SCAN_BYTES, LogLine, bad_cursor, is_wanted, parse_line, read_lines
from sandglass.studio.serviceviews import find_service

_NUMBER = "line"


class InstanceLine(LogLine):
    """One line of a service's instance."""

    instance: str


class InstancePage(Value):
    """Lines in order of time; ``next`` is where to go on, also at the end: what is written later comes there.

    Attributes:
        end: whether everything written so far was looked through.
    """

    items: tuple[InstanceLine, ...]
    next: str
    end: bool


class ServiceLogs:
    """Reads what the engine kept of the output of instances."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine

    def read(
        self,
        service: str,
        *,
        instance: str | None = None,
        cursor: str | None = None,
        q: str = "",
        level: str | None = None,
        limit: int = 500,
    ) -> InstancePage:
        """Lines of all processes of a service, those before a restart included, in order of time.

        Args:
            service: name or id.
            instance: only the lines of this one.
            cursor: ``next`` of the page before; None or ``0`` = from the beginning.
            q: only lines whose message holds this, upper and lower case alike.
            level: only lines of this level or above.
            limit: most lines.

        Raises:
            NotFound: ``service_not_found``.
            InvalidInput: ``cursor_invalid``.
        """
        with self._database.read() as session:
            row = find_service(session, service)
            query = select(Instance.id, Instance.works).where(Instance.service_id == row.id)
            if instance is not None:
                query = query.where(Instance.id == instance)
            rows = session.execute(query.order_by(Instance.created_at)).all()
        offsets = _parse_offsets(cursor)
        number = offsets.pop(_NUMBER, 0)
        streams = [
            _Stream(self._engine, instance_id, work, number, offsets.get(work, 0))
            for instance_id, works in rows
            for number, work in enumerate(works or [], 1)
        ]
        items: list[InstanceLine] = []
        scanned = 0
        while len(items) < limit and scanned < SCAN_BYTES:
            waiting = [stream for stream in streams if stream.line is not None]
            if not waiting:
                break
            # A line without a time belongs to the one before it in the same log.
            stream = min(waiting, key=lambda one: one.at)
            line = stream.line
            assert line is not None
            scanned += stream.take()
            if is_wanted(line, q, level):
                items.append(InstanceLine(instance=stream.instance, **vars(line) | {"number": number}))
            number += 1
        told = [f"{stream.work}:{stream.offset}" for stream in streams if stream.offset]
        cursor = ",".join([f"{_NUMBER}:{number}", *told])
        return InstancePage(items=tuple(items), next=cursor, end=all(stream.line is None for stream in streams))

    def text(self, service: str, instance: str | None = None) -> Iterator[bytes]:
        """All lines of a service as text, page by page.

        Raises:
            NotFound: ``service_not_found``, at once.
        """
        page = self.read(service, instance=instance, limit=2000)

        def pages(page: InstancePage) -> Iterator[bytes]:
            while True:
                yield "".join(
                    f"{line.at or '-'} {line.level} {line.instance} {line.message}\n" for line in page.items
                ).encode()
                if page.end:
                    return
                page = self.read(service, instance=instance, cursor=page.next, limit=2000)

        return pages(page)


class _Stream:
    """The lines of one piece of work from an offset, one at a time."""

    def __init__(self, engine: Engine, instance: str, work: str, attempt: int, offset: int) -> None:
        self.instance = instance
        self.work = work
        self.offset = offset
        self.line: LogLine | None = None
        self.at = ""
        self._attempt = attempt
        self._lines = read_lines(engine, work, offset, finished=False)
        self._behind = offset
        self._advance()

    def take(self) -> int:
        """Go to the next line; the bytes of the one that was taken."""
        size = self._behind - self.offset
        self.offset = self._behind
        self._advance()
        return size

    def _advance(self) -> None:
        raw, self._behind = next(self._lines, (None, self._behind))
        self.line = None if raw is None else parse_line(raw, self._attempt, 0)
        if self.line is not None and self.line.at is not None:
            self.at = self.line.at


def _parse_offsets(cursor: str | None) -> dict[str, int]:
    if cursor in (None, "", "0"):
        return {}
    offsets: dict[str, int] = {}
    for part in (cursor or "").split(","):
        work, _, offset = part.partition(":")
        if not offset.isdecimal():
            raise bad_cursor()
        offsets[work] = int(offset)
    return offsets
