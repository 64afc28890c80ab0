"""A linear probe: logistic regression on frozen features, its regularisation chosen by cross-validation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

Floats = npt.NDArray[np.float32]

PENALTIES = (1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
"""Weights of the squared norm that are tried, per mean loss over pictures; features are standardised."""
ITERATIONS = 60
FOLDS = 5
ALONE = 5_000_000
"""Products a loss takes below which one thread is as fast as several, and does not wait for the others."""
LARGE = 4000
"""Pictures from which one fold in `FOLDS` is held out instead of each in turn."""


@dataclass(frozen=True)
class Probe:
    """A linear classifier on features.

    Attributes:
        weight: (K, D).
        bias: (K,).
        penalty: that was chosen.
        score: mean cross-entropy over pictures that were held out while choosing; NaN without choice.
    """

    weight: Floats
    bias: Floats
    penalty: float
    score: float = float("nan")

    def logits(self, features: Floats) -> Floats:
        """(N, K) of (N, D) features."""
        return np.asarray(features @ self.weight.T + self.bias, np.float32)


def fit_probe(
    views: Floats,
    targets: Floats,
    *,
    several: bool,
    balance: npt.NDArray[np.float64] | None = None,
    penalties: Sequence[float] = PENALTIES,
    answered: int = 1,
    seed: int = 0,
    over: Callable[[], bool] = lambda: False,
) -> Probe:
    """Fit a probe; with several ``penalties``, choose the one with the lowest held-out cross-entropy.

    Args:
        views: (V, N, D): each picture's features in V versions; a picture's versions stay in one fold.
        targets: (N, K).
        several: independent labels instead of exactly one a picture.
        balance: (N,) weights of pictures; None = alike.
        penalties: to try, in rising order.
        answered: versions, from the first on, that a picture is answered by (their mean); the others only teach.
        seed: of the folds.
        over: whether to stop trying and take the best so far.
    """
    weights = np.full(len(targets), 1.0) if balance is None else balance * len(targets)
    best, score = penalties[len(penalties) // 2], float("nan")
    if len(penalties) > 1 and len(targets) >= 2 * FOLDS:
        costs = _cross_validated(views, targets, weights, several, penalties, answered, seed, over)
        if len(costs):
            best = penalties[int(np.argmin(costs))]
            score = float(np.min(costs))
    weight, bias = _solve(views, targets, weights, several, [best])[-1]
    return Probe(weight, bias, best, score)


def out_of_fold(
    views: Floats,
    targets: Floats,
    *,
    several: bool,
    penalty: float,
    balance: npt.NDArray[np.float64] | None,
    answered: int,
    seed: int,
) -> Floats:
    """(N, K) logits for each picture (mean over the first ``answered`` views) by a probe that has not seen it."""
    weights = np.full(len(targets), 1.0) if balance is None else balance * len(targets)
    folds = fold_numbers(targets, FOLDS, seed)
    result = np.zeros(targets.shape, np.float32)
    for fold in range(FOLDS):
        held = folds == fold
        if not held.any() or held.all():
            continue
        [(weight, bias)] = _solve(views[:, ~held], targets[~held], weights[~held], several, [penalty])
        result[held] = views[:answered, held].mean(0) @ weight.T + bias
    return result


def fold_numbers(targets: Floats, folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Fold of each picture: labels spread evenly, the rest at random."""
    random = np.random.default_rng(seed)
    main = targets.argmax(1)
    numbers = np.zeros(len(targets), np.int64)
    offset = 0
    for label in np.unique(main):
        members = random.permutation(np.flatnonzero(main == label))
        numbers[members] = (np.arange(len(members)) + offset) % folds
        offset += len(members)
    return numbers


