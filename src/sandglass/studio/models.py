"""Models on this machine's disk: a folder of files, fetched from the object store once and shared by all processes."""

from pathlib import Path

from sandglass.core.errors import NotFound
from sandglass.core.settings import Settings
from sandglass.core.text import Text
from sandglass.store.db import Database
from sandglass.store.folders import fetch_folder
from sandglass.store.objects import Objects
from sandglass.store.tables import Model


class Models:
    """Model folders under ``home/models``, named by the model's id: a model never changes."""

    def __init__(self, settings: Settings, database: Database, objects: Objects) -> None:
        self._folder = settings.home / "models"
        self._database = database
        self._objects = objects

    def folder(self, model_id: str) -> Path:
        """The model's folder, complete.

        Raises:
            NotFound: ``model_not_found``, or an object of it is missing.
            Broken: the disk is full or cannot be written.
        """
        with self._database.read() as session:
            model = session.get(Model, model_id)
        if model is None:
            raise NotFound(
                "model_not_found",
                Text(en=f"There is no model '{model_id}'.", zh=f"没有模型“{model_id}”。"),
                Text(en="Train the task again.", zh="请重新训练任务。"),
            )
        return fetch_folder(self._objects, model.files, self._folder / model_id)
