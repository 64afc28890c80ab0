"""Counts of labelled data sets as the formats read them, and how many pictures a second are checked.

python benchmarks/import_counts.py DATA_ROOT
"""

import argparse
import time
from collections import Counter
from pathlib import Path

from sandglass.core.annotation import ClassAnnotation, DocumentAnnotation, ObjectsAnnotation
from sandglass.core.finding import Finding
from sandglass.formats import read_dataset

KINDS = {
    "receipts": "document",
    "handwritten-lines-en": "document",
    "words-en": "document",
    "plates-zh": "document",
    "bankcards": "document",
    "handwritten-chars-zh": "classes",
    "trash": "classes",
    "cups": "objects",
    "blood-cells": "objects",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    root = parser.parse_args().root
    for name, kind in KINDS.items():
        started = time.perf_counter()
        reading = read_dataset(root / name, kind=kind)  # type: ignore[arg-type]
        pictures = boxes = negatives = 0
        labels: Counter[str] = Counter()
        parts: Counter[str] = Counter()
        findings: Counter[str] = Counter()
        for item in reading.found:
            if isinstance(item, Finding):
                findings[item.code] += item.count
                continue
            pictures += 1
            parts[item.sample.part or "-"] += 1
            match item.sample.annotation:
                case DocumentAnnotation(boxes=found, values=values):
                    boxes += len(found)
                    labels.update(value.field for value in values)
                case ClassAnnotation(labels=found_labels):
                    labels.update(found_labels)
                case ObjectsAnnotation(objects=objects):
                    boxes += len(objects)
                    negatives += not objects
                    labels.update(shape.label for shape in objects)
        seconds = time.perf_counter() - started
        print(
            f"{name}: {reading.format.id}, {pictures} pictures, {boxes} boxes, {negatives} without object, {dict(parts)}"
        )
        print(
            f"    {len(labels)} labels {dict(labels.most_common(6))}; findings {dict(findings)}; {pictures / seconds:.0f} pictures/s"
        )


if __name__ == "__main__":
    main()