def _cross_validated(
    views: Floats,
    targets: Floats,
    weights: npt.NDArray[np.float64],
    several: bool,
    penalties: Sequence[float],
    answered: int,
    seed: int,
    over: Callable[[], bool],
) -> npt.NDArray[np.float64]:
    folds = fold_numbers(targets, FOLDS, seed)
    costs = np.zeros(len(penalties))
    done = 0
    for fold in range(1 if len(targets) > LARGE else FOLDS):
        held = folds == fold
        if over() and done:
            break
        path = _solve(views[:, ~held], targets[~held], weights[~held], several, penalties)
        features = torch.from_numpy(views[:answered, held].mean(0))
        truth = torch.from_numpy(targets[held])
        for number, (weight, bias) in enumerate(path):
            logits = features @ torch.from_numpy(weight).T + torch.from_numpy(bias)
            costs[number] += float((_losses(logits, truth, several) * torch.from_numpy(weights[held])).sum())
        done += 1
    return costs if done else np.zeros(0)


def _losses(logits: Tensor, truth: Tensor, several: bool) -> Tensor:
    if several:
        return functional.binary_cross_entropy_with_logits(logits, truth, reduction="none").mean(1)
    return functional.cross_entropy(logits, truth, reduction="none")


def _solve(
    views: Floats,
    targets: Floats,
    weights: npt.NDArray[np.float64],
    several: bool,
    penalties: Sequence[float],
) -> list[tuple[Floats, Floats]]:
    """Weight and bias for each penalty, the strongest solved first and handed on as the start of the next."""
    count = views.shape[0]
    flat = torch.from_numpy(np.ascontiguousarray(views.reshape(-1, views.shape[2])))
    mean, deviation = flat.mean(0), flat.std(0).clamp_min(1e-3)
    inputs = (flat - mean) / deviation
    # Fewer pictures than features: the solution lies in their span, so a rotation into it loses nothing.
    turn: Tensor | None = None
    if len(inputs) < inputs.shape[1]:
        _, values, turn = torch.linalg.svd(inputs, full_matrices=False)
        turn = turn[values > 1e-4 * values.max()]
        inputs = inputs @ turn.T
    truth = torch.from_numpy(targets).repeat(count, 1)
    chances = torch.from_numpy(weights).float().repeat(count)
    chances /= chances.sum()
    threads = torch.get_num_threads()
    if inputs.numel() * targets.shape[1] < ALONE:
        torch.set_num_threads(1)
    weight = torch.zeros(targets.shape[1], inputs.shape[1], requires_grad=True)
    bias = torch.zeros(targets.shape[1], requires_grad=True)
    found: dict[float, tuple[Floats, Floats]] = {}
    for penalty in sorted(penalties, reverse=True):
        _minimise(inputs, truth, chances, weight, bias, penalty, several)
        with torch.no_grad():
            plain = weight if turn is None else weight @ turn
            scaled = plain / deviation
            found[penalty] = (scaled.numpy().copy(), (bias - scaled @ mean).numpy().copy())
    torch.set_num_threads(threads)
    return [found[penalty] for penalty in penalties]


def _minimise(
    inputs: Tensor, truth: Tensor, chances: Tensor, weight: Tensor, bias: Tensor, penalty: float, several: bool
) -> None:
    optimiser = torch.optim.LBFGS(
        [weight, bias],
        lr=1.0,
        max_iter=ITERATIONS,
        history_size=10,
        tolerance_change=1e-6,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        losses = _losses(inputs @ weight.T + bias, truth, several)
        loss = (losses * chances).sum() + 0.5 * penalty * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]


def state_of(probe: Probe) -> dict[str, Any]:
    """Plain values for ``torch.save``."""
    return {
        "weight": torch.from_numpy(probe.weight),
        "bias": torch.from_numpy(probe.bias),
        "penalty": probe.penalty,
        "score": probe.score,
    }


def probe_from(state: dict[str, Any]) -> Probe:
    """The probe that `state_of` told."""
    return Probe(state["weight"].numpy(), state["bias"].numpy(), state["penalty"], state["score"])
