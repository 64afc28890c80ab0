"""Example datasets that scenarios make themselves, and the task that learns from one in a single click."""

import threading
from contextlib import suppress
from functools import lru_cache

from sqlalchemy import func, select

from sandglass.core.actor import acting_as
from sandglass.core.errors import Conflict, NotFound
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.scenarios.base import ExampleData, Preset, Scenario, get_scenario
from sandglass.store.account_tables import Share
from sandglass.store.db import Database
from sandglass.store.tables import Dataset, SampleRow, Task
from sandglass.studio.access import EVERYBODY
from sandglass.studio.imports import Imports
from sandglass.studio.tasks import Created, NewTask, Tasks

TAG = "example"
MOST_NAMES = 1000


class Examples:
    """Makes example datasets and their tasks.

    Args:
        database: of the installation.
        imports: stores the pictures.
        tasks: creates the task.
    """

    def __init__(self, database: Database, imports: Imports, tasks: Tasks) -> None:
        self._database = database
        self._imports = imports
        self._tasks = tasks
        self._lock = threading.Lock()

    def create(self, scenario_id: str, preset_id: str) -> Created:
        """Make the example dataset of a preset, unless it is there, and a task that learns from it.

        Two people who click at once share the dataset and get a task each.

        Raises:
            NotFound: ``scenario_unknown``, ``preset_unknown`` or ``no_example``.
            Conflict: ``example_name_taken``: a dataset of another kind has the name of the example.
        """
        scenario = get_scenario(scenario_id)
        preset, example = _find(scenario, preset_id)
        dataset = f"example-{preset.id}"
        with self._lock:
            with acting_as(None):  # whoever made it first, it is everybody's example
                there = self._is_there(dataset, scenario)
            if not there:
                self._imports.store(dataset, scenario.id, example.samples())
                self._show_to_everybody(dataset)
        return self._create_task(scenario, preset, example, dataset)

    def picture(self, scenario_id: str, preset_id: str) -> tuple[Sample, bytes]:
        """The first sample of a preset's example, for its card.

        Raises:
            NotFound: ``scenario_unknown``, ``preset_unknown`` or ``no_example``.
        """
        return _first(scenario_id, preset_id)

    def _is_there(self, name: str, scenario: Scenario) -> bool:
        with self._database.read() as session:
            dataset = session.scalar(select(Dataset).where(Dataset.name == name))
            if dataset is None:
                return False
            if dataset.scenario != scenario.id:
                raise Conflict(
                    "example_name_taken",
                    Text(
                        en=f"{name} is a dataset for '{dataset.scenario}', not the example of '{scenario.id}'.",
                        zh=f"{name} 是“{dataset.scenario}”数据集，不是“{scenario.id}”的示例。",
                    ),
                    Text(en="Delete that dataset, then try again.", zh="请删除该数据集后重试。"),
                    details={"dataset": name},
                )
            labelled = select(func.count()).where(SampleRow.dataset_id == dataset.id, SampleRow.state == "labelled")
            return bool(session.scalar(labelled))

    def _show_to_everybody(self, name: str) -> None:
        with self._database.write() as session:
            made = session.scalars(select(Dataset).where(Dataset.name == name)).one()
            session.add(Share(kind="dataset", resource_id=made.id, user_id=EVERYBODY, right="see"))

    def _create_task(self, scenario: Scenario, preset: Preset, example: ExampleData, dataset: str) -> Created:
        with self._database.read() as session:
            taken = set(session.scalars(select(Task.name).where(Task.name.startswith(dataset, autoescape=True))))
        names = (dataset if number == 1 else f"{dataset}-{number}" for number in range(1, MOST_NAMES))
        for name in (name for name in names if name not in taken):
            with suppress(Conflict):  # somebody else took the name just now
                return self._tasks.create(
                    NewTask(
                        name=name,
                        scenario=scenario.id,
                        train=(dataset,),
                        description=example.description.en,
                        tags=(TAG,),
                        max_seconds=example.max_seconds,
                        parameters=dict(preset.parameters),
                    )
                )
        raise Conflict(
            "too_many_examples",
            Text(en=f"There are {MOST_NAMES} tasks named {dataset}-N.", zh=f"已有 {MOST_NAMES} 个 {dataset}-N 任务。"),
            Text(en="Delete some of them.", zh="请删除其中一些。"),
        )


def _find(scenario: Scenario, preset_id: str) -> tuple[Preset, ExampleData]:
    preset = next((preset for preset in scenario.presets if preset.id == preset_id), None)
    if preset is None:
        known = ", ".join(preset.id for preset in scenario.presets) or "-"
        raise NotFound(
            "preset_unknown",
            Text(en=f"'{scenario.id}' has no preset '{preset_id}'.", zh=f"“{scenario.id}”没有预设“{preset_id}”。"),
            Text(en=f"Choose one of: {known}.", zh=f"可选预设：{known}。"),
            field="preset",
        )
    if preset.example is None:
        raise NotFound(
            "no_example",
            Text(en=f"'{preset.id}' brings no example data.", zh=f"“{preset.id}”没有示例数据。"),
            Text(en="Import pictures of your own.", zh="请导入自己的图片。"),
            field="preset",
        )
    return preset, preset.example


@lru_cache(maxsize=32)
def _first(scenario_id: str, preset_id: str) -> tuple[Sample, bytes]:
    _, example = _find(get_scenario(scenario_id), preset_id)
    return next(example.samples())
