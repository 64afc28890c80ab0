"""Who may see and change what: owners, admins, and those with whom a thing is shared.

Seeing is decided in one place, in SQL: every query that a request makes for a dataset, task, service or something that belongs
to one finds only what the caller may see, so what is hidden is missing from lists, counts, pages and look-ups alike. Changing is
asked for by the interface, route by route.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, and_, delete, event, exists, false, or_, select
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from sandglass.core.actor import Actor, Role, acting, acting_as
from sandglass.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.store.account_tables import Share, UserAccount
from sandglass.store.db import Database
from sandglass.store.tables import Dataset, Evaluation, ImportJob, Run, Service, Task, TaskVersion

SEEN_SECONDS = 2.0
"""How long it is believed that somebody may send pictures to a service."""
MOST_SEEN = 10_000
EVERYBODY = "*"
"""Stands for all accounts in a share."""
ROOTS: dict[str, type[Dataset] | type[Task] | type[Service]] = {"dataset": Dataset, "task": Task, "service": Service}
"""What can be owned and shared."""
ResourceKind = Literal["dataset", "task", "service"]
ThingKind = Literal["dataset", "task", "service", "run", "import"]
"""What routes name; a run belongs to its task or dataset, an import to its dataset."""


class Right(StrEnum):
    """What somebody may do with one thing; each right holds the ones before it."""

    SEE = "see"
    CHANGE = "change"
    OWN = "own"

    def covers(self, needed: "Right") -> bool:
        """Whether this right holds ``needed``."""
        order = list(Right)
        return order.index(self) >= order.index(needed)


class SharedWith(Value):
    """One line of a share: a person, or everybody where ``user`` is ``*``."""

    user: str
    right: Literal["see", "change"]


class Sharing(Value):
    """Who has what of a thing.

    Attributes:
        right: what the caller has of it.
        owner: name of the account that it belongs to; None = only admins.
    """

    kind: ResourceKind
    id: str
    name: str
    owner: str | None
    right: Right
    shares: tuple[SharedWith, ...]
    created_at: datetime


class Access:
    """Rights on datasets, tasks and services."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[tuple[str, str | None, str], float] = {}

    def require(self, kind: ThingKind, name: str, needed: Right) -> None:
        """Check that the caller has a right on a thing.

        Raises:
            NotFound: it does not exist, or the caller may not see it.
            Forbidden: ``right_missing``: the caller may see it and no more.
        """
        actor = acting()
        if actor is None or actor.role is Role.ADMIN:
            return
        with self._database.read() as session:
            root = _root_of(session, kind, name)
            if root is None:
                raise _not_there(kind, name)
            if not _right(session, actor, root).covers(needed):
                raise _refused(root.name, needed)

    def require_service(self, name: str) -> None:
        """Check that the caller may send pictures to a service; asked for every request, so answered from memory if it can be.

        Raises:
            NotFound: ``service_not_found``: it does not exist, or the caller may not see it.
            Forbidden: ``key_out_of_scope``: the caller's key opens another service.
        """
        actor = acting()
        if actor is None or actor.role is Role.ADMIN:
            return
        asked = (actor.user_id, actor.service_id, name)
        if self._seen.get(asked, 0.0) > time.monotonic():
            return
        with self._database.read() as session:
            if actor.service_id is None:
                _root(session, "service", name)
            elif _find(session, "service", name) is None:
                raise Forbidden(
                    "key_out_of_scope",
                    Text(en="This key opens another service.", zh="该密钥不能用于此服务。"),
                    Text(en="Use a key of this service.", zh="请使用此服务的密钥。"),
                )
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        self._seen[asked] = time.monotonic() + SEEN_SECONDS

    def require_name(self, kind: ResourceKind, name: str, needed: Right) -> None:
        """Check that what is to be stored under a name may be: it is new, or the caller has the right on it.

        Raises:
            Conflict: ``name_taken`` by something that the caller may not see.
            Forbidden: ``right_missing``.
        """
        with acting_as(None), self._database.read() as session:
            taken = _find(session, kind, name) is not None
        if taken:
            with self._database.read() as session:
                if _find(session, kind, name) is None:
                    raise Conflict(
                        "name_taken",
                        Text(en=f"The name '{name}' is taken.", zh=f"名称“{name}”已被占用。"),
                        Text(en="Choose another name.", zh="请换一个名称。"),
                        field="name",
                    )
            self.require(kind, name, needed)

    def sharing(self, kind: ResourceKind, name: str) -> Sharing:
        """Who has what of a thing.

        Raises:
            NotFound: it does not exist, or the caller may not see it.
        """
        with self._database.read() as session:
            return _sharing(session, kind, _root(session, kind, name))

    def share(self, kind: ResourceKind, name: str, shares: Sequence[SharedWith]) -> Sharing:
        """Replace all shares of a thing.

        Raises:
            NotFound: the thing or an account does not exist.
            InvalidInput: an account is named twice, or is the owner.
            Forbidden: ``right_missing``: only the owner and admins may.
        """
        self.require(kind, name, Right.OWN)
        with self._database.write() as session:
            root = _root(session, kind, name)
            wanted: dict[str, str] = {}
            for line in shares:
                user_id = EVERYBODY if line.user == EVERYBODY else find_user(session, line.user).id
                if user_id in wanted or user_id == root.owner_id:
                    raise InvalidInput(
                        "share_twice",
                        Text(en=f"'{line.user}' has it already.", zh=f"“{line.user}”已拥有该权限。"),
                        Text(en="Name everybody once, without the owner.", zh="每人只填写一次，不含所有者。"),
                        field="shares",
                    )
                wanted[user_id] = line.right
            session.execute(delete(Share).where(Share.kind == kind, Share.resource_id == root.id))
            session.add_all(
                Share(kind=kind, resource_id=root.id, user_id=user_id, right=right) for user_id, right in wanted.items()
            )
            session.flush()
            self._seen.clear()
            return _sharing(session, kind, root)


