"""Serving: what gateway and HTTP add to the bare model, throughput under load, memory over time.

    python benchmarks/serving.py PICTURES [--model FOLDER] [--clients 8] [--seconds 20] [--soak 0] [--peer] [--json out.json]

PICTURES is a folder of pictures. Without a model folder the stock page reader (OCR, accurate) is served. The model is
published in a fresh home and asked over HTTP through the real server, gateway and instance, on loopback alone.
Parts, each in turns with what it is compared with, so that all see the same machine:

overhead     one request at a time: the bare model on a decoded picture, the instance asked directly, the gateway
load         ``--clients`` at once for ``--seconds``, beside one-at-a-time stock RapidOCR (OCR only)
soak         moderate load for ``--soak`` seconds: memory of server and instances at the start and at the end
peer         litserve with the same model, the same clients and seconds
"""

import argparse
import http.client
import io
import json
import os
import platform
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from PIL import Image

from sandglass.client import Client
from sandglass.core.picture import SUFFIXES, decode_picture
from sandglass.scenarios.base import PredictOptions, Query, get_scenario
from sandglass.store.db import Database, migrate
from sandglass.store.folders import put_folder
from sandglass.store.objects import Objects
from sandglass.store.tables import Model, Run, Task, TaskVersion

SERVICE = "benchmark"
SMALL = (320, 64)


def stock_model(folder: Path) -> Path:
    """A model folder of the stock page reader, without fields."""
    from sandglass.scenarios.ocr.predictor import ReaderChoice, write_model
    from sandglass.scenarios.ocr.reading import reader_files

    write_model(folder, ReaderChoice("accurate", reader_files("accurate")), None)
    (folder / "manifest.json").write_text(json.dumps({"scenario": "ocr", "labels": [], "threshold": 0.5, "score": 0.0}))
    return folder


def seed(home: Path, model: Path) -> None:
    """A home with one task whose model is the folder's."""
    manifest = json.loads((model / "manifest.json").read_text("utf-8"))
    home.mkdir(parents=True)
    database = Database(f"sqlite:///{home / 'sandglass.db'}")
    migrate(database)
    files = put_folder(Objects((home / "objects").as_uri()), model)
    with database.write() as session:
        task = Task(name="task", scenario=manifest["scenario"])
        session.add(task)
        session.flush()
        number = TaskVersion(task_id=task.id, number=1, settings={})
        session.add(number)
        session.flush()
        run = Run(task_version_id=number.id, kind="training", status="succeeded", settings={})
        session.add(run)
        session.flush()
        session.add(
            Model(run_id=run.id, scenario=task.scenario, score=float(manifest["score"]), manifest=manifest, files=files)
        )
    database.dispose()


class Server:
    """The real server over a home, with the model published."""

    def __init__(self, home: Path, spec: str) -> None:
        self.home = home
        command = [sys.executable, "-m", "sandglass.cli", "up", "--home", str(home), "--port", "0", "--no-login"]
        self.log = (home / "server.log").open("ab")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        state = home / "server.json"
        while not state.exists():
            assert self.process.poll() is None, (home / "server.log").read_text()
            time.sleep(0.05)
        self.address = json.loads(state.read_text())["address"]
        self.client = Client(self.address)
        body = {"name": SERVICE, "task": "task", "spec": spec, "max_run_seconds": None, "limits": {"queue": 1000}}
        self.client.publish(body)
        view = self.client.wait_for_service(SERVICE)
        assert view["status"] == "running", view["error"]
        files = sorted((home / "instances").glob("wk-*.json"))
        self.instance = json.loads(files[-1].read_text())

    def memory(self) -> dict[str, float]:
        """MiB of the server and of the instance."""
        return {
            "server": psutil.Process(self.process.pid).memory_info().rss / 2**20,
            "instance": psutil.Process(self.instance["pid"]).memory_info().rss / 2**20,
        }

    def close(self) -> None:
        self.client.stop_service(SERVICE)
        self.client.wait_for_service(SERVICE, until=("stopped", "create_failed"))
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def multipart(data: bytes) -> tuple[bytes, dict[str, str]]:
    edge = "sandglass-benchmark"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="p.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    return head.encode() + data + f"\r\n--{edge}--\r\n".encode(), {
        "Content-Type": f"multipart/form-data; boundary={edge}"
    }


