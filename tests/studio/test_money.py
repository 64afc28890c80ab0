"""Money adds up and no balance falls below zero, whatever starts, stops, crashes and is topped up in whatever order."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from sandglass.core.errors import InvalidInput, PaymentNeeded
from sandglass.core.settings import Settings
from sandglass.core.status import InstanceStatus, RunStatus, ServiceStatus
from sandglass.store.account_tables import Charge, LedgerEntry, UserAccount, Wallet
from sandglass.store.db import Database, migrate
from sandglass.store.tables import Instance, Run, Service, ServiceVersion, Task, TaskVersion
from sandglass.studio.billing import Billing, due
from sandglass.studio.ledger import EntryKind, locked_wallet, move
from sandglass.studio.metering import ARREARS, Metering

PRICES = {"1C2G": Decimal("0.30"), "4C8G": Decimal("1.20"), "ODD": Decimal("0.0007")}
OPENING = Decimal("5.00")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Specs:
    """Prices of the test; the real catalogue needs a machine."""

    def known(self, name):
        return SimpleNamespace(id=name, price=PRICES[name])

    get = known


class Runs:
    """Stops a training as its worker would: some time later."""

    def __init__(self, database):
        self.database = database
        self.stopped = []

    def stop(self, run_id):
        self.stopped.append(run_id)


class World:
    """Accounts, trainings and services in a real database, on a clock of its own."""

    def __init__(self, url, opening=OPENING):
        self.database = Database(url)
        migrate(self.database)
        self.now = NOON
        self.warned = []
        settings = Settings(opening_balance=opening)
        self.billing = Billing(settings, self.database, Specs())
        self.runs = Runs(self.database)
        self.connect()
        self.users = []
        with self.database.write() as session:
            for name in ("lin", "wang"):
                user = UserAccount(name=name, key=name, role="developer")
                session.add(user)
                session.flush()
                self.users.append(user.id)
                task = Task(name=f"task-{name}", scenario="x", owner_id=user.id)
                session.add(task)
                session.flush()
                session.add(TaskVersion(id=f"tv-{name}", task_id=task.id, number=1, settings={}))
                session.flush()

    def connect(self):
        self.metering = Metering(
            self.database, self.billing, self.runs, lambda _s, c: self.warned.append(c.id), lambda: self.now
        )

    def start_run(self, name, spec):
        with self.database.write() as session:
            run = Run(task_version_id=f"tv-{name}", kind="training", status=RunStatus.QUEUED, settings={"spec": spec})
            session.add(run)
            session.flush()
            self.billing.open_run(session, run)
            return run.id

    def start_service(self, user, spec, count):
        with self.database.write() as session:
            service = Service(
                name=f"s{session.scalar(select(func.count()).select_from(Service))}-{user}",
                scenario="x",
                status=ServiceStatus.CREATING,
                spec=spec,
                owner_id=user,
                instances=count,
                limits={},
                scaling={},
                revision=0,
            )
            session.add(service)
            session.flush()
            self.billing.reserve_instances(session, service, count)
            return service.id

    def read(self, query):
        with self.database.read() as session:
            return session.execute(query).all()

    def check(self):
        """The ledger alone tells each balance, entry by entry; nothing is below zero; charges hold what is frozen."""
        with self.database.read() as session:
            for user in self.users:
                balance = frozen = Decimal(0)
                entries = session.scalars(
                    select(LedgerEntry).where(LedgerEntry.user_id == user).order_by(LedgerEntry.number)
                ).all()
                for number, entry in enumerate(entries, 1):
                    assert entry.number == number
                    assert entry.amount > 0
                    balance += {"top_up": entry.amount, "settle": -entry.amount}.get(entry.kind, 0)
                    frozen += entry.amount if entry.kind == "freeze" else 0
                    frozen -= entry.amount if entry.kind in ("settle", "release") else 0
                    assert (balance, frozen) == (entry.balance_after, entry.frozen_after)
                    assert 0 <= frozen <= balance
                wallet = session.get(Wallet, user)
                assert wallet is None or (wallet.balance, wallet.frozen) == (balance, frozen)
                charges = session.scalars(select(Charge).where(Charge.user_id == user)).all()
                assert sum((charge.frozen for charge in charges), Decimal(0)) == frozen
                paid = sum((entry.amount for entry in entries if entry.kind == "settle"), Decimal(0))
                assert sum((charge.settled for charge in charges), Decimal(0)) == paid
                for charge in charges:
                    assert charge.settled <= charge.price * Decimal(round(charge.seconds)) / 3600 + Decimal("0.0001")
                    if charge.closed_at is not None:
                        assert charge.frozen == 0


class Money(RuleBasedStateMachine):
    """Any order of starts, stops, crashes, restarts, pauses and top-ups."""

    things = Bundle("things")
    url = "sqlite://"

    def __init__(self):
        super().__init__()
        import tempfile
        from pathlib import Path

        self.folder = tempfile.TemporaryDirectory()
        self.world = World(f"sqlite:///{Path(self.folder.name) / 'money.db'}")

    def teardown(self):
        # At the end everything ends, and then nothing is frozen any more.
        self.world.now += timedelta(seconds=1)
        with self.world.database.write() as session:
            for run in session.scalars(select(Run).where(Run.status.not_in(("stopped", "failed", "succeeded")))):
                run.status = RunStatus.STOPPED
            for instance in session.scalars(select(Instance)):
                instance.status = InstanceStatus.STOPPED
            for service in session.scalars(select(Service)):
                service.status = ServiceStatus.STOPPED
        self.world.metering.reconcile()
        self.world.check()
        assert all(wallet.frozen == 0 for (wallet,) in self.world.read(select(Wallet)))
        assert self.world.read(select(Charge.id).where(Charge.closed_at.is_(None))) == []
        self.world.database.dispose()
        self.folder.cleanup()

    @rule(target=things, name=st.sampled_from(("lin", "wang")), spec=st.sampled_from(sorted(PRICES)))
    def start_run(self, name, spec):
        try:
            return ("run", self.world.start_run(name, spec))
        except PaymentNeeded:
            return None

    @rule(target=things, user=st.sampled_from((0, 1)), spec=st.sampled_from(sorted(PRICES)), count=st.integers(1, 3))
    def publish(self, user, spec, count):
        try:
            return ("service", self.world.start_service(self.world.users[user], spec, count))
        except PaymentNeeded:
            return None

    @rule(thing=things)
    def go_on(self, thing):
        """A run's worker reports; a service gets its instances ready."""
        if thing is None:
            return
        with self.world.database.write() as session:
            if thing[0] == "run":
                run = session.get_one(Run, thing[1])
                if not RunStatus(run.status).final:
                    if run.heartbeat_at is not None:
                        run.used_seconds += max(0.0, (self.world.now - run.heartbeat_at).total_seconds())
                    run.status, run.heartbeat_at = RunStatus.RUNNING, self.world.now
                return
            service = session.get_one(Service, thing[1])
            if service.status in (ServiceStatus.STOPPING, ServiceStatus.STOPPED):
                return
            version = session.scalar(select(ServiceVersion).where(ServiceVersion.service_id == service.id))
            if version is None:
                version = self._version(session, service)
            instance = Instance(
                service_id=service.id, version_id=version.id, status=InstanceStatus.READY, recipe={}, works=[], places=1
            )
            session.add(instance)
            session.flush()
            try:
                with session.begin_nested():
                    self.world.billing.starting(session, service, instance)
            except PaymentNeeded:
                session.delete(instance)
                return
            service.status = ServiceStatus.RUNNING

    def _version(self, session, service):
        from sandglass.store.tables import Model

        run = Run(task_version_id="tv-lin", kind="evaluation", status="succeeded", settings={})
        session.add(run)
        session.flush()
        model = Model(run_id=run.id, scenario="x", score=1, manifest={}, files={})
        session.add(model)
        session.flush()
        version = ServiceVersion(service_id=service.id, number=1, model_id=model.id, weight=100)
        session.add(version)
        session.flush()
        return version

    @rule(thing=things, crash=st.booleans())
    def stop(self, thing, crash):
        if thing is None:
            return
        with self.world.database.write() as session:
            if thing[0] == "run":
                run = session.get_one(Run, thing[1])
                if run.heartbeat_at is not None and not crash and not RunStatus(run.status).final:
                    run.used_seconds += max(0.0, (self.world.now - run.heartbeat_at).total_seconds())
                run.status = RunStatus.FAILED if crash else RunStatus.STOPPED
                return
            service = session.get_one(Service, thing[1])
            for instance in session.scalars(select(Instance).where(Instance.service_id == service.id)):
                instance.status = InstanceStatus.LOST if crash else InstanceStatus.STOPPED
                instance.ended_at = self.world.now
                if not crash:
                    self.world.billing.ended(session, service, instance)
            service.status = ServiceStatus.STOPPED

    @rule(thing=things)
    def restart(self, thing):
        if thing is None or thing[0] == "service":
            return
        try:
            with self.world.database.write() as session:
                run = session.get_one(Run, thing[1])
                if not RunStatus(run.status).final:
                    return
                run.status, run.heartbeat_at = RunStatus.SUBMITTING, None
                self.world.billing.open_run(session, run)
        except PaymentNeeded:
            assert RunStatus(self.world.read(select(Run.status).where(Run.id == thing[1]))[0][0]).final

    @rule(seconds=st.sampled_from((1, 59, 600, 3540, 3600, 7300, 100_000)), server=st.booleans())
    def time_passes(self, seconds, server):
        """The server may be away the whole time, and looks only then."""
        if not server:
            self.world.now += timedelta(seconds=seconds)
            return
        for _ in range(min(seconds, 20)):
            self.world.now += timedelta(seconds=seconds / min(seconds, 20))
            self.world.metering.reconcile()

    @rule()
    def look(self):
        self.world.metering.reconcile()

    @rule()
    def server_is_killed_and_started(self):
        self.world.connect()

    @rule(thing=things)
    def server_is_killed_in_the_middle(self, thing):
        """What a transaction had not committed is gone, all of it."""
        charges = [charge for (charge,) in self.world.read(select(Charge).where(Charge.closed_at.is_(None)))]
        with suppress(ZeroDivisionError), self.world.database.write() as session:
            for charge in charges:
                wallet = locked_wallet(session, charge.user_id, OPENING)
                fresh = session.get_one(Charge, charge.id)
                move(session, wallet, EntryKind.RELEASE, fresh.frozen, charge=fresh)
            raise ZeroDivisionError

    @rule(user=st.sampled_from(("lin", "wang")), cents=st.integers(1, 500))
    def top_up(self, user, cents):
        self.world.billing.top_up(user, Decimal(cents) / 100)

    @precondition(lambda self: self.world.runs.stopped)
    @rule()
    def stopped_for_arrears(self):
        for run_id in self.world.runs.stopped:
            with self.world.database.write() as session:
                run = session.get(Run, run_id)
                if run is not None and not RunStatus(run.status).final:
                    run.status = RunStatus.STOPPED
        self.world.runs.stopped.clear()

    @invariant()
    def adds_up(self):
        self.world.check()


