"""Frames a second of the annotation workspace: 1,000 boxes on a picture of 4 megapixels, in Debian's Chromium.

A generated page is imported into a home of its own and opened in the real console. While the picture is moved, zoomed,
a box is dragged and boxes are linked, the browser counts the frames that it shows. The build of the console must be
there (``npm run build`` in ``console/``, or an installed wheel). Prints a table and a JSON line; exit code 1 when any
gesture is below the bar.

    python benchmarks/annotation_canvas.py --boxes 1000 --seconds 4
"""

import argparse
import io
import json
import platform
import random
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import httpx
from PIL import Image, ImageDraw
from playwright.sync_api import Page, sync_playwright

SIZE = (2000, 2000)
COLUMNS = 20
BAR = 50.0
CHROMIUM = "/usr/bin/chromium"
COUNT = """seconds => new Promise(resolve => {
  const times = [];
  const start = performance.now();
  const step = now => {
    times.push(now);
    if (performance.now() - start < seconds * 1000) requestAnimationFrame(step);
    else resolve(times);
  };
  requestAnimationFrame(step);
})"""


def make_page(count: int, seed: int) -> tuple[bytes, dict[str, object]]:
    """A page of ``count`` short texts, and its annotation: every second box is a value linked to the key before it."""
    numbers = random.Random(seed)
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    rows = -(-count // COLUMNS)
    width, height = SIZE[0] / COLUMNS, SIZE[1] / rows
    boxes = []
    for index in range(count):
        left, top = (index % COLUMNS) * width + 4, (index // COLUMNS) * height + 4
        right, bottom = left + width - 10, top + height - 8
        text = f"{numbers.randrange(10**6)}"
        draw.text((left + 4, top + 4), text, fill="black")
        value = index % 2 == 1
        box = {
            "id": f"b{index}", "polygon": [[left, top], [right, top], [right, bottom], [left, bottom]], "text": text,
            "role": "value" if value else "key", "field": ["total", "date", "number"][numbers.randrange(3)],
            "key_ids": [f"b{index - 1}"] if value else [],
        }  # fmt: skip
        boxes.append(box)
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue(), {"kind": "document", "boxes": boxes}


def start_server(home: Path) -> tuple[subprocess.Popen[bytes], str, dict[str, str]]:
    """The process, its address, and the headers that open it for the owner of its home."""
    command = [sys.executable, "-m", "sandglass.cli", "up", "--port", "0"]
    process = subprocess.Popen(
        command, env={"SANDGLASS_HOME": str(home), "PATH": "/usr/bin:/bin"}, stdout=subprocess.DEVNULL
    )
    told = home / "server.json"
    for _ in range(600):
        if told.exists() and (home / "owner.token").exists():
            address = str(json.loads(told.read_text("utf-8"))["address"])
            token = (home / "owner.token").read_text("utf-8").strip()
            return process, address, {"Authorization": f"Bearer {token}"}
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def prepare(address: str, headers: dict[str, str], folder: Path, count: int, seed: int) -> str:
    """Import the page with its annotation; returns the path of its workspace."""
    picture, annotation = make_page(count, seed)
    (folder / "page.png").write_bytes(picture)
    with httpx.Client(base_url=f"{address}/v1", timeout=120, trust_env=False, headers=headers) as http:
        job = http.post("/imports", json={"dataset": "speed", "scenario": "ocr", "folder": str(folder)}).json()
        while job["status"] in ("checking", "importing"):
            time.sleep(0.2)
            job = http.get(f"/imports/{job['id']}").json()
        sample = http.get("/datasets/speed/samples").json()["items"][0]["id"]
        body = {"annotation": annotation, "create": ["total", "date", "number"]}
        path = f"/datasets/speed/samples/{sample}/annotation"
        http.put(path, json=body, headers={"If-Match": "*"}).raise_for_status()
    return f"{address}/datasets/speed/annotate/{sample}"


def gestures(page: Page, seconds: float) -> dict[str, list[float]]:
    """Frame times in milliseconds of each gesture."""
    box = page.locator(".sg-stage").bounding_box()
    assert box is not None
    centre = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse, keyboard = page.mouse, page.keyboard

    def measure(act) -> list[float]:  # noqa: ANN001
        page.evaluate("seconds => { window.__frames = (" + COUNT + ")(seconds) }", seconds)
        end = time.monotonic() + seconds
        step = 0
        while time.monotonic() < end:
            act(step)
            step += 1
        times = page.evaluate("() => window.__frames")
        return [later - earlier for earlier, later in pairwise(times)]

    def wave(step: int, reach: float) -> float:
        return reach * ((step % 80) / 40 - 1 if step % 160 < 80 else 1 - (step % 80) / 40)

    found = {}
    found["idle"] = measure(lambda _: page.wait_for_timeout(100))
    keyboard.down(" ")
    mouse.move(*centre)
    mouse.down()
    found["move the picture"] = measure(
        lambda step: mouse.move(centre[0] + wave(step, 200), centre[1] + wave(step, 120))
    )
    mouse.up()
    keyboard.up(" ")
    keyboard.down("Control")
    mouse.move(*centre)
    found["zoom"] = measure(lambda step: mouse.wheel(0, -60 if step % 40 < 20 else 60))
    keyboard.up("Control")
    keyboard.press("f")
    first = page.evaluate(
        """() => { const s = window.sandglassStage; const b = s.element.getBoundingClientRect();
                   const p = s.pointsOf('b505'); const x = (p[0][0] + p[2][0]) / 2, y = (p[0][1] + p[2][1]) / 2;
                   return [b.left + x * s.view.scale + s.view.x, b.top + y * s.view.scale + s.view.y]; }"""
    )
    keyboard.press("v")
    mouse.click(*first)
    mouse.move(*first)
    mouse.down()
    found["drag a box"] = measure(lambda step: mouse.move(first[0] + wave(step, 150), first[1] + wave(step, 90)))
    mouse.up()
    keyboard.press("l")
    keys = page.evaluate(
        """() => { const s = window.sandglassStage; const b = s.element.getBoundingClientRect();
                   return [...Array(40).keys()].map(i => { const p = s.pointsOf('b' + i * 20);
                     const x = (p[0][0] + p[2][0]) / 2, y = (p[0][1] + p[2][1]) / 2;
                     return [b.left + x * s.view.scale + s.view.x, b.top + y * s.view.scale + s.view.y]; }); }"""
    )

    def link(step: int) -> None:
        mouse.click(*keys[step % len(keys)])
        for part in range(6):
            mouse.move(keys[step % len(keys)][0] + 12 * part, keys[step % len(keys)][1])

    found["link"] = measure(link)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boxes", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each gesture")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--screenshot", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        folder.mkdir()
        server, address, headers = start_server(Path(scratch) / "home")
        try:
            path = prepare(address, headers, folder, options.boxes, options.seed)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
                page = browser.new_page(
                    viewport={"width": 1440, "height": 900}, locale="en", extra_http_headers=headers
                )
                page.goto(path)
                page.wait_for_function("() => window.sandglassStage?.picture.image")
                page.wait_for_timeout(1500)
                found = gestures(page, options.seconds)
                if options.screenshot:
                    page.screenshot(path=options.screenshot)
                version = browser.version
                browser.close()
        finally:
            server.terminate()
            server.wait(30)
    rows = {}
    print(f"{options.boxes} boxes, {SIZE[0]}x{SIZE[1]} pixels, Chromium {version} without GPU, {platform.machine()}")
    print(f"{'gesture':20}{'frames/s':>10}{'median ms':>11}{'p95 ms':>9}")
    for name, times in found.items():
        ordered = sorted(times)
        fps = 1000 * len(times) / sum(times)
        middle, slow = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
        rows[name] = {"fps": round(fps, 1), "median_ms": round(middle, 1), "p95_ms": round(slow, 1)}
        print(f"{name:20}{fps:>10.1f}{middle:>11.1f}{slow:>9.1f}")
    print(json.dumps({"boxes": options.boxes, "seed": options.seed, "gestures": rows}))
    return int(any(row["fps"] < BAR for name, row in rows.items() if name != "idle"))


if __name__ == "__main__":
    raise SystemExit(main())
