"""A home with a dataset and a trained task, made once and copied for each test that needs one."""

import shutil
from pathlib import Path

from harness import Server
from pictures import class_folder


def make_trained_home(folder: Path) -> Path:
    """Dataset ``grey`` (24 pictures, imported), task ``trained`` with its model and its evaluation."""
    server = Server(folder / "home").start()
    assert server.import_folder("grey", class_folder(folder / "grey"))["status"] == "done"
    run = server.create_task("trained", "grey")["run"]["id"]
    assert server.wait_run(run)["status"] == "succeeded"
    evaluation = server.get("/tasks/trained/versions/1")["evaluation_run"]
    assert server.wait_run(evaluation["id"])["status"] == "succeeded"
    server.end()
    return server.home


def copy_home(home: Path, folder: Path) -> Path:
    """A copy of a home that no server serves."""
    shutil.copytree(home, folder / "home")
    return folder / "home"