Money.TestCase.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
TestMoney = Money.TestCase


@pytest.fixture
def world(database_url):
    """The same on each kind of database."""
    world = World(database_url)
    yield world
    world.check()
    world.database.dispose()


def test_a_training_is_frozen_for_two_hours_and_settled_to_the_second(world):
    run_id = world.start_run("lin", "4C8G")
    assert world.billing.balance("lin").model_dump(mode="json") == {"balance": "5.00", "frozen": "2.40", "free": "2.60"}
    with world.database.write() as session:
        run = session.get_one(Run, run_id)
        run.status, run.used_seconds = RunStatus.SUCCEEDED, 42 * 60.0
    world.metering.reconcile()
    assert world.billing.balance("lin").model_dump(mode="json") == {"balance": "4.16", "frozen": "0.00", "free": "4.16"}
    kinds = [(entry.kind, str(entry.amount)) for entry in world.billing.ledger("lin").items]
    assert kinds == [("release", "1.5600"), ("settle", "0.8400"), ("freeze", "2.4000"), ("top_up", "5.0000")]


def test_what_the_balance_does_not_cover_is_refused_with_what_is_missing_and_whom_to_ask(world):
    with world.database.write() as session:
        session.add(UserAccount(name="boss", key="boss", role="admin"))
    world.start_run("lin", "4C8G")
    world.start_run("lin", "4C8G")
    with pytest.raises(PaymentNeeded) as refused:
        world.start_run("lin", "4C8G")
    assert refused.value.details == {"missing": "2.20", "free": "0.20", "freeze": "2.40", "ask": "boss"}
    assert "boss" in refused.value.action.en
    assert len(world.read(select(Run))) == 2, "nothing of the refused one is left"


