import math
import time

import numpy as np
import pytest
import torch
from torch import nn

from sandglass.core.errors import Broken
from sandglass.learning.device import choose_device
from sandglass.scenarios.neural.average import MovingAverage
from sandglass.scenarios.neural.calibration import confidences, sigmoid_temperature, temperature
from sandglass.scenarios.neural.graph import onnx_graph
from sandglass.scenarios.neural.precision import Precision
from sandglass.scenarios.neural.schedule import Pace, one_cycle
from sandglass.scenarios.neural.sessions import OnnxSession


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU6(), nn.Flatten(), nn.Linear(8 * 36, 2))


def test_the_rate_rises_then_falls():
    rates = [one_cycle(step / 100) for step in range(101)]
    top = int(np.argmax(rates))
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[top] == 1.0
    assert rates[-1] < 0.01


def test_a_plan_follows_the_measured_pace_within_its_limits():
    pace = Pace(most=100, least=5)
    pace.fit_within(0.001)
    assert pace.planned == 100  # nothing is known yet
    pace.step_seconds, pace.done = 0.1, 10
    pace.fit_within(2.05)
    assert pace.planned == 30
    pace.fit_within(1e6)
    assert pace.planned == 100
    pace.done = 2
    pace.fit_within(0.0)
    assert pace.planned == 5


def test_a_piece_ends_in_time_and_goes_on_where_it_was():
    pace = Pace(most=1000)
    seen = []

    def step(progress):
        time.sleep(0.01)
        seen.append(progress)
        return 2.0

    started = time.monotonic()
    assert pace.run(0.2, lambda: False, step) == 2.0
    assert time.monotonic() - started < 0.4
    assert 5 < pace.done == len(seen) < 25
    again = Pace(most=1000)
    again.restore(pace.state())
    again.run(0.0, lambda: False, step)
    assert again.done == pace.done  # no time, no step, but for a learner that has nothing yet
    assert math.isnan(again.run(1.0, lambda: True, step))


def test_the_average_is_near_the_network_early_and_smooth_later():
    source = nn.Linear(1, 1, bias=False)
    source.weight.data[:] = 0.0
    average = MovingAverage(source, decay=0.99)
    source.weight.data[:] = 1.0
    for _ in range(30):
        average.update(source)
    assert float(average.network.weight) > 0.98
    for value in (3.0, -1.0) * 200:
        source.weight.data[:] = value
        average.update(source)
    assert float(average.network.weight) == pytest.approx(1.0, abs=0.1)
    again = MovingAverage(nn.Linear(1, 1, bias=False))
    again.restore(average.state())
    assert again.network.weight == average.network.weight
    assert again.updates == average.updates


def test_a_step_lowers_the_loss_on_the_device_that_is_there():
    device = choose_device()
    network, precision = net().to(device), Precision(device)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-2)
    pictures = torch.randn(16, 3, 8, 8, device=device)
    truth = (pictures.mean((1, 2, 3)) > 0).long()
    losses = []
    for _ in range(30):
        with precision.forward():
            loss = nn.functional.cross_entropy(network(pictures), truth)
        precision.step(loss, optimiser, network, clip=5.0)
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize(("there", "device"), [(True, "cuda"), (False, "cpu")])
def test_the_device_is_the_gpu_where_there_is_one(there, device):
    assert choose_device(lambda: there) == device


@pytest.mark.parametrize(
    ("device", "bfloat16", "dtype", "scaled"),
    [("cpu", None, torch.float32, False), ("cuda", True, torch.bfloat16, False), ("cuda", False, torch.float16, True)],
)
def test_precision_is_mixed_on_a_gpu_only(device, bfloat16, dtype, scaled, monkeypatch):
    made = []
    monkeypatch.setattr(torch.amp, "GradScaler", lambda name, enabled: made.append((name, enabled)))
    assert Precision(device, bfloat16=bfloat16).dtype is dtype
    assert made == [(device, scaled)]


def test_a_temperature_repairs_confidence_that_is_too_high():
    random = np.random.default_rng(0)
    honest = random.normal(0, 1.5, (4000, 3))
    chances = confidences(honest, 1.0, several=False)
    truth = np.eye(3)[[random.choice(3, p=row) for row in chances]]
    assert temperature(honest * 4, truth) == pytest.approx(4.0, rel=0.1)
    marks = (random.random(honest.shape) < confidences(honest, 1.0, several=True)).astype(float)
    assert sigmoid_temperature(honest * 3, marks) == pytest.approx(3.0, rel=0.1)
    assert temperature(np.zeros((0, 3)), np.zeros((0, 3))) == 1.0


def test_few_answers_do_not_make_a_model_certain():
    assert (
        confidences(np.array([[3.0, 0.0]]), temperature(np.array([[3.0, 0.0]]), np.eye(2)[:1]), several=False).max()
        < 0.999
    )


def test_a_written_graph_answers_like_its_network_whatever_the_batch():
    network = net().eval()
    graph = onnx_graph(network, torch.randn(2, 3, 8, 8), outputs=["logits"])
    many = torch.randn(5, 3, 8, 8)
    [answer] = OnnxSession(graph, threads=1)(many.numpy())
    assert np.abs(answer - network(many).detach().numpy()).max() < 1e-4


def test_a_graph_that_differs_from_its_network_is_refused():
    class Random(nn.Module):
        def forward(self, picture):
            return picture + torch.rand(())

    with pytest.raises(Broken) as caught:
        onnx_graph(Random().eval(), torch.zeros(1, 3, 8, 8), outputs=["logits"])
    assert caught.value.code == "export_differs"
