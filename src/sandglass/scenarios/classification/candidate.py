"""What all classification candidates share: calibrated answers on the validation part, and the exported folder."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from sandglass.core.prediction import Prediction
from sandglass.scenarios.base import Candidate, FitContext
from sandglass.scenarios.classification.backbone import Classifier
from sandglass.scenarios.classification.material import Material
from sandglass.scenarios.classification.predictor import DESCRIPTION, Description, MemberFile, class_prediction
from sandglass.scenarios.classification.preprocess import Shape
from sandglass.scenarios.neural.calibration import sigmoid_temperature, temperature
from sandglass.scenarios.neural.graph import onnx_graph

Floats = npt.NDArray[np.float32]

PIECE_SECONDS = 10.0
"""Length of one bounded piece of learning."""


@dataclass(frozen=True)
class MemberNetwork:
    """A network of a model, ready to be written down: in evaluation mode, on the CPU."""

    network: Classifier
    shape: Shape


class ClassCandidate(Candidate):
    """A learner whose model is one or several networks with averaged logits."""

    def __init__(self, name: str, material: Material) -> None:
        self.name = name
        self.material = material
        self._heat: float | None = None

    @abstractmethod
    def validation_logits(self, context: FitContext | None) -> Floats:
        """(V, K) logits for the validation pictures; of networks that have not seen them."""

    @abstractmethod
    def networks(self) -> Sequence[MemberNetwork]:
        """Networks of the model."""

    @property
    def mirror(self) -> bool:
        """Whether the model looks at a picture's mirror image as well."""
        symmetries = self.material.symmetries
        return bool(symmetries and symmetries.mirror) and self.material.preference != "fastest"

    def description(self, members: tuple[MemberFile, ...]) -> Description:
        """What the predictor needs to know."""
        return Description(
            labels=self.material.labels,
            several=self.material.several,
            temperature=self._heat or 1.0,
            mirror=self.mirror,
            members=members,
        )

    def predict_validation(self, context: FitContext) -> list[Prediction]:
        logits = self.validation_logits(context)
        self._calibrate(logits)
        description = self.description(())
        examples = [self.material.examples[index] for index in self.material.validation]
        return [
            class_prediction(description, row, example.sample.width, example.sample.height, 0.0)
            for row, example in zip(logits, examples, strict=True)
        ]

    def _calibrate(self, logits: Floats) -> None:
        truth = self.material.targets[self.material.validation]
        self._heat = sigmoid_temperature(logits, truth) if self.material.several else temperature(logits, truth)

    def export(self, folder: Path) -> None:
        if self._heat is None:
            self._calibrate(self.validation_logits(None))
        members = []
        for number, member in enumerate(self.networks()):
            example = torch.rand(1, 3, member.shape.height, member.shape.width) * 2 - 1
            name = f"network{number}.onnx"
            (folder / name).write_bytes(onnx_graph(member.network, example, outputs=["logits"]))
            members.append(MemberFile(graph=name, height=member.shape.height, width=member.shape.width))
        (folder / DESCRIPTION).write_text(self.description(tuple(members)).model_dump_json(indent=1), "utf-8")
