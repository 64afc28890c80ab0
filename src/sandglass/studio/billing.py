"""What computing costs: quotes, and charges that are opened when a training or an instance starts.

At the start two hours of the spec's price are frozen; `studio.metering` settles what was used. Evaluation and pre-labelling are
free, and so is all that runs inside a prepaid group. The payer is whom the task or service belongs to.
"""

from collections import Counter
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sandglass.core.actor import acting, acting_as
from sandglass.core.errors import InvalidInput, PaymentNeeded
from sandglass.core.settings import Settings
from sandglass.core.status import RunKind, RunStatus
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.core.value import Value
from sandglass.store.account_tables import Charge, UserAccount, Wallet
from sandglass.store.db import Database
from sandglass.store.tables import Instance, Run, Service, Task, TaskVersion, new_id
from sandglass.studio.access import find_user
from sandglass.studio.accounts import admins
from sandglass.studio.hooks import InstanceHooks
from sandglass.studio.ledger import (
    ZERO,
    Balance,
    EntryKind,
    EntryView,
    Money,
    NotEnough,
    balance_of,
    entries_of,
    locked_wallet,
    money,
    move,
    rounded,
)
from sandglass.studio.page import Page
from sandglass.studio.specs import Specs

ENDED_RUNS = tuple(status.value for status in RunStatus if status.final)
FROZEN_HOURS = 2
WAITING = "waiting "
"""Beginning of the subject of a charge whose instance has not started yet."""
LARGEST_TOP_UP = Decimal(10**9)


class Quote(Value):
    """What starting something would freeze, and what would be left.

    Attributes:
        charged: whether it costs anything here; if not, all amounts are zero.
        price: of one instance or training for an hour.
        freeze: what is frozen at the start.
        free: what is free now.
        free_after: what would be free afterwards; below zero when it is not enough.
        missing: how much is missing; zero when it is enough.
        ask: whom to ask for a top-up.
    """

    charged: bool
    currency: str
    spec: str
    count: int
    price: Money
    freeze: Money
    free: Money
    free_after: Money
    missing: Money
    ask: tuple[str, ...]


class Cost(Value):
    """What one task or service has cost an account so far, and what is frozen for it."""

    kind: str
    id: str
    name: str
    settled: Money
    frozen: Money
    seconds: float


