from decimal import Decimal
from random import Random

import numpy as np
import pytest
from PIL import ImageFont

from sandglass.core.annotation import Role
from sandglass.core.geometry import bounding_box
from sandglass.pretrained import locate
from sandglass.scenarios.ocr.synthesis import generate_lines, generate_receipts, to_samples
from sandglass.scenarios.ocr.synthesis.contents import make_merchant, make_receipt


def test_the_same_seed_gives_the_same_documents():
    first, second = (list(generate_receipts(3, seed=5)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one.annotation == other.annotation
        assert np.array_equal(one.picture, other.picture)
    assert next(generate_receipts(1, seed=6)).annotation != first[0].annotation


@pytest.mark.parametrize("language", ["zh", "en"])
def test_boxes_lie_on_ink_inside_the_picture(language):
    for document in generate_receipts(4, seed=3, language=language):
        height, width = document.picture.shape[:2]
        for box in document.annotation.boxes:
            edges = bounding_box(box.polygon)
            assert 0 <= edges.left < edges.right <= width
            assert 0 <= edges.top < edges.bottom <= height
            crop = document.picture[int(edges.top) : int(edges.bottom) + 1, int(edges.left) : int(edges.right) + 1]
            assert crop.min() < 0.65 * np.median(crop), box.text


def test_every_document_has_all_fields_and_its_links_hold():
    for document in generate_receipts(6, seed=9):
        fields = {value.field for value in document.annotation.values}
        assert fields == {"company", "address", "date", "total", "number"}
        boxes = {box.id: box for box in document.annotation.boxes}
        for box in boxes.values():
            assert all(boxes[key].role is Role.KEY for key in box.key_ids)
        for value in document.annotation.values:
            assert "".join(boxes[name].text for name in value.box_ids).replace(" ", "") == value.text.replace(" ", "")


def test_amounts_add_up():
    random = Random(1)
    for language in ("en", "zh") * 20:
        receipt = make_receipt(random, make_merchant(random, language))
        assert receipt.total == sum(item.price * item.count for item in receipt.items) + receipt.tax + receipt.rounding
        assert receipt.cash >= receipt.total
        assert (receipt.total * 20) % 1 == 0
        assert abs(receipt.rounding) <= Decimal("0.03")


def test_fonts_have_every_character_that_is_drawn():
    font = ImageFont.truetype(locate("fonts/print/noto-sans-cjk.otf"), 20)
    tofu = font.getmask("\U000f0000").getbbox(), bytes(font.getmask("\U000f0000"))
    for document in generate_receipts(8, seed=4, language="zh"):
        for char in {char for box in document.annotation.boxes for char in box.text if not char.isspace()}:
            assert (font.getmask(char).getbbox(), bytes(font.getmask(char))) != tofu, char


def test_samples_carry_size_and_merchant():
    samples = list(to_samples(generate_receipts(3, seed=1)))
    assert [sample.path for sample, _ in samples] == ["receipt-0000.jpg", "receipt-0001.jpg", "receipt-0002.jpg"]
    assert all(sample.group and sample.width and data[:2] == b"\xff\xd8" for sample, data in samples)


def test_lines_are_drawn_in_order():
    lines = list(generate_lines(["one 1", "two 2"], seed=1, fonts=["fonts/print/noto-sans.ttf"]))
    assert [text for _, text in lines] == ["one 1", "two 2"]
    assert all(picture.shape[2] == 3 and picture.min() < 120 for picture, _ in lines)
