"""A thin client over the HTTP interface: one method per thing to do, answers as parsed JSON, failures as errors."""

import json
import mimetypes
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, Self

import httpx

from sandglass.client.annotations import AnnotationCalls
from sandglass.client.data import DataCalls, poll
from sandglass.client.services import ServiceCalls
from sandglass.core.errors import (
    Broken,
    Busy,
    Conflict,
    Forbidden,
    InvalidInput,
    Limited,
    NotFound,
    NotSignedIn,
    PaymentNeeded,
    SandglassError,
    Stale,
    TimedOut,
    TooLarge,
)
from sandglass.core.text import Text

Json = Any

_KINDS: dict[int, type[SandglassError]] = {
    400: InvalidInput,
    401: NotSignedIn,
    402: PaymentNeeded,
    403: Forbidden,
    404: NotFound,
    405: InvalidInput,
    409: Conflict,
    412: Stale,
    413: TooLarge,
    422: InvalidInput,
    429: Limited,
    503: Busy,
    504: TimedOut,
}
FINAL_RUN = ("stopped", "failed", "succeeded")
SETTLED_SERVICE = ("running", "sleeping", "abnormal", "stopped", "create_failed", "arrears_stopped")


class Client(DataCalls, AnnotationCalls, ServiceCalls):
    """A connection to one server.

    Args:
        address: base address, e.g. ``http://127.0.0.1:8765``.
        language: of error sentences, ``en`` or ``zh-CN``.
        timeout: seconds to wait for one answer.
        token: a user's token or a service's key; None = not signed in.
    """

    def __init__(self, address: str, *, language: str = "en", timeout: float = 120.0, token: str | None = None) -> None:
        self.address = address.rstrip("/")
        headers = {"Accept-Language": language}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        # trust_env=False: a proxy of the environment must not see requests to the person's own machine.
        self._http = httpx.Client(base_url=self.address, timeout=timeout, headers=headers, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def request(self, method: str, path: str, **options: Any) -> Json:  # noqa: ANN401
        """Send one request and return the parsed answer (None for an empty one).

        Raises:
            SandglassError: the kind that fits the status; ``server_unreachable`` when nothing answers.
        """
        try:
            answer = self._http.request(method, f"/v1{path}", **options)
        except httpx.TransportError as error:
            raise _unreachable(self.address, error) from error
        if answer.is_error:
            raise _error(answer)
        return answer.json() if answer.content else None

    # Tasks and runs

    def create_task(self, body: Json) -> Json:
        """Create a task (or a new version of one) and start its training."""
        return self.request("POST", "/tasks", json=body)

    def try_example(self, scenario: str, preset: str) -> Json:
        """Make the example dataset of a catalogue entry and start a task of five minutes on it."""
        return self.request("POST", f"/examples/{scenario}/{preset}")

    def task(self, name: str) -> Json:
        """One task with its versions and their latest runs."""
        return self.request("GET", f"/tasks/{name}")

    def task_version(self, name: str, number: int | None = None) -> Json:
        """One version of a task, the newest unless ``number`` is given."""
        number = number if number is not None else self.task(name)["versions"][-1]["number"]
        return self.request("GET", f"/tasks/{name}/versions/{number}")

    def run(self, run: str) -> Json:
        """One run with status, stages and progress."""
        return self.request("GET", f"/runs/{run}")

    def wait_for_run(self, run: str, seen: Callable[[Json], None] = lambda _: None) -> Json:
        """Wait until a run has ended; ``seen`` is told every state."""
        return self._poll(f"/runs/{run}", lambda state: state["status"] in FINAL_RUN, seen)

    def run_logs(self, run: str, **filters: str | int) -> Json:
        """A page of a run's log."""
        return self.request("GET", f"/runs/{run}/logs", params=filters)

    # Evaluations

    def evaluate(self, task: str, version: int, *, test: Sequence[str], text: str = "read") -> Json:
        """Start an evaluation run."""
        body = {"test": list(test), "text": text}
        return self.request("POST", f"/tasks/{task}/versions/{version}/evaluations", json=body)

    def evaluations(self, task: str, version: int) -> Json:
        """Evaluations of a task version, newest first."""
        return self.request("GET", f"/tasks/{task}/versions/{version}/evaluations")

    def evaluation_summary(self, evaluation: str, *, threshold: float | None = None, exact: bool = False) -> Json:
        """Numbers of an evaluation at one threshold."""
        query: dict[str, str | float] = {"exact": str(exact).lower()}
        if threshold is not None:
            query["threshold"] = threshold
        return self.request("GET", f"/evaluations/{evaluation}/summary", params=query)

    def badcases(self, evaluation: str, **filters: str | float | int) -> Json:
        """A page of samples that the model got wrong."""
        return self.request("GET", f"/evaluations/{evaluation}/badcases", params=filters)

    # Services

    def publish(self, body: Json) -> Json:
        """Publish a model as a service."""
        return self.request("POST", "/services", json=body)

    def service(self, name: str) -> Json:
        """One service by name or id."""
        return self.request("GET", f"/services/{name}")

    def stop_service(self, name: str) -> Json:
        """Stop a service."""
        return self.request("POST", f"/services/{name}/stop")

    def wait_for_service(
        self, name: str, seen: Callable[[Json], None] = lambda _: None, *, until: Sequence[str] = SETTLED_SERVICE
    ) -> Json:
        """Wait until a service has reached one of the statuses ``until``."""
        return self._poll(f"/services/{name}", lambda state: state["status"] in until, seen)

    def predict(
        self,
        service: str,
        pictures: Sequence[str | Path],
        *,
        keys: Literal["labelled", "all", "custom"] = "labelled",
        custom_keys: Sequence[str] = (),
        threshold: float | None = None,
    ) -> Json:
        """Recognise picture files with a running service.

        Raises:
            InvalidInput: ``file_missing`` when a file cannot be opened.
        """
        form: dict[str, Any] = {"keys": keys}
        if custom_keys:
            form["custom_keys"] = list(custom_keys)
        if threshold is not None:
            form["threshold"] = str(threshold)
        with ExitStack() as stack:
            files = []
            for picture in map(Path, pictures):
                try:
                    handle = stack.enter_context(picture.open("rb"))
                except OSError as error:
                    raise InvalidInput(
                        "file_missing",
                        Text(
                            en=f"{picture} cannot be opened: {error.strerror}",
                            zh=f"无法打开 {picture}：{error.strerror}",
                        ),
                    ) from error
                kind = mimetypes.guess_type(picture.name)[0] or "application/octet-stream"
                files.append(("files", (picture.name, handle, kind)))
            return self.request("POST", f"/services/{service}/predict", files=files, data=form)

    def download(self, path: str, target: Path) -> int:
        """Write an answer's bytes to a file as they come; returns how many. A cut answer leaves no file.

        Raises:
            SandglassError: the kind that fits the status; ``server_unreachable`` when the connection is lost.
        """
        temporary = target.with_name(f".{target.name}.new")
        try:
            with self._http.stream("GET", f"/v1{path}") as answer:
                if answer.is_error:
                    answer.read()
                    raise _error(answer)
                with temporary.open("wb") as file:
                    written = sum(file.write(chunk) for chunk in answer.iter_bytes())
            temporary.replace(target)
        except httpx.TransportError as error:
            raise _unreachable(self.address, error) from error
        finally:
            temporary.unlink(missing_ok=True)
        return written

    def _poll(self, path: str, ended: Callable[[Json], bool], seen: Callable[[Json], None]) -> Json:
        return poll(lambda: self.request("GET", path), ended, seen)

    def follow_log(self, run: str) -> Iterator[Json]:
        """Yield log lines of a run until it has ended."""
        cursor = 0
        while True:
            over = self.run(run)["status"] in FINAL_RUN
            page = self.run_logs(run, cursor=cursor)
            yield from page["items"]
            moved = page["next"] is not None and page["next"] != cursor
            cursor = page["next"] if page["next"] is not None else cursor
            if over and not (moved and page["items"]):
                return
            if not page["items"]:
                time.sleep(0.5)


def _unreachable(address: str, error: Exception) -> Broken:
    return Broken(
        "server_unreachable",
        Text(en=f"No answer from {address}: {error}", zh=f"{address} 没有响应：{error}"),
        Text(en="Start the server with 'sandglass up'.", zh="请用 sandglass up 启动服务器。"),
    )


def _error(answer: httpx.Response) -> SandglassError:
    kind = _KINDS.get(answer.status_code, Broken)
    try:
        problem = answer.json()
        sentence = problem["detail"]
        for item in problem.get("errors") or []:
            sentence += f"\n  {item.get('field')}: {item.get('message')}"
        action = problem.get("action")
        return kind(
            problem["code"],
            Text(en=sentence, zh=sentence),
            Text(en=action, zh=action) if action else None,
            field=problem.get("field"),
        )
    except (json.JSONDecodeError, KeyError, TypeError):
        sentence = f"HTTP {answer.status_code}: {answer.text[:500]}"
        return Broken("unexpected_answer", Text(en=sentence, zh=sentence))