def find_user(session: Session, name: str) -> UserAccount:
    """The account of that name or id.

    Raises:
        NotFound: ``user_not_found``.
    """
    found = session.scalar(select(UserAccount).where(UserAccount.key == name.casefold())) or session.get(
        UserAccount, name
    )
    if found is None:
        raise NotFound(
            "user_not_found",
            Text(en=f"There is no account '{name}'.", zh=f"没有账号“{name}”。"),
            Text(en="Check the name with an admin.", zh="请与管理员核对名称。"),
            field="user",
        )
    return found


def _find(session: Session, kind: ResourceKind, name: str) -> Dataset | Task | Service | None:
    table = ROOTS[kind]
    found = session.scalar(select(table).where(table.name == name)) or session.get(table, name)
    return cast("Dataset | Task | Service | None", found)


def _root(session: Session, kind: ResourceKind, name: str) -> Dataset | Task | Service:
    found = _find(session, kind, name)
    if found is None:
        raise _not_there(kind, name)
    return found


def _not_there(kind: ThingKind, name: str) -> NotFound:
    word = {"dataset": "数据集", "task": "任务", "service": "服务", "run": "运行", "import": "导入"}[kind]
    return NotFound(
        f"{kind}_not_found",
        Text(en=f"There is no {kind} '{name}'.", zh=f"没有{word}“{name}”。"),
        Text(en="Check the name in the list.", zh="请在列表中核对名称。"),
        field=kind,
    )


def _root_of(session: Session, kind: ThingKind, name: str) -> Dataset | Task | Service | None:
    if kind == "run":
        run = session.get(Run, name)
        if run is None:
            return None
        if run.dataset_id is not None:
            return session.get(Dataset, run.dataset_id)
        version = session.get_one(TaskVersion, run.task_version_id)
        return session.get(Task, version.task_id)
    if kind == "import":
        job = session.get(ImportJob, name)
        return None if job is None else _find(session, "dataset", job.dataset_name)
    return _find(session, kind, name)


def _right(session: Session, actor: Actor, root: Dataset | Task | Service) -> Right:
    if actor.role is Role.ADMIN or root.owner_id == actor.user_id:
        return Right.OWN
    given = session.scalars(
        select(Share.right).where(
            Share.kind == root.__tablename__,
            Share.resource_id == root.id,
            Share.user_id.in_((actor.user_id, EVERYBODY)),
        )
    )
    return Right.CHANGE if Right.CHANGE in set(given) else Right.SEE


