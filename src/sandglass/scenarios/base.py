"""The contract that every scenario fulfils, and the registry that finds scenarios.

A scenario knows how to check data, how to learn from it and how to judge an answer. It knows nothing of HTTP,
databases, processes or money: what it needs of the world is handed to it in a `FitContext`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from pydantic import BaseModel

from sandglass.core.annotation import Annotation
from sandglass.core.errors import InvalidInput, NotFound
from sandglass.core.finding import Finding
from sandglass.core.geometry import Polygon
from sandglass.core.picture import Picture, decode_picture
from sandglass.core.prediction import Prediction, TextLine
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.core.time import Deadline
from sandglass.core.value import Value

Preference = Literal["fastest", "balanced", "most_accurate"]


@dataclass(frozen=True)
class Example:
    """A sample with access to its picture's bytes."""

    sample: Sample
    read: Callable[[], bytes]

    def picture(self) -> Picture:
        """Decode the picture.

        Raises:
            InvalidInput: the picture cannot be read.
        """
        return decode_picture(self.read(), self.sample.path)


@dataclass(frozen=True)
class LearningData:
    """What a training run learns from. ``labels`` are the labels or fields to learn, in display order."""

    train: Sequence[Example]
    validation: Sequence[Example]
    labels: tuple[str, ...]


class Report(Protocol):
    """Where a learner tells how it is doing; every call is cheap and safe from any thread."""

    def progress(self, fraction: float) -> None:
        """Share 0..1 of the present stage that is done."""

    def metric(self, name: str, value: float) -> None:
        """One point of a live curve (``loss``, ``score``), at the present time."""

    def log(self, message: str, *, level: Literal["debug", "info", "warning", "error"] = "info") -> None:
        """One line of the run's log."""


@dataclass(frozen=True)
class FitContext:
    """What a candidate may use while it learns.

    Attributes:
        deadline: the end of learning; work must be cut so that one piece ends within seconds of it.
        stop: true once somebody asked to stop; looked at between pieces of work.
        report: progress, curves, log.
        workspace: folder of this candidate for anything it wants to keep between pieces; survives a restart.
        cache: folder shared by all runs on this machine, for results keyed by content digest (pages read once).
        threads: CPU threads to use.
        seed: of all randomness.
        device: ``cpu`` or ``cuda``.
        share: seconds of learning, from now, that this candidate may count on if it stays ahead of the others.
    """

    deadline: Deadline
    stop: Callable[[], bool]
    report: Report
    workspace: Path
    cache: Path
    threads: int
    seed: int
    device: Literal["cpu", "cuda"] = "cpu"
    share: float = float("inf")

    @property
    def hope(self) -> float:
        """Seconds that a candidate should plan its learning for: its share, at most what is left."""
        return min(self.share, self.deadline.remaining)

    @property
    def over(self) -> bool:
        """Whether to return from ``fit`` now."""
        return self.deadline.expired or self.stop()


class Candidate(ABC):
    """An anytime learner: learns in bounded pieces and can be exported after any of them.

    The learning floor calls ``fit`` again and again until ``finished``, asks for validation predictions and an export
    in between, and saves the state so that a killed run goes on from there.
    """

    name: str

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether more ``fit`` would bring nothing."""

    @property
    @abstractmethod
    def fraction(self) -> float:
        """Share 0..1 of this candidate's own plan that is done."""

    @abstractmethod
    def fit(self, context: FitContext) -> None:
        """Do one bounded piece of work (some 5 to 20 seconds, less when the deadline is near)."""

    @property
    @abstractmethod
    def ready(self) -> bool:
        """Whether ``predict_validation`` and ``export`` may be called (something has been learnt)."""

    @abstractmethod
    def predict_validation(self, context: FitContext) -> list[Prediction]:
        """Predictions for ``data.validation``, in its order, as the exported model would answer.

        A candidate that has no validation part answers out of fold or for training samples that it held out itself
        through ``validation_examples``.
        """

    @abstractmethod
    def export(self, folder: Path) -> None:
        """Write the files of a self-contained model into ``folder`` (empty, exists); ``manifest.json`` is not its own.

        What ``Scenario.load`` needs beyond the manifest's standard entries goes into files here.
        """

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write all state that ``restore`` needs into ``folder`` (empty, exists)."""

    @abstractmethod
    def restore(self, folder: Path) -> None:
        """Take up the state that ``save`` wrote."""


@dataclass(frozen=True)
class Query:
    """One picture to predict for.

    Attributes:
        picture: gives the decoded picture; not called when ``lines`` suffice.
        width: of the upright picture, pixels.
        height: of the upright picture, pixels.
        lines: text given by the caller instead of being read (OCR).
    """

    picture: Callable[[], Picture]
    width: int
    height: int
    lines: tuple[TextLine, ...] | None = None


class PredictOptions(Value):
    """How to answer.

    Attributes:
        threshold: answers below it are left out; None = the model's recommended one; 0 = all.
        keys: OCR: labelled fields, every pair on the page, or the typed ``custom_keys``.
        custom_keys: OCR: what to look for when ``keys`` is ``custom``.
    """

    threshold: float | None = None
    keys: Literal["labelled", "all", "custom"] = "labelled"
    custom_keys: tuple[str, ...] = ()


class BoxText(Value):
    """The text read from one box.

    Attributes:
        score: mean probability of its characters, 0..1; 0 when nothing could be read.
        characters: probability of each character, 0..1.
    """

    text: str
    score: float
    characters: tuple[float, ...] = ()


class BoxReader(Protocol):
    """Reads the text of boxes that a person drew; safe to call from several threads."""

    def __call__(self, picture: Picture, polygons: Sequence[Polygon]) -> list[BoxText]:
        """One text per polygon, in order."""


class Predictor(ABC):
    """A loaded model. Knows its folder and nothing else; safe to call from several threads."""

    @abstractmethod
    def predict(self, queries: Sequence[Query], options: PredictOptions) -> list[Prediction]:
        """One prediction per query, in order; what it says of one picture does not depend on the others."""

    def timings(self) -> dict[str, float]:
        """Milliseconds spent by this thread's latest ``predict`` per part (``read``, ``fields``), for the answer."""
        return {}


