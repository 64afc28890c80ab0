import json

import cv2
import numpy as np
import pytest
import torch

from sandglass.core.errors import Broken
from sandglass.scenarios.detection.coco import COCO, coco_number, same_labels
from sandglass.scenarios.detection.grid import BINS, Found, cells, decode, suppress
from sandglass.scenarios.detection.network.assign import assign
from sandglass.scenarios.detection.network.boxes import decoded, giou, pair_iou
from sandglass.scenarios.detection.network.export import detector_graph
from sandglass.scenarios.detection.network.losses import Truth, loss
from sandglass.scenarios.detection.network.nanodet import NanoDet, Raw, Scored
from sandglass.scenarios.detection.network.published import published_network, read_weights
from sandglass.scenarios.detection.view import View, detect, lay, network_input, tiles
from sandglass.scenarios.neural.sessions import OnnxSession

MEAN_OF_CLASSES, SPREAD_OF_SIDES = -5.2061, 1.0197


@pytest.fixture(scope="module")
def published():
    return published_network()


@pytest.mark.parametrize("shape", [(1, 3, 320, 416), (2, 3, 96, 32)])
def test_the_exported_graph_answers_like_the_network(published, shape):
    session = OnnxSession(detector_graph(published), threads=1)
    values = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = Scored(published)(values)
    for own, other in zip(expected, session(values.numpy()), strict=True):
        assert np.abs(own.numpy() - other).max() < 1e-4


def test_the_published_weights_answer_a_ramp_as_they_did_when_they_were_compared_with_their_source(published):
    values = torch.linspace(-2, 2, 3 * 64 * 64).reshape(1, 3, 64, 64)
    with torch.inference_mode():
        raw = published(values)
    assert raw.classes.shape == (1, 64 + 16 + 4, len(COCO))
    assert raw.sides.shape == (1, 84, 4 * BINS)
    assert float(raw.classes.mean()) == pytest.approx(MEAN_OF_CLASSES, abs=1e-3)
    assert float(raw.sides.std()) == pytest.approx(SPREAD_OF_SIDES, abs=1e-3)


def test_damaged_weights_are_refused(tmp_path):
    graph = {"weightsManifest": [{"weights": [{"name": "a", "shape": [2], "dtype": "float32"}]}]}
    assert read_weights(graph, np.array([1.5, 2.5], "<f4").tobytes())["a"].tolist() == [1.5, 2.5]
    with pytest.raises(ValueError, match="bytes"):
        read_weights(graph, b"\0" * 12)
    with pytest.raises(Broken, match="not on this machine"):
        published_network(tmp_path)


def test_quantised_weights_are_scaled_back():
    quantised = {"dtype": "uint8", "scale": 0.5, "min": -1.0}
    graph = {
        "weightsManifest": [{"weights": [{"name": "a", "shape": [2], "dtype": "float32", "quantization": quantised}]}]
    }
    assert read_weights(json.loads(json.dumps(graph)), bytes([0, 4]))["a"].tolist() == [-1.0, 1.0]


def test_a_new_head_keeps_what_matches_and_starts_the_rest_low(published):
    network = NanoDet(2)
    network.start_from(published, same_labels(["茶杯", "RBC"]))
    cup = COCO.index("cup")
    for mine, theirs in zip(network.heads, published.heads, strict=True):
        assert torch.equal(mine.weight[0], theirs.weight[cup])
        assert torch.equal(mine.bias[2:], theirs.bias[80:])
        assert mine.bias[1].sigmoid().item() == pytest.approx(0.01, abs=1e-4)
    assert torch.equal(network.stem[0].weight, published.stem[0].weight)


@pytest.mark.parametrize(
    ("name", "label"),
    [("cup", "cup"), ("Cups", "cup"), ("杯子", "cup"), ("wine_glass", "wine glass"), ("碗", "bowl"), ("血小板", None)],
)
def test_names_of_coco_labels_in_two_languages(name, label):
    number = coco_number(name)
    assert (None if number is None else COCO[number]) == label


def test_numpy_and_torch_decode_the_same_boxes():
    centres, strides = cells(64, 96)
    sides = torch.randn(len(centres), 4 * BINS, generator=torch.Generator().manual_seed(2))
    scores = torch.rand(len(centres), 3, generator=torch.Generator().manual_seed(3))
    boxes = decoded(sides, torch.from_numpy(centres), torch.from_numpy(strides)).numpy()
    found = decode(scores.numpy(), sides.numpy(), (64, 96))
    order = np.argsort(-scores.numpy(), axis=None, kind="stable")[:50]
    assert np.allclose(found.boxes[:50], boxes[order // 3], atol=1e-3)
    assert (found.labels[:50] == order % 3).all()


def test_overlapping_boxes_of_one_label_leave_the_best():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [30, 30, 40, 40]], np.float32)
    found = Found(boxes, np.array([0.9, 0.8, 0.7, 0.6], np.float32), np.array([0, 0, 1, 0]))
    kept = suppress(found)
    assert kept.scores.tolist() == pytest.approx([0.9, 0.7, 0.6])
    assert suppress(found, most=1).labels.tolist() == [0]
    nothing = suppress(Found(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64)))
    assert len(nothing.scores) == 0


