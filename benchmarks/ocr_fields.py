"""Field extraction with given text: trains on the training part of a split and measures on its test part.

    python benchmarks/ocr_fields.py DATA [--minutes 20] [--members 4] [--seed 0] [--documents N] [--fold K]

DATA holds ``boxes/NAME.txt``, ``fields/NAME.json`` and ``split.json`` (SROIE layout; groups under ``merchants``). With
``--fold`` the test part is not touched: a third of the small groups of the training part is measured instead. The peer
in the same run is a logistic regression per word with the words around it and its place.
"""

import argparse
import json
import os
import platform
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from sandglass.core.annotation import DocumentAnnotation, FieldValue
from sandglass.core.prediction import TextLine
from sandglass.scenarios.ocr.fields.characters import words
from sandglass.scenarios.ocr.fields.compare import letters_and_digits, normalised
from sandglass.scenarios.ocr.fields.extractor import FieldExtractor
from sandglass.scenarios.ocr.fields.labelled import LabelledPage, labelled_page
from sandglass.scenarios.ocr.fields.train import FieldTrainer
from sandglass.scenarios.ocr.page import make_page

FOLDS = 3
SMALL_GROUP = 8
Answers = list[dict[str, tuple[str, float]]]
"""Per page: field → value and score."""


def load(root: Path, name: str, group: str) -> LabelledPage:
    lines = []
    for row in (root / "boxes" / f"{name}.txt").read_text("utf-8").splitlines():
        parts = row.split(",", 8)
        if len(parts) == 9:
            numbers = [float(part) for part in parts[:8]]
            polygon = tuple(zip(numbers[::2], numbers[1::2], strict=True))
            lines.append(TextLine(text=parts[8], score=1.0, polygon=polygon))
    values = json.loads((root / "fields" / f"{name}.json").read_text("utf-8"))
    annotation = DocumentAnnotation(values=tuple(FieldValue(field=k, text=v) for k, v in values.items() if v))
    return labelled_page(make_page(1200, 1600, lines), annotation, group)


