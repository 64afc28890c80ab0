import json
import os
import signal
import subprocess
import sys

import httpx
import pytest
from harness import process_path, wait_for


class InstanceProcess:
    """One serving process over a model folder of the brightness scenario."""

    def __init__(self, folder, name, *, pause=0.0, model=None, extra=()):
        self.ready = folder / f"{name}.ready"
        self.log = folder / f"{name}.log"
        environment = os.environ | {"PYTHONPATH": process_path(folder)}
        command = [
            sys.executable,
            "-m",
            "sandglass.serving.instance",
            "--model",
            str(model or write_model(folder, pause)),
        ]
        command += ["--service", "s", "--model-id", "m", "--threads", "2", "--ready-file", str(self.ready), *extra]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def wait(self):
        def look():
            assert self.process.poll() is None, self.log.read_text()
            return self.ready.exists() and json.loads(self.ready.read_text())["address"]

        self.address = wait_for(look, what="the instance being ready")
        self.http = httpx.Client(base_url=self.address, timeout=30, trust_env=False)
        return self


def write_model(folder, pause=0.0):
    model = folder / "model"
    model.mkdir(exist_ok=True)
    (model / "manifest.json").write_text(json.dumps({"scenario": "brightness", "threshold": 0.0}))
    (model / "pause.txt").write_text(str(pause))
    (model / "centres.json").write_text(json.dumps({"dark": 0.0, "light": 255.0}))
    return model


@pytest.fixture
def instances(tmp_path):
    """Starts instances; ends what is left of them."""
    started = []

    def start(name="one", **options):
        started.append(InstanceProcess(tmp_path, name, **options))
        return started[-1]

    yield start
    for instance in started:
        if instance.process.poll() is None:
            instance.process.send_signal(signal.SIGKILL)
        instance.process.wait()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """An instance that several tests may ask."""
    instance = InstanceProcess(tmp_path_factory.mktemp("instance"), "shared").wait()
    yield instance
    instance.process.kill()
    instance.process.wait()
