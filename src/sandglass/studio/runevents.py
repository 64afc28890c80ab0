"""What happened in a run, in order: read after an id, and gathered into curves and candidates."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from sandglass.core.value import Value
from sandglass.store.db import Database
from sandglass.store.tables import RunEvent
from sandglass.studio.runs import find_run

MOST_POINTS = 2000
"""Points of a curve beyond which it is thinned."""


class EventView(Value):
    """One event; ids rise."""

    id: int
    at: datetime
    kind: str
    data: dict[str, Any]


class Point(Value):
    """One point of a curve: seconds of used time, and the value."""

    used: float
    value: float


class Metrics(Value):
    """Curves by name, what became of each candidate, and each improvement of the best score, in order."""

    curves: dict[str, tuple[Point, ...]]
    candidates: tuple[dict[str, Any], ...]
    best: tuple[dict[str, Any], ...]


class RunEvents:
    """Reads events of runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def after(self, run_id: str, last: int = 0, limit: int = 1000) -> list[EventView]:
        """Events of a run whose id is above ``last``, the first ``limit`` of them.

        Raises:
            NotFound: ``run_not_found``.
        """
        with self._database.read() as session:
            find_run(session, run_id)
            rows = session.scalars(
                select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.id > last).order_by(RunEvent.id).limit(limit)
            )
            return [EventView(id=row.id, at=row.at, kind=row.kind, data=row.data) for row in rows]

    def metrics(self, run_id: str) -> Metrics:
        """Curves and candidates of a run.

        Raises:
            NotFound: ``run_not_found``.
        """
        with self._database.read() as session:
            find_run(session, run_id)
            rows = session.execute(
                select(RunEvent.kind, RunEvent.data)
                .where(RunEvent.run_id == run_id, RunEvent.kind.in_(("metric", "candidate", "best")))
                .order_by(RunEvent.id)
            ).all()
        curves: dict[str, list[Point]] = {}
        candidates: dict[str, dict[str, Any]] = {}
        best = []
        for kind, data in rows:
            if kind == "metric":
                curves.setdefault(data["name"], []).append(Point(used=data["used"], value=data["value"]))
            elif kind == "candidate":
                candidates[data["name"]] = candidates.get(data["name"], {}) | data
            else:
                best.append(data)
        thinned = {name: tuple(_thin(points)) for name, points in curves.items()}
        return Metrics(curves=thinned, candidates=tuple(candidates.values()), best=tuple(best))


def _thin(points: list[Point]) -> list[Point]:
    """Every n-th point, and always the last one."""
    step = -(-len(points) // MOST_POINTS)
    return points if step <= 1 else [*points[:-1:step], points[-1]]
