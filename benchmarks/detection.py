"""Object detection: the product against the fixed recipe of the same network, in the same minutes on the same machine.

    python benchmarks/detection.py DATA --minutes 20 [--seed 0] [--threads 2] [--part validation] [--json FILE]

DATA is a folder in any format with boxes; its train, validation and test marks are followed (without validation marks a
fifth of the training part is held out by group). Measured once at the end, on the test part or with ``--part
validation`` without touching it. The product is what a training run does: search over its candidates, best model so far
stored, answers by the stored folder alone. The fixed recipe starts from the same weights at 416 pixels, with mirrored
pictures, one-cycle learning rate and the last weights. Scores over time are those of each model that was the best so far.
"""

import argparse
import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from sandglass.core.annotation import ObjectsAnnotation
from sandglass.core.prediction import ObjectsPrediction
from sandglass.core.sample import Part, Sample
from sandglass.core.time import Deadline, utc_now
from sandglass.evaluation import Results, measure
from sandglass.formats.base import FoundSample
from sandglass.formats.registry import read_dataset
from sandglass.learning.manifest import ModelManifest
from sandglass.learning.models import write_json
from sandglass.learning.search import LEAST_RESERVE, Search
from sandglass.learning.split import split_samples
from sandglass.scenarios.base import (
    Candidate,
    Example,
    FitContext,
    LearningData,
    PredictOptions,
    TrainingPlan,
    get_scenario,
)
from sandglass.scenarios.detection.augment import Variation
from sandglass.scenarios.detection.network.train import DetectionTrainer
from sandglass.scenarios.detection.predictor import as_prediction
from sandglass.scenarios.detection.recipe import Recipe
from sandglass.scenarios.detection.shelf import Shelf, labelled
from sandglass.scenarios.detection.view import View, detect, lay

EVERYTHING = PredictOptions(threshold=0.0)
FIXED = Recipe(
    View(416, 416),
    steps=1_000_000,
    decay=0.0,
    variation=Variation(smallest=1.0, largest=1.0, stretch=1.0, light=0.0),
    scales=(1.0, 1.0),
)


class Screen:
    """Prints what a run would write into its journal."""

    def stage(self, name: str, low: float, high: float) -> None:
        print(f"-- {name}", flush=True)

    def progress(self, fraction: float) -> None:
        pass

    def metric(self, name: str, value: float) -> None:
        pass

    def event(self, kind: str, data: dict[str, object], **columns: object) -> None:
        pass

    def log(self, message: str, *, level: str = "info") -> None:
        print(f"   {message}", flush=True)


def load(root: Path) -> list[Example]:
    reading = read_dataset(root, kind="objects")
    found = [item for item in reading.found if isinstance(item, FoundSample)]
    return [Example(item.sample, item.source.read_bytes) for item in found if item.sample.annotation is not None]


def parts_of(examples: Sequence[Example], seed: int) -> dict[Part, list[Example]]:
    by_path = {example.sample.path: example for example in examples}
    samples: list[Sample] = [example.sample for example in examples]
    split = split_samples(samples, validation_percent=20, test_percent=20, use_marks=True, seed=seed)
    named = {Part.TRAIN: split.train, Part.VALIDATION: split.validation, Part.TEST: split.test}
    return {part: [by_path[sample.path] for sample in own] for part, own in named.items()}


def score(
    predictions: Sequence[ObjectsPrediction], test: Sequence[Example], labels: tuple[str, ...]
) -> dict[str, float]:
    """Metrics with objects marked as difficult left aside, as COCO and VOC do, and ``map50_all`` with them."""
    scenario = get_scenario("detection")
    truths = [example.sample.annotation for example in test]
    metrics = scenario.extra_metrics(truths, predictions, labels)
    plain = [
        ObjectsAnnotation(objects=tuple(shape.model_copy(update={"difficult": False}) for shape in truth.objects))
        for truth in truths
        if isinstance(truth, ObjectsAnnotation)
    ]
    metrics["map50_all"] = scenario.extra_metrics(plain, predictions, labels)["map50"]
    matches = [scenario.judge(t, p, labels) for t, p in zip(truths, predictions, strict=True)]
    for label in measure(matches, labels, metrics).labels:
        metrics[f"ap50/{label.label}"] = label.average_precision or 0.0
    return metrics


def product(data: LearningData, options: argparse.Namespace, folder: Path) -> list[tuple[float, str, Path]]:
    """Seconds, candidate and model folder of every model that was the best so far."""
    scenario = get_scenario("detection")
    began = time.monotonic()
    deadline = Deadline(options.minutes * 60)
    context = FitContext(
        deadline.reserve(LEAST_RESERVE),
        lambda: False,
        Screen(),
        folder,
        folder / "cache",
        options.threads,
        options.seed,
    )
    plan = TrainingPlan(options.preference, {})
    stored: list[tuple[float, str, Path]] = []

    def store(candidate: Candidate, value: float, results: Results) -> None:
        target = folder / f"model-{len(stored)}"
        target.mkdir()
        candidate.export(target)
        manifest = ModelManifest(
            scenario="detection",
            labels=data.labels,
            threshold=results.recommended_threshold,
            main_metric="map50",
            score=value,
            metrics={},
            candidate=candidate.name,
            datasets=(),
            weights={},
            code_version="0",
            settings={},
            seed=options.seed,
            train_count=len(data.train),
            validation_count=len(data.validation),
            created_at=utc_now(),
        )
        write_json(target / "manifest.json", manifest)
        stored.append((time.monotonic() - began, candidate.name, target))
        print(f"   {stored[-1][0]:6.0f} s  {candidate.name}  map50 {value:.4f} on the validation part", flush=True)

    scenario.prepare(data, plan, context)
    search = Search(scenario, data, context, Screen(), store, folder)
    reason = search.run(scenario.candidates(data, plan, context))
    print(f"   {reason.value} after {time.monotonic() - began:.0f} s", flush=True)
    return stored


