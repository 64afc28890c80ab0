"""A kill at any moment leaves nothing "running" that is not, and nothing half-stored."""

import json
import os
import signal
import subprocess
import sys

import pytest
from harness import START, Server, processes_of, wait_for
from pictures import class_folder


def worker_of(server, run):
    return next(
        (
            process
            for process in processes_of(server.home)
            if process.cmdline()[-2:] == ["sandglass.learning.worker", run]
        ),
        None,
    )


def test_a_server_killed_during_an_import_leaves_no_half_dataset(server, tmp_path):
    class_folder(tmp_path / "many", 1500)
    job = server.post("/imports", {"dataset": "many", "scenario": "classification", "folder": str(tmp_path / "many")})
    wait_for(lambda: server.get(f"/imports/{job['id']}")["stored"] > 0, what="the first pictures being stored")
    server.kill()
    server.start()
    after = server.get(f"/imports/{job['id']}")
    assert after["status"] == "failed"
    assert after["error"]["code"] == "import_interrupted"
    server.refused("GET", "/datasets/many", 404, "dataset_not_found")
    assert not list((server.home / "imports").iterdir())
    assert server.import_folder("many", tmp_path / "many")["stored"] == 3000
    assert server.get("/datasets/many")["sample_count"] == 3000


def test_a_run_goes_on_without_its_server_and_is_evaluated_once(server):
    run = server.create_task("survivor", "grey", parameters={"pieces": 12, "pause": 0.3})["run"]["id"]
    server.wait_run(run, "running")
    server.kill()
    server.start()
    assert server.get(f"/runs/{run}")["status"] == "running"
    server.kill()
    wait_for(lambda: worker_of(server, run) is None, what="the end of the worker")
    server.start()
    assert server.get(f"/runs/{run}")["status"] == "succeeded"
    evaluation = server.get("/tasks/survivor/versions/1")["evaluation_run"]
    assert server.wait_run(evaluation["id"])["status"] == "succeeded"
    assert server.get("/tasks/survivor/versions/1/evaluations")["total"] == 1


def test_a_worker_killed_with_its_server_is_found_interrupted_and_restarts(server):
    run = server.create_task("unlucky", "grey", parameters={"pieces": 12, "pause": 0.3})["run"]["id"]
    wait_for(lambda: server.get(f"/runs/{run}")["best_score"] is not None, what="a first model")
    server.kill()
    os.killpg(os.getpgid(worker_of(server, run).pid), signal.SIGKILL)
    server.start()
    failed = server.wait_run(run)
    assert (failed["status"], failed["reason"]) == ("failed", "interrupted")
    assert "checkpoint" in failed["error"]["action"]
    again = server.post("/tasks/unlucky/versions/1/restart", status=202)
    assert again["id"] == run
    ended = server.wait_run(run)
    assert (ended["status"], ended["attempt"]) == ("succeeded", 2)
    assert ended["used_seconds"] > failed["used_seconds"] > 0
    attempts = {line["attempt"] for line in server.get(f"/runs/{run}/logs")["items"]}
    assert attempts == {1, 2}


def test_a_crashing_worker_is_told_with_its_signal(server):
    run = server.create_task("crash", "grey", parameters={"pieces": 3, "crash": True})["run"]["id"]
    failed = server.wait_run(run)
    assert (failed["status"], failed["reason"]) == ("failed", "interrupted")
    assert "signal 9" in failed["error"]["message"]


def test_a_killed_instance_is_replaced_and_says_why(server):
    server.post("/services", {"name": "sturdy", "task": "trained"}, status=202)
    server.wait_service("sturdy", "running")
    instance = next(p for p in processes_of(server.home) if "sandglass.serving.instance" in p.cmdline()[1:3])
    instance.kill()
    wait_for(lambda: server.get("/services/sturdy")["instances"][0]["restarts"] == 1, what="the restart")
    state = server.wait_service("sturdy", "running")
    assert "137" in state["instances"][0]["reason"]
    server.kill()
    survivors = [p for p in processes_of(server.home) if "sandglass.serving.instance" in p.cmdline()[1:3]]
    assert survivors
    server.start()
    assert server.get("/services/sturdy")["status"] == "running"
    assert [p.pid for p in processes_of(server.home) if "sandglass.serving.instance" in p.cmdline()[1:3]] == [
        p.pid for p in survivors
    ]


def test_a_service_ends_when_its_time_is_up(server):
    server.post("/services", {"name": "brief", "task": "trained", "max_run_seconds": 4}, status=202)
    server.wait_service("brief", "running")
    server.post("/services/brief/extend", {"seconds": 2})
    ended = server.wait_service("brief", "stopped", seconds=20)
    assert ended["reason"] == "time_limit"
    assert ended["remaining_seconds"] == 0
    server.refused("POST", "/services/brief/extend", 409, "service_ended", {"seconds": 5})


def test_a_second_server_on_one_home_is_refused(server):
    second = subprocess.run(
        [sys.executable, "-c", START], env=server.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode != 0
    assert f"process {server.process.pid}" in second.stderr
    assert server.address in second.stderr
    assert json.loads((server.home / "server.json").read_text())["pid"] == server.process.pid


@pytest.mark.timeout(60)
def test_a_server_leaves_when_there_is_nothing_to_do(tmp_path):
    server = Server(tmp_path / "home").start("1.5")
    server.get("/health")
    assert server.process.wait(20) == 0
    assert not (server.home / "server.json").exists()
