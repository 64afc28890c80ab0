"""Receipts that the project's generator renders, as real files: what a person would import and try."""

from functools import partial
from pathlib import Path

import cv2

from sandglass.core.sample import Sample
from sandglass.formats import get_format
from sandglass.scenarios.ocr.synthesis import SyntheticDocument, generate_receipts


def _png(document: SyntheticDocument) -> bytes:
    return cv2.imencode(".png", document.picture)[1].tobytes()


def write_receipts(folder: Path, count: int, *, seed: int, language="mixed", strength=0.3, prefix="receipt") -> Path:
    """A folder in SROIE format with PNG pictures; the same seed gives the same receipts."""
    samples = []
    for number, document in enumerate(generate_receipts(count, seed=seed, language=language, strength=strength)):
        height, width = document.picture.shape[:2]
        sample = Sample(
            path=f"{prefix}-{number:03}.png",
            width=width,
            height=height,
            annotation=document.annotation,
            group=document.group,
        )
        samples.append((sample, partial(_png, document)))
    get_format("sroie").write(samples, folder)
    return folder


def write_pictures(folder: Path, count: int, *, seed: int, language="mixed", strength=0.3) -> list[Path]:
    """PNG pictures alone, as a person would drop them on a page."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, document in enumerate(generate_receipts(count, seed=seed, language=language, strength=strength)):
        paths.append(folder / f"new-{number:03}.png")
        paths[-1].write_bytes(_png(document))
    return paths
