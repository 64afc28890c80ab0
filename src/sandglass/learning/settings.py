"""Settings of training, evaluation and pre-label runs, as stored with a task version or a run."""

from typing import Any, Literal

from pydantic import Field

from sandglass.core.value import Value
from sandglass.scenarios.base import Preference

HELD_OUT_PERCENT = 20
"""Share of the training data held out as a test set when no test set is given."""


class DatasetRef(Value):
    """A version of a dataset."""

    dataset_id: str
    version: int


class TrainingSettings(Value):
    """What to learn, from what, for how long.

    Attributes:
        train: dataset versions to learn from.
        validation: to choose and calibrate on; empty = ``validation_percent`` of the training data.
        test: to evaluate on afterwards; empty = ``test_percent`` of the training data.
        test_percent: None = `HELD_OUT_PERCENT` when ``test`` is empty, else 0.
        labels: labels or fields to learn; None = all.
        label_map: label in the data → label to learn, to merge or rename.
        use_marks: follow the samples' own train / validation / test marks where they have one.
        exclude_duplicates: do not learn from pictures that also stand in the validation or test part.
        max_seconds: wall-clock maximum; None = no limit.
        target_score: stop when the main metric on the validation part reaches it.
        parameters: the scenario's own settings.
        spec: compute spec of the run.
    """

    train: tuple[DatasetRef, ...]
    validation: tuple[DatasetRef, ...] = ()
    test: tuple[DatasetRef, ...] = ()
    validation_percent: int = Field(default=20, ge=1, le=50)
    test_percent: int | None = Field(default=None, ge=0, le=50)
    labels: tuple[str, ...] | None = None
    label_map: dict[str, str] = Field(default_factory=dict)
    use_marks: bool = True
    exclude_duplicates: bool = False
    max_seconds: float | None = Field(default=3600.0, gt=0)
    target_score: float | None = Field(default=None, gt=0, le=1)
    preference: Preference = "balanced"
    parameters: dict[str, Any] = Field(default_factory=dict)
    spec: str = "2C4G"
    seed: int = 0

    @property
    def held_out_percent(self) -> int:
        """Percent of the training data that is held out for testing."""
        if self.test_percent is not None:
            return self.test_percent
        return 0 if self.test else HELD_OUT_PERCENT


class EvaluationSettings(Value):
    """What to measure.

    Attributes:
        model_id: None = the best model of the task version.
        test: empty = the test set of the training, or the part that it held out.
        text: OCR: the dataset's own text, or the text as the product reads it.
    """

    model_id: str | None = None
    test: tuple[DatasetRef, ...] = ()
    text: Literal["given", "read"] = "read"


class PrelabelSettings(Value):
    """What to pre-label, with which model.

    Attributes:
        scenario: whose model it is.
        model_id: a trained model; None = the scenario's base model.
        title: what the model is called: a task with its version, or empty for the base model.
        labels: labels or fields of the dataset: what a base model is asked for, and what printed keys may be.
        again: also samples that an earlier run pre-labelled and no person has touched.
        spec: compute spec of the run.
    """

    scenario: str
    model_id: str | None = None
    title: str = ""
    labels: tuple[str, ...] = ()
    again: bool = True
    spec: str = "2C4G"
