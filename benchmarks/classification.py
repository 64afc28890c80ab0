"""Image classification: the product within its time limit, against a linear probe and a fixed fine-tuning recipe.

    python benchmarks/classification.py DATA --minutes 10 [--seed 0] [--chart FILE.png] [--csv FILE.csv]
    python benchmarks/classification.py DATA --minutes 3 --per-class 10 --draws 5

DATA holds class folders, below ``train``, ``val`` and ``test`` where the data has an official split; else 20 % are drawn
for testing and 20 % of the rest for validation. With ``--per-class``, so many pictures of each label are drawn from the
training part, and nothing else is learnt from or validated on.

All learners get the same pictures and the same wall-clock minutes. The probe is a logistic regression on features of
EfficientNet-Lite0 at 224 pixels. The fixed recipe fine-tunes all of the same backbone: AdamW 3e-4, one cosine over the
time, batch 32, random resized crops and flips. Test pictures are looked at once, after learning has ended.
"""

import argparse
import csv
import itertools
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sandglass.core.annotation import ClassAnnotation
from sandglass.core.picture import SUFFIXES, picture_size
from sandglass.core.sample import Sample
from sandglass.core.time import Deadline, utc_now
from sandglass.evaluation import Results, measure, summarise
from sandglass.learning.device import choose_device
from sandglass.learning.manifest import ModelManifest
from sandglass.learning.models import write_json
from sandglass.learning.search import LEAST_RESERVE, Search
from sandglass.learning.split import draw
from sandglass.scenarios.base import (
    Candidate,
    Example,
    FitContext,
    LearningData,
    PredictOptions,
    TrainingPlan,
    get_scenario,
)
from sandglass.scenarios.classification.augment import Strength, Symmetries
from sandglass.scenarios.classification.backbone import Classifier, pretrained_backbone
from sandglass.scenarios.classification.features import FeatureBank
from sandglass.scenarios.classification.pictures import PictureStore
from sandglass.scenarios.classification.preprocess import Shape
from sandglass.scenarios.classification.probe import fit_probe
from sandglass.scenarios.classification.targets import target_rows
from sandglass.scenarios.classification.trainer import Recipe, Trainer

SQUARE = Shape(224, 224)
MINUTES = (1, 2, 5, 10, 20, 30)
"""Of the learning curve."""


class Journal:
    """Prints what a search tells, with its time."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def log(self, message: str, *, level: str = "info") -> None:
        print(f"{time.monotonic() - self.started:7.1f} s  {message}", flush=True)

    def progress(self, fraction: float) -> None:
        pass

    def metric(self, name: str, value: float) -> None:
        pass

    def stage(self, name: str, low: float, high: float) -> None:
        pass

    def event(self, kind: str, data: dict[str, Any], **columns: object) -> None:
        pass


@dataclass
class Stored:
    """One model of a search: when it was stored, by the wall clock and by the processor's, and where."""

    seconds: float
    cpu_seconds: float
    folder: Path
    candidate: str
    score: float


def load(root: Path) -> dict[str, list[Example]]:
    """Examples by part (``train``, ``val``, ``test``; all under ``all`` without a split)."""
    parts: dict[str, list[Example]] = {}
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() not in SUFFIXES:
            continue
        inner = path.relative_to(root).parts
        part = inner[0] if inner[0] in ("train", "val", "test") else "all"
        data = path.read_bytes()
        width, height = picture_size(data, path.name)
        annotation = ClassAnnotation(labels=(path.parent.name,))
        sample = Sample(
            path=str(path.relative_to(root)), width=width, height=height, digest=str(path), annotation=annotation
        )
        parts.setdefault(part, []).append(Example(sample, path.read_bytes))
    return parts


def split(parts: dict[str, list[Example]], seed: int) -> tuple[list[Example], list[Example], list[Example]]:
    """Training, validation and test examples: the data's own split, or one that is drawn."""
    if "all" in parts:
        every = {example.sample.path: example for example in parts["all"]}
        test, rest = draw([e.sample for e in parts["all"]], 20, seed=seed, purpose="test")
        validation, train = draw(rest, 20, seed=seed, purpose="validation")
        chosen = [[every[sample.path] for sample in part] for part in (train, validation, test)]
        return chosen[0], chosen[1], chosen[2]
    return parts["train"], parts.get("val", []), parts["test"]


def few(examples: Sequence[Example], per_class: int, seed: int, number: int) -> list[Example]:
    """``per_class`` examples of each label."""
    random = np.random.default_rng((seed, number))
    labels = sorted({example.sample.annotation.labels[0] for example in examples})
    chosen: list[Example] = []
    for label in labels:
        members = [example for example in examples if example.sample.annotation.labels[0] == label]
        chosen += [members[index] for index in random.choice(len(members), per_class, replace=False)]
    return chosen