def fixed(data: LearningData, options: argparse.Namespace, folder: Path, test: Sequence[Example]) -> dict[str, float]:
    began = time.monotonic()
    budget = options.minutes * 60
    examples = list(data.train)
    truths = [labelled(example, data.labels) for example in examples]
    shelf = Shelf(folder, FIXED.view.long_side)
    trainer = DetectionTrainer(
        examples, truths, data.labels, shelf, FIXED, seed=options.seed, threads=options.threads, device="cpu"
    )
    while not trainer.pace.finished and (left := budget - (time.monotonic() - began)) > 0:
        trainer.pace.fit_within(left - 3)
        trainer.fit(min(15.0, left), lambda: False)
    infer = trainer.infer()
    predictions = [
        as_prediction(
            detect(lay(example.picture(), FIXED.view), infer, FIXED.view),
            (example.sample.width, example.sample.height),
            data.labels,
            0.0,
        )
        for example in test
    ]
    trainer.close()
    return score(predictions, test, data.labels) | {"steps": float(trainer.pace.done)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--part", choices=["test", "validation"], default="test")
    parser.add_argument("--preference", choices=["fastest", "balanced", "most_accurate"], default="balanced")
    parser.add_argument(
        "--clock",
        choices=["wall", "processor"],
        default="wall",
        help="processor: a second is what the threads get of the processor, for machines that do other work meanwhile",
    )
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path, help="folder for the last model")
    options = parser.parse_args()

    if options.clock == "processor":
        # All of the learning floor asks this one function for the time.
        time.monotonic = lambda: time.process_time() / options.threads
    wall = time.perf_counter

    parts = parts_of(load(options.data), options.seed)
    train, validation, test = parts[Part.TRAIN], parts[Part.VALIDATION], parts[Part.TEST]
    if options.part == "validation":
        test = validation
    scenario = get_scenario("detection")
    labels = scenario.labels([example.sample for example in (*train, *validation)])
    data = LearningData(train, validation, labels)
    print(f"{options.data.name}: {len(train)} to learn from, {len(validation)} to validate on, {len(test)} measured")
    load_before, cpu_before, wall_before = os.getloadavg()[0], time.process_time(), wall()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stored = product(data, options, folder)
        cores = (time.process_time() - cpu_before) / (wall() - wall_before)
        curve = []
        for seconds, candidate, model in stored:
            predictor = scenario.load(model, threads=options.threads)
            started = time.perf_counter()
            answers = [predictor.predict([scenario.query(example)], EVERYTHING)[0] for example in test]
            each = (time.perf_counter() - started) / len(test) * 1000
            own = score(answers, test, labels)
            curve.append({"seconds": round(seconds, 1), "candidate": candidate, "ms_per_picture": round(each, 1)} | own)
            print(f"   {seconds:6.0f} s  {candidate:16}  map50 {own['map50']:.4f}  map {own['map']:.4f}", flush=True)
        size = sum(file.stat().st_size for file in stored[-1][2].iterdir())
        if options.keep:
            shutil.copytree(stored[-1][2], options.keep, dirs_exist_ok=True)
        peer = None if options.no_peer else fixed(data, options, folder / "fixed", test)
    last = curve[-1]
    best_at = max(curve, key=lambda point: float(point["map50"]))["seconds"]
    result = {
        "benchmark": "detection",
        "data": options.data.name,
        "part": options.part,
        "minutes": options.minutes,
        "clock": options.clock,
        "seed": options.seed,
        "threads": options.threads,
        "labels": list(labels),
        "product": last,
        "fixed_recipe": peer,
        "curve": curve,
        "best_after_share_of_budget": round(float(best_at) / (options.minutes * 60), 3),
        "cores_got": round(cores, 2),
        "model_bytes": size,
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, load {load_before:.1f} to {os.getloadavg()[0]:.1f}",
        "versions": {n: version(n) for n in ("torch", "onnxruntime", "opencv-python-headless", "numpy", "pycocotools")},
    }
    names = [key for key in last if key.startswith(("map", "voc", "ap50"))]
    print(f"{'':24}{'Sandglass':>12}{'fixed recipe':>14}")
    for key in names:
        other = "-" if peer is None or key not in peer else f"{peer[key]:.4f}"
        print(f"{key:24}{float(last[key]):12.4f}{other:>14}")
    print(f"{result['machine']}; {cores:.2f} cores got; seed {options.seed}; {json.dumps(result['versions'])}")
    print(json.dumps(result, ensure_ascii=False))
    if options.json:
        options.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
