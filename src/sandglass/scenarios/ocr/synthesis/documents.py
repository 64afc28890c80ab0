"""Whole synthetic documents: picture, exact annotation, group."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

import cv2

from sandglass.core.annotation import DocumentAnnotation, FieldValue, Role, TextBox
from sandglass.core.picture import Picture
from sandglass.core.sample import Sample
from sandglass.scenarios.ocr.synthesis.contents import Language, make_merchant, make_receipt
from sandglass.scenarios.ocr.synthesis.layout import Placed, lay_out
from sandglass.scenarios.ocr.synthesis.render import Quad, draw, photograph

PER_MERCHANT = 4
"""Documents of one merchant, on average."""


@dataclass(frozen=True)
class SyntheticDocument:
    """A rendered document with its truth; ``group`` is its merchant."""

    picture: Picture
    annotation: DocumentAnnotation
    group: str
    language: Language


def generate_receipts(
    count: int, *, seed: int, language: Literal["zh", "en", "mixed"] = "mixed", strength: float = 0.6
) -> Iterator[SyntheticDocument]:
    """Receipts with the fields company, address, date, total and number; the same seed gives the same receipts.

    Args:
        count: how many.
        seed: of everything.
        language: of the receipts.
        strength: 0 = clean scans, 1 = careless photos.
    """
    random = Random(seed)
    merchants = []
    for index in range(max(1, -(-count // PER_MERCHANT))):
        own: Language = ("en", "zh")[index % 2] if language == "mixed" else language
        merchants.append(make_merchant(random, own))
    for index in range(count):
        merchant = merchants[index % len(merchants)]
        placed = lay_out(make_receipt(random, merchant))
        paper = draw(placed, random, cjk=merchant.language == "zh")
        picture, quads = photograph(paper, random, strength)
        group = f"merchant-{seed}-{index % len(merchants)}"
        yield SyntheticDocument(picture, _annotation(placed, quads), group, merchant.language)


def _annotation(placed: list[Placed], quads: list[Quad]) -> DocumentAnnotation:
    boxes = []
    parts: dict[str, list[int]] = {}
    for number, (item, quad) in enumerate(zip(placed, quads, strict=True)):
        polygon = tuple((round(float(x), 1), round(float(y), 1)) for x, y in quad)
        keys = (f"b{item.key}",) if item.key is not None else ()
        role = Role.BACKGROUND if item.role is Role.VALUE and not (item.field or keys) else item.role
        boxes.append(
            TextBox(id=f"b{number}", polygon=polygon, text=item.text, role=role, field=item.field, key_ids=keys)
        )
        if item.role is Role.VALUE and item.field:
            parts.setdefault(item.field, []).append(number)
    values = []
    for field, numbers in parts.items():
        joint = "" if all(placed[number].text[0] >= "\u4e00" for number in numbers) else " "
        text = joint.join(placed[number].text for number in numbers)
        values.append(FieldValue(field=field, text=text, box_ids=tuple(f"b{number}" for number in numbers)))
    return DocumentAnnotation(boxes=tuple(boxes), values=tuple(values))


def to_samples(documents: Iterable[SyntheticDocument], *, prefix: str = "receipt") -> Iterator[tuple[Sample, bytes]]:
    """Documents as samples with JPEG bytes, ready to be written in any format."""
    for number, document in enumerate(documents):
        height, width = document.picture.shape[:2]
        encoded = cv2.imencode(".jpg", document.picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
        path = f"{prefix}-{number:04}.jpg"
        yield (
            Sample(path=path, width=width, height=height, annotation=document.annotation, group=document.group),
            encoded,
        )
