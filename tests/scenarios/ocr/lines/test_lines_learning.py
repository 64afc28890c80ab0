import dataclasses
import time

import cv2
import numpy as np
import pytest
import torch

from sandglass.core.annotation import DocumentAnnotation, TextBox
from sandglass.core.geometry import Box
from sandglass.core.sample import Sample
from sandglass.core.time import Deadline
from sandglass.pretrained import locate
from sandglass.scenarios.base import Example, FitContext, LearningData, PredictOptions, TrainingPlan
from sandglass.scenarios.ocr.judge import TEXT_LABEL
from sandglass.scenarios.ocr.lines.guard import ForgettingGuard
from sandglass.scenarios.ocr.lines.network import LineNetwork
from sandglass.scenarios.ocr.lines.store import LineStore
from sandglass.scenarios.ocr.lines.trainer import LineTrainer
from sandglass.scenarios.ocr.lines.transcripts import Transcripts, cutting, single_lines
from sandglass.scenarios.ocr.reading.found import FoundReader
from sandglass.scenarios.ocr.scenario import Ocr
from sandglass.scenarios.ocr.synthesis import generate_lines, generate_receipts, to_samples

FONT = "fonts/print/noto-sans.ttf"
TEXTS = ("♞⚑ 12", "⚑-77", "♞♞ 5", "⚑ 90 ♞", "3 ♞⚑")
"""Written in characters that the base does not know; they are drawn as X and Y."""


class Silent:
    def progress(self, fraction):
        pass

    def metric(self, name, value):
        pass

    def log(self, message, *, level="info"):
        pass


def base():
    return LineNetwork(locate("ocr/ppocrv6-tiny-rec.onnx"), locate("ocr/ppocrv6-tiny-characters.txt"))


def opened(network):
    return FoundReader.open(network.to_onnx(), None, threads=1).read


@pytest.fixture(scope="module")
def pictures():
    drawn = [text.replace("♞", "X").replace("⚑", "Y") for text in TEXTS]
    return [picture for picture, _ in generate_lines(drawn, seed=4, fonts=[FONT], strength=0.1)]


def transcripts(pictures, folder):
    lines = Transcripts(LineStore(folder / "lines.bin"), list(TEXTS))
    for picture in pictures:
        lines.store.add(picture)
    return lines


def trainer(pictures, folder, **options):
    folder.mkdir(exist_ok=True)
    made = LineTrainer(base(), transcripts(pictures, folder), use="print", seed=1, threads=1, **options)
    made.pace.most = made.pace.planned = 60
    return made


def test_five_lines_with_new_characters_are_learnt_and_written_to_a_graph(pictures, tmp_path):
    learning = trainer(pictures, tmp_path, rehearse=False)
    assert set(learning.new_characters) == {"♞", "⚑"}
    while not learning.pace.finished:
        learning.fit(30, lambda: False)
    assert [text for text, _ in opened(learning.network)(pictures)] == list(TEXTS)


def test_learning_that_is_cut_and_restored_goes_on_as_if_it_had_not_been(pictures, tmp_path):
    def weights(learning):
        return torch.cat([item.detach().flatten() for item in learning.network.parameters()])

    whole = trainer(pictures, tmp_path / "a", rehearse=False)
    whole.pace.most = whole.pace.planned = 6
    whole.fit(60, lambda: False)
    first = trainer(pictures, tmp_path / "b", rehearse=False)
    first.pace.most = first.pace.planned = 6
    first.fit(60, lambda: first.pace.done == 3)
    first.save(tmp_path)
    second = trainer(pictures, tmp_path / "c", rehearse=False)
    second.restore(tmp_path)
    assert second.pace.done == 3
    second.fit(60, lambda: False)
    assert torch.allclose(weights(second), weights(whole), atol=1e-6)


