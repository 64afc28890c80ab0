"""One serving process: ``python -m sandglass.serving.instance --model FOLDER …`` answers with one model over HTTP.

It listens on loopback only, writes its address to a file when it is ready, ends by itself when its time is up, and
finishes what it has begun when it is asked to stop.
"""

import argparse
import asyncio
import json
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
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from sandglass.core.errors import InvalidInput, SandglassError, TooLarge
from sandglass.core.prediction import Prediction
from sandglass.core.problem import Problem
from sandglass.core.text import choose_language
from sandglass.core.time import utc_now
from sandglass.scenarios.base import PredictOptions, Predictor, Query, get_scenario
from sandglass.serving.answer import PredictAnswer
from sandglass.serving.intake import receive
from sandglass.serving.problems import CONTENT_TYPE, problem_detail
from sandglass.serving.runner import Runner

DRAIN_SECONDS = 20


def create_instance(predictor: Predictor, *, service: str, model: str, side_by_side: int) -> FastAPI:
    """The HTTP interface of one instance."""
    runner = Runner(predictor, side_by_side)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        runner.close()

    app = FastAPI(title="Sandglass instance", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    @app.exception_handler(SandglassError)
    async def on_error(request: Request, error: SandglassError) -> JSONResponse:
        detail = problem_detail(error, choose_language(request.headers.get("accept-language")))
        headers = {"Retry-After": "1"} if detail["status"] == 503 else None
        return JSONResponse(detail, detail["status"], headers, media_type=CONTENT_TYPE)

    @app.post("/predict")
    async def predict(request: Request) -> Response:
        pictures, options = await receive(request)
        results = await runner.answer(pictures, options)
        if len(results) == 1 and results[0].error is not None:
            raise as_error(results[0].error)
        answer = PredictAnswer(
            service=service, model=model, request_id=request.headers.get("x-request-id", ""), results=tuple(results)
        )
        return Response(answer.model_dump_json(exclude_none=False, exclude_unset=True), media_type="application/json")

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/stats")
    async def stats() -> dict[str, int]:
        return vars(runner.counters)

    @app.get("/metrics")
    async def metrics() -> PlainTextResponse:
        lines = [f"sandglass_instance_{name} {value}" for name, value in vars(runner.counters).items()]
        return PlainTextResponse("\n".join(lines) + "\n")

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


async def serve(app: FastAPI, *, ready_file: Path, until: float | None) -> None:
    """Serve until a signal or the end of the time."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="warning", access_log=False, timeout_graceful_shutdown=DRAIN_SECONDS
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started and not running.done():
        await asyncio.wait([running], timeout=0.01)
    if server.started:
        port = server.servers[0].sockets[0].getsockname()[1]
        write_ready(ready_file, f"http://127.0.0.1:{port}")
        say(f"Ready at port {port}.")
    while not running.done():
        if until is not None and time.time() >= until:
            say("The time is up.")
            server.should_exit = True
            until = None
        await asyncio.wait([running], timeout=0.25)
    await running


def write_ready(path: Path, address: str) -> None:
    """Tell the address, whole or not at all."""
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps({"address": address, "pid": os.getpid()}), "utf-8")
    temporary.replace(path)


def say(message: str) -> None:
    """One line of the instance's log."""
    line = {"at": utc_now().isoformat(timespec="milliseconds"), "level": "info", "message": message}
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Load the model and serve it; exit code 3 when the model cannot be loaded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--service", required=True)
    parser.add_argument("--model-id", default="")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--ready-file", type=Path, required=True)
    parser.add_argument("--until", type=float, help="epoch seconds at which to end")
    options = parser.parse_args(arguments)
    try:
        manifest = json.loads((options.model / "manifest.json").read_text("utf-8"))
        predictor = get_scenario(manifest["scenario"]).load(options.model, threads=options.threads)
        if options.threshold is not None:
            predictor = WithThreshold(predictor, options.threshold)
        warm_up(predictor)
    except (SandglassError, OSError, ValueError, KeyError) as error:
        say(f"The model cannot be loaded: {error}")
        return 3
    app = create_instance(
        predictor, service=options.service, model=options.model_id, side_by_side=max(1, options.threads)
    )
    work = serve(app, ready_file=options.ready_file, until=options.until)
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
