"""Browsing a large dataset: lists, filters, distribution, bulk changes and versions; with a browser, scrolling too.

python benchmarks/dataset_browsing.py WORK_FOLDER [--samples 100000] [--kind classes|documents] [--browser CHROMIUM]

Sample rows are generated with seed 0 and point to a few hundred generated pictures: what is measured is rows, indexes,
answers and the grid, not the decoding of a hundred thousand files. Prints a table and one line of JSON.
"""

import argparse
import io
import json
import os
import platform
import random
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx
from PIL import Image, ImageDraw
from sqlalchemy import insert

from sandglass.core.settings import Settings
from sandglass.core.time import utc_now
from sandglass.store.db import Database, migrate
from sandglass.store.objects import Objects
from sandglass.store.tables import Dataset, SampleLabel, SampleRow, new_id
from sandglass.studio.labels import label_rows, register_labels

PICTURES = 300
LABELS = [f"label-{number:02}" for number in range(40)]
PARTS = [None, None, "train", "train", "train", "validation", "test"]
REPEATS = 20


def fill(home: Path, count: int, kind: str) -> None:
    """A dataset of ``count`` rows, a tenth of them unlabelled, labels with a long tail."""
    settings = Settings(home=home)
    database, objects = Database(settings.database), Objects(settings.objects)
    migrate(database)
    rng = random.Random(0)
    stored = []
    for number in range(PICTURES):
        picture = Image.new("RGB", (320, 240), (rng.randrange(256), rng.randrange(256), rng.randrange(256)))
        ImageDraw.Draw(picture).text((20, 100), str(number), fill=(255, 255, 255))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=80)
        stored.append((objects.put(buffer.getvalue()), len(buffer.getvalue())))
    weights = [1 / (rank + 1) for rank in range(len(LABELS))]
    with database.write() as session:
        scenario = "classification" if kind == "classes" else "ocr"
        dataset = Dataset(name="large", scenario=scenario, revision=1)
        session.add(dataset)
        session.flush()
        register_labels(session, dataset.id, LABELS)
        for start in range(0, count, 2000):
            rows, labels = [], []
            for number in range(start, min(count, start + 2000)):
                digest, size = stored[number % PICTURES]
                label = rng.choices(LABELS, weights)[0]
                annotation = None if number % 10 == 0 else annotate(kind, label, rng)
                row = {
                    "id": new_id("sm"),
                    "dataset_id": dataset.id,
                    "path": f"{number // 1000:03}/{number:06}.jpg",
                    "digest": digest,
                    "width": 320,
                    "height": 240,
                    "size": size,
                    "state": "unlabelled" if annotation is None else "labelled",
                    "part": rng.choice(PARTS),
                    "group": None,
                    "annotation": annotation,
                    "revision": 1,
                    "updated_at": utc_now(),
                }
                rows.append(row)
                labels += label_rows(row["id"], dataset.id, annotation)
            session.execute(insert(SampleRow), rows)
            session.execute(insert(SampleLabel), labels)
    database.dispose()


def annotate(kind: str, label: str, rng: random.Random) -> dict:
    """A class, or a page of thirty text boxes with three fields."""
    if kind == "classes":
        return {"kind": "classes", "labels": [label]}
    boxes, values = [], []
    for number in range(30):
        x, y = rng.randrange(200), number * 8
        polygon = [[x, y], [x + 80, y], [x + 80, y + 6], [x, y + 6]]
        field = (label, "total", "date")[number] if number < 3 else None
        boxes.append(
            {
                "id": f"b{number}",
                "polygon": polygon,
                "text": f"text {number}",
                "field": field,
                "role": "background",
                "direction": "horizontal",
                "key_ids": [],
            }
        )
        if field:
            values.append({"field": field, "text": f"text {number}", "box_ids": [f"b{number}"]})
    return {"kind": "document", "boxes": boxes, "values": values, "absent": []}


def timed(client: httpx.Client, path: str, **query: str | int) -> list[float]:
    """Milliseconds of each of `REPEATS` requests."""
    found = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        client.get(path, params=query).raise_for_status()
        found.append((time.perf_counter() - began) * 1000)
    return found


def once(client: httpx.Client, method: str, path: str, body: object = None) -> list[float]:
    """Milliseconds of one request."""
    began = time.perf_counter()
    client.request(method, path, json=body).raise_for_status()
    return [(time.perf_counter() - began) * 1000]