def test_a_network_that_forgot_print_is_taken_back_to_the_base(pictures, tmp_path):
    network = base()
    guard = ForgettingGuard(network, opened)
    assert 0 < guard.before < 0.1
    fine = guard.keep(network.copy())
    assert fine.share == 1.0
    spoiled = network.copy()
    with torch.no_grad():
        for parameter in spoiled.parameters():
            parameter.add_(torch.randn_like(parameter) * parameter.std(correction=0) * 0.5)
    kept = guard.keep(spoiled)
    assert kept.learnt > guard.before + 0.1
    assert kept.share < 1.0
    assert kept.after <= guard.before + 0.005


def line_example(picture, text, name):
    height, width = picture.shape[:2]
    box = TextBox(id="b1", polygon=Box(0, 0, width, height).to_polygon(), text=text)
    sample = Sample(path=name, width=width, height=height, digest="", annotation=DocumentAnnotation(boxes=(box,)))
    data = cv2.imencode(".png", picture)[1].tobytes()
    return Example(sample, lambda: data)


def context_in(folder, seconds):
    folder.mkdir(parents=True, exist_ok=True)
    return FitContext(Deadline(seconds), lambda: False, Silent(), folder, folder / "cache", 1, 0)


def test_a_task_of_single_lines_is_learnt_and_its_model_reads_higher_pictures_whole(pictures, tmp_path):
    examples = [
        line_example(picture, text, f"{number}.png")
        for number, (picture, text) in enumerate(zip(pictures, TEXTS, strict=True))
    ]
    assert single_lines(examples)
    data = LearningData(examples[:4], examples[4:], (TEXT_LABEL,))
    context = context_in(tmp_path / "run", None)
    scenario = Ocr()
    plan = TrainingPlan("fastest", {"keep_print": False})
    scenario.prepare(data, plan, context)
    candidates = scenario.candidates(data, plan, context)
    assert [candidate.name for candidate in candidates] == ["base", "learnt"]
    for candidate in candidates:
        while not candidate.ready:
            candidate.fit(context)
        [prediction] = candidate.predict_validation(context)
        assert prediction.width == examples[4].sample.width
    learnt = candidates[1]
    began = time.monotonic()
    learnt.fit(context_in(tmp_path / "run", 0.0))
    assert time.monotonic() - began < 3
    assert learnt.finished  # without time, the plan is cut to what is done
    folder = tmp_path / "model"
    folder.mkdir()
    candidates[1].export(folder)
    (folder / "manifest.json").write_text('{"threshold": 0.5}')
    high = np.repeat(np.repeat(pictures[0], 4, axis=0), 4, axis=1)
    exported = scenario.load(folder, threads=1)
    [answer] = exported.predict([scenario.query(line_example(high, "", "high.png"))], PredictOptions())
    assert len(answer.lines) == 1
    assert answer.lines[0].polygon[2] == (high.shape[1], high.shape[0])


def test_lines_are_cut_out_of_pages_as_they_are_labelled(tmp_path):
    documents = list(to_samples(generate_receipts(1, seed=3), prefix="page"))
    examples = [Example(sample, lambda data=data: data) for sample, data in documents]
    lines = Transcripts(LineStore(tmp_path / "lines.bin"))
    for _ in cutting(examples, lines, Silent()):
        pass
    labelled = [box for box in documents[0][0].annotation.boxes if box.text]
    assert lines.texts == [box.text for box in labelled]
    assert not single_lines(examples)
    readings = FoundReader.open(base().to_onnx(), None, threads=1).read(
        [lines.store[n] for n in range(len(lines.texts))]
    )
    alike = [
        text.replace(" ", "") == truth.replace(" ", "") for (text, _), truth in zip(readings, lines.texts, strict=True)
    ]
    assert np.mean(alike) > 0.6


def test_pictures_that_cannot_be_read_are_told_and_left_out(pictures, tmp_path):
    told = []

    class Told(Silent):
        def log(self, message, *, level="info"):
            told.append((level, message))

    good = line_example(pictures[0], TEXTS[0], "good.png")
    cut_off = dataclasses.replace(good, read=lambda: good.read()[:60])
    lines = Transcripts(LineStore(tmp_path / "lines.bin"))
    for _ in cutting([cut_off, good], lines, Told()):
        pass
    assert lines.texts == [TEXTS[0]]
    assert [level for level, _ in told] == ["warning"]
