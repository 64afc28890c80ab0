import threading

import numpy as np
import pytest

from sandglass.core.prediction import DocumentPrediction
from sandglass.scenarios.ocr.fields.compare import letters_and_digits
from sandglass.scenarios.ocr.judge import judge_lines
from sandglass.scenarios.ocr.reading import Reader
from sandglass.scenarios.ocr.reading.reader import is_line
from sandglass.scenarios.ocr.synthesis import generate_lines, generate_receipts

FONT = "fonts/print/noto-sans-cjk.otf"


@pytest.fixture(scope="module", params=["accurate", "fast"])
def reader(request):
    return Reader.from_weights(request.param, threads=1)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_receipts_are_read(reader, language):
    for document in generate_receipts(2, seed=21, language=language, strength=0.4):
        lines = reader.read(document.picture)
        height, width = document.picture.shape[:2]
        seen = DocumentPrediction(width=width, height=height, lines=tuple(lines))
        matches = judge_lines(document.annotation, seen)
        right = sum(match.right for match in matches)
        assert 2 * right / (len(lines) + len(document.annotation.boxes)) > 0.75


def test_single_lines_are_read_whole(reader):
    texts = ["Invoice No. 4711", "发票号码 12345678", "TOTAL 98.50"]
    for picture, text in generate_lines(texts, seed=2, fonts=[FONT], strength=0.2):
        line = reader.read_line(picture)
        assert letters_and_digits(line.text) == letters_and_digits(text)
        assert line.polygon[2] == (picture.shape[1], picture.shape[0])
        assert is_line(picture)
        assert len(reader.read(picture)) == 1


def test_a_line_reads_the_same_alone_and_among_others(reader):
    lines = [
        picture
        for picture, _ in generate_lines(["one 1", "a much longer line of text 2", "three"], seed=3, fonts=[FONT])
    ]
    together = reader._lines.read(lines)
    for line, (text, score) in zip(lines, together, strict=True):
        [(own_text, own_score)] = reader._lines.read([line])
        assert own_text == text
        assert own_score == pytest.approx(score, abs=1e-3)


def test_lines_that_stand_on_their_head_are_read(reader):
    [document] = generate_receipts(1, seed=21, language="en", strength=0.2)
    upright = {letters_and_digits(line.text) for line in reader.read(document.picture)}
    turned = reader.read(np.ascontiguousarray(document.picture[::-1, ::-1]))
    assert len(upright & {letters_and_digits(line.text) for line in turned}) > 0.6 * len(upright)
    starts_right = [line.polygon[0][0] > line.polygon[1][0] for line in turned if len(line.text) > 6]
    assert np.mean(starts_right) > 0.6


def test_a_blank_page_has_no_lines(reader):
    assert reader.read(np.full((900, 700, 3), 255, np.uint8)) == []
    assert reader.read(np.full((32, 200, 3), 255, np.uint8)) == []
    assert reader.read(np.zeros((1, 1, 3), np.uint8)) == []


def test_several_threads_may_read_at_once(reader):
    [document] = generate_receipts(1, seed=22, language="en")
    expected = [line.text for line in reader.read(document.picture)]
    results = []
    threads = [threading.Thread(target=lambda: results.append(reader.read(document.picture))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [[line.text for line in lines] for lines in results] == [expected] * 3