def scroll(address: str, token: str, chromium: str) -> dict[str, float]:
    """Frames a second while the grid is scrolled from top to bottom, and the longest frame."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(
            base_url=address,
            viewport={"width": 1440, "height": 900},
            locale="en",
            extra_http_headers={"Authorization": f"Bearer {token}"},
        )
        page.goto("/datasets/large")
        page.locator(".sg-tile-picture img").first.wait_for()
        page.wait_for_timeout(1500)
        frames = page.evaluate(
            """async () => {
                 const box = document.querySelector('.sg-samples');
                 const frames = [];
                 const until = performance.now() + 6000;
                 let before = await new Promise(requestAnimationFrame);
                 while (performance.now() < until) {
                   box.scrollTop += 90;
                   const now = await new Promise(requestAnimationFrame);
                   frames.push(now - before);
                   before = now;
                 }
                 return frames;
               }"""
        )
        began = time.perf_counter()
        page.evaluate(
            "() => { const box = document.querySelector('.sg-samples'); box.scrollTop = box.scrollHeight / 2; }"
        )
        page.wait_for_function("() => document.querySelectorAll('.sg-tile-picture img').length > 6")
        jump = (time.perf_counter() - began) * 1000
        browser.close()
    ordered = sorted(frames)
    return {
        "frames_per_second": 1000 * len(frames) / sum(frames),
        "frame_p95_ms": ordered[int(len(ordered) * 0.95)],
        "frame_worst_ms": ordered[-1],
        "jump_to_middle_ms": jump,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="is emptied and filled")
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--kind", choices=("classes", "documents"), default="classes")
    parser.add_argument("--browser", help="Chromium to scroll with; the console must be built")
    parser.add_argument(
        "--reuse", action="store_true", help="measure on the rows that an earlier call left in the folder"
    )
    options = parser.parse_args()
    home = options.folder / "home"
    began = time.perf_counter()
    if not options.reuse:
        shutil.rmtree(options.folder, ignore_errors=True)
        fill(home, options.samples, options.kind)
    print(f"{options.samples} rows in {time.perf_counter() - began:.0f} s; Python {platform.python_version()}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "sandglass.cli", "up", "--port", str(port)]
    server = subprocess.Popen(command, env={**os.environ, "SANDGLASS_HOME": str(home)}, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    client = httpx.Client(base_url=f"{address}/v1", timeout=300, trust_env=False)
    try:
        while True:
            try:
                client.get("/health").raise_for_status()
                token = (home / "owner.token").read_text("utf-8").strip()
                break
            except (httpx.TransportError, FileNotFoundError):
                time.sleep(0.2)
        client.headers["Authorization"] = f"Bearer {token}"
        found = measure(client, options.samples)
        scrolled = scroll(address, token, options.browser) if options.browser else {}
    finally:
        server.terminate()
        server.wait()
    print(f"{'what':44} {'p50 ms':>9} {'p95 ms':>9}")
    table = {}
    for name, times in found.items():
        p95 = sorted(times)[max(0, int(len(times) * 0.95) - 1)]
        table[name] = {"p50": round(statistics.median(times), 1), "p95": round(p95, 1)}
        print(f"{name:44} {table[name]['p50']:>9} {table[name]['p95']:>9}")
    for name, value in scrolled.items():
        print(f"{name:44} {value:>9.1f}")
    print(json.dumps({"samples": options.samples, "kind": options.kind, "seed": 0, **table, **scrolled}))


def measure(client: httpx.Client, count: int) -> dict[str, list[float]]:
    """Times by what was asked."""
    samples, large = "/datasets/large/samples", "/datasets/large"
    labels = client.get(f"{large}/labels").json()["items"]
    common, rare = labels[0]["label"], labels[-1]["label"]
    cold = once(client, "GET", large)
    cursor = client.get(samples, params={"limit": 60, "offset": count // 2}).json()["next"]
    return {
        "dataset counts, first look": cold,
        "dataset list": timed(client, "/datasets"),
        "label distribution": timed(client, f"{large}/labels"),
        "first page": timed(client, samples, limit=60),
        "first page with annotations": timed(client, samples, limit=60, annotations="true"),
        "jump to the middle by place": timed(client, samples, limit=60, offset=count // 2),
        "jump to the end by place": timed(client, samples, limit=60, offset=count - 60),
        "next page by cursor": timed(client, samples, limit=60, cursor=cursor),
        "latest changed first": timed(client, samples, limit=60, sort="updated"),
        "filter: frequent label": timed(client, samples, limit=60, label=common),
        "filter: frequent label, deep": timed(client, samples, limit=60, label=common, offset=count // 10),
        "filter: rare label": timed(client, samples, limit=60, label=rare),
        "filter: state": timed(client, samples, limit=60, state="unlabelled"),
        "filter: split": timed(client, samples, limit=60, part="test"),
        "filter: text": timed(client, samples, limit=60, q="99/0995"),
        "filter: label and state and split": timed(
            client, samples, limit=60, label=common, state="labelled", part="test"
        ),
        "mark all as training, once": once(
            client, "POST", f"{samples}/bulk", {"action": "mark", "part": "train", "selection": {"filter": {}}}
        ),
        "rename the most frequent label, once": once(
            client, "POST", f"{large}/labels/rename", {"label": common, "to": "renamed"}
        ),
        "publish a version, once": once(client, "POST", f"{large}/versions"),
        "rename back, once": once(client, "POST", f"{large}/labels/rename", {"label": "renamed", "to": common}),
        "compare version and draft, once": once(client, "GET", f"{large}/compare?a=1"),
        "restore the version, once": once(client, "POST", f"{large}/versions/1/restore"),
    }


if __name__ == "__main__":
    main()
