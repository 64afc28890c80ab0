"""The forgetting guard: what a learnt recogniser has unlearnt of ordinary print, and how to take it back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from rapidfuzz.distance import Levenshtein

from sandglass.core.picture import Picture
from sandglass.scenarios.ocr.lines.network import LineNetwork
from sandglass.scenarios.ocr.lines.rehearsal import common_ideographs, printed_lines
from sandglass.scenarios.ocr.reading.recognise import Reading

LINES = 160
SEED = 90210
"""Not the seed of any lines that are rehearsed."""
TOLERANCE = 0.005
"""Rise of the character error rate on ordinary print that is accepted."""
SHARES = (1.0, 0.9, 0.8, 0.65, 0.5, 0.3, 0.0)
"""Shares of the learnt weights that are tried, the rest being the base's."""

ReadLines = Callable[[LineNetwork], Callable[[Sequence[Picture]], list[Reading]]]
"""Opens a network for reading."""


@dataclass(frozen=True)
class Kept:
    """The outcome: a network that reads ordinary print nearly as well as the base.

    Attributes:
        share: of the learnt weights, 0..1; below 1, the rest comes from the base.
        before: character error rate of the base.
        learnt: character error rate of the network as learnt.
        after: character error rate of the network that is kept.
    """

    network: LineNetwork
    share: float
    before: float
    learnt: float
    after: float


class ForgettingGuard:
    """Measures networks on printed lines, and blends those that have forgotten with the base.

    Between a base network and its fine-tuned self lie networks that do nearly as well on both kinds of data. Source:
    M. Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022.

    Args:
        base: the network before learning, with all characters that were added.
        read: opens a network for reading.
    """

    def __init__(self, base: LineNetwork, read: ReadLines) -> None:
        self._base, self._read = base, read
        lines = list(islice(printed_lines(SEED, common_ideographs(base.charset.characters)), LINES))
        self._pictures = [picture for picture, _ in lines]
        self._texts = [text for _, text in lines]
        self._before: float | None = None

    @property
    def before(self) -> float:
        """Character error rate of the base."""
        if self._before is None:
            self._before = self.error_rate(self._base)
        return self._before

    def error_rate(self, network: LineNetwork) -> float:
        """Character error rate on the printed lines; spaces do not count."""
        readings = self._read(network)(self._pictures)
        wrong = total = 0
        for (text, _), truth in zip(readings, self._texts, strict=True):
            expected = truth.replace(" ", "")
            wrong += Levenshtein.distance(expected, text.replace(" ", ""))
            total += len(expected)
        return wrong / total

    def keep(self, network: LineNetwork) -> Kept:
        """The network with the largest share of what was learnt that still reads ordinary print well enough."""
        learnt = rate = self.error_rate(network)
        for share in SHARES:
            kept = network if share == 1.0 else blended(self._base, network, share)
            rate = learnt if share == 1.0 else self.before if share == 0.0 else self.error_rate(kept)
            if rate <= self.before + TOLERANCE:
                break
        return Kept(kept, share, self.before, learnt, rate)


@torch.no_grad()
def blended(base: LineNetwork, learnt: LineNetwork, share: float) -> LineNetwork:
    """A network between two of the same shape: ``share`` of the second one's weights."""
    result = learnt.copy()
    for target, source in zip(result.parameters(), base.parameters(), strict=True):
        target.lerp_(source, 1 - share)
    return result
