"""Reading of receipt pages: text found and time a page, against stock RapidOCR in the same run.

    python benchmarks/ocr_reading.py DATA [--pages 24] [--threads 2] [--json out.json]

DATA is a folder in SROIE format with a split.json. Readers take turns page by page, so all see the same machine.
A line is right when a labelled box with the same text (letters and digits) lies at its place (overlap >= 0.5).
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from sandglass.core.geometry import Box, bounding_box
from sandglass.core.picture import Picture, decode_picture
from sandglass.scenarios.ocr.fields.compare import normal_form
from sandglass.scenarios.ocr.reading import Reader

Line = tuple[str, Box]


def stock(threads: int) -> Callable[[Picture], list[Line]]:
    from rapidocr import RapidOCR

    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )

    def read(picture: Picture) -> list[Line]:
        answer = engine(picture)
        if answer.boxes is None:
            return []
        return [(text, bounding_box(map(tuple, box))) for text, box in zip(answer.txts, answer.boxes, strict=True)]

    return read


def ours(mode: str, threads: int) -> Callable[[Picture], list[Line]]:
    reader = Reader.from_weights(mode, threads=threads)
    return lambda picture: [(line.text, bounding_box(line.polygon)) for line in reader.read(picture)]


def labelled(path: Path) -> list[Line]:
    lines = []
    for row in path.read_text("utf-8").splitlines():
        parts = row.split(",", 8)
        if len(parts) == 9:
            numbers = list(map(float, parts[:8]))
            lines.append((parts[8], bounding_box(zip(numbers[::2], numbers[1::2], strict=True))))
    return lines


def right_lines(truth: list[Line], read: list[Line]) -> int:
    free = list(range(len(truth)))
    right = 0
    for text, box in read:
        same = [i for i in free if truth[i][1].iou(box) >= 0.5 and normal_form(truth[i][0]) == normal_form(text)]
        if same:
            free.remove(same[0])
            right += 1
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--pages", type=int, default=24)
    parser.add_argument("--part", default="test")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    names = json.loads((options.data / "split.json").read_text())[options.part][: options.pages]
    readers = {"stock RapidOCR": stock(options.threads)}
    readers |= {f"sandglass {mode}": ours(mode, options.threads) for mode in ("accurate", "fast")}
    times: dict[str, list[float]] = {name: [] for name in readers}
    counts = {name: np.zeros(3, int) for name in readers}
    for number, name in enumerate([names[0], *names]):
        picture = decode_picture((options.data / "images" / f"{name}.jpg").read_bytes())
        truth = labelled(options.data / "boxes" / f"{name}.txt")
        turn = list(readers.items())
        for reader_name, read in turn[number % 3 :] + turn[: number % 3]:
            started = time.perf_counter()
            lines = read(picture)
            elapsed = (time.perf_counter() - started) * 1000
            if number:  # the first page only warms up
                times[reader_name].append(elapsed)
                counts[reader_name] += (right_lines(truth, lines), len(lines), len(truth))
    base = statistics.median(times["stock RapidOCR"])
    rows = []
    for name in readers:
        right, read_count, true_count = counts[name]
        median = statistics.median(times[name])
        rows.append(
            {
                "reader": name,
                "line_f1": round(float(2 * right / (read_count + true_count)), 4),
                "precision": round(float(right / read_count), 4),
                "recall": round(float(right / true_count), 4),
                "ms_median": round(median, 1),
                "ms_mean": round(statistics.mean(times[name]), 1),
                "times_faster": round(base / median, 2),
            }
        )
    machine = {"machine": platform.processor() or platform.machine(), "threads": options.threads, "pages": len(names)}
    versions = {
        package: version(package) for package in ("rapidocr", "onnxruntime", "openvino", "opencv-python-headless")
    }
    print(json.dumps({**machine, **versions}))
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "versions": versions, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
