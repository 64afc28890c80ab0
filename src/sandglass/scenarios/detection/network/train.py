"""Trains a detector: in bounded pieces, towards a deadline, with averaged weights, to be taken up again after a kill."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sandglass.scenarios.base import Example
from sandglass.scenarios.detection.coco import same_labels
from sandglass.scenarios.detection.grid import cells
from sandglass.scenarios.detection.network.batches import Batch, Batches
from sandglass.scenarios.detection.network.export import detector_graph
from sandglass.scenarios.detection.network.losses import loss
from sandglass.scenarios.detection.network.nanodet import NanoDet, Scored
from sandglass.scenarios.detection.network.published import published_network
from sandglass.scenarios.detection.recipe import Recipe
from sandglass.scenarios.detection.shelf import Labelled, Shelf
from sandglass.scenarios.detection.view import DEVIATION, MEAN, Infer
from sandglass.scenarios.neural.average import MovingAverage
from sandglass.scenarios.neural.precision import Device, Precision
from sandglass.scenarios.neural.schedule import Pace, one_cycle

READY_STEPS = 20
"""Steps from which answers are worth looking at."""
LEAST_STEPS = 40
WEIGHT_DECAY = 0.05
CLIP = 10.0
STATE = "detector.pt"


class DetectionTrainer:
    """Learns ``labels`` from examples.

    Args:
        examples: readable ones.
        truths: what is labelled on each.
        labels: in display order.
        shelf: holds the pictures.
        recipe: how to learn.
        seed: of all randomness.
        threads: CPU threads.
        device: ``cpu`` or ``cuda``.
        start: makes the pretrained network.

    Attributes:
        recipe: how it learns.
        pace: steps taken and planned.
        seconds: spent in `fit` by this object.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        truths: Sequence[Labelled],
        labels: tuple[str, ...],
        shelf: Shelf,
        recipe: Recipe,
        *,
        seed: int,
        threads: int,
        device: Device,
        start: Callable[[], NanoDet] = published_network,
    ) -> None:
        torch.manual_seed(seed)
        self.recipe, self._labels, self._threads = recipe, labels, threads
        self._device = torch.device(device)
        network = NanoDet(len(labels))
        network.start_from(start(), same_labels(labels))
        self._network = network.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._average = MovingAverage(self._network, recipe.decay)
        self._optimiser = torch.optim.AdamW(_groups(self._network), recipe.rate)
        self._precision = Precision(device)
        self._batches = Batches(examples, truths, shelf, recipe, seed=seed)
        self.pace = Pace(most=recipe.steps, least=min(LEAST_STEPS, recipe.steps))
        self.seconds = 0.0
        self._mean = torch.from_numpy(MEAN).to(self._device)
        self._deviation = torch.from_numpy(DEVIATION).to(self._device)

    def go_on_from(self, other: "DetectionTrainer") -> None:
        """Begin with what another trainer of the same labels has learnt so far."""
        weights = other._average.network.state_dict()
        self._network.load_state_dict(weights)
        self._average = MovingAverage(self._network, self.recipe.decay)

    @property
    def ready(self) -> bool:
        return self.pace.done >= min(READY_STEPS, self.pace.planned)

    def fit(self, seconds: float, over: Callable[[], bool]) -> float:
        """Learn for about ``seconds``; the mean loss, NaN when no step was taken."""
        before, began = torch.get_num_threads(), time.monotonic()
        torch.set_num_threads(max(1, self._threads))
        self._network.train()
        try:
            return self.pace.run(seconds, over, self._step)
        finally:
            torch.set_num_threads(before)
            self.seconds += time.monotonic() - began

    def _step(self, progress: float) -> float:
        for group in self._optimiser.param_groups:
            group["lr"] = self.recipe.rate * one_cycle(progress, warm=0.05)
        batch = self._batches.get(self.pace.done)
        pictures = self._normal(batch)
        size = (pictures.shape[2], pictures.shape[3])
        centres, strides = (torch.from_numpy(values).to(self._device) for values in cells(*size))
        with self._precision.forward():
            raw = self._network(pictures)
        value = loss(raw, [truth.to(self._device) for truth in batch.truths], centres, strides)
        self._precision.step(value, self._optimiser, self._network, clip=CLIP)
        self._average.update(self._network)
        return float(value.detach())

    def _normal(self, batch: Batch) -> Tensor:
        pictures = batch.pictures.to(self._device).float()
        return ((pictures - self._mean) / self._deviation).permute(0, 3, 1, 2)  # channels last in memory

    def infer(self) -> Infer:
        """The averaged network as a function of arrays, for answers while learning."""
        scored = Scored(self._average.network).eval()

        def run(values: np.ndarray) -> Sequence[np.ndarray]:
            with torch.inference_mode():
                parts = scored(torch.from_numpy(values).to(self._device))
            return [part.float().cpu().numpy() for part in parts]

        return run

    def graph(self) -> bytes:
        """The averaged network as an ONNX graph for any size of whole cells.

        Raises:
            Broken: ``export_differs``.
        """
        network = NanoDet(len(self._labels))
        network.load_state_dict({name: value.cpu() for name, value in self._average.network.state_dict().items()})
        return detector_graph(network)

    def close(self) -> None:
        """End the background work."""
        self._batches.close()

    def save(self, folder: Path) -> None:
        """Write all state that `restore` needs."""
        state = {
            "network": self._network.state_dict(),
            "average": self._average.state(),
            "optimiser": self._optimiser.state_dict(),
            "precision": self._precision.state(),
            "pace": self.pace.state(),
        }
        torch.save(state, folder / STATE)

    def restore(self, folder: Path) -> None:
        """Go on where `save` was called; data and arguments must be the same."""
        state: dict[str, Any] = torch.load(folder / STATE, weights_only=True, map_location=self._device)
        self._network.load_state_dict(state["network"])
        self._average.restore(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._precision.restore(state["precision"])
        self.pace.restore(state["pace"])


def _groups(network: nn.Module) -> list[dict[str, Any]]:
    """Parameters with and without weight decay: biases have none."""
    weights = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    return [{"params": weights, "weight_decay": WEIGHT_DECAY}, {"params": biases, "weight_decay": 0.0}]
