"""Reading that learns: fine-tunes the reader on single lines and measures it against the base reader.

    python benchmarks/ocr_lines.py DATA [--use print|handwriting] [--minutes 60] [--seed 0] [--limit N] [--forget DATA2]
                                   [--validate]

DATA and DATA2 hold ``labels.tsv`` (file, tab, text) and ``split.json`` (``train`` and ``test``: lists of files). With
``--validate`` the test part is not touched: a fifth of the training part is measured instead. DATA2 is read before and
after, to show what was forgotten. The peer in the same run is the base reader, PP-OCRv6 small, as it comes.
"""

import argparse
import json
import os
import platform
import random
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from sandglass.core.annotation import DocumentAnnotation, TextBox
from sandglass.core.geometry import Box
from sandglass.core.picture import picture_size
from sandglass.core.prediction import DocumentPrediction
from sandglass.core.sample import Sample
from sandglass.core.time import Deadline
from sandglass.scenarios.base import Example, FitContext, LearningData, PredictOptions, TrainingPlan
from sandglass.scenarios.ocr.judge import TEXT_LABEL
from sandglass.scenarios.ocr.predictor import load_predictor
from sandglass.scenarios.ocr.scenario import Ocr


class Printed:
    """Reports to the terminal."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def progress(self, fraction: float) -> None:
        pass

    def metric(self, name: str, value: float) -> None:
        print(f"{time.monotonic() - self.began:7.0f} s  {name} {value:.4f}", flush=True)

    def log(self, message: str, *, level: str = "info") -> None:
        print(f"{time.monotonic() - self.began:7.0f} s  {level}: {message}", flush=True)


def load(root: Path, names: Sequence[str]) -> list[Example]:
    texts = dict(line.split("\t", 1) for line in (root / "labels.tsv").read_text("utf-8").splitlines() if "\t" in line)
    examples = []
    for name in names:
        path = root / name
        width, height = picture_size(path.read_bytes())
        box = TextBox(id="b1", polygon=Box(0, 0, width, height).to_polygon(), text=texts[name])
        annotation = DocumentAnnotation(boxes=(box,))
        sample = Sample(path=name, width=width, height=height, digest="", annotation=annotation)
        examples.append(Example(sample, partial(path.read_bytes)))
    return examples


def measure(folder: Path, examples: Sequence[Example]) -> dict[str, float]:
    predictor = load_predictor(folder, threads=os.cpu_count() or 1)
    edits = characters = exact = loose = 0
    for example in examples:
        [prediction] = predictor.predict([Ocr().query(example)], PredictOptions())
        assert isinstance(prediction, DocumentPrediction)
        annotation = example.sample.annotation
        assert isinstance(annotation, DocumentAnnotation)
        truth = " ".join(annotation.boxes[0].text.split())
        read = " ".join(line.text for line in prediction.lines)
        edits += Levenshtein.distance(truth, read)
        characters += len(truth)
        exact += truth == read
        loose += "".join(filter(str.isalnum, truth)).casefold() == "".join(filter(str.isalnum, read)).casefold()
    count = len(examples)
    return {"cer": edits / characters, "exact": exact / count, "letters and digits": loose / count, "lines": count}


def export(candidate: object, folder: Path, main: str) -> Path:
    folder.mkdir(parents=True)
    candidate.export(folder)  # type: ignore[attr-defined]
    (folder / "manifest.json").write_text(json.dumps({"threshold": 0.5, "candidate": main}))
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--use", choices=("print", "handwriting"), default="print")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, help="learn from that many lines only")
    parser.add_argument("--most", type=int, default=2000, help="measure on that many lines at most")
    parser.add_argument("--forget", type=Path)
    parser.add_argument("--reader", choices=("auto", "accurate", "fast"), default="auto")
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, torch {version('torch')}, seed {options.seed}, {options.root}"
    )
    parts = json.loads((options.root / "split.json").read_text("utf-8"))
    train, test = list(parts["train"]), list(parts["test"])
    random.Random(options.seed).shuffle(train)
    if options.validate:
        test, train = train[: len(train) // 5], train[len(train) // 5 :]
    train = train[: options.limit]
    random.Random(1).shuffle(test)
    examples, tested = load(options.root, train), load(options.root, test[: options.most])
    held = max(1, len(examples) // 10)
    data = LearningData(examples[held:], examples[:held], (TEXT_LABEL,))
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        context = FitContext(
            deadline=Deadline(options.minutes * 60),
            stop=lambda: False,
            report=Printed(),
            workspace=folder,
            cache=folder / "cache",
            threads=os.cpu_count() or 1,
            seed=options.seed,
        )
        plan = TrainingPlan("balanced", {"use": options.use, "reader": options.reader})
        base, learnt = Ocr().candidates(data, plan, context)
        while not base.finished:
            base.fit(context)
        validated = time.monotonic()
        while not learnt.finished and not context.over:
            learnt.fit(context)
            if time.monotonic() - validated > max(120, options.minutes * 6) and learnt.ready:
                validated = time.monotonic()
                score = Ocr().extra_metrics(
                    [item.sample.annotation for item in data.validation],  # type: ignore[misc]
                    learnt.predict_validation(context),
                    data.labels,
                )
                print(f"{time.monotonic() - began:7.0f} s  validation {score}", flush=True)
        seconds = time.monotonic() - began
        models = {"base": export(base, folder / "a", "base"), "learnt": export(learnt, folder / "b", "learnt")}
        rows = {name: measure(path, tested) for name, path in models.items()}
        if options.forget:
            others = load(options.forget, json.loads((options.forget / "split.json").read_text("utf-8"))["test"][:1000])
            rows |= {f"{name} on {options.forget.name}": measure(path, others) for name, path in models.items()}
    for name, row in rows.items():
        print(f"{name:28}" + "  ".join(f"{key} {value:.4f}" for key, value in row.items()))
    print(f"learnt from {len(examples)} lines in {seconds / 60:.1f} minutes")
    if options.json:
        options.json.write_text(json.dumps({"seed": options.seed, "seconds": seconds, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
