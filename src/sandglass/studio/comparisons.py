"""Compares two evaluations on the pictures that both measured."""

from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from sandglass.core.errors import Conflict
from sandglass.core.text import Text
from sandglass.evaluation import Comparison, compare, threshold_index
from sandglass.scenarios.base import Match
from sandglass.store.db import Database
from sandglass.store.tables import Evaluation, EvaluationSample, Model, Run, Task, TaskVersion
from sandglass.studio.evaluations import DEFAULT_THRESHOLD, find_evaluation


class ComparisonView(Comparison):
    """One evaluation against another; ``fixed`` and ``broken`` are places of samples in this one."""

    fixed: tuple[int, ...]  # type: ignore[assignment]
    broken: tuple[int, ...]  # type: ignore[assignment]
    evaluation: str
    other: str
    other_task: str
    other_version: int
    threshold: float
    other_threshold: float


class Comparisons:
    """Compares evaluations, whichever tasks they belong to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def compare(
        self,
        evaluation_id: str,
        other_id: str,
        *,
        threshold: float = DEFAULT_THRESHOLD,
        other_threshold: float | None = None,
        exact: bool = False,
    ) -> ComparisonView:
        """Compare two evaluations on the pictures that both measured.

        Args:
            evaluation_id: this one.
            other_id: what it is compared with.
            threshold: of this one, 0.05 to 0.95 by 0.05.
            other_threshold: of the other one; None = the same.
            exact: whether a text must be the same to the letter.

        Raises:
            NotFound: ``evaluation_not_found``.
            Conflict: ``nothing_in_common``: they measured different pictures, or models that share no label.
            InvalidInput: ``invalid_threshold``.
        """
        other_threshold = threshold if other_threshold is None else other_threshold
        threshold_index(threshold)
        threshold_index(other_threshold)
        with self._database.read() as session:
            sides = [_side(session, one) for one in (evaluation_id, other_id)]
            task, version = session.execute(
                select(Task.name, TaskVersion.number)
                .join(TaskVersion, TaskVersion.task_id == Task.id)
                .join(Run, Run.task_version_id == TaskVersion.id)
                .join(Evaluation, Evaluation.run_id == Run.id)
                .where(Evaluation.id == other_id)
            ).one()
        (here, labels, places), (there, other_labels, _) = sides
        compared = compare(
            here,
            there,
            labels,
            other_labels,
            threshold=threshold,
            other_threshold=other_threshold,
            exact=exact,
        )
        if not compared.sample_count or not compared.labels:
            raise Conflict(
                "nothing_in_common",
                Text(en="Both evaluations have no picture or no label in common.", zh="两次评测没有共同的图片或标签。"),
                Text(en="Evaluate both versions on the same test set.", zh="请在同一测试集上评测两个版本。"),
            )
        return ComparisonView(
            **vars(compared)
            | {
                "fixed": tuple(places[key] for key in compared.fixed),
                "broken": tuple(places[key] for key in compared.broken),
            },
            evaluation=evaluation_id,
            other=other_id,
            other_task=task,
            other_version=version,
            threshold=threshold,
            other_threshold=other_threshold,
        )


def _side(session: Session, evaluation_id: str) -> tuple[dict[str, list[Match]], tuple[str, ...], dict[str, int]]:
    """Matches by a key of the sample, the model's labels, and the sample's place by the same key."""
    found = find_evaluation(session, evaluation_id)
    labels = session.get_one(Model, found.model_id).manifest["labels"]
    matches: dict[str, list[Match]] = {}
    places: dict[str, int] = {}
    seen: Counter[str] = Counter()
    for position, sample, told in session.execute(
        select(EvaluationSample.position, EvaluationSample.sample, EvaluationSample.matches)
        .where(EvaluationSample.evaluation_id == evaluation_id)
        .order_by(EvaluationSample.position)
    ):
        digest = sample["digest"]
        seen[digest] += 1  # the same picture may stand in a test set twice
        key = f"{digest}/{seen[digest]}"
        matches[key] = [Match.model_validate(match) for match in told]
        places[key] = position
    return matches, tuple(labels), places
