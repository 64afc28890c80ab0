"""Write a candidate down as a model: exported, loaded again, tried, then stored whole or not at all."""

import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, select

from sandglass.core.errors import Broken
from sandglass.core.prediction import Prediction
from sandglass.core.text import Text
from sandglass.learning.manifest import ModelManifest
from sandglass.scenarios.base import Candidate, Example, PredictOptions, Scenario
from sandglass.store.db import Database
from sandglass.store.folders import put_folder
from sandglass.store.objects import Objects
from sandglass.store.tables import Evaluation, Model, RunEvent, ServiceVersion


@dataclass(frozen=True)
class ModelStore:
    """Stores the models of one run."""

    database: Database
    objects: Objects
    run_id: str
    scratch: Path

    def store(
        self, scenario: Scenario, candidate: Candidate, manifest: ModelManifest, probe: Example | None, threads: int
    ) -> str:
        """Export ``candidate`` and store it as the run's best model; return the model's id.

        The exported folder is loaded and asked for one prediction before it replaces the former best, so a model that
        is stored can be served. Older models of the run go, unless an evaluation or a service uses them.

        Raises:
            Broken: it cannot be written (``storage_full``) or, once written, not be loaded; the former best stays.
        """
        folder = self.scratch / "export"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(parents=True)
            candidate.export(folder)
            write_json(folder / "manifest.json", manifest)
            latency = try_model(scenario, folder, probe, threads)
            manifest = manifest.model_copy(update={"latency_ms": latency})
            write_json(folder / "manifest.json", manifest)
            files = put_folder(self.objects, folder)
        except OSError as error:
            raise Broken(
                "model_not_written",
                Text(en=f"The model could not be written: {error.strerror}", zh=f"模型无法写入：{error.strerror}"),
                Text(en="Free some disk space, then restart the run.", zh="请清理磁盘空间后重新启动。"),
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        with self.database.write() as session:
            in_use = select(Evaluation.model_id).union(select(ServiceVersion.model_id))
            session.execute(delete(Model).where(Model.run_id == self.run_id, Model.id.not_in(in_use)))
            row = Model(
                run_id=self.run_id,
                scenario=scenario.id,
                score=manifest.score,
                manifest=manifest.model_dump(mode="json"),
                files=files,
            )
            session.add(row)
            session.flush()
            session.add(
                RunEvent(
                    run_id=self.run_id,
                    kind="best",
                    data={"model": row.id, "score": manifest.score, "candidate": candidate.name},
                )
            )
            return row.id


def write_json(path: Path, manifest: ModelManifest) -> None:
    """Write a manifest and flush it to the disk."""
    with path.open("w", encoding="utf-8") as file:
        json.dump(manifest.model_dump(mode="json"), file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())


def try_model(scenario: Scenario, folder: Path, probe: Example | None, threads: int) -> float | None:
    """Load a model folder and predict one picture with it; return the milliseconds that the prediction took.

    Raises:
        Broken: the folder cannot be loaded.
    """
    predictor = scenario.load(folder, threads=threads)
    if probe is None:
        return None
    query = scenario.query(probe)
    predictor.predict([query], PredictOptions())  # the first prediction also sets things up
    started = time.perf_counter()
    predictor.predict([query], PredictOptions())
    return round((time.perf_counter() - started) * 1000, 2)


def predictions_of(candidate: Candidate, predictions: Sequence[Prediction], wanted: int) -> Sequence[Prediction]:
    """Check that a candidate answered for every validation example.

    Raises:
        AssertionError: it did not.
    """
    assert len(predictions) == wanted, f"{candidate.name} answered {len(predictions)} of {wanted} validation examples"
    return predictions
