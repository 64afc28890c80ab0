"""Any key: pairs of printed key and value on documents that nothing was trained on, and values of typed keys.

    python benchmarks/ocr_any_key.py DATA [--labels benchmarks/labels/receipt_pairs.txt] [--read] [--show PAGE]

DATA holds ``boxes/NAME.txt`` and ``images/NAME.jpg`` (SROIE layout). The labels name pairs of 60 pages. By default the
pages' own text lines are used; ``--read`` reads the pictures with the accurate reader. A pair counts as right when key
and value agree in letters and digits with at most one edit in ten. Typed keys are asked in English and in Chinese
wherever the page has the pair. The peer in the same run takes every line with a colon as a pair.
"""

import argparse
import json
import os
import platform
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from sandglass.core.picture import decode_picture
from sandglass.core.prediction import TextLine
from sandglass.scenarios.ocr.page import Page, make_page
from sandglass.scenarios.ocr.pairs import SentenceEmbedder, answer_all, answer_custom
from sandglass.scenarios.ocr.reading import Reader

LABELS = Path(__file__).parent / "labels" / "receipt_pairs.txt"
ASKED = {
    "date": ("Date", "日期", r"^(bill |invoice |sales |biz)?date$|^bill dt$"),
    "invoice number": ("Invoice number", "发票号码", r"^(tax )?inv(oice)?\s*\.?(no|number|#)?\s*\.?(no)?\s*#?\.?$"),
    "telephone": ("Telephone", "电话", r"^tel( no)?\.?$"),
    "fax": ("Fax", "传真", r"^fax( no)?\.?$"),
    "tax registration": ("GST registration number", "税务登记号", r"^gst (id|reg|registration|no|ref)\b.*$"),
    "cashier": ("Cashier", "收银员", r"^cashier\s*#?$"),
    "change": ("Change", "找零", r"^(cash )?change( due| cash)?$"),
    "rounding": ("Rounding adjustment", "舍入调整", r"^rounding( adj(ustment)?)?\.?$"),
    "table": ("Table", "桌号", r"^table$"),
    "discount": ("Discount", "折扣", r"^discount$"),
}
"""Keys to ask for: English, Chinese, and the printed keys that they mean."""


@dataclass
class Labelled:
    """Pairs of a page: those that must be found, and those that may be."""

    wanted: list[tuple[str, str]] = field(default_factory=list)
    allowed: list[tuple[str, str]] = field(default_factory=list)


def load_labels(path: Path) -> dict[str, Labelled]:
    pages: dict[str, Labelled] = {}
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("## "):
            page = pages.setdefault(line[3:], Labelled())
        elif line and not line.startswith("#"):
            key, value = line.removeprefix("? ").split(" = ", 1)
            (page.allowed if line.startswith("? ") else page.wanted).append((key, value))
    return pages


def load_page(root: Path, name: str, reader: Reader | None) -> Page:
    picture = decode_picture((root / "images" / f"{name}.jpg").read_bytes())
    height, width = picture.shape[:2]
    if reader is not None:
        return make_page(width, height, reader.read(picture))
    lines = []
    for row in (root / "boxes" / f"{name}.txt").read_text("utf-8").splitlines():
        parts = row.split(",", 8)
        if len(parts) == 9:
            numbers = [float(part) for part in parts[:8]]
            lines.append(
                TextLine(text=parts[8], score=1.0, polygon=tuple(zip(numbers[::2], numbers[1::2], strict=True)))
            )
    return make_page(width, height, lines)


def plain(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def alike(a: str, b: str) -> bool:
    a, b = plain(a), plain(b)
    return a == b or (bool(a) and bool(b) and Levenshtein.distance(a, b) <= max(len(a), len(b)) // 10)


def count(found: Sequence[tuple[str, str]], labelled: Labelled) -> tuple[int, int, int, list[str]]:
    """Right, answered (without those that may be), wanted, and what went wrong."""
    open_pairs, allowed = list(labelled.wanted), list(labelled.allowed)
    right = answered = 0
    wrong: list[str] = []
    for key, value in found:
        hit = next((pair for pair in open_pairs if alike(pair[0], key) and alike(pair[1], value)), None)
        if hit is not None:
            open_pairs.remove(hit)
            right, answered = right + 1, answered + 1
        elif any(alike(pair[0], key) and alike(pair[1], value) for pair in [*allowed, *labelled.wanted]):
            continue
        else:
            answered += 1
            wrong.append(f"  extra   {key} = {value}")
    wrong += [f"  missed  {key} = {value}" for key, value in open_pairs]
    return right, answered, len(labelled.wanted), wrong


def with_colons(page: Page) -> list[tuple[str, str]]:
    parts = [re.split(r"\s*[:：]\s*", text, maxsplit=1) for text in page.texts]
    return [(part[0], part[1]) for part in parts if len(part) == 2 and part[0] and part[1]]


def rates(right: int, answered: int, wanted: int) -> dict[str, float]:
    precision, recall = right / max(1, answered), right / max(1, wanted)
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / max(1e-9, precision + recall)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--labels", type=Path, default=LABELS)
    parser.add_argument("--read", action="store_true")
    parser.add_argument("--show", nargs="*", help="pages whose faults are printed; none = all")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    pages = load_labels(options.labels)
    reader = Reader.from_weights("accurate", threads=os.cpu_count() or 1) if options.read else None
    print(f"{platform.machine()}, {os.cpu_count()} cores, onnxruntime {version('onnxruntime')}, no randomness")
    embedder = SentenceEmbedder()
    ours, peer = [0, 0, 0], [0, 0, 0]
    asked: dict[str, list[int]] = {"en": [0, 0], "zh": [0, 0]}
    per_key: dict[str, list[int]] = {name: [0, 0] for name in ASKED}
    milliseconds = []
    for name, labelled in pages.items():
        page = load_page(options.root, name, reader)
        started = time.perf_counter()
        found = [(pair.key, pair.value or "") for pair in answer_all(page)]
        milliseconds.append((time.perf_counter() - started) * 1000)
        *numbers, wrong = count(found, labelled)
        ours = [a + b for a, b in zip(ours, numbers, strict=True)]
        peer = [a + b for a, b in zip(peer, count(with_colons(page), labelled)[:3], strict=True)]
        if options.show is not None and (not options.show or name in options.show):
            print(f"## {name}", *wrong, sep="\n")
        for label, (english, chinese, pattern) in ASKED.items():
            truths = [value for key, value in labelled.wanted if re.match(pattern, key.strip().casefold())]
            if not truths:
                continue
            for language, typed in (("en", english), ("zh", chinese)):
                [answer] = answer_custom(page, [typed], (), embedder)
                right = answer.value is not None and any(alike(answer.value, truth) for truth in truths)
                asked[language][0] += right
                asked[language][1] += 1
                per_key[label][0] += right
                per_key[label][1] += 1
                if not right and options.show is not None and (not options.show or name in options.show):
                    print(f"  typed   {typed}: {answer.value} instead of {truths}")
    result = {
        "pairs": rates(*ours),
        "peer, lines with a colon": rates(*peer),
        "typed keys": {language: right / total for language, (right, total) in asked.items()},
        "by key": {name: f"{right}/{total}" for name, (right, total) in per_key.items()},
        "ms a page": sorted(milliseconds)[len(milliseconds) // 2],
    }
    print(json.dumps(result, indent=1, ensure_ascii=False))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    main()
