"""Live events of runs for any number of listeners, from one reader.

The database is asked as often for a hundred listeners as for one, and not at all when nobody listens.
"""

import asyncio
import contextlib
import contextvars
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from sandglass.api.schemas import RunOut
from sandglass.core.errors import NotFound
from sandglass.studio.runevents import EventView
from sandglass.studio.runs import RunView
from sandglass.studio.studio import Studio

READ_SECONDS = 0.4
ALIVE_SECONDS = 15.0
"""Silence after which a comment is sent, so that nobody between takes the connection for dead."""
RETRY_MILLISECONDS = 2000
_LIVE_FIELDS = {"used_seconds", "left_seconds", "expected_seconds", "stages"}
"""Fields that change with the clock alone; listeners let them tick by themselves."""


@dataclass(eq=False)
class _Listener:
    run_id: str
    last: int
    queue: asyncio.Queue[EventView | RunView | None] = field(default_factory=lambda: asyncio.Queue(10_000))
    shown: str = ""

    def give(self, item: EventView | RunView | None) -> None:
        try:
            self.queue.put_nowait(item)
        except asyncio.QueueFull:
            # A listener that does not read is let go; it comes back with the id of the last event that it saw.
            with contextlib.suppress(asyncio.QueueEmpty):
                while True:
                    self.queue.get_nowait()
            self.queue.put_nowait(None)


class RunFeed:
    """Reads events and states of the runs that somebody listens to. Lives in the server's event loop."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._listeners: set[_Listener] = set()
        self._wake = asyncio.Event()
        self._closed = False
        self._reader: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """End all streams."""
        self._closed = True
        for listener in self._listeners:
            listener.give(None)
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader

    async def stream(self, run_id: str, last: int) -> AsyncIterator[bytes]:
        """Server-sent events of a run after the event ``last``, until the run is over and all was told."""
        listener = _Listener(run_id, last)
        self._listeners.add(listener)
        if self._reader is None or self._reader.done():
            # It reads for all listeners, so it acts for none of them: who may listen was decided before.
            self._reader = asyncio.create_task(self._read(), context=contextvars.Context())
        self._wake.set()
        yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
        try:
            while not self._closed:
                try:
                    item = await asyncio.wait_for(listener.queue.get(), ALIVE_SECONDS)
                except TimeoutError:
                    yield b": alive\n\n"
                    continue
                if item is None:
                    break
                if isinstance(item, EventView):
                    yield message(item.kind, item.model_dump_json(), item.id)
                else:
                    yield message("run", RunOut.model_validate(item, from_attributes=True).model_dump_json())
            yield message("end", json.dumps({"run": run_id}))
        finally:
            self._listeners.discard(listener)

    async def _read(self) -> None:
        while self._listeners:
            began = time.monotonic()
            wanted = {run_id: min(one.last for one in group) for run_id, group in self._by_run().items()}
            told = await asyncio.to_thread(self._look, wanted)
            for run_id, group in self._by_run().items():
                if run_id in told:
                    for listener in group:
                        _tell(listener, *told[run_id])
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(0.05, READ_SECONDS - (time.monotonic() - began)))

    def _by_run(self) -> dict[str, list[_Listener]]:
        groups: dict[str, list[_Listener]] = {}
        for listener in self._listeners:
            groups.setdefault(listener.run_id, []).append(listener)
        return groups

    def _look(self, wanted: dict[str, int]) -> dict[str, tuple[RunView | None, list[EventView]]]:
        found: dict[str, tuple[RunView | None, list[EventView]]] = {}
        for run_id, last in wanted.items():
            try:
                # The state is read before the events: once it says that the run is over, its last event is there.
                view = self._studio.runs.get(run_id)
                if view.status.final:
                    self._studio.evaluations.follow(run_id)
                found[run_id] = (view, self._studio.run_events.after(run_id, last))
            except NotFound:
                found[run_id] = (None, [])
        return found


def _tell(listener: _Listener, view: RunView | None, events: list[EventView]) -> None:
    for event in events:
        if event.id > listener.last:
            listener.last = event.id
            listener.give(event)
    if view is None:
        listener.give(None)
        return
    shown = view.model_dump_json(exclude=_LIVE_FIELDS)
    if shown != listener.shown:
        listener.shown = shown
        listener.give(view)
    if view.status.final and not events:
        listener.give(None)


def message(event: str, data: str, event_id: int | str | None = None) -> bytes:
    """One server-sent event. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    head = "" if event_id is None else f"id: {event_id}\n"
    return f"{head}event: {event}\ndata: {data}\n\n".encode()
