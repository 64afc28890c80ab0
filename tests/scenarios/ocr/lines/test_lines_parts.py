import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandglass.scenarios.ocr.lines.augment import HANDWRITING, PRINT, vary
from sandglass.scenarios.ocr.lines.batches import PIXELS, collate, epoch_batches, padded_width_of
from sandglass.scenarios.ocr.lines.charset import Charset
from sandglass.scenarios.ocr.lines.rehearsal import common_ideographs, printed_lines
from sandglass.scenarios.ocr.lines.store import LineStore

CHARSET = Charset(("", "a", "b", "1", "(", "中", " "))


def test_texts_are_spelled_in_characters_that_are_known():
    assert CHARSET.spelled("  ａ\tb\u3000１ ") == "a b 1"
    assert CHARSET.spelled("（中）") == "(中）"  # the closing bracket is not known in either form
    assert CHARSET.encode("a中 b") == [1, 5, 6, 2]


def test_new_characters_stand_before_the_space_and_the_others_keep_their_classes():
    assert CHARSET.missing(["xa", "xy", "中"]) == ["x", "y"]
    grown, old = CHARSET.grown(["x", "y"])
    assert grown.characters == ("", "a", "b", "1", "(", "中", "x", "y", " ")
    assert old == [0, 1, 2, 3, 4, 5, -1, -1, 6]


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=200), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_an_epoch_shows_every_line_once_in_batches_of_bounded_size(widths, seed):
    batches = epoch_batches(widths, np.random.default_rng(seed))
    assert sorted(number for batch in batches for number in batch) == list(range(len(widths)))
    for batch in batches:
        assert len(batch) == 1 or max(padded_width_of(widths[number]) for number in batch) * len(batch) <= PIXELS


def test_a_batch_is_laid_out_as_the_recogniser_lays_it():
    line = np.full((24, 100, 3), 255, np.uint8)
    batch = collate([line, np.zeros((48, 400, 3), np.uint8)])
    assert tuple(batch.shape) == (2, 3, 48, 448)
    assert float(batch[0, 0, 0, 199]) == pytest.approx(1.0)
    assert float(batch[0, 0, 0, 200]) == 0.0
    assert float(batch[1, 2, 47, 399]) == -1.0


def test_stored_lines_come_back_grey_or_in_colour(tmp_path):
    store = LineStore(tmp_path / "lines.bin")
    random = np.random.default_rng(0)
    colour = random.integers(0, 255, (48, 70, 3), np.uint8)
    grey = np.repeat(random.integers(0, 255, (48, 30, 1), np.uint8), 3, axis=2)
    assert [store.add(colour), store.add(grey)] == [0, 1]
    assert np.array_equal(store[0], colour)
    assert np.array_equal(store[1], grey)
    assert store.add(np.zeros((96, 10, 3), np.uint8)) == 2
    assert store.widths == [70, 30, 5]
    assert np.array_equal(store[0], colour)


@pytest.mark.parametrize("strength", [PRINT, HANDWRITING])
@pytest.mark.parametrize("width", [1, 9, 60, 1400])
def test_variants_keep_height_and_are_pictures(strength, width):
    line = np.random.default_rng(width).integers(0, 255, (48, width, 3), np.uint8)
    for seed in range(30):
        varied = vary(line, np.random.default_rng(seed), strength)
        assert varied.dtype == np.uint8
        assert varied.shape[0] == 48
        assert varied.shape[2] == 3
    assert np.array_equal(
        vary(line, np.random.default_rng(3), strength), vary(line, np.random.default_rng(3), strength)
    )


def test_rehearsed_lines_are_the_same_for_a_seed_and_mix_both_languages():
    ideographs = common_ideographs(["a", "中", "国", "龘"])
    assert ideographs == ["中", "国"]
    one, two = printed_lines(5, ideographs), printed_lines(5, ideographs)
    texts = []
    for _ in range(30):
        (picture, text), (other, same) = next(one), next(two)
        assert text == same
        assert np.array_equal(picture, other)
        texts.append(text)
    assert any(text.isascii() for text in texts)
    assert any(not text.isascii() for text in texts)
