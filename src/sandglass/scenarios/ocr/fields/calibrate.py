"""From evidence to a probability that an answer is right: logistic regressions on pages that the networks never saw."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sandglass.core.value import Value
from sandglass.scenarios.ocr.fields.decode import EVIDENCE, log_odds

Floats = npt.NDArray[np.floating]

ENOUGH = 30
"""Values with known truth, right and wrong together, from which a regression is fitted."""
PENALTY = 3.0
"""Weight of the squared weights against the log-likelihood."""
ENOUGH_ABSENT = 5
"""Absent and present fields, each, from which the probability of absence is fitted."""


@dataclass
class Outcomes:
    """Answers of networks on pages whose truth is known."""

    fields: list[int] = field(default_factory=list)
    evidence: list[tuple[float, ...]] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    missing: list[float] = field(default_factory=list)
    absent: list[bool] = field(default_factory=list)

    def add_value(self, index: int, evidence: tuple[float, ...], *, right: bool) -> None:
        """A value of field ``index`` was answered."""
        self.fields.append(index)
        self.evidence.append(evidence)
        self.right.append(right)

    def add_absence(self, missing: float, *, absent: bool) -> None:
        """The network held a field for missing with that probability, and it was (not) absent."""
        self.missing.append(missing)
        self.absent.append(absent)


class Calibration(Value):
    """Weights of a logistic regression over standardised evidence and the field.

    Attributes:
        centre, scale: of each piece of evidence.
        weights: of each piece of evidence.
        offsets: one per field, includes the constant.
        absence: slope and constant over the log-odds of being missing.
    """

    centre: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    offsets: tuple[float, ...]
    absence: tuple[float, float] = (1.0, 0.0)

    def probability(self, index: int, evidence: Sequence[float]) -> float:
        """Probability 0..1 that a value of field ``index`` with this evidence is right."""
        standard = (np.array(evidence) - np.array(self.centre)) / np.array(self.scale)
        return _sigmoid(float(standard @ np.array(self.weights)) + self.offsets[index])

    def absence_probability(self, missing: float) -> float:
        """Probability 0..1 that a field is not on the page, from what the network says."""
        slope, constant = self.absence
        return _sigmoid(slope * float(log_odds(missing)) + constant)


def _sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(logit, -15, 15))))


def uncalibrated(fields: int) -> Calibration:
    """What is assumed before there is enough truth to learn from: characters and lines count alike."""
    return Calibration(
        centre=(0.0,) * EVIDENCE,
        scale=(1.0,) * EVIDENCE,
        weights=(0.4, 0.6, 0.1, 0.1, 1.0, 0.0),
        offsets=(-0.5,) * fields,
    )


def calibrate(fields: int, outcomes: Outcomes) -> Calibration:
    """Fit on answers whose truth is known; what there is too little truth for stays as assumed."""
    from sklearn.linear_model import LogisticRegression

    assumed = uncalibrated(fields)
    absence = assumed.absence
    absent = np.array(outcomes.absent, bool)
    if min(absent.sum(), (~absent).sum()) >= ENOUGH_ABSENT:
        odds = log_odds(np.array(outcomes.missing, np.float32))[:, None]
        fitted = LogisticRegression(C=1.0, max_iter=1000).fit(odds, absent)
        absence = (float(fitted.coef_[0][0]), float(fitted.intercept_[0]))
    right = np.array(outcomes.right, bool)
    if len(right) < ENOUGH or right.all() or not right.any():
        return assumed.model_copy(update={"absence": absence})
    evidence = np.array(outcomes.evidence)
    centre, scale = evidence.mean(0), evidence.std(0) + 1e-3
    # Halved, the field's own offset is held back by the penalty until many values speak for it.
    member = np.zeros((len(right), fields))
    member[np.arange(len(right)), outcomes.fields] = 0.5
    weights, intercept = _rising(np.hstack([(evidence - centre) / scale, member]), right, rising=EVIDENCE)
    return Calibration(
        centre=tuple(map(float, centre)),
        scale=tuple(map(float, scale)),
        weights=tuple(float(weight) for weight in weights[:EVIDENCE]),
        offsets=tuple(float(intercept + 0.5 * weight) for weight in weights[EVIDENCE:]),
        absence=absence,
    )


def _rising(inputs: Floats, right: npt.NDArray[np.bool_], *, rising: int) -> tuple[Floats, float]:
    """Weights and constant of a logistic regression whose first ``rising`` weights are at least 0.

    More evidence never makes a value less likely; without that bound, a few hundred values with evidence that goes
    together give weights of either sign, which fail on the evidence of a larger ensemble.
    """
    from scipy.optimize import minimize

    signs = np.where(right, 1.0, -1.0)

    def loss(point: Floats) -> tuple[float, Floats]:
        margins = signs * (inputs @ point[:-1] + point[-1])
        slope = -signs / (1 + np.exp(np.clip(margins, -50, 50)))
        gradient = np.append(PENALTY * point[:-1] + slope @ inputs, slope.sum())
        return float(np.logaddexp(0, -margins).sum() + 0.5 * PENALTY * point[:-1] @ point[:-1]), gradient

    count = inputs.shape[1]
    bounds = [(0.0, None)] * rising + [(None, None)] * (count - rising + 1)
    point = minimize(loss, np.zeros(count + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    return point[:-1], float(point[-1])
