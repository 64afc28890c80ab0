"""Fine-tunes a backbone with its classifier in bounded pieces: partly frozen, discriminative rates, averaged weights."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from sandglass.scenarios.classification.augment import MIDDLE, Strength, Symmetries, mixed, varied
from sandglass.scenarios.classification.backbone import Classifier, EfficientNetLite
from sandglass.scenarios.classification.pictures import PictureStore
from sandglass.scenarios.classification.preprocess import Shape, fitted, normalised
from sandglass.scenarios.neural.average import MovingAverage
from sandglass.scenarios.neural.graph import onnx_graph
from sandglass.scenarios.neural.precision import Precision
from sandglass.scenarios.neural.schedule import Pace, one_cycle
from sandglass.scenarios.neural.sessions import OnnxSession

Floats = npt.NDArray[np.float32]

CLIP = 5.0
AVERAGED_EPOCHS = 0.5
"""Epochs over which weights are averaged, at most."""
MEASURED_AT_ONCE = 32


@dataclass(frozen=True)
class Recipe:
    """How a network is fine-tuned.

    Attributes:
        variant: backbone.
        shape: of its input in the end.
        frozen: parts of the backbone, from the front, that stay as they are.
        epochs: after which more would bring nothing.
        batch: pictures of a step.
        rate: highest learning rate of the last part of the backbone.
        falloff: factor of the rate from a part to the one before it.
        head_rate: highest rate of the linear layer.
        decay: weight decay.
        smoothing: of the targets.
        dropout: before the linear layer.
        first_side: side of the input at the beginning, as a share of the side in the end.
        strength: of variation.
    """

    variant: str
    shape: Shape
    frozen: int = 3
    epochs: float = 30.0
    batch: int = 32
    rate: float = 4e-4
    falloff: float = 0.8
    head_rate: float = 4e-4
    decay: float = 0.02
    smoothing: float = 0.1
    dropout: float = 0.2
    first_side: float = 1.0
    strength: Strength = MIDDLE


class Trainer:
    """One fine-tuning run.

    Args:
        network: to train; its linear layer may start from a probe.
        recipe: how.
        store: the pictures.
        indices: positions in the store to learn from.
        targets: (n, K) of those.
        chances: (n,) of being drawn.
        several: independent labels.
        symmetries: that leave labels as they are.
        seed: of all randomness.
        threads: CPU threads.
        device: to learn on.
    """

    def __init__(
        self,
        network: Classifier,
        recipe: Recipe,
        store: PictureStore,
        indices: Sequence[int],
        targets: Floats,
        chances: npt.NDArray[np.float64],
        *,
        several: bool,
        symmetries: Symmetries,
        seed: int,
        threads: int,
        device: Literal["cpu", "cuda"],
        least_steps: int = 1,
    ) -> None:
        self.recipe = recipe
        self.store, self.indices, self.targets = store, np.asarray(indices, np.int64), targets
        self.several, self.symmetries, self.device = several, symmetries, device
        self._chances, self._seed = chances, seed
        self.network = network.to(device=device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network.backbone.parts[: recipe.frozen].requires_grad_(requires_grad=False)
        self.steps_per_epoch = max(1, math.ceil(len(self.indices) / recipe.batch))
        self.pace = Pace(most=max(1, round(recipe.epochs * self.steps_per_epoch)), least=least_steps)
        decay = 1 - 1 / max(10.0, min(200.0, AVERAGED_EPOCHS * self.steps_per_epoch))
        self.average = MovingAverage(self.network, decay)
        self._lower: dict[Shape, OnnxSession] = {}
        self._threads = max(1, threads)
        self._optimiser = torch.optim.AdamW(self._groups(), weight_decay=recipe.decay)
        self._precision = Precision(device)
        self._order: list[int] = []
        self._drawn = 0
        self._pool = ThreadPoolExecutor(1, "prefetch")
        self._next: Future[tuple[Floats, Floats]] | None = None
        torch.set_num_threads(max(1, threads))

    def _groups(self) -> list[dict[str, Any]]:
        recipe = self.recipe
        groups: list[dict[str, Any]] = [{"params": list(self.network.linear.parameters()), "top": recipe.head_rate}]
        parts = list(self.network.backbone.parts)
        for number in range(recipe.frozen, len(parts)):
            top = recipe.rate * recipe.falloff ** (len(parts) - 1 - number)
            groups.append({"params": list(parts[number].parameters()), "top": top})
        return groups

    @property
    def epoch(self) -> float:
        """Epochs done."""
        return self.pace.done / self.steps_per_epoch

    def resize(self, shape: Shape) -> None:
        """Go on with another input shape; its pace is measured anew."""
        self.recipe = replace(self.recipe, shape=shape)
        self.pace.step_seconds, self._next = None, None

    def learn(self, seconds: float, over: Callable[[], bool]) -> float:
        """Take steps for about ``seconds``; the mean loss (NaN without a step)."""
        self.network.train()
        return self.pace.run(seconds, over, self._step)

    def _step(self, progress: float) -> float:
        pictures, targets = self._batch(progress)
        factor = one_cycle(progress)
        for group in self._optimiser.param_groups:
            group["lr"] = group["top"] * factor
        truth = torch.from_numpy(targets).to(self.device)
        lower = self._frozen_part(pictures)
        with self._precision.forward():
            features = self.network.backbone.upper(lower, self.recipe.frozen)
            loss = self._loss(self.network.linear(self.network.dropout(features)), truth)
        self._precision.step(loss, self._optimiser, self.network, clip=CLIP)
        self.average.update(self.network)
        return float(loss.detach())

    def _frozen_part(self, pictures: Floats) -> Tensor:
        """Activations after the frozen parts: on a CPU from onnxruntime, whose forward pass is several times faster."""
        frozen, backbone = self.recipe.frozen, self.network.backbone
        if frozen == 0 or self.device != "cpu":
            batch = torch.from_numpy(pictures).to(self.device, memory_format=torch.channels_last)
            with torch.no_grad(), self._precision.forward():
                lower: Tensor = backbone.lower(batch, frozen)
                return lower
        shape = Shape(*pictures.shape[2:])
        if shape not in self._lower:
            example = torch.zeros(1, *pictures.shape[1:])
            graph = onnx_graph(LowerPart(backbone, frozen), example, outputs=["activations"])
            self._lower[shape] = OnnxSession(graph, self._threads)
        [activations] = self._lower[shape](pictures)
        return torch.from_numpy(activations).to(memory_format=torch.channels_last)

    def _loss(self, logits: Tensor, truth: Tensor) -> Tensor:
        smoothing = self.recipe.smoothing
        if self.several:
            soft = truth * (1 - smoothing) + smoothing / 2
            return functional.binary_cross_entropy_with_logits(logits.float(), soft)
        soft = truth * (1 - smoothing) + smoothing / truth.shape[1]
        return functional.cross_entropy(logits.float(), soft)

    def _batch(self, progress: float) -> tuple[Floats, Floats]:
        """The batch of this step; the next one is made meanwhile."""
        shape = self._shape(progress)
        ready = self._next.result() if self._next is not None else None
        if ready is None:
            ready = self._make(self._draw(), shape, self.pace.done)
        upcoming, step = self._draw(), self.pace.done + 1
        self._next = self._pool.submit(self._make, upcoming, shape, step)
        return ready

    def _shape(self, progress: float) -> Shape:
        """The input grows from `Recipe.first_side` over the first 70 % of the plan."""
        share = self.recipe.first_side + (1 - self.recipe.first_side) * min(1.0, progress / 0.7)
        return self.recipe.shape.scaled(share)

    def _draw(self) -> list[int]:
        """Positions of the next batch: each epoch is a random order (of a weighted draw when labels are uneven)."""
        size = self.recipe.batch
        batch: list[int] = []
        while len(batch) < size:
            if not self._order:
                random = np.random.default_rng((self._seed, 1, self._drawn))
                self._drawn += 1
                self._order = _epoch_order(self._chances, random)
            batch.append(self._order.pop())
        return batch

    def _make(self, positions: list[int], shape: Shape, step: int) -> tuple[Floats, Floats]:
        recipe = self.recipe

        def one(position: int, index: int) -> npt.NDArray[np.uint8]:
            random = np.random.default_rng((self._seed, 2, step, position))
            return varied(self.store.picture(index), shape, recipe.strength, self.symmetries, random)

        pictures = normalised(self.store.map(self.indices[positions].tolist(), one))
        targets = self.targets[positions]
        random = np.random.default_rng((self._seed, 3, step))
        if random.random() < recipe.strength.mix and len(positions) > 1:
            return mixed(pictures, targets, random)
        return pictures, targets

    def logits(self, indices: Sequence[int], views: Sequence[str], over: Callable[[], bool] = lambda: False) -> Floats:
        """(n, K) logits of the averaged network, mean over views."""
        network = cast("Classifier", self.average.network)
        parts = []
        for start in range(0, len(indices), MEASURED_AT_ONCE):
            chunk = list(indices[start : start + MEASURED_AT_ONCE])
            pictures = self.store.map(chunk, lambda _p, index: fitted(self.store.picture(index), self.recipe.shape))
            seen = [pictures if view == "plain" else pictures[:, :, ::-1] for view in views]
            with torch.no_grad(), self._precision.forward():
                answers = [
                    network.linear(network.backbone.upper(self._frozen_part(normalised(view)), self.recipe.frozen))
                    for view in seen
                ]
            parts.append(torch.stack([answer.float() for answer in answers]).mean(0).cpu().numpy())
        return np.concatenate(parts) if parts else np.zeros((0, self.targets.shape[1]), np.float32)

    def state(self) -> dict[str, Any]:
        """All that `restore` needs, for ``torch.save``."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state(),
            "optimiser": self._optimiser.state_dict(),
            "precision": self._precision.state(),
            "pace": self.pace.state(),
            "drawn": self._drawn,
            "order": self._order,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken (the batch that was being made then is left out)."""
        self.network.load_state_dict(state["network"])
        self.average.restore(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._precision.restore(state["precision"])
        self.pace.restore(state["pace"])
        self._drawn, self._order, self._next = state["drawn"], list(state["order"]), None


class LowerPart(nn.Module):
    """The frozen parts of a backbone as a network of their own."""

    def __init__(self, backbone: EfficientNetLite, parts: int) -> None:
        super().__init__()
        self.backbone, self.count = backbone, parts

    def forward(self, x: Tensor) -> Tensor:
        return self.backbone.lower(x, self.count)


def _epoch_order(chances: npt.NDArray[np.float64], random: np.random.Generator) -> list[int]:
    count = len(chances)
    if np.allclose(chances, 1 / count):
        return [int(index) for index in random.permutation(count)]
    return [int(index) for index in random.choice(count, count, p=chances)]


def start_classifier(classifier: nn.Linear, weight: Floats, bias: Floats) -> None:
    """Begin with the weights of a probe: then the first steps do not tear the features apart."""
    with torch.no_grad():
        classifier.weight.copy_(torch.from_numpy(weight))
        classifier.bias.copy_(torch.from_numpy(bias))