def test_a_service_is_settled_hourly_then_warned_and_stopped_for_arrears(world):
    service_id = world.start_service(world.users[0], "4C8G", 1)
    machine = SimpleNamespace(world=world)
    with world.database.write() as session:
        service = session.get_one(Service, service_id)
        version = Money._version(machine, session, service)
        instance = Instance(
            service_id=service_id, version_id=version.id, status=InstanceStatus.READY, recipe={}, works=[], places=1
        )
        session.add(instance)
        session.flush()
        world.billing.starting(session, service, instance)
        service.status = ServiceStatus.RUNNING
    seen = {}
    for minute in range(400):
        world.metering.reconcile()
        world.check()
        if world.warned:
            seen.setdefault("warned", minute)
        (status, reason), *_ = world.read(select(Service.status, Service.reason))
        if status == ServiceStatus.STOPPING:
            assert reason == ARREARS
            seen["stopped"] = minute
            break
        world.now += timedelta(minutes=1)
    # 5.00 lasts four hours at 1.20; the fifth cannot be frozen.
    assert seen == {"warned": 225, "stopped": 240}
    with world.database.write() as session:
        instance = session.scalars(select(Instance)).one()
        instance.status = InstanceStatus.STOPPED
    world.metering.reconcile()
    balance = world.billing.balance("lin")
    assert balance.frozen == 0
    assert 0 <= balance.balance < Decimal("0.21")


