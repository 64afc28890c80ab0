"""The process of one run: ``python -m sandglass.learning.worker RUN``.

It is told a run id and, by ``SANDGLASS_*`` variables, where the stores are. It ends the run in exactly one final
status, unless it is killed: then whoever supervises it marks the run as interrupted.
"""

import os
import signal
import sys
import traceback
from types import FrameType

from sqlalchemy.orm import Session

from sandglass.core.errors import Broken, SandglassError
from sandglass.core.problem import Problem, problem_of
from sandglass.core.settings import Settings
from sandglass.core.status import RunKind, RunReason, RunStatus
from sandglass.core.text import Text
from sandglass.core.time import Deadline, utc_now
from sandglass.learning.evaluating import evaluate
from sandglass.learning.journal import Journal, Stage
from sandglass.learning.prelabelling import prelabel
from sandglass.learning.settings import PrelabelSettings
from sandglass.learning.training import train
from sandglass.scenarios.base import get_scenario
from sandglass.store.db import Database
from sandglass.store.objects import Objects
from sandglass.store.tables import Model, Run, Task, TaskVersion


def main(arguments: list[str] | None = None) -> int:
    """Do one run; exit code 0 whenever its final status was written."""
    [run_id] = arguments if arguments is not None else sys.argv[1:]
    settings = Settings()
    database = Database(settings.database)
    with database.write() as session:
        run = session.get(Run, run_id)
        if run is None or RunStatus(run.status).final:
            sys.stderr.write(f"{run_id} is not to be done\n")
            return 1
        run.status = RunStatus.STARTING.value
        run.attempt += 1
        run.started_at = run.started_at or utc_now()
        run.heartbeat_at = utc_now()
        scenario_id = _scenario_of(session, run)
    journal = Journal(
        database, run_id, used_before=run.used_seconds, stages=[Stage.model_validate(stage) for stage in run.stages]
    )
    remaining = None if run.max_seconds is None else max(0.0, run.max_seconds - run.used_seconds)
    deadline = Deadline(remaining)

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        journal.ask_to_stop()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    with journal:
        try:
            journal.begin()
            reason = _do(run, scenario_id, journal, database, settings, deadline)
            status, error = _outcome(run, reason, database)
        except MemoryError:
            status, reason, error = RunStatus.FAILED, RunReason.ERROR, _out_of_memory()
            journal.log(error.message.en, level="error")
        except SandglassError as failure:
            status, reason, error = RunStatus.FAILED, RunReason.ERROR, problem_of(failure)
            journal.log(f"{failure}", level="error")
        except Exception as failure:
            status, reason, error = RunStatus.FAILED, RunReason.ERROR, problem_of(failure)
            journal.log("".join(traceback.format_exception(failure)), level="error")
    journal.log(f"The run ends: {status.value} ({reason.value}).")
    journal.end(status, reason, error)
    database.dispose()
    return 0


def _scenario_of(session: Session, run: Run) -> str:
    if run.task_version_id is None:
        return PrelabelSettings.model_validate(run.settings).scenario
    return session.get_one(Task, session.get_one(TaskVersion, run.task_version_id).task_id).scenario


def _do(
    run: Run, scenario_id: str, journal: Journal, database: Database, settings: Settings, deadline: Deadline
) -> RunReason:
    threads = int(os.environ.get("SANDGLASS_THREADS") or settings.cpu_count or os.cpu_count() or 1)
    scenario = get_scenario(scenario_id)
    objects = Objects(settings.objects)
    if run.kind == RunKind.TRAINING:
        return train(
            run,
            scenario,
            journal,
            database=database,
            objects=objects,
            home=settings.home,
            threads=threads,
            deadline=deadline,
        )
    if run.kind == RunKind.EVALUATION:
        return evaluate(run, scenario, journal, database=database, objects=objects, home=settings.home, threads=threads)
    if run.kind == RunKind.PRELABEL:
        return prelabel(run, scenario, journal, database=database, objects=objects, home=settings.home, threads=threads)
    raise Broken(
        "run_kind_unknown", Text(en=f"Runs of kind {run.kind} are unknown.", zh=f"未知的运行类型 {run.kind}。")
    )


def _outcome(run: Run, reason: RunReason, database: Database) -> tuple[RunStatus, Problem | None]:
    """Final status: a training that was cut by its time limit has succeeded if there is a model."""
    if reason is RunReason.STOPPED_BY_PERSON:
        return RunStatus.STOPPED, None
    if run.kind == RunKind.TRAINING and not _has_model(run, database):
        problem = Problem(
            code="time_too_short",
            message=Text(en="The time was up before there was any model.", zh="在得到任何模型之前时间已用完。"),
            action=Text(en="Add time and restart, or use fewer pictures.", zh="请延长时间后重启，或减少图片。"),
        )
        return RunStatus.FAILED, problem
    return RunStatus.SUCCEEDED, None


def _has_model(run: Run, database: Database) -> bool:
    with database.read() as session:
        return session.query(Model.id).filter(Model.run_id == run.id).first() is not None


def _out_of_memory() -> Problem:
    return Problem(
        code="out_of_memory",
        message=Text(en="The run needs more memory than it has.", zh="运行内存不足。"),
        action=Text(en="Choose a larger compute spec or fewer pictures.", zh="请选择更大的算力规格或减少图片。"),
    )


if __name__ == "__main__":
    sys.exit(main())