class Caller:
    """One kept connection; the standard library's, which takes little time of its own."""

    def __init__(self, address: str, path: str) -> None:
        host, _, port = address.removeprefix("http://").partition(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=120)
        self._connection.connect()
        assert isinstance(self._connection.sock, socket.socket)
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._path = path

    def ask(self, body: bytes, headers: dict[str, str]) -> int:
        self._connection.request("POST", self._path, body, headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def overhead(server: Server, model: Path, picture: bytes, threads: int, rounds: int) -> dict[str, float]:
    scenario = json.loads((model / "manifest.json").read_text())["scenario"]
    predictor = get_scenario(scenario).load(model, threads=threads)
    decoded = decode_picture(picture)
    height, width = decoded.shape[:2]
    query = Query(lambda: decoded, width, height)
    body, headers = multipart(picture)
    direct = Caller(server.instance["address"], "/predict")
    through = Caller(server.address, f"/v1/services/{SERVICE}/predict")
    times: dict[str, list[float]] = {"bare": [], "instance": [], "gateway": []}
    for round_ in range(rounds + 5):
        took = {
            "bare": milliseconds(lambda: predictor.predict([query], PredictOptions())),
            "instance": milliseconds(lambda: direct.ask(body, headers)),
            "gateway": milliseconds(lambda: through.ask(body, headers)),
        }
        if round_ >= 5:
            for name, value in took.items():
                times[name].append(value)
    middle = {name: statistics.median(values) for name, values in times.items()}
    return {f"{name}_p50_ms": value for name, value in middle.items()} | {
        "added_by_instance_ms": middle["instance"] - middle["bare"],
        "added_in_all_ms": middle["gateway"] - middle["bare"],
    }


def load(address: str, path: str, pictures: Sequence[bytes], clients: int, seconds: float) -> dict[str, Any]:
    """Requests for a time from several connections at once."""
    bodies = [multipart(picture) for picture in pictures]
    times: list[float] = []
    statuses: dict[int, int] = {}
    end = time.perf_counter() + seconds
    lock = threading.Lock()

    def ask(number: int) -> None:
        caller = Caller(address, path)
        pick = random.Random(number)
        while time.perf_counter() < end:
            body, headers = pick.choice(bodies)
            began = time.perf_counter()
            status = caller.ask(body, headers)
            took = (time.perf_counter() - began) * 1000
            with lock:
                times.append(took)
                statuses[status] = statuses.get(status, 0) + 1

    began = time.perf_counter()
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.perf_counter() - began
    times.sort()
    return {
        "requests": len(times),
        "per_second": len(times) / spent,
        "p50_ms": times[len(times) // 2],
        "p95_ms": times[int(len(times) * 0.95)],
        "p99_ms": times[min(len(times) - 1, int(len(times) * 0.99))],
        "statuses": statuses,
    }


def rapidocr(pictures: Sequence[bytes], threads: int, seconds: float) -> float:
    """Pages a second of stock RapidOCR, one at a time."""
    from rapidocr import RapidOCR

    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
    decoded = [decode_picture(picture) for picture in pictures]
    engine(decoded[0])
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        engine(decoded[count % len(decoded)])
        count += 1
    return count / (time.perf_counter() - began)


def soak(server: Server, pictures: Sequence[bytes], seconds: float) -> dict[str, Any]:
    """Two clients for a time; memory after the first tenth and at the end."""
    path = f"/v1/services/{SERVICE}/predict"
    first = load(server.address, path, pictures, 2, seconds / 10)
    before = server.memory()
    rest = load(server.address, path, pictures, 2, seconds * 0.9)
    after = server.memory()
    growth = {f"{name}_growth_mb": after[name] - before[name] for name in before}
    return {"requests": first["requests"] + rest["requests"], "statuses": rest["statuses"], **growth} | {
        f"{name}_mb": value for name, value in after.items()
    }


PEER = """
import io, sys
from pathlib import Path
import litserve
from fastapi import Request
from sandglass.core.picture import decode_picture
from sandglass.scenarios.base import PredictOptions, Query, get_scenario

class Api(litserve.LitAPI):
    def setup(self, device):
        self.predictor = get_scenario(sys.argv[2]).load(Path(sys.argv[1]), threads=int(sys.argv[3]))
    def decode_request(self, request):
        return decode_picture(request["files"].file.read())
    def predict(self, picture):
        height, width = picture.shape[:2]
        return self.predictor.predict([Query(lambda: picture, width, height)], PredictOptions())[0]
    def encode_response(self, answer):
        return answer.model_dump(mode="json")

if __name__ == "__main__":
    server = litserve.LitServer(Api(), accelerator="cpu", workers_per_device=1, timeout=120)
    server.run(host="127.0.0.1", port=int(sys.argv[4]), generate_client_file=False, log_level="error")
"""


def peer(
    model: Path, threads: int, folder: Path, pictures: Sequence[bytes], clients: int, seconds: float
) -> dict[str, Any]:
    scenario = json.loads((model / "manifest.json").read_text())["scenario"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = folder / "peer.py"
    script.write_text(textwrap.dedent(PEER))
    command = [sys.executable, str(script), str(model), scenario, str(threads), str(port)]
    environment = os.environ | {"SANDGLASS_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    with (folder / "peer.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                Caller(f"http://127.0.0.1:{port}", "/predict").ask(*multipart(pictures[0]))
                break
            except OSError:
                time.sleep(0.3)
        return load(f"http://127.0.0.1:{port}", "/predict", pictures, clients, seconds)
    finally:
        os.killpg(process.pid, signal.SIGKILL)


def small_picture(data: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").resize(SMALL).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--model", type=Path, help="model folder; the stock page reader unless given")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=100, help="of the overhead part")
    parser.add_argument("--most", type=int, default=16, help="pictures to use")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--soak", type=float, default=0.0)
    parser.add_argument("--peer", action="store_true", help="litserve with the same model")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = sorted(path for path in options.pictures.rglob("*") if path.suffix.lower() in SUFFIXES)[: options.most]
    pictures = [path.read_bytes() for path in found]
    spec = {1: "1C2G", 2: "2C4G", 4: "4C8G", 8: "8C16G"}[options.threads]
    results = _Results()
    results["machine"] = {"cores": os.cpu_count(), "processor": platform.machine(), "load": os.getloadavg()[0]}
    results["versions"] = {name: version(name) for name in ("sandglass", "onnxruntime", "uvicorn", "fastapi")}
    results["settings"] = {"threads": options.threads, "pictures": len(pictures), "clients": options.clients}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = options.model or stock_model(_made(folder / "model"))
        seed(folder / "home", model)
        server = Server(folder / "home", spec)
        try:
            tiny = small_picture(pictures[0])
            results["overhead"] = overhead(server, model, tiny, options.threads, options.rounds)
            path = f"/v1/services/{SERVICE}/predict"
            load(server.address, path, pictures, options.clients, 2)  # warm
            reading = json.loads((model / "manifest.json").read_text())["scenario"] == "ocr"
            stock = rapidocr(pictures, options.threads, options.seconds / 2) if reading else None
            loaded = load(server.address, path, pictures, options.clients, options.seconds)
            if stock is not None:
                stock = (stock + rapidocr(pictures, options.threads, options.seconds / 2)) / 2
                loaded |= {"stock_per_second": stock, "against_stock": loaded["per_second"] / stock}
            results["load"] = loaded
            if options.peer:
                results["load_peer_litserve"] = peer(
                    model, options.threads, folder, pictures, options.clients, options.seconds
                )
            if options.soak:
                results["soak"] = soak(server, pictures, options.soak)
        finally:
            server.close()
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


class _Results(dict[str, Any]):
    """Prints each part as soon as it is there."""

    def __setitem__(self, part: str, values: object) -> None:
        super().__setitem__(part, values)
        print(part, flush=True)
        for key, value in values.items() if isinstance(values, dict) else [("", values)]:
            print(f"  {key:24} {value:.2f}" if isinstance(value, float) else f"  {key:24} {value}", flush=True)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