def _sharing(session: Session, kind: ResourceKind, root: Dataset | Task | Service) -> Sharing:
    actor = acting()
    rows = session.execute(
        select(Share.user_id, UserAccount.name, Share.right)
        .outerjoin(UserAccount, UserAccount.id == Share.user_id)
        .where(Share.kind == kind, Share.resource_id == root.id)
        .order_by(UserAccount.name)
    )
    owner = None if root.owner_id is None else session.get(UserAccount, root.owner_id)
    return Sharing(
        kind=kind,
        id=root.id,
        name=root.name,
        owner=None if owner is None else owner.name,
        right=Right.OWN if actor is None else _right(session, actor, root),
        shares=tuple(SharedWith(user=name or user_id, right=cast("Any", right)) for user_id, name, right in rows),
        created_at=root.created_at,
    )


def _refused(name: str, needed: Right) -> Forbidden:
    if needed is Right.OWN:
        return Forbidden(
            "right_missing",
            Text(
                en=f"Only the owner of {name} and admins may do this.",
                zh=f"只有 {name} 的所有者和管理员可以执行此操作。",
            ),
            Text(en="Ask the owner or an admin.", zh="请联系所有者或管理员。"),
        )
    return Forbidden(
        "right_missing",
        Text(en=f"{name} is shared with you to see, not to change.", zh=f"{name} 仅共享给您查看，不能修改。"),
        Text(en="Ask its owner for the right to change it.", zh="请向所有者申请修改权限。"),
    )


# What a query finds


def _visible(table: type[Dataset] | type[Task] | type[Service], actor: Actor) -> ColumnElement[bool]:
    shared = select(Share.resource_id).where(
        Share.kind == table.__tablename__, Share.user_id.in_((actor.user_id, EVERYBODY))
    )
    return or_(table.owner_id == actor.user_id, table.id.in_(shared))


def _criteria(actor: Actor) -> list[Any]:
    """Which rows exist for a caller. Tables stand in them bare, or they would be restricted again inside themselves."""
    if actor.service_id is not None:
        return [
            with_loader_criteria(Service, Service.id == actor.service_id, include_aliases=True),
            *(with_loader_criteria(table, false(), include_aliases=True) for table in (Dataset, Task, Run, Evaluation)),
        ]
    task, version, run, dataset = Task.__table__, TaskVersion.__table__, Run.__table__, Dataset.__table__
    shared = Share.__table__

    def seen(table: Any, kind: str) -> ColumnElement[bool]:  # noqa: ANN401
        given = select(shared.c.resource_id).where(
            shared.c.kind == kind, shared.c.user_id.in_((actor.user_id, EVERYBODY))
        )
        return or_(table.c.owner_id == actor.user_id, table.c.id.in_(given))

    versions = select(version.c.id).join(task, task.c.id == version.c.task_id).where(seen(task, "task"))
    datasets = select(dataset.c.id).where(seen(dataset, "dataset"))
    runs = select(run.c.id).where(run.c.task_version_id.in_(versions))
    into = exists().where(and_(dataset.c.name == ImportJob.dataset_name, seen(dataset, "dataset")))
    return [
        *(with_loader_criteria(table, _visible(table, actor), include_aliases=True) for table in ROOTS.values()),
        with_loader_criteria(
            Run, or_(Run.task_version_id.in_(versions), Run.dataset_id.in_(datasets)), include_aliases=True
        ),
        with_loader_criteria(Evaluation, Evaluation.run_id.in_(runs), include_aliases=True),
        with_loader_criteria(ImportJob, or_(ImportJob.created_by == actor.user_id, into), include_aliases=True),
    ]


def _restrict(state: ORMExecuteState) -> None:
    actor = acting()
    if actor is None or actor.role is Role.ADMIN or not state.is_select or state.is_column_load:
        return
    state.statement = state.statement.options(*_criteria(actor))


def restrict(database: Database) -> None:
    """Let all queries of a request find only what its caller may see."""
    for sessions in database.sessions:
        event.listen(sessions, "do_orm_execute", _restrict)
