"""One serving process: ``python -m sandglass.serving.instance --model FOLDER …`` answers with one model over HTTP.

It listens on loopback only, writes its address to a file when it is ready, ends by itself when its time is up, and
finishes what it has begun when it is asked to stop.
"""

import argparse
import asyncio
import json
import math
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import numpy as np
import uvicorn
import uvloop
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from sandglass.core.errors import InvalidInput, SandglassError, TooLarge
from sandglass.core.prediction import Prediction
from sandglass.core.problem import Problem
from sandglass.core.text import choose_language
from sandglass.scenarios.base import PredictOptions, Predictor, Query, get_scenario
from sandglass.serving.answer import PredictAnswer
from sandglass.serving.fetch import Fetcher
from sandglass.serving.intake import Allowed, receive
from sandglass.serving.journal import Journal
from sandglass.serving.problems import CONTENT_TYPE, problem_detail, problem_headers
from sandglass.serving.quality import QUALITY_HEADER, quality_of, write_quality
from sandglass.serving.runner import Runner

DRAIN_SECONDS = 20.0
LEASE_LOOK_SECONDS = 1.0


def create_instance(
    predictor: Predictor,
    *,
    service: str,
    model: str,
    side_by_side: int,
    fetcher: Fetcher | None = None,
    journal: Journal | None = None,
) -> FastAPI:
    """The HTTP interface of one instance."""
    runner = Runner(predictor, side_by_side)
    journal = journal or Journal()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        runner.close()

    app = FastAPI(title="Sandglass instance", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    @app.exception_handler(SandglassError)
    async def on_error(request: Request, error: SandglassError) -> JSONResponse:
        detail = problem_detail(error, choose_language(request.headers.get("accept-language")))
        began = getattr(request.state, "began", time.perf_counter())
        journal.request(request.headers.get("x-request-id", ""), detail["status"], 0, began, error.message.en)
        return JSONResponse(detail, detail["status"], problem_headers(error), media_type=CONTENT_TYPE)

    @app.post("/predict")
    async def predict(request: Request) -> Response:
        request.state.began = time.perf_counter()
        allowed = Allowed.of(request.headers)
        pictures, options = await receive(request, allowed, fetcher)
        results = await runner.answer(pictures, options, max_pixels=allowed.pixels)
        if len(results) == 1 and results[0].error is not None:
            raise as_error(results[0].error)
        request_id = request.headers.get("x-request-id", "")
        answer = PredictAnswer(service=service, model=model, request_id=request_id, results=tuple(results))
        journal.request(request_id, 200, len(results), request.state.began)
        return Response(
            answer.model_dump_json(exclude_none=False, exclude_unset=True),
            media_type="application/json",
            headers={QUALITY_HEADER: write_quality(quality_of(results))},
        )

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/stats")
    async def stats() -> dict[str, int]:
        return vars(runner.counters)

    return app


def as_error(problem: Problem) -> SandglassError:
    """The error that a picture's problem describes."""
    kind = TooLarge if problem.code == "picture_too_large" else InvalidInput
    return kind(problem.code, problem.message, problem.action, field=problem.field, details=problem.details)


def warm_up(predictor: Predictor) -> None:
    """Predict an empty picture, so that the first request is not slower than the others."""
    blank = np.full((640, 480, 3), 255, np.uint8)
    predictor.predict([Query(lambda: blank, 480, 640)], PredictOptions())


class _Server(uvicorn.Server):
    """A server that a signal makes end well: uvicorn raises it again after its shutdown, and the process dies of it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)
        yield


async def serve(
    app: FastAPI, *, ready_file: Path, lease_file: Path | None, places: int, drain_seconds: float, journal: Journal
) -> None:
    """Serve until a signal or the end of the lease."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=max(1, round(drain_seconds)),
        timeout_keep_alive=120,  # longer than the gateway keeps a connection, so that it never meets a closed one
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started and not running.done():
        await asyncio.wait([running], timeout=0.01)
    if server.started:
        port = server.servers[0].sockets[0].getsockname()[1]
        write_ready(ready_file, f"http://127.0.0.1:{port}", places)
        journal.say(f"Ready at port {port}, {places} requests at a time.")
    while not running.done():
        if not server.should_exit and lease_file is not None and time.time() >= read_lease(lease_file):
            journal.say("The time is up.", "warning")
            server.should_exit = True
        await asyncio.wait([running], timeout=LEASE_LOOK_SECONDS)
    journal.say("Ended.")
    await running


def read_lease(path: Path) -> float:
    """Epoch seconds at which an instance leaves by itself, should its server be gone; infinite without a limit."""
    try:
        until = json.loads(path.read_text("utf-8"))["until"]
        return math.inf if until is None else float(until)
    except (OSError, ValueError, KeyError, TypeError):
        return math.inf


def write_ready(path: Path, address: str, places: int) -> None:
    """Tell the address, whole or not at all."""
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps({"address": address, "pid": os.getpid(), "places": places}), "utf-8")
    temporary.replace(path)


def main(arguments: list[str] | None = None) -> int:
    """Load the model and serve it; exit code 3 when the model cannot be loaded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--service", required=True)
    parser.add_argument("--model-id", default="")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--ready-file", type=Path, required=True)
    parser.add_argument("--lease-file", type=Path, help="JSON with the epoch seconds at which to end")
    parser.add_argument("--drain-seconds", type=float, default=DRAIN_SECONDS)
    parser.add_argument("--urls", action="store_true", help="fetch pictures from addresses that callers name")
    parser.add_argument("--url-network", action="append", default=[], help="network that such addresses may lie in")
    options = parser.parse_args(arguments)
    journal = Journal()
    try:
        manifest = json.loads((options.model / "manifest.json").read_text("utf-8"))
        predictor = get_scenario(manifest["scenario"]).load(options.model, threads=options.threads)
        if options.threshold is not None:
            predictor = WithThreshold(predictor, options.threshold)
        warm_up(predictor)
        fetcher = Fetcher.within(options.url_network) if options.urls else None
    except (SandglassError, OSError, ValueError, KeyError) as error:
        journal.say(f"The model cannot be loaded: {error}", "error")
        return 3
    side_by_side = max(1, options.threads)
    app = create_instance(
        predictor,
        service=options.service,
        model=options.model_id,
        side_by_side=side_by_side,
        fetcher=fetcher,
        journal=journal,
    )
    work = serve(
        app,
        ready_file=options.ready_file,
        lease_file=options.lease_file,
        places=side_by_side + 1,  # one more waits, so that the processor never does
        drain_seconds=options.drain_seconds,
        journal=journal,
    )
    # uvloop answers many times faster than the standard loop under load.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(work)
    return 0


class WithThreshold(Predictor):
    """A predictor whose default threshold the service has set."""

    def __init__(self, inner: Predictor, threshold: float) -> None:
        self._inner = inner
        self._threshold = threshold

    def predict(self, queries: Sequence[Query], options: PredictOptions) -> list[Prediction]:
        if options.threshold is None:
            options = options.model_copy(update={"threshold": self._threshold})
        return self._inner.predict(queries, options)

    def timings(self) -> dict[str, float]:
        return self._inner.timings()


if __name__ == "__main__":
    sys.exit(main())
