"""Make confidence mean something: one temperature for all logits, fitted on answers that were not learnt from."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

Floats = npt.NDArray[np.floating]

LOWEST, HIGHEST = 0.05, 20.0


def temperature(logits: Floats, truth: Floats) -> float:
    """The temperature by which softmax confidences fit best (lowest cross-entropy).

    Args:
        logits: (N, K).
        truth: (N, K), rows that sum to one (one-hot, or shares).

    A little of a prior towards 1 (two answers' worth) keeps few answers from claiming certainty.
    Source: Guo et al., On calibration of modern neural networks (2017).
    """
    if not len(logits):
        return 1.0
    return _lowest(lambda heat: -float((truth * log_softmax(logits / heat, axis=1)).sum()))


def sigmoid_temperature(logits: Floats, truth: Floats) -> float:
    """The temperature by which independent sigmoid confidences fit best.

    Args:
        logits: (N, K).
        truth: (N, K), 0 or 1.
    """
    if not len(logits):
        return 1.0
    signed = np.where(truth > 0.5, 1.0, -1.0) * logits
    return _lowest(lambda heat: float(np.logaddexp(0.0, -signed / heat).sum()) / truth.shape[1])


def _lowest(cost: Callable[[float], float]) -> float:
    found = minimize_scalar(
        lambda log_heat: cost(float(np.exp(log_heat))) + log_heat**2,
        bounds=(np.log(LOWEST), np.log(HIGHEST)),
        method="bounded",
        options={"xatol": 1e-3},
    )
    return float(np.exp(found.x))


def confidences(logits: Floats, heat: float, *, several: bool) -> npt.NDArray[np.float64]:
    """Probabilities (N, K): softmax, or with ``several`` labels a picture independent sigmoids."""
    scaled = np.asarray(logits, np.float64) / heat
    return np.asarray(expit(scaled) if several else softmax(scaled, axis=-1))
