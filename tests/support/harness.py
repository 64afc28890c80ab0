"""A real server process over a home of its own, and what tests need to wait for."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil

START = (
    "import sys; from sandglass.api.server import serve; from sandglass.core.settings import Settings; "
    "serve(Settings(port=0), idle_exit_seconds=float(sys.argv[1]) if len(sys.argv) > 1 else None)"
)
FINAL = ("stopped", "failed", "succeeded")


def wait_for(look, *, seconds=60.0, what="it"):
    """The first true answer of ``look``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def process_path(folder: Path) -> str:
    """``PYTHONPATH`` of a process that is to find these helpers and the scenario installed under ``folder``."""
    return os.pathsep.join([str(Path(__file__).parent), str(install_scenario(folder))])


def install_scenario(folder: Path) -> Path:
    """Install the scenario of `brightness` the way any package brings one: by an entry point."""
    facts = folder / "brightness_scenario-1.0.dist-info"
    facts.mkdir(exist_ok=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: brightness-scenario\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[sandglass.scenarios]\nbrightness = brightness:Brightness\n")
    return folder


class Server:
    def __init__(self, home: Path, **variables: str) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.environment = os.environ | {
            "SANDGLASS_HOME": str(home),
            "PYTHONPATH": process_path(home.parent),
            "OMP_NUM_THREADS": "1",
            **variables,
        }
        self.process = None
        self.http = None

    def start(self, *arguments: str):
        self.log = (self.home / "server.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, *arguments], env=self.environment, stdout=self.log, stderr=self.log
        )
        wait_for(self._announced, what="the start of the server")
        self.address = json.loads((self.home / "server.json").read_text())["address"]
        self.http = self.client((self.home / "owner.token").read_text())
        return self

    def client(self, token=None):
        """Another caller: with a token or key, or with none."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=f"{self.address}/v1", timeout=60, trust_env=False, headers=headers)

    def _announced(self):
        assert self.process.poll() is None, (self.home / "server.log").read_text()[-3000:]
        try:
            return json.loads((self.home / "server.json").read_text())["pid"] == self.process.pid
        except (OSError, ValueError):
            return False

    def kill(self):
        """As a power cut would end it."""
        self.process.kill()
        self.process.wait()
        self.http.close()

    def stop(self):
        """As Ctrl+C would end it, after what it runs."""
        for run in self.get("/activity")["runs"]:
            self.http.post(f"/runs/{run['id']}/stop")
        for service in self.get("/services", limit=200)["items"]:
            self.http.post(f"/services/{service['name']}/stop")
        wait_for(
            lambda: not self.get("/activity")["runs"] and not self.get("/activity")["services"], what="the end of work"
        )
        self.end()

    def end(self):
        self.http.close()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0
        self.log.close()

    # Requests

    def get(self, path, **query):
        answer = self.http.get(path, params=query)
        assert answer.is_success, answer.text
        return answer.json()

    def post(self, path, body=None, *, status=None):
        answer = self.http.post(path, json=body)
        assert answer.is_success if status is None else answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def refused(self, method, path, status, code, body=None, **options):
        """The problem detail of a request that must fail in just this way."""
        if body is not None:
            options["json"] = body
        answer = self.http.request(method, path, **options)
        assert answer.status_code == status, answer.text
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["code"] == code, problem
        assert problem["status"] == status
        assert problem["detail"]
        return problem

    def import_folder(self, name, folder, *, scenario="classification", **more):
        job = self.post("/imports", {"dataset": name, "scenario": scenario, "folder": str(folder), **more})
        return self.wait_import(job["id"])

    def wait_import(self, job_id):
        return wait_for(
            lambda: (job := self.get(f"/imports/{job_id}"))["status"] not in ("checking", "importing") and job,
            what=f"import {job_id}",
        )

    def create_task(self, name, *train, parameters=None, **more):
        body = {"name": name, "scenario": "brightness", "train": list(train), "parameters": parameters or {}, **more}
        return self.post("/tasks", body, status=202)

    def wait_run(self, run_id, *statuses, seconds=90.0):
        wanted = statuses or FINAL
        return wait_for(
            lambda: (run := self.get(f"/runs/{run_id}"))["status"] in wanted and run,
            seconds=seconds,
            what=f"run {run_id} being {wanted}",
        )

    def wait_service(self, name, *statuses, seconds=60.0):
        return wait_for(
            lambda: (state := self.get(f"/services/{name}"))["status"] in statuses and state,
            seconds=seconds,
            what=f"service {name} being {statuses}",
        )


def processes_of(home: Path):
    """Processes of workers and instances over ``home`` that are alive."""
    found = []
    for process in psutil.process_iter(["environ", "status"]):
        environ = process.info["environ"] or {}
        if environ.get("SANDGLASS_HOME") == str(home) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found