class Match(Value):
    """One truth beside one prediction, or either alone.

    Attributes:
        truth: label or field of the truth; None = nothing is there (an extra prediction).
        predicted: label or field of the prediction; None = missed.
        score: of the prediction, 0..1; 0 when missed.
        exact: right to the letter (for boxes and classes: same as ``right``).
        right: right by the scenario's default rule (for text: after normalisation).
        truth_text: what stands there.
        predicted_text: what was answered.
        truth_polygons: where it stands.
        predicted_polygons: where the answer stands.
        cause: why it is wrong, one of the scenario's ``causes``; None when right.
    """

    truth: str | None
    predicted: str | None
    score: float
    exact: bool
    right: bool
    truth_text: str | None = None
    predicted_text: str | None = None
    truth_polygons: tuple[Polygon, ...] = ()
    predicted_polygons: tuple[Polygon, ...] = ()
    cause: str | None = None


@dataclass(frozen=True)
class ExampleData:
    """A small labelled dataset that a scenario makes itself, so that a person can try it without data of their own.

    Attributes:
        description: for people: what the pictures show and how many there are.
        samples: makes the samples with the bytes of their pictures, the same ones every time, and lazily: the first
            is shown on the card of the preset. Path, size, annotation, group and the marks train and test are set;
            the digest is not.
        max_seconds: time limit of the example task.
    """

    description: Text
    samples: Callable[[], Iterator[tuple[Sample, bytes]]]
    max_seconds: float = 300.0


