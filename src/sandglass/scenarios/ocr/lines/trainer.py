"""Teaches a base recogniser new lines: anytime, resumable, rehearsing what it could before."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from sandglass.core.picture import Picture
from sandglass.scenarios.neural.average import MovingAverage
from sandglass.scenarios.neural.precision import Precision
from sandglass.scenarios.neural.schedule import Pace, one_cycle
from sandglass.scenarios.ocr.lines.augment import HANDWRITING, PRINT, Strength, vary
from sandglass.scenarios.ocr.lines.batches import collate, epoch_batches
from sandglass.scenarios.ocr.lines.charset import BLANK, Charset
from sandglass.scenarios.ocr.lines.network import LineNetwork
from sandglass.scenarios.ocr.lines.rehearsal import common_ideographs, printed_lines
from sandglass.scenarios.ocr.lines.transcripts import Transcripts

Use = Literal["print", "handwriting"]
STRENGTHS: dict[Use, Strength] = {"print": PRINT, "handwriting": HANDWRITING}

LEARNING_RATE = 6e-4
WEIGHT_DECAY = 0.01
CLIP = 5.0
DECAY = 0.995
EPOCHS = 60
"""How often a line is seen at most, in one of its variants."""
LEAST_STEPS, MOST_STEPS = 300, 20_000
PLAIN = 0.15
"""Share of lines that are shown as they are."""
REHEARSED = 4
"""Printed lines in every step."""
REHEARSAL = 0.3
"""Weight of their loss."""
RIVALS = 1200
"""Characters that occur in no text and are told apart from those that do, drawn anew for every step."""
GROWTH = 200
"""Most new characters."""
STATE = "recogniser.pt"


@dataclass(frozen=True)
class _Lesson:
    """Lines and texts of one step."""

    pictures: list[Picture]
    texts: list[str]


class LineTrainer:
    """Learns a recogniser in bounded pieces.

    Args:
        network: the base; it is changed.
        transcripts: lines to learn from.
        use: picks the augmentation.
        seed: of all randomness.
        threads: CPU threads.
        device: ``cpu`` or ``cuda``.
        rehearse: whether to keep reading ordinary print.
    """

    def __init__(
        self,
        network: LineNetwork,
        transcripts: Transcripts,
        *,
        use: Use,
        seed: int,
        threads: int,
        device: Literal["cpu", "cuda"] = "cpu",
        rehearse: bool = True,
    ) -> None:
        self.new_characters = network.charset.missing(transcripts.texts)[:GROWTH]
        network.grow(self.new_characters)
        self.base = network.copy()
        self._network = network.to(device)
        self._transcripts = transcripts
        self._texts = [network.charset.spelled(text) for text in transcripts.texts]
        self._strength = STRENGTHS[use]
        self._seed, self._threads, self._device, self._rehearse = seed, threads, device, rehearse
        self._taught = _classes(network.charset, self._texts)
        self._average = MovingAverage(network, DECAY)
        self._precision = Precision(device)
        matrices = [item for item in network.parameters() if item.dim() > 1]
        vectors = [item for item in network.parameters() if item.dim() <= 1]
        self._optimiser = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": vectors, "weight_decay": 0.0}],
            lr=LEARNING_RATE,
        )
        self._epochs: dict[int, list[list[int]]] = {}
        per_epoch = len(self._batches(0))
        self.pace = Pace(most=min(MOST_STEPS, max(LEAST_STEPS, EPOCHS * per_epoch)))
        self._rehearsal = self._rehearsed(0)

    @property
    def network(self) -> LineNetwork:
        """The averaged network as learnt so far, on the CPU."""
        network = self._average.network
        assert isinstance(network, LineNetwork)
        return network.cpu() if self._device == "cpu" else network.copy().cpu()

    def fit(self, seconds: float, over: Callable[[], bool]) -> float:
        """Learn for about ``seconds``; return the mean loss (NaN without a step)."""
        before = torch.get_num_threads()
        torch.set_num_threads(self._threads)
        self._network.train()
        try:
            return self.pace.run(seconds, over, self._step)
        finally:
            torch.set_num_threads(before)

    def _step(self, progress: float) -> float:
        generator = np.random.default_rng((self._seed, self.pace.done))
        rate = LEARNING_RATE * one_cycle(progress)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        lessons = [self._lesson(generator)]
        if self._rehearse:
            lines = list(islice(self._rehearsal, REHEARSED))
            lessons.append(_Lesson([picture for picture, _ in lines], [text for _, text in lines]))
        classes = self._chosen_classes(lessons, generator)
        losses = [self._loss(lesson, classes) for lesson in lessons]
        loss = losses[0] + REHEARSAL * losses[1] if self._rehearse else losses[0]
        self._precision.step(loss, self._optimiser, self._network, clip=CLIP)
        self._average.update(self._network)
        return float(losses[0].detach())

    def _lesson(self, generator: np.random.Generator) -> _Lesson:
        numbers = self._batch(self.pace.done)
        pictures = [self._transcripts.store[number] for number in numbers]
        varied = [
            picture if generator.random() < PLAIN else vary(picture, generator, self._strength) for picture in pictures
        ]
        return _Lesson(varied, [self._texts[number] for number in numbers])

    def _chosen_classes(self, lessons: Sequence[_Lesson], generator: np.random.Generator) -> np.ndarray:
        """Classes that occur in the texts, and some that do not: most characters of a large head never matter."""
        charset = self._network.charset
        rehearsed = _classes(charset, [text for lesson in lessons[1:] for text in lesson.texts])
        rivals = generator.integers(1, len(charset), RIVALS)
        return np.unique(np.concatenate([[BLANK], self._taught, rehearsed, rivals]))

    def _loss(self, lesson: _Lesson, classes: np.ndarray) -> Tensor:
        charset = self._network.charset
        encoded = [np.searchsorted(classes, charset.encode(text)) for text in lesson.texts]
        targets = torch.from_numpy(np.concatenate(encoded).astype(np.int64))
        lengths = torch.tensor([len(text) for text in encoded])
        with self._precision.forward():
            lines = collate(lesson.pictures).contiguous(memory_format=torch.channels_last)
            logits = self._network(lines.to(self._device), torch.from_numpy(classes).to(self._device))
        told = logits.float().log_softmax(-1).transpose(0, 1)
        positions = torch.full((len(encoded),), told.shape[0])
        return F.ctc_loss(told, targets, positions, lengths, blank=BLANK, zero_infinity=True)

    def _batch(self, step: int) -> list[int]:
        epoch = 0
        while step >= len(self._batches(epoch)):
            step -= len(self._batches(epoch))
            epoch += 1
        return self._batches(epoch)[step]

    def _batches(self, epoch: int) -> list[list[int]]:
        if epoch not in self._epochs:
            generator = np.random.default_rng((self._seed, epoch, 1))
            self._epochs[epoch] = epoch_batches(self._transcripts.store.widths, generator)
        return self._epochs[epoch]

    def _rehearsed(self, step: int) -> Iterator[tuple[Picture, str]]:
        return printed_lines(self._seed * 100_003 + step, common_ideographs(self._network.charset.characters))

    def save(self, folder: Path) -> None:
        """Write all state that `restore` needs."""
        state = {
            "network": self._network.state_dict(),
            "average": self._average.state(),
            "optimiser": self._optimiser.state_dict(),
            "pace": self.pace.state(),
            "precision": self._precision.state(),
        }
        torch.save(state, folder / STATE)

    def restore(self, folder: Path) -> None:
        """Go on from what `save` wrote; lines and arguments must be the same."""
        state = torch.load(folder / STATE, weights_only=True, map_location=self._device)
        self._network.load_state_dict(state["network"])
        self._average.restore(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._precision.restore(state["precision"])
        self.pace.restore(state["pace"])
        self._rehearsal = self._rehearsed(self.pace.done)


def _classes(charset: Charset, texts: Sequence[str]) -> np.ndarray:
    """Classes that occur in texts, sorted."""
    return np.unique([number for text in texts for number in charset.encode(text)]).astype(np.int64)