def split(root: Path, fold: int | None) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(name, group) to learn from and to measure on."""
    parts = json.loads((root / "split.json").read_text("utf-8"))
    group_of = {name: group for group, names in parts["merchants"].items() for name in names}
    train, test = parts["train"], parts["test"]
    if fold is not None:
        groups: dict[str, list[str]] = {}
        for name in train:
            groups.setdefault(group_of[name], []).append(name)
        small = sorted(group for group, names in groups.items() if len(names) <= SMALL_GROUP)
        random.Random(7).shuffle(small)
        small.sort(key=lambda group: -len(groups[group]))
        folds: list[list[str]] = [[] for _ in range(FOLDS)]
        for group in small:
            min(folds, key=len).extend(groups[group])
        test = folds[fold]
        train = [name for name in train if name not in set(test)]
    return [(name, group_of[name]) for name in train], [(name, group_of[name]) for name in test]


def measure(
    answers: Answers, pages: Sequence[LabelledPage], fields: Sequence[str], same: Callable[[str, str], bool]
) -> dict[str, Any]:
    """Every best answer counts, whatever its score; ``at_half`` counts those from 0.5 only."""
    rows = {}
    total, at_half = np.zeros(3), np.zeros(3)
    scores, rights = [], []
    for name in fields:
        counts = np.zeros(3)
        for answer, page in zip(answers, pages, strict=True):
            truth = page.values.get(name, ())
            value, score = answer.get(name, ("", 0.0))
            right = bool(value) and any(same(value, text) for text in truth)
            counts += (right, bool(value), bool(truth))
            at_half += (right and score >= 0.5, bool(value) and score >= 0.5, bool(truth))
            if value:
                scores.append(score)
                rights.append(right)
        rows[name] = _prf(counts)
        total += counts
    bins = np.clip((np.array(scores) * 10).astype(int), 0, 9)
    gaps = [
        abs(np.mean(np.array(scores)[bins == b]) - np.mean(np.array(rights)[bins == b])) * (bins == b).mean()
        for b in range(10)
        if (bins == b).any()
    ]
    return {"overall": _prf(total), "at_half": _prf(at_half), "fields": rows, "ece": round(float(sum(gaps)), 4)}


def _prf(counts: np.ndarray) -> dict[str, float]:
    right, answered, true = counts
    return {
        "precision": round(float(right / max(1, answered)), 4),
        "recall": round(float(right / max(1, true)), 4),
        "f1": round(float(2 * right / max(1, answered + true)), 4),
        "support": int(true),
    }


def answers_of(extractor: FieldExtractor, pages: Sequence[LabelledPage]) -> Answers:
    result: Answers = []
    for page in pages:
        best: dict[str, tuple[str, float]] = {}
        for item in extractor.extract(page.page):
            if item.value is not None and item.score > best.get(item.key, ("", -1.0))[1]:
                best[item.key] = (item.value, item.score)
        result.append(best)
    return result


def linear_baseline(train: Sequence[LabelledPage], test: Sequence[LabelledPage], fields: Sequence[str]) -> Answers:
    """A logistic regression per word over hashed words around it and its place; runs of words become values."""
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.linear_model import SGDClassifier

    def described(page: LabelledPage) -> tuple[list[tuple[int, int, int]], list[dict[str, float]]]:
        spans = [(n, a, b) for n, text in enumerate(page.page.texts) for a, b in words(text)]
        height = max(box.bottom for box in page.page.boxes)
        rows: dict[int, str] = {}
        for n, text in enumerate(page.page.texts):
            rows[page.page.rows[n]] = rows.get(page.page.rows[n], "") + " " + text
        features = []
        for index, (n, a, b) in enumerate(spans):
            text = page.page.texts[n]
            told = {f"top{int(page.page.boxes[n].top / height * 10)}": 1.0, f"row{min(page.page.rows[n], 9)}": 1.0}
            for offset in (-2, -1, 0, 1, 2):
                if 0 <= index + offset < len(spans):
                    m, c, d = spans[index + offset]
                    word = page.page.texts[m][c:d].casefold()
                    told[f"{offset}={word}"] = 1.0
                    told[f"{offset}~{''.join('9' if x.isdigit() else 'a' for x in word)}"] = 1.0
            for word in rows[page.page.rows[n]].casefold().split():
                told[f"in={word}"] = 1.0
            told[f"edge{text[max(0, a - 1) : a]}|{text[b : b + 1]}"] = 1.0
            features.append(told)
        return spans, features

    hasher = FeatureHasher(2**18)
    inputs: list[dict[str, float]] = []
    labels: list[int] = []
    for page in train:
        spans, features = described(page)
        marked = {}
        for index, name in enumerate(fields):
            for found in page.alignments.get(name, ()):
                for piece in (p for pieces in (found.occurrences if found else ()) for p in pieces):
                    marked.update({(piece.line, c): index + 1 for c in range(piece.start, piece.end)})
        inputs += features
        labels += [marked.get((n, a), 0) for n, a, _ in spans]
    model = SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=30, random_state=0, class_weight=None)
    model.fit(hasher.transform(inputs), labels)
    column = {int(label): index for index, label in enumerate(model.classes_)}
    result: Answers = []
    for page in test:
        spans, features = described(page)
        told = model.predict_proba(hasher.transform(features))
        answer: dict[str, tuple[str, float]] = {}
        for index, name in enumerate(fields):
            likely = told[:, column[index + 1]]
            peak = int(likely.argmax())
            low = high = peak
            while low and likely[low - 1] > 0.3:
                low -= 1
            while high + 1 < len(spans) and likely[high + 1] > 0.3:
                high += 1
            lines: dict[int, tuple[int, int]] = {}
            for n, a, b in spans[low : high + 1]:
                lines[n] = (lines.get(n, (a, b))[0], b)
            text = " ".join(page.page.texts[n][a:b] for n, (a, b) in lines.items())
            answer[name] = (text, float(likely[low : high + 1].mean()))
        result.append(answer)
    return result


def same_letters(left: str, right: str) -> bool:
    return letters_and_digits(left) == letters_and_digits(right)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=20.0, help="most minutes of training, preparation included")
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--documents", type=int, help="learn from that many documents only")
    parser.add_argument("--fold", type=int, choices=range(FOLDS), help="measure inside the training part")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, help="steps of each member instead of the planned number")
    parser.add_argument("--ungrouped", action="store_true", help="do not tell the trainer the groups")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--errors", action="store_true", help="print wrong answers (with --fold only)")
    parser.add_argument("--keep", type=Path, help="keep the trained extractor in this folder")
    parser.add_argument("--json", type=Path, help="write the result here as well")
    options = parser.parse_args()

    train_names, test_names = split(options.data, options.fold)
    if options.documents:
        train_names = random.Random(options.seed).sample(train_names, min(options.documents, len(train_names)))
    train = [load(options.data, name, group) for name, group in train_names]
    test = [load(options.data, name, group) for name, group in test_names]
    if options.ungrouped:
        train = [LabelledPage(page.page, page.values) for page in train]
    fields = tuple(dict.fromkeys(name for page in train for name in page.values))

    started = time.monotonic()
    trainer = FieldTrainer(
        train, fields, seed=options.seed, threads=options.threads, members=options.members, steps=options.steps
    )
    unplaced = dict(trainer.unplaced)
    prepared = time.monotonic() - started
    budget = options.minutes * 60
    while not trainer.finished and time.monotonic() - started < budget:
        left = budget - (time.monotonic() - started)
        trainer.fit_within(left - 5)
        report = trainer.fit(min(15.0, left), lambda: False)
        print(f"{time.monotonic() - started:6.0f} s  {report.fraction:5.1%}  loss {report.loss:.3f}", flush=True)
    extractor = trainer.extractor()
    trained = time.monotonic() - started

    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        extractor.save(folder)
        size = sum(file.stat().st_size for file in folder.iterdir())
        served = FieldExtractor.load(folder, threads=options.threads)
        answers_of(served, test[:3])
        started = time.perf_counter()
        answers = answers_of(served, test)
        each = (time.perf_counter() - started) / len(test) * 1000
    result: dict[str, Any] = {
        "benchmark": "ocr_fields",
        "part": "test" if options.fold is None else f"inner fold {options.fold}",
        "train_documents": len(train),
        "test_documents": len(test),
        "seed": options.seed,
        "members": options.members,
        "threads": options.threads,
        "prepare_seconds": round(prepared, 1),
        "minutes": round(trained / 60, 2),
        "ms_per_page": round(each, 2),
        "model_bytes": size,
        "unplaced": unplaced,
        "types": {name: style.pattern.type.value for name, style in trainer.material.styles.items()},
        "normalised": measure(answers, test, fields, normalised),
        "letters_and_digits": measure(answers, test, fields, same_letters),
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}",
        "versions": {n: version(n) for n in ("torch", "onnxruntime", "numpy", "scikit-learn")},
    }
    if not options.no_peer:
        peer = linear_baseline(train, test, fields)
        result["peer_linear"] = {
            "normalised": measure(peer, test, fields, normalised),
            "letters_and_digits": measure(peer, test, fields, same_letters),
        }
    _print(result, fields)
    if options.errors and options.fold is not None:
        for answer, page in zip(answers, test, strict=True):
            for name in fields:
                value, score = answer.get(name, ("", 0.0))
                if not any(same_letters(value, text) for text in page.values.get(name, ())):
                    print(f"  {name} | {page.values.get(name)} | {value} | {score:.2f}")
    print(json.dumps(result, ensure_ascii=False))
    if options.json:
        options.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _print(result: dict[str, Any], fields: Sequence[str]) -> None:
    tables = [("Sandglass", result)] + ([("linear", result["peer_linear"])] if "peer_linear" in result else [])
    for rule in ("letters_and_digits", "normalised"):
        for name, table in tables:
            part = table[rule]
            print(
                f"{name}, {rule}: F1 {part['overall']['f1']:.4f} (from score 0.5: {part['at_half']['f1']:.4f}), ECE {part['ece']:.3f}"
            )
            for field in fields:
                row = part["fields"][field]
                print(f"  {field:24} P {row['precision']:.3f}  R {row['recall']:.3f}  F1 {row['f1']:.3f}")
    print(f"{result['minutes']} min, {result['ms_per_page']} ms a page, {result['model_bytes']} bytes")


if __name__ == "__main__":
    main()