@dataclass(frozen=True)
class Preset:
    """A catalogue entry: what a person picks on the home page.

    Attributes:
        labels: to start labelling with; they stay editable.
        parameters: settings of the scenario that a task made from this entry starts with.
        example: data to try it with in one click.
    """

    id: str
    name: Text
    description: Text
    domain: Text
    labels: tuple[str, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    example: ExampleData | None = None


@dataclass(frozen=True)
class TrainingPlan:
    """Settings of a training run that every scenario shares."""

    preference: Preference = "balanced"
    parameters: Mapping[str, object] = field(default_factory=dict)


class Scenario(ABC):
    """One kind of learning.

    Class attributes:
        id: stable name (``ocr``), used in URLs, manifests and the command line.
        name: for people.
        annotation: the annotation ``kind`` it learns from.
        parameters: pydantic model of its own settings, all with defaults; the console draws its form from it. ``title``
            and ``description`` of a field are English; ``json_schema_extra`` may hold ``x-names`` (names of its choices)
            and ``x-zh`` (``title``, ``description``, ``x-names`` in Chinese).
        main_metric: key of the overall metric that candidates are chosen by.
        causes: badcase causes with their names for people.
        presets: catalogue entries.
        weights: folder in the catalogue of weights that its models start from; None = one named like ``id``.
    """

    id: ClassVar[str]
    name: ClassVar[Text]
    annotation: ClassVar[Literal["document", "classes", "objects"]]
    parameters: ClassVar[type[BaseModel]]
    main_metric: ClassVar[str] = "f1"
    causes: ClassVar[Mapping[str, Text]]
    presets: ClassVar[tuple[Preset, ...]] = ()
    weights: ClassVar[str | None] = None

    @abstractmethod
    def check(self, samples: Sequence[Sample], labels: Sequence[str] | None) -> list[Finding]:
        """What is wrong with training data: findings with severity error stop the task from being created."""

    @abstractmethod
    def labels(self, samples: Sequence[Sample]) -> tuple[str, ...]:
        """Labels or fields that ``samples`` teach, the most frequent first."""

    def metric(self, data: LearningData, plan: TrainingPlan) -> str:
        """Key of the overall metric that candidates for ``data`` are chosen by; `main_metric` unless the data decides."""
        return self.main_metric

    def arrange(self, data: LearningData, plan: TrainingPlan, report: Report) -> LearningData:
        """The data as candidates get it: some scenarios let few pictures both teach and validate (out of fold)."""
        return data

    @abstractmethod
    def prepare(self, data: LearningData, plan: TrainingPlan, context: FitContext) -> None:
        """Work that all candidates share (reading every page once), into ``context.cache``; may be cut by deadline."""

    @abstractmethod
    def candidates(self, data: LearningData, plan: TrainingPlan, context: FitContext) -> list[Candidate]:
        """Candidates in the order in which they are worth trying; the first gives a usable model within a minute."""

    @abstractmethod
    def load(self, folder: Path, *, threads: int = 1) -> Predictor:
        """Load a model folder.

        Raises:
            Broken: the folder is damaged or from an unknown format version.
        """

    @abstractmethod
    def judge(self, truth: Annotation, prediction: Prediction, labels: Sequence[str]) -> list[Match]:
        """Pair truth and prediction.

        Pairing must not depend on any threshold: dropping predictions below a score leaves the other pairs as they are.
        """

    def base_labels(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Those of ``labels`` that `base_model` can answer, as they are written there; empty = there is no base model.

        Without any ``labels``: all that it knows, under its own names. Cheap: no weights are opened, so a page may ask
        in order to offer pre-labelling or not.
        """
        return ()

    def base_model(self, labels: Sequence[str], *, threads: int = 1) -> Predictor:
        """A predictor for ``base_labels(labels)`` that works before anything was trained: the door of pre-label runs.

        It answers under the labels as they were given (``杯子`` when asked for ``杯子``), leaves out what it was not asked
        for, and has a recommended threshold of its own (``PredictOptions.threshold`` None). Needs no model folder.

        Raises:
            InvalidInput: ``no_base_model``, it knows none of ``labels``.
            Broken: ``weights_missing``, its weights were not pulled.
        """
        raise InvalidInput(
            "no_base_model",
            Text(
                en=f"{self.name.en} has no base model for: {', '.join(labels) or '-'}.",
                zh=f"{self.name.zh}没有适用于以下标签的基础模型：{'、'.join(labels) or '-'}。",
            ),
            Text(en="Train a task first and pre-label with its model.", zh="请先训练任务，再用其模型预标注。"),
            field="labels",
        )

    def box_reader(self, *, threads: int = 1) -> BoxReader | None:
        """Reads the text of a drawn box; None = the scenario does not read.

        Raises:
            Broken: ``weights_missing``.
        """
        return None

    def query(self, example: Example, *, given: bool = False) -> Query:
        """The query for an example; ``given`` = use the dataset's own text instead of reading (OCR only)."""
        return Query(example.picture, example.sample.width, example.sample.height)

    def extra_metrics(
        self, truths: Sequence[Annotation], predictions: Sequence[Prediction], labels: Sequence[str]
    ) -> dict[str, float]:
        """Overall metrics beyond precision, recall and F1 (``accuracy``, ``map50``, ``map``, ``cer``, ``line_f1``)."""
        return {}


ENTRY_POINTS = "sandglass.scenarios"


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name)}


@cache
def _load(name: str) -> Scenario:
    """Load one scenario; the others, with all that they import, stay unloaded."""
    entry = _entries()[name]
    scenario = entry.load()()
    assert isinstance(scenario, Scenario), f"{entry.value} is no Scenario"
    assert scenario.id == name, f"the entry point of {scenario.id} is named {name}"
    return scenario


def list_scenarios() -> list[Scenario]:
    """All installed scenarios, by id."""
    return [_load(name) for name in _entries()]


def get_scenario(name: str) -> Scenario:
    """The scenario of that id.

    Raises:
        NotFound: no such scenario is installed.
    """
    if name not in _entries():
        known = ", ".join(_entries()) or "-"
        raise NotFound(
            "scenario_unknown",
            Text(en=f"There is no scenario '{name}'.", zh=f"没有名为“{name}”的场景。"),
            Text(en=f"Choose one of: {known}.", zh=f"可选场景：{known}。"),
            field="scenario",
        )
    return _load(name)
