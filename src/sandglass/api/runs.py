"""``/v1/runs``: state, live events, curves and logs of runs."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from sandglass.api.feed import RunFeed, message
from sandglass.api.permissions import needs, require_role
from sandglass.api.problems import responses
from sandglass.api.schemas import RunOut
from sandglass.api.studio import OpenStudio
from sandglass.api.tasks import StopForm
from sandglass.core.actor import Role
from sandglass.core.errors import InvalidInput
from sandglass.core.status import RunKind
from sandglass.core.text import Text
from sandglass.studio.logs import LogPage
from sandglass.studio.runevents import Metrics
from sandglass.studio.runs import RunView
from sandglass.studio.studio import Studio

router = APIRouter(prefix="/v1/runs", tags=["runs"], responses=responses(404))

FOLLOW_SECONDS = 0.5
Level = Literal["debug", "info", "warning", "error"]
_STREAM = {
    200: {"description": "Server-sent events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
    204: {"description": "The run is over and the caller has seen all of it; do not reconnect."},
}
_FILE = {200: {"description": "The log.", "content": {"text/plain": {"schema": {"type": "string"}}}}}
_NO_CACHE = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get("/{run}", response_model=RunOut, dependencies=[needs(Role.VIEWER)])
def get_run(studio: OpenStudio, run: str) -> RunView:
    """Where a run stands."""
    return studio.runs.get(run)


@router.post(
    "/{run}/stop",
    status_code=202,
    response_model=RunOut,
    responses=responses(404, 409),
    dependencies=[needs(Role.ANNOTATOR, change="run")],
)
def stop_run(studio: OpenStudio, run: str, form: StopForm | None = None) -> RunView:
    """Stop a training, an evaluation or a pre-label run."""
    return studio.runs.stop(run, evaluate=(form or StopForm()).evaluate)


@router.post(
    "/{run}/restart",
    status_code=202,
    response_model=RunOut,
    responses=responses(404, 409),
    dependencies=[needs(Role.ANNOTATOR, change="run")],
)
def restart_run(studio: OpenStudio, run: str) -> RunView:
    """Go on with a run that failed, was interrupted or was stopped, from where it was."""
    if studio.runs.get(run).kind is RunKind.TRAINING:
        require_role(Role.DEVELOPER)  # which costs money; to go on with pre-labelling does not
    return studio.runs.restart(run)


@router.get("/{run}/events", response_class=StreamingResponse, responses=_STREAM, dependencies=[needs(Role.VIEWER)])  # type: ignore[arg-type]
async def stream_run_events(
    studio: OpenStudio,
    request: Request,
    run: str,
    last_event_id: Annotated[str | None, Header(description="Id of the last event that the caller has seen.")] = None,
) -> Response:
    """What happens in a run, live: its events in order with rising ids, `run` with its state whenever that changes, `end`."""
    last = _event_id(last_event_id)
    view = await run_in_threadpool(studio.runs.get, run)
    if last and view.status.final and not await run_in_threadpool(studio.run_events.after, run, last, 1):
        return Response(status_code=204)
    feed = request.app.state.feed
    assert isinstance(feed, RunFeed)
    return StreamingResponse(feed.stream(run, last), media_type="text/event-stream", headers=_NO_CACHE)


def _event_id(given: str | None) -> int:
    if given is None or given == "":
        return 0
    if not given.isdecimal() or len(given) > 18:
        raise InvalidInput(
            "event_id_invalid",
            Text(en=f"'{given[:50]}' is not the id of an event.", zh=f"“{given[:50]}”不是有效的事件编号。"),
            Text(en="Send the id of the last event seen, or none.", zh="请发送最后收到的事件编号，或不发送。"),
            field="Last-Event-ID",
        )
    return int(given)


@router.get("/{run}/metrics", dependencies=[needs(Role.VIEWER)])
def get_run_metrics(studio: OpenStudio, run: str) -> Metrics:
    """Live curves, candidates tried, and each improvement of the best score."""
    return studio.run_events.metrics(run)


@router.get("/{run}/logs", response_model=LogPage, dependencies=[needs(Role.VIEWER)])
async def get_run_logs(
    studio: OpenStudio,
    run: str,
    cursor: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
    q: Annotated[str, Query(max_length=200, description="Only lines that hold this.")] = "",
    level: Annotated[Level | None, Query(description="Only lines of this level or above.")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 500,
    tail: Annotated[
        int | None, Query(ge=1, le=1000, description="Only the last lines, of the asked level; nothing else counts.")
    ] = None,
    follow: Annotated[
        bool, Query(description="Server-sent events instead: `log` with a line each, until the run ends.")
    ] = False,
) -> Response | LogPage:
    """Lines that a run wrote, of all its attempts; `next` is also given at the end, for what is written later."""
    if tail is not None:
        return await run_in_threadpool(studio.logs.tail_of_run, run, tail, level=level)
    page = await run_in_threadpool(studio.logs.of_run, run, cursor=cursor, q=q, level=level, limit=limit)
    if not follow:
        return page
    lines = _follow(studio, run, page, q, level)
    return StreamingResponse(lines, media_type="text/event-stream", headers=_NO_CACHE)


@router.get("/{run}/logs/file", response_class=StreamingResponse, responses=_FILE, dependencies=[needs(Role.VIEWER)])  # type: ignore[arg-type]
def download_run_logs(studio: OpenStudio, run: str) -> StreamingResponse:
    """The whole log as a text file."""
    lines = studio.logs.text_of_run(run)
    headers = {"Content-Disposition": f'attachment; filename="{run}.log"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type="text/plain; charset=utf-8", headers=headers)


async def _follow(studio: Studio, run: str, page: LogPage, q: str, level: Level | None) -> AsyncIterator[bytes]:
    while True:
        for line in page.items:
            yield message("log", line.model_dump_json())
        yield message("cursor", f'"{page.next}"', page.next)
        if page.end:
            over = (await run_in_threadpool(studio.runs.get, run)).status.final
            if not over:
                await asyncio.sleep(FOLLOW_SECONDS)
        else:
            over = False
        page = await run_in_threadpool(studio.logs.of_run, run, cursor=page.next, q=q, level=level)
        if over and page.end and not page.items:
            break
    yield message("end", f'{{"run": "{run}"}}')