def search(data: LearningData, seconds: float, seed: int, threads: int, folder: Path) -> list[Stored]:
    """The product: check, prepare, search; every model that it stored on the way."""
    scenario = get_scenario("classification")
    journal = Journal()
    cpu = time.process_time()
    deadline = Deadline(seconds)
    plan = TrainingPlan()
    context = FitContext(
        deadline=deadline.reserve(LEAST_RESERVE),
        stop=lambda: False,
        report=journal,
        workspace=folder / "work",
        cache=folder / "cache",
        threads=threads,
        seed=seed,
        device=choose_device(),
    )
    data = scenario.arrange(data, plan, journal)
    scenario.prepare(data, plan, context)
    stored: list[Stored] = []

    def store(candidate: Candidate, score: float, results: Results) -> None:
        target = folder / f"model{len(stored)}"
        target.mkdir()
        candidate.export(target)
        write_json(target / "manifest.json", manifest(data, candidate.name, score, results))
        scenario.load(target, threads=threads)
        elapsed = time.monotonic() - journal.started
        stored.append(Stored(elapsed, time.process_time() - cpu, target, candidate.name, score))

    run = Search(scenario, data, context, journal, store, folder / "work")
    candidates = scenario.candidates(data, plan, context)
    (folder / "work").mkdir(exist_ok=True)
    reason = run.run(candidates)
    taken = time.monotonic() - journal.started
    journal.log(f"The search ended: {reason.value}; {taken:.1f} s, {time.process_time() - cpu:.0f} s of processor time")
    return stored


def manifest(data: LearningData, candidate: str, score: float, results: Results) -> ModelManifest:
    return ModelManifest(
        scenario="classification",
        labels=data.labels,
        threshold=results.recommended_threshold,
        main_metric="accuracy",
        score=score,
        metrics={},
        candidate=candidate,
        datasets=(),
        weights={},
        code_version="",
        settings={},
        seed=0,
        train_count=len(data.train),
        validation_count=len(data.validation),
        created_at=utc_now(),
    )


def evaluate(folder: Path, test: Sequence[Example], labels: tuple[str, ...], threads: int) -> dict[str, float]:
    """Figures of a model folder on the test part, at its recommended threshold."""
    scenario = get_scenario("classification")
    predictor = scenario.load(folder, threads=threads)
    started = time.perf_counter()
    predictions = [predictor.predict([scenario.query(item)], PredictOptions(threshold=0))[0] for item in test]
    each = (time.perf_counter() - started) / len(test) * 1000
    truths = [item.sample.annotation for item in test]
    matches = [scenario.judge(t, p, labels) for t, p in zip(truths, predictions, strict=True)]
    results = measure(matches, labels, scenario.extra_metrics(truths, predictions, labels))
    threshold = json.loads((folder / "manifest.json").read_text("utf-8"))["threshold"]
    overall = summarise(results, threshold).overall
    return {
        "accuracy": round(results.extra["accuracy"], 4),
        "macro_f1": round(overall.macro_f1 or 0.0, 4),
        "calibration_error": round(results.extra["calibration_error"], 4),
        "threshold": threshold,
        "precision_at_threshold": round(overall.precision or 0.0, 4),
        "recall_at_threshold": round(overall.recall or 0.0, 4),
        "ms_per_picture": round(each, 2),
    }


def peers(
    train: Sequence[Example],
    test: Sequence[Example],
    labels: tuple[str, ...],
    seconds: float,
    seed: int,
    threads: int,
    folder: Path,
    chosen: Sequence[str],
) -> dict[str, Any]:
    """The probe and the fixed recipe, each from the same pictures and, the recipe, for the same time."""
    examples = [*train, *test]
    targets = target_rows(examples, labels, several=False)
    truth = targets[len(train) :].argmax(1)
    device = choose_device()
    answer: dict[str, Any] = {}
    torch.set_num_threads(threads)
    learnt = list(range(len(train)))
    store = PictureStore(examples, Shape(256, 256), folder / "peers", threads=threads)
    if "probe" in chosen:
        started, cpu = time.monotonic(), time.process_time()
        bank = FeatureBank(store, device, threads)
        bank.compute("lite0", SQUARE, "plain", learnt)
        probe = fit_probe(bank.get("lite0", SQUARE, "plain", learnt)[None], targets[: len(train)], several=False)
        taken, used = time.monotonic() - started, time.process_time() - cpu
        rest = list(range(len(train), len(examples)))
        bank.compute("lite0", SQUARE, "plain", rest)
        right = (probe.logits(bank.get("lite0", SQUARE, "plain", rest)).argmax(1) == truth).mean()
        answer["probe"] = {"accuracy": round(float(right), 4), "seconds": round(taken, 1), "cpu_seconds": round(used)}
    if "fixed" in chosen:
        answer["fixed"] = fixed_recipe(store, len(train), targets, truth, seconds, seed, threads)
    return answer


