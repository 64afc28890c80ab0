"""One network of the ensemble while it learns: steps, averaged weights, state that can be taken up again."""

import copy
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sandglass.scenarios.ocr.fields.augment import Augmenter
from sandglass.scenarios.ocr.fields.losses import collate, loss
from sandglass.scenarios.ocr.fields.model import FieldNetwork, NetworkInput, SeededDropout
from sandglass.scenarios.ocr.fields.targets import TrainingPage

BATCH = 8
RATE = 2e-3
WARM = 0.1
"""Share of the steps in which the learning rate rises."""
AVERAGE = 0.995
POOL = 8
"""Batches that are drawn together and sorted by length, so that pages of a batch are alike."""


class Member:
    """Learns one network.

    Args:
        pages: to learn from.
        weights: how often each page is drawn.
        make: makes the fresh network.
        steps: planned number of steps.
    """

    def __init__(
        self,
        pages: Sequence[TrainingPage],
        weights: Sequence[float],
        augmenter: Augmenter,
        make: Callable[[], FieldNetwork],
        *,
        steps: int,
        seed: int,
        device: str,
    ) -> None:
        self._pages = pages
        self._weights = np.array(weights) / max(1e-9, float(np.sum(weights)))
        self._augmenter = augmenter
        self._random = np.random.default_rng(seed)
        self._device = torch.device(device)
        self.steps = steps
        self.step = 0
        self.loss = math.nan
        torch.manual_seed(seed)
        self.network = make().to(self._device)
        self.average = copy.deepcopy(self.network).eval()
        self._noise = torch.Generator(self._device).manual_seed(seed)
        for module in self.network.modules():
            if isinstance(module, SeededDropout):
                module.generator = self._noise
        self._optimiser = torch.optim.AdamW(self.network.parameters(), RATE, weight_decay=0.02)
        self._queue: list[list[int]] = []
        self._seconds, self._timed = 0.0, 0

    @property
    def finished(self) -> bool:
        return self.step >= self.steps

    def learn(self, seconds: float, stop: Callable[[], bool]) -> None:
        """Take steps for about ``seconds``."""
        began = time.monotonic()
        self.network.train()
        while not self.finished and time.monotonic() < began + seconds and not stop():
            self._step()
            self._timed += 1
        self._seconds += time.monotonic() - began

    @property
    def seconds_per_step(self) -> float | None:
        """Measured while learning; None before the first step."""
        return self._seconds / self._timed if self._timed else None

    def _step(self) -> None:
        if not self._queue:
            self._queue = self._draw()
        pages = [self._augmenter.vary(self._pages[index], self._random) for index in self._queue.pop()]
        batch, targets = collate(pages)
        batch = NetworkInput(*(part.to(self._device) for part in batch))
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate()
        value: Tensor = loss(self.network(batch), batch, targets.to(self._device))
        self._optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimiser.step()
        self.step += 1
        self.loss = value.item() if math.isnan(self.loss) else 0.95 * self.loss + 0.05 * value.item()
        share = 1 - min(AVERAGE, self.step / (self.step + 50))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), share)

    def _rate(self) -> float:
        """One cycle: up in a straight line, down along a cosine."""
        done = self.step / max(1, self.steps)
        if done < WARM:
            return RATE * (0.04 + 0.96 * done / WARM)
        return RATE * max(1e-3, 0.5 * (1 + math.cos(math.pi * (done - WARM) / (1 - WARM))))

    def _draw(self) -> list[list[int]]:
        count = len(self._pages)
        drawn = self._random.choice(count, max(count, BATCH), p=self._weights)
        batches = []
        for start in range(0, len(drawn), BATCH * POOL):
            pool = sorted(drawn[start : start + BATCH * POOL].tolist(), key=lambda i: self._pages[i].size)
            batches += [pool[at : at + BATCH] for at in range(0, len(pool), BATCH)]
        self._random.shuffle(batches)
        return batches

    def state(self) -> dict[str, Any]:
        """All that `restore` needs, for ``torch.save``."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "noise": self._noise.get_state(),
            "random": self._random.bit_generator.state,
            "queue": self._queue,
            "step": self.step,
            "steps": self.steps,
            "loss": self.loss,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._noise.set_state(state["noise"].cpu())
        self._random.bit_generator.state = state["random"]
        self._queue = state["queue"]
        self.step, self.steps, self.loss = state["step"], state["steps"], state["loss"]
