"""A moving average of a network's weights: what is measured and exported while the network itself still moves."""

from copy import deepcopy

import torch
from torch import Tensor, nn

WARM_UP = 10
"""Updates in whose order of magnitude the average forgets where it began."""


class MovingAverage:
    """Exponential moving average of parameters and floating-point buffers.

    The average of the first updates is short, so that it is useful from the start and is not held back by the weights
    that learning began with. Source: Polyak and Juditsky, Acceleration of stochastic approximation by averaging (1992).

    Args:
        network: to follow; must not change its structure afterwards.
        decay: share of the average that one update keeps, 0..1, once it is warm.

    Attributes:
        network: the averaged copy, in evaluation mode and without gradients.
    """

    def __init__(self, network: nn.Module, decay: float = 0.99) -> None:
        self.network = deepcopy(network).eval().requires_grad_(requires_grad=False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move towards the present weights of ``network``."""
        self.updates += 1
        share = 1 - min(self.decay, self.updates / (self.updates + WARM_UP))
        floats: tuple[list[Tensor], list[Tensor]] = ([], [])
        for mine, theirs in zip(_state(self.network), _state(network), strict=True):
            if mine.is_floating_point():
                floats[0].append(mine)
                floats[1].append(theirs.detach())
            else:
                mine.copy_(theirs)
        torch._foreach_lerp_(floats[0], floats[1], share)

    def state(self) -> dict[str, object]:
        """All that `restore` needs, for ``torch.save``."""
        return {"network": self.network.state_dict(), "updates": self.updates}

    def restore(self, state: dict[str, object]) -> None:
        """Go on where `state` was taken."""
        weights, updates = state["network"], state["updates"]
        assert isinstance(weights, dict)
        assert isinstance(updates, int)
        self.network.load_state_dict(weights)
        self.updates = updates


def _state(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