def fixed_recipe(
    store: PictureStore, count: int, targets: np.ndarray, truth: np.ndarray, seconds: float, seed: int, threads: int
) -> dict[str, Any]:
    started, cpu = time.monotonic(), time.process_time()
    torch.manual_seed(seed)
    network = Classifier("lite0", targets.shape[1], dropout=0.2)
    network.backbone = pretrained_backbone("lite0")
    plain = Strength(least_area=0.35, aspect=1.33, turn=0.0, light=0.0, colour=0.0, erase=0.0)
    recipe = Recipe(
        "lite0", SQUARE, frozen=0, epochs=30, rate=3e-4, head_rate=3e-4, falloff=1.0, smoothing=0.0, strength=plain
    )
    trainer = Trainer(
        network,
        recipe,
        store,
        list(range(count)),
        targets[:count],
        np.full(count, 1 / count),
        several=False,
        symmetries=Symmetries(mirror=True),
        seed=seed,
        threads=threads,
        device=choose_device(),
    )
    trainer.average.decay = 0.0  # the last weights, as a fixed recipe has them
    while not trainer.pace.finished and time.monotonic() - started < seconds:
        left = seconds - (time.monotonic() - started)
        trainer.pace.fit_within(left)
        trainer.learn(min(10.0, left), lambda: False)
    taken, used = time.monotonic() - started, time.process_time() - cpu
    logits = trainer.logits(list(range(count, len(store))), ["plain"])
    return {
        "accuracy": round(float((logits.argmax(1) == truth).mean()), 4),
        "seconds": round(taken, 1),
        "cpu_seconds": round(used),
        "epochs": round(trainer.epoch, 1),
    }


def curve(stored: Sequence[Stored], at: Callable[[Stored], float], figures: dict[Path, dict[str, float]]) -> list[Any]:
    """Test accuracy of the model that was there after each of `MINUTES`."""
    rows = []
    for minutes in MINUTES:
        there = [model for model in stored if at(model) <= minutes * 60]
        if there:
            rows.append([minutes, figures[there[-1].folder]["accuracy"], there[-1].candidate])
        if not [model for model in stored if at(model) > minutes * 60]:
            break
    return rows


