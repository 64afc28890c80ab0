"""Which device a run learns on."""

from collections.abc import Callable
from typing import Literal


def choose_device(available: Callable[[], bool] | None = None) -> Literal["cpu", "cuda"]:
    """``cuda`` when there is such a device, else ``cpu``.

    Args:
        available: says whether there is one; None = ask torch.
    """
    if available is None:
        import torch

        available = torch.cuda.is_available
    return "cuda" if available() else "cpu"