def test_overlap_and_generalised_overlap():
    one = torch.tensor([[0.0, 0, 10, 10]])
    other = torch.tensor([[5.0, 0, 15, 10], [20.0, 0, 30, 10]])
    assert pair_iou(one, other)[0].tolist() == pytest.approx([1 / 3, 0.0])
    assert giou(one.expand(2, 4), other).tolist() == pytest.approx([1 / 3, -1 / 3])


def _assigned(boxes, ignore=()):
    centres, strides = (torch.from_numpy(part) for part in cells(64, 64))
    truth_boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    predicted = torch.cat([centres - 8, centres + 8], 1)
    return centres, assign(
        torch.full((len(centres), 2), 0.5),
        predicted,
        centres,
        strides,
        truth_boxes,
        torch.zeros(len(truth_boxes), dtype=torch.long),
        torch.tensor(ignore, dtype=torch.float32).reshape(-1, 4),
    )


def test_cells_learn_the_object_that_they_lie_in():
    centres, found = _assigned([[4, 4, 20, 20], [40, 40, 56, 56]])
    assert set(found.objects.tolist()) == {0, 1}
    for cell, index in zip(found.cells.tolist(), found.objects.tolist(), strict=True):
        middle = (12.0, 48.0)[index]
        assert (centres[cell] - middle).abs().max() <= 16
    assert float(found.quality.max()) == pytest.approx(1.0, abs=0.01)


def test_an_object_smaller_than_a_cell_is_still_learnt():
    _, found = _assigned([[30, 30, 32, 32]])
    assert len(found.cells) >= 1


def test_ignored_regions_teach_nothing_unless_an_object_lies_there():
    _, found = _assigned([[4, 4, 20, 20]], [[0, 0, 64, 64]])
    assert bool(found.ignored.any())
    assert not bool(found.ignored[found.cells].any())


def test_a_picture_without_objects_teaches_the_background():
    centres, strides = (torch.from_numpy(part) for part in cells(64, 64))
    none = Truth(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), torch.zeros(0, 4))
    quiet = Raw(torch.full((1, 84, 2), -9.0), torch.zeros(1, 84, 44))
    loud = Raw(torch.full((1, 84, 2), 3.0), torch.zeros(1, 84, 44))
    assert float(loss(loud, [none], centres, strides)) > 10 > 0.01 > float(loss(quiet, [none], centres, strides))


@pytest.mark.parametrize(("size", "tile"), [((100, 300), 128), ((64, 64), 128), ((500, 333), 160)])
def test_tiles_cover_the_picture_and_overlap(size, tile):
    seen = np.zeros(size, int)
    for top, left, bottom, right in tiles(*size, tile):
        assert bottom - top <= tile
        assert right - left <= tile
        seen[top:bottom, left:right] += 1
    assert seen.min() >= 1
    assert (seen.max() > 1) == (max(size) > tile)


def test_objects_in_tiles_come_back_to_their_place():
    """A network that answers bright squares: every cell whose pixel is white says so."""
    picture = np.zeros((200, 600, 3), np.uint8)
    for left, top in ((40, 40), (300, 100), (520, 150)):
        cv2.rectangle(picture, (left, top), (left + 15, top + 15), (255, 255, 255), -1)

    def infer(values):
        _, _, height, width = values.shape
        centres, strides = cells(height, width)
        at = centres.astype(int)
        bright = (values[0, 0, at[:, 1], at[:, 0]] > 2) & (strides == 8)
        scores = np.where(bright, 0.9, 0.0)[None, :, None].astype(np.float32)
        sides = np.full((1, len(centres), 4 * BINS), -20, np.float32)
        sides[:, :, 1::BINS] = 20  # one stride to every side
        return [scores, sides]

    for view in (View(600, 600), View(600, 256)):
        found = detect(lay(picture, view), infer, view)
        middles = sorted({(round(float(x + r) / 2, -1), round(float(y + b) / 2, -1)) for x, y, r, b in found.boxes})
        assert {x for x, _ in middles} >= {50.0, 310.0, 530.0}
        assert all(min(abs(x - 47), abs(x - 307), abs(x - 527)) <= 12 for x, _ in middles)


def test_the_input_is_padded_to_whole_cells():
    values = network_input(np.full((50, 70, 3), 128, np.uint8))
    assert values.shape == (1, 3, 64, 96)
    assert values[0, :, 50:].any() == np.False_