class Billing(InstanceHooks):
    """Quotes, balances, top-ups, and the charges of what starts."""

    def __init__(self, settings: Settings, database: Database, specs: Specs) -> None:
        self._settings = settings
        self._database = database
        self._specs = specs

    @property
    def opening(self) -> Decimal:
        """What a new account has."""
        return rounded(self._settings.opening_balance)

    def quote(self, spec: str, count: int = 1) -> Quote:
        """What ``count`` trainings or instances of a spec would freeze of the caller's balance.

        Raises:
            NotFound: ``spec_unknown``.
            InvalidInput: ``spec_too_large`` or ``spec_disabled``.
        """
        actor = acting()
        assert actor is not None
        found = self._specs.get(spec)
        charged = self._settings.charged
        price = found.price if charged else ZERO
        freeze = rounded(price * FROZEN_HOURS) * count
        with self._database.read() as session:
            free = balance_of(session, actor.user_id, self.opening).free if charged else ZERO
            missing = max(ZERO, freeze - free)
            return Quote(
                charged=charged,
                currency=self._settings.currency,
                spec=found.id,
                count=count,
                price=price,
                freeze=freeze,
                free=free,
                free_after=free - freeze,
                missing=missing,
                ask=tuple(admins(session)) if missing else (),
            )

    def free(self, session: Session, user_id: str) -> Decimal:
        """What is free of an account's balance."""
        return balance_of(session, user_id, self.opening).free

    def balance(self, user: str) -> Balance:
        """How an account stands.

        Raises:
            NotFound: ``user_not_found``.
        """
        with self._database.read() as session:
            return balance_of(session, find_user(session, user).id, self.opening)

    def ledger(
        self,
        user: str,
        *,
        kind: EntryKind | None = None,
        resource: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[EntryView]:
        """Entries of an account, the newest first; ``resource`` is the id of a task or service.

        Raises:
            NotFound: ``user_not_found``.
        """
        with self._database.read() as session:
            user_id = find_user(session, user).id
            return entries_of(
                session, user_id, kind=kind, resource_id=resource, since=since, until=until, limit=limit, cursor=cursor
            )

    def costs(self, user: str) -> list[Cost]:
        """What each task and service has cost an account, the dearest first.

        Raises:
            NotFound: ``user_not_found``.
        """
        with self._database.read() as session:
            rows = session.execute(
                select(
                    Charge.resource_kind,
                    Charge.resource_id,
                    func.max(Charge.title),
                    func.sum(Charge.settled),
                    func.sum(Charge.frozen),
                    func.sum(Charge.seconds),
                )
                .where(Charge.user_id == find_user(session, user).id)
                .group_by(Charge.resource_kind, Charge.resource_id)
                .order_by(func.sum(Charge.settled).desc())
            )
            return [
                Cost(kind=kind, id=resource, name=title, settled=settled, frozen=frozen, seconds=seconds)
                for kind, resource, title, settled, frozen, seconds in rows
            ]

    def top_up(self, user: str, amount: Decimal, note: str = "") -> Balance:
        """Add money to an account.

        Raises:
            NotFound: ``user_not_found``.
            InvalidInput: ``amount_invalid``.
        """
        if not amount.is_finite() or amount <= 0 or amount > LARGEST_TOP_UP or amount != rounded(amount):
            raise InvalidInput(
                "amount_invalid",
                Text(en=f"{amount} cannot be topped up.", zh=f"无法充值 {amount}。"),
                Text(
                    en="Give an amount above zero with at most four decimals.", zh="请填写大于 0、最多四位小数的金额。"
                ),
                field="amount",
            )
        actor = acting()
        with self._database.write() as session:
            user_id = find_user(session, user).id
            wallet = locked_wallet(session, user_id, self.opening)
            move(session, wallet, EntryKind.TOP_UP, amount, by=actor.name if actor else None, note=note)
            return balance_of(session, user_id, self.opening)

    # Where things start

    def open_run(self, session: Session, run: Run) -> None:
        """Freeze two hours for a training that is submitted now, in the transaction that submits it.

        Raises:
            PaymentNeeded: ``balance_insufficient``; the transaction must not be committed.
        """
        if not self._settings.charged or run.kind != RunKind.TRAINING or run.settings.get("group"):
            return
        version, task = session.execute(
            select(TaskVersion, Task)
            .join(Task, Task.id == TaskVersion.task_id)
            .where(TaskVersion.id == run.task_version_id)
        ).one()
        if task.owner_id is None:
            return
        earlier = session.scalars(select(Charge).where(Charge.subject.startswith(f"{run.id}#"))).all()
        for charge in earlier:
            if charge.closed_at is None:
                close(session, charge, max(charge.seconds, run.used_seconds - charge.base_seconds), self.opening)
        self._open(
            session,
            payer=task.owner_id,
            charge=Charge(
                kind="run",
                subject=f"{run.id}#{len(earlier) + 1}",
                resource_kind="task",
                resource_id=task.id,
                title=f"{task.name} v{version.number}",
                spec=run.settings["spec"],
                base_seconds=run.used_seconds,
            ),
        )

    def reserve_instances(self, session: Session, service: Service, count: int) -> None:
        """Freeze two hours for each of ``count`` instances that a service is to get, in the transaction that says so.

        Each takes one of the charges when it starts.

        Raises:
            PaymentNeeded: ``balance_insufficient``; the transaction must not be committed.
        """
        for _ in range(count):
            self._open_instance(session, service, f"{WAITING}{new_id('in')}", partly=False)

    def starting(self, session: Session, service: Service, instance: Instance) -> None:
        """An instance starts: it takes a charge that waits for it, or gets one of its own.

        One that takes the place of another while its service runs freezes what is free, if that is less than two hours: nobody
        is refused what runs already.

        Raises:
            PaymentNeeded: ``balance_insufficient``.
        """
        if session.scalar(select(Charge.id).where(Charge.subject == instance.id)) is not None:
            return
        waiting = session.scalar(
            select(Charge)
            .where(
                Charge.resource_id == service.id,
                Charge.spec == service.spec,
                Charge.closed_at.is_(None),
                Charge.subject.startswith(WAITING),
            )
            .order_by(Charge.opened_at)
            .limit(1)
            .with_for_update()
        )
        if waiting is not None:
            waiting.subject = instance.id
            return
        serving = select(Charge.id).where(
            Charge.resource_id == service.id, Charge.closed_at.is_(None), Charge.started_at.is_not(None)
        )
        self._open_instance(session, service, instance.id, partly=session.scalar(serving.limit(1)) is not None)

    def ended(self, session: Session, service: Service, instance: Instance) -> None:
        """An instance has ended for good: what it used until then is settled."""
        charge = session.scalar(
            select(Charge).where(Charge.subject == instance.id, Charge.closed_at.is_(None)).with_for_update()
        )
        if charge is None:
            return
        end = instance.ended_at or utc_now()
        seconds = 0.0 if charge.started_at is None else (end - charge.started_at).total_seconds()
        close(session, charge, seconds, self.opening, at=end)

    def _open_instance(self, session: Session, service: Service, subject: str, *, partly: bool) -> None:
        if not self._settings.charged or service.group_id or service.owner_id is None:
            return
        self._open(
            session,
            payer=service.owner_id,
            partly=partly,
            charge=Charge(
                kind="instance",
                subject=subject,
                resource_kind="service",
                resource_id=service.id,
                title=service.name,
                spec=service.spec,
            ),
        )

    def _open(self, session: Session, *, payer: str, charge: Charge, partly: bool = False) -> None:
        charge.user_id, charge.price = payer, self._specs.known(charge.spec).price
        charge.frozen = charge.settled = ZERO
        wallet = locked_wallet(session, payer, self.opening)
        wanted = rounded(charge.price * FROZEN_HOURS)
        if partly:
            wanted = min(wanted, wallet.balance - wallet.frozen)
        session.add(charge)
        session.flush()
        try:
            freeze(session, wallet, charge, wanted)
        except NotEnough as error:
            raise self._insufficient(session, payer, charge, wanted, error) from error

    def _insufficient(
        self, session: Session, payer: str, charge: Charge, wanted: Decimal, error: NotEnough
    ) -> PaymentNeeded:
        who = ", ".join(admins(session)) or "-"
        name = session.get_one(UserAccount, payer).name
        currency, free = self._settings.currency, money(error.balance.free)
        return PaymentNeeded(
            "balance_insufficient",
            Text(
                en=f"{charge.spec} freezes {money(wanted)} {currency} (two hours); {name} has {free} free: "
                f"{money(error.missing)} {currency} is missing.",
                zh=f"{charge.spec} 需冻结 {money(wanted)} {currency}（两小时），{name} 的可用余额为 {free}，"
                f"还差 {money(error.missing)} {currency}。",
            ),
            Text(en=f"Ask {who} to top up, or choose a smaller spec.", zh=f"请联系 {who} 充值，或选择更小的规格。"),
            field="spec",
            details={"missing": money(error.missing), "free": free, "freeze": money(wanted), "ask": who},
        )


def freeze(session: Session, wallet: Wallet, charge: Charge, amount: Decimal, note: str = "") -> None:
    """Freeze money for a charge.

    Raises:
        NotEnough: less is free.
    """
    move(session, wallet, EntryKind.FREEZE, amount, charge=charge, note=note)
    charge.frozen += amount


def due(charge: Charge) -> Decimal:
    """What was used and not yet paid: to the second, rounded over the whole so that parts never add up to more."""
    used = charge.price * Decimal(round(max(0.0, charge.seconds))) / 3600
    return max(ZERO, rounded(used) - charge.settled)


def settle(session: Session, wallet: Wallet, charge: Charge) -> None:
    """Pay what was used so far out of what is frozen for it."""
    amount = min(due(charge), charge.frozen)
    move(
        session,
        wallet,
        EntryKind.SETTLE,
        amount,
        charge=charge,
        note=f"{round(charge.seconds)} s × {money(charge.price)}/h",
    )
    charge.frozen -= amount
    charge.settled += amount


def close(session: Session, charge: Charge, seconds: float, opening: Decimal, *, at: datetime | None = None) -> None:
    """End a charge: settle what was used, release the rest of what was frozen.

    What was used beyond what was frozen (a server that was away for hours) is taken from what is free; what even that does not
    cover is written off, and the entry says so: a balance never falls below zero.
    """
    charge.seconds = max(charge.seconds, seconds)
    wallet = locked_wallet(session, charge.user_id, opening)
    beyond = due(charge) - charge.frozen
    if beyond > 0:
        free = wallet.balance - wallet.frozen
        left = f", {money(beyond - free)} written off" if beyond > free else ""
        freeze(session, wallet, charge, min(beyond, free), note=f"used beyond what was frozen{left}")
    settle(session, wallet, charge)
    move(session, wallet, EntryKind.RELEASE, charge.frozen, charge=charge)
    charge.frozen, charge.closed_at = ZERO, at or utc_now()


def specs_in_use(database: Database) -> dict[str, int]:
    """How many services and unfinished trainings have each spec, whoever may see them."""
    used: Counter[str] = Counter()
    with acting_as(None), database.read() as session:
        used.update(session.scalars(select(Service.spec)))
        running = select(Run.settings).where(Run.kind == RunKind.TRAINING, Run.status.not_in(ENDED_RUNS))
        used.update(settings["spec"] for settings in session.scalars(running) if "spec" in settings)
    return dict(used)
