"""Suggestions: for a whole dataset as a run, for one page at once, and the text of boxes that a person drew."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select

from sandglass.core.annotation import Annotation, Suggestion
from sandglass.core.errors import Conflict, InvalidInput
from sandglass.core.geometry import Polygon
from sandglass.core.sample import Sample
from sandglass.core.settings import Settings
from sandglass.core.status import RunKind, RunStatus
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.learning.prelabelling import load_model, suggesting
from sandglass.learning.settings import PrelabelSettings
from sandglass.learning.suggest import suggest
from sandglass.scenarios.base import BoxReader, BoxText, Example, Predictor, Scenario, get_scenario
from sandglass.store.db import Database
from sandglass.store.objects import Objects
from sandglass.store.tables import Dataset, Run
from sandglass.studio.annotations import known_labels
from sandglass.studio.datasets import find_dataset
from sandglass.studio.evaluations import best_model
from sandglass.studio.kinds import annotation_kind
from sandglass.studio.runs import FINAL, Runs, RunView, record
from sandglass.studio.samples import find_sample
from sandglass.studio.specs import Specs
from sandglass.studio.tasks import find_version

IDLE_SECONDS = 600.0
"""A model that suggests for single pages is let go after so long without being asked."""
MOST_LOADED = 2
MOST_POLYGONS = 200


class PageSuggestion(Value):
    """What a model suggests for one picture; nothing of it is stored.

    Attributes:
        annotation: with all suggested parts.
        suggested: box id (or class label) → confidence.
        doubt: 0..1, how unsure the model is about the picture.
        model: what suggested it: a task with its version, or empty for the base model.
    """

    annotation: Annotation
    suggested: dict[str, Suggestion]
    doubt: float
    model: str


class Prelabels:
    """Starts pre-label runs, and answers for single pages from models that stay loaded for a while."""

    def __init__(self, settings: Settings, database: Database, objects: Objects, runs: Runs, specs: Specs) -> None:
        self._settings = settings
        self._database = database
        self._objects = objects
        self._runs = runs
        self._specs = specs
        self._loaded = _Loaded()

    def start(
        self, dataset: str, *, task: str | None = None, version: int | None = None, again: bool = True
    ) -> RunView:
        """Pre-label all pictures of a dataset that no person has worked on, as a run.

        Args:
            dataset: name or id.
            task: whose best model suggests; None = the base model of the dataset's scenario.
            version: of the task; None = the newest.
            again: whether to replace what earlier runs suggested and nobody touched.

        Raises:
            NotFound: the dataset, the task or its version does not exist.
            Conflict: ``prelabel_running``, or ``no_model``: the task has none yet.
            InvalidInput: the task does not fit the dataset, or there is no base model (``no_base_model``).
        """
        settings = self._choose(dataset, task, version)
        spec = self._specs.default("2C4G")
        settings = settings.model_copy(update={"again": again, "spec": spec.id})
        scenario = get_scenario(settings.scenario)
        if settings.model_id is None and not scenario.base_labels(settings.labels):
            scenario.base_model(settings.labels)  # says that there is none, now and not in the run
        with self._database.write() as session:
            found = find_dataset(session, dataset)
            running = session.scalar(
                select(Run.id).where(Run.dataset_id == found.id, Run.kind == RunKind.PRELABEL, Run.status.not_in(FINAL))
            )
            if running is not None:
                raise Conflict(
                    "prelabel_running",
                    Text(en=f"{found.name} is being pre-labelled already.", zh=f"{found.name} 正在预标注。"),
                    Text(en="Wait for that run or stop it.", zh="请等待该运行完成或将其停止。"),
                    details={"run": running},
                )
            run = Run(
                dataset_id=found.id,
                kind=RunKind.PRELABEL,
                status=RunStatus.SUBMITTING,
                settings=settings.model_dump(mode="json"),
                max_seconds=None,
            )
            session.add(run)
            session.flush()
            record(session, run, "status", {"status": RunStatus.SUBMITTING})
            run_id = run.id
        self._runs.submit(run_id)
        return self._runs.get(run_id)

    def runs(self, dataset: str) -> list[RunView]:
        """Pre-label runs of a dataset, the newest first."""
        with self._database.read() as session:
            found = find_dataset(session, dataset)
            rows = session.scalars(
                select(Run)
                .where(Run.dataset_id == found.id, Run.kind == RunKind.PRELABEL)
                .order_by(Run.created_at.desc(), Run.id)
            )
            return [self._runs.view(session, row) for row in rows.all()]

    def page(self, dataset: str, sample: str, *, task: str | None = None, version: int | None = None) -> PageSuggestion:
        """What a model suggests for one picture now; nothing is stored.

        Raises:
            NotFound, Conflict, InvalidInput: as `start`; or the picture cannot be read.
        """
        settings = self._choose(dataset, task, version)
        scenario = get_scenario(settings.scenario)
        with self._database.read() as session:
            found = find_dataset(session, dataset)
            row = find_sample(session, found, sample)
            facts = Sample(path=row.path, width=row.width, height=row.height, digest=row.digest)
        predictor = self._loaded.get(
            ("model", scenario.id, settings.model_id or "\n".join(settings.labels)),
            lambda: load_model(
                scenario,
                settings.model_id,
                settings.labels,
                self._database,
                self._objects,
                self._settings.home,
                threads=self._threads,
            ),
        )
        assert isinstance(predictor, Predictor)
        query = scenario.query(Example(facts, lambda: self._objects.get(facts.digest)))
        [prediction] = predictor.predict([query], suggesting(settings.model_id))
        suggested = suggest(prediction, settings.labels)
        return PageSuggestion(
            annotation=suggested.annotation,
            suggested=dict(suggested.scores),
            doubt=suggested.doubt,
            model=settings.title,
        )

    def read(self, dataset: str, sample: str, polygons: Sequence[Polygon]) -> list[BoxText]:
        """The text of drawn boxes, as the product's own reader reads it.

        Raises:
            InvalidInput: ``reading_impossible``: the dataset's scenario does not read; or a polygon is not valid.
        """
        _check_polygons(polygons)
        with self._database.read() as session:
            found = find_dataset(session, dataset)
            row = find_sample(session, found, sample)
            path, digest, scenario_id = row.path, row.digest, found.scenario
        scenario = get_scenario(scenario_id)
        reader = self._loaded.get(
            ("reader", scenario.id, ""), lambda: scenario.box_reader(threads=self._threads) or _no_reader(scenario)
        )
        reads: BoxReader = reader
        picture = Example(Sample(path=path, digest=digest), lambda: self._objects.get(digest)).picture()
        return reads(picture, polygons)

    @property
    def _threads(self) -> int:
        return max(1, (self._settings.cpu_count or 2) // 2)

    def _choose(self, dataset: str, task: str | None, version: int | None) -> PrelabelSettings:
        with self._database.read() as session:
            found = find_dataset(session, dataset)
            labels = tuple(sorted(known_labels(session, found)))
            if task is None:
                return PrelabelSettings(scenario=found.scenario, labels=labels)
            row, chosen = find_version(session, task, version)
            _check_fits(found, row.scenario, row.name)
            model_id = best_model(session, chosen.id)
            if model_id is None:
                raise Conflict(
                    "no_model",
                    Text(
                        en=f"{row.name} v{chosen.number} has no model yet.",
                        zh=f"{row.name} v{chosen.number} 还没有模型。",
                    ),
                    Text(en="Wait until training has a first model.", zh="请等待训练产生模型。"),
                    field="task",
                )
            return PrelabelSettings(
                scenario=row.scenario, model_id=model_id, title=f"{row.name} v{chosen.number}", labels=labels
            )

    def close(self) -> None:
        """Let go of loaded models."""
        self._loaded.clear()


class _Loaded:
    """Models and readers that were used lately; one is loaded at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: dict[tuple[str, str, str], tuple[float, Any]] = {}
        self._timer: threading.Timer | None = None

    def get(self, key: tuple[str, str, str], load: Callable[[], Any]) -> Any:  # noqa: ANN401
        with self._lock:
            item = self._items[key][1] if key in self._items else load()
            self._items[key] = (time.monotonic(), item)
            while len(self._items) > MOST_LOADED:
                del self._items[min(self._items, key=lambda name: self._items[name][0])]
            if self._timer is None:
                self._schedule()
            return item

    def _schedule(self) -> None:
        self._timer = threading.Timer(IDLE_SECONDS / 4, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def _expire(self) -> None:
        with self._lock:
            end = time.monotonic() - IDLE_SECONDS
            self._items = {key: item for key, item in self._items.items() if item[0] > end}
            self._timer = None
            if self._items:
                self._schedule()

    def clear(self) -> None:
        with self._lock:
            self._items.clear()
            if self._timer is not None:
                self._timer.cancel()


def _check_fits(dataset: Dataset, scenario: str, task: str) -> None:
    if annotation_kind(dataset.scenario) != annotation_kind(scenario):
        raise InvalidInput(
            "dataset_scenario_mismatch",
            Text(
                en=f"{task} learns '{scenario}', which does not fit {dataset.name} ('{dataset.scenario}').",
                zh=f"{task} 的场景是“{scenario}”，与 {dataset.name}（“{dataset.scenario}”）不符。",
            ),
            Text(en="Choose a task of the dataset's scenario.", zh="请选择与数据集场景一致的任务。"),
            field="task",
        )


def _check_polygons(polygons: Sequence[Polygon]) -> None:
    if not polygons or len(polygons) > MOST_POLYGONS or any(len(polygon) < 4 for polygon in polygons):
        raise InvalidInput(
            "polygon_invalid",
            Text(
                en=f"1 to {MOST_POLYGONS} boxes of four corners or more can be read at once.",
                zh=f"一次可识别 1 到 {MOST_POLYGONS} 个框，每个框至少四个角点。",
            ),
            Text(en="Send corners in reading order.", zh="请按阅读顺序发送角点。"),
            field="polygons",
        )


def _no_reader(scenario: Scenario) -> BoxReader:
    raise InvalidInput(
        "reading_impossible",
        Text(en=f"{scenario.name.en} does not read text.", zh=f"{scenario.name.zh}不识别文字。"),
        Text(en="Only datasets of documents have text to read.", zh="只有文档类数据集可以识别文字。"),
    )