def test_many_at_once_never_freeze_more_than_there_is(world):
    def start(index):
        try:
            return world.start_run("lin" if index % 4 else "wang", "4C8G")
        except PaymentNeeded:
            return None

    with ThreadPoolExecutor(8) as pool:
        started = list(pool.map(start, range(24)))
    assert sum(run is not None for run in started) == 4, "two each: 5.00 covers 2.40 twice"
    world.check()


def test_two_settlers_at_once_settle_once(world):
    run_id = world.start_run("lin", "4C8G")
    with world.database.write() as session:
        run = session.get_one(Run, run_id)
        run.status, run.used_seconds = RunStatus.SUCCEEDED, 3600.0
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: world.metering.reconcile(), range(8)))
    assert world.billing.balance("lin").balance == Decimal("3.80")


def test_the_database_itself_refuses_a_balance_below_zero(world):
    world.start_run("lin", "4C8G")
    with pytest.raises(IntegrityError), world.database.write() as session:
        session.scalars(select(Wallet)).one().balance = Decimal("1.00")


def test_amounts_are_exact(world):
    for wrong in ("0", "-1", "0.00001", "NaN", "Infinity"):
        with pytest.raises(InvalidInput):
            world.billing.top_up("lin", Decimal(wrong))
    for _ in range(10):
        world.billing.top_up("lin", Decimal("0.1"))
    assert world.billing.balance("lin").balance == Decimal("6.0")
    assert due(Charge(price=Decimal("0.10"), seconds=36, settled=Decimal(0))) == Decimal("0.0010")