def draw_chart(
    path: Path, stored: Sequence[Stored], figures: dict[Path, dict[str, float]], peer: dict[str, Any]
) -> None:
    """The learning curve as a picture."""
    import cv2

    width, height, left, below = 900, 480, 70, 60
    picture = np.full((height, width, 3), 255, np.uint8)
    end = max(60.0, *(model.seconds for model in stored), *(item["seconds"] for item in peer.values()))
    low = min(0.5, *(figures[model.folder]["accuracy"] for model in stored))

    def place(seconds: float, score: float) -> tuple[int, int]:
        x = left + (width - left - 30) * seconds / end
        return int(x), int(height - below - (height - below - 30) * (score - low) / (1 - low))

    ink, grey = (40, 40, 40), (220, 220, 220)
    for step in range(int(low * 20), 21):
        y = place(0, step / 20)[1]
        cv2.line(picture, (left, y), (width - 30, y), grey, 1)
        cv2.putText(picture, f"{step / 20:.2f}", (10, y + 5), cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, 1, cv2.LINE_AA)
    for minute in range(0, int(end // 60) + 1, max(1, int(end // 600))):
        x = place(minute * 60, low)[0]
        text = str(minute)
        cv2.putText(picture, text, (x - 5, height - 35), cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, 1, cv2.LINE_AA)
    cv2.putText(picture, "minutes", (width // 2, height - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, 1, cv2.LINE_AA)
    points = [place(model.seconds, figures[model.folder]["accuracy"]) for model in stored]
    points.append(place(end, figures[stored[-1].folder]["accuracy"]))
    for before, after in itertools.pairwise(points):
        cv2.line(picture, before, (after[0], before[1]), (180, 90, 20), 2, cv2.LINE_AA)
        cv2.line(picture, (after[0], before[1]), after, (180, 90, 20), 2, cv2.LINE_AA)
    cv2.putText(picture, "Sandglass", (left + 10, 25), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (180, 90, 20), 2, cv2.LINE_AA)
    for number, (name, item) in enumerate(peer.items()):
        spot = place(item["seconds"], item["accuracy"])
        colour = ((60, 60, 200), (60, 150, 60))[number % 2]
        cv2.circle(picture, spot, 6, colour, -1, cv2.LINE_AA)
        where = (left + 130 + 220 * number, 25)
        text = {"probe": "linear probe", "fixed": "fixed recipe"}[name]
        cv2.putText(picture, text, where, cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, 2, cv2.LINE_AA)
    cv2.imwrite(str(path), picture)


def one(
    options: argparse.Namespace, train: list[Example], validation: list[Example], test: list[Example]
) -> dict[str, Any]:
    """One run of all learners."""
    labels = tuple(sorted({example.sample.annotation.labels[0] for example in (*train, *validation)}))
    seconds = options.minutes * 60
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result: dict[str, Any] = {}
        if "product" in options.learners:
            stored = search(LearningData(train, validation, labels), seconds, options.seed, options.threads, folder)
            looked = stored if options.curve else stored[-1:]
            figures = {model.folder: evaluate(model.folder, test, labels, options.threads) for model in looked}
            last = stored[-1]
            result["product"] = {
                **figures[last.folder],
                "candidate": last.candidate,
                "validation_score": round(last.score, 4),
                "first_model_seconds": round(stored[0].seconds, 1),
                "best_after_seconds": round(last.seconds, 1),
                "best_after_cpu_seconds": round(last.cpu_seconds),
            }
            if options.curve:
                result["curve_wall"] = curve(stored, lambda model: model.seconds, figures)
                result["curve_two_cores"] = curve(stored, lambda model: model.cpu_seconds / 2, figures)
        given = [*train, *validation]
        if options.per_class is None:
            given = train
        peer = peers(given, test, labels, seconds, options.seed, options.threads, folder, options.learners)
        result |= peer
        if options.csv and "product" in options.learners:
            with options.csv.open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["seconds", "cpu_seconds", "candidate", "validation", "test"])
                for model in looked:
                    row = [round(model.seconds, 1), round(model.cpu_seconds, 1), model.candidate, round(model.score, 4)]
                    writer.writerow([*row, figures[model.folder]["accuracy"]])
        if options.chart and "product" in options.learners:
            draw_chart(options.chart, looked, figures, peer)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--per-class", type=int)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument(
        "--clock",
        choices=["wall", "processor"],
        default="wall",
        help="processor: a second is what the threads get of the processor, for machines that do other work meanwhile",
    )
    parser.add_argument("--learners", nargs="+", default=["product", "probe", "fixed"])
    parser.add_argument("--curve", action="store_true", help="test every model on the way, for the learning curve")
    parser.add_argument("--csv", type=Path, help="write the learning curve here (with --curve)")
    parser.add_argument("--chart", type=Path, help="draw the learning curve here (with --curve)")
    parser.add_argument("--json", type=Path, help="write the result here as well")
    options = parser.parse_args()
    options.curve = options.curve or bool(options.csv or options.chart)
    if options.clock == "processor":
        # All of the learning floor asks this one function for the time.
        time.monotonic = lambda: time.process_time() / options.threads

    train, validation, test = split(load(options.data), options.seed)
    if options.per_class is None:
        runs = [one(options, train, validation, test)]
    else:
        runs = []
        for number in range(options.draws):
            runs.append(one(options, few(train, options.per_class, options.seed, number), [], test))
            print(json.dumps(runs[-1]), flush=True)
    result: dict[str, Any] = {
        "benchmark": "classification",
        "data": options.data.name,
        "train": len(train) if options.per_class is None else f"{options.per_class} a label, {options.draws} draws",
        "validation": len(validation) if options.per_class is None else 0,
        "test": len(test),
        "minutes": options.minutes,
        "seed": options.seed,
        "threads": options.threads,
        "clock": options.clock,
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {choose_device()}",
        "versions": {name: version(name) for name in ("torch", "onnxruntime", "numpy")},
        "mean_accuracy": {
            learner: round(float(np.mean([run[learner]["accuracy"] for run in runs])), 4)
            for learner in options.learners
        },
        "runs": runs,
    }
    print(f"{'learner':10} {'accuracy':>9} {'seconds':>9} {'processor s':>12}")
    for run in runs:
        for learner in options.learners:
            item = run[learner]
            taken = item.get("seconds", item.get("best_after_seconds"))
            used = item.get("cpu_seconds", item.get("best_after_cpu_seconds"))
            print(f"{learner:10} {item['accuracy']:9.4f} {taken:9.1f} {used:12}")
    print("mean  " + "  ".join(f"{name} {value:.4f}" for name, value in result["mean_accuracy"].items()))
    print(json.dumps(result, ensure_ascii=False))
    if options.json:
        options.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
