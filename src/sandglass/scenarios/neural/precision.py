"""One optimiser step, in mixed precision on a GPU and in full precision on a CPU, by the same code."""

from contextlib import AbstractContextManager
from typing import Any, Literal

import torch
from torch import Tensor, nn

Device = Literal["cpu", "cuda"]


class Precision:
    """Automatic mixed precision where the device has it.

    On ``cuda``, the forward pass runs in bfloat16 where the card can (no scaling needed), else in float16 with scaled
    gradients. On ``cpu``, everything stays in float32: 16 bits were measured not to help there.

    Args:
        device: ``cpu`` or ``cuda``.
        bfloat16: whether the card computes in bfloat16; None = ask torch.
    """

    def __init__(self, device: Device, *, bfloat16: bool | None = None) -> None:
        self.device = device
        self.mixed = device == "cuda"
        if self.mixed and bfloat16 is None:
            bfloat16 = torch.cuda.is_bf16_supported()
        self.dtype = (torch.bfloat16 if bfloat16 else torch.float16) if self.mixed else torch.float32
        self._scaler = torch.amp.GradScaler(device, enabled=self.dtype is torch.float16)

    def forward(self) -> AbstractContextManager[Any]:
        """Context of a forward pass and its loss."""
        return torch.autocast(self.device, dtype=self.dtype if self.mixed else torch.bfloat16, enabled=self.mixed)

    def step(self, loss: Tensor, optimiser: torch.optim.Optimizer, network: nn.Module, *, clip: float) -> None:
        """Backward pass and optimiser step, gradients clipped to the norm ``clip``."""
        optimiser.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.unscale_(optimiser)
        nn.utils.clip_grad_norm_([p for p in network.parameters() if p.grad is not None], clip)
        self._scaler.step(optimiser)
        self._scaler.update()

    def state(self) -> dict[str, Any]:
        """The scale of gradients, for ``torch.save``."""
        return self._scaler.state_dict()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with the scale that `state` told; a checkpoint of another kind of device brings none."""
        if state and self._scaler.is_enabled():
            self._scaler.load_state_dict(state)
