"""Settles what trainings and instances use, and stops what the balance no longer covers. Safe to repeat after any crash.

It looks at what is there, not at what was said: a charge ends because its run is over or its instance gone, however that came
about.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sandglass.core.errors import SandglassError
from sandglass.core.status import InstanceStatus, RunReason, RunStatus, ServiceStatus
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.store.account_tables import Charge
from sandglass.store.db import Database
from sandglass.store.tables import Instance, Run, Service
from sandglass.studio.billing import WAITING, Billing, close, freeze, settle
from sandglass.studio.ledger import NotEnough, locked_wallet, money, rounded
from sandglass.studio.runs import Runs, elapsed
from sandglass.studio.serviceevents import note

log = logging.getLogger(__name__)

RENEW_SECONDS = 60
"""How long before the frozen money is used up the hour is settled and the next one frozen."""
STOP_SECONDS = 15
"""How long before it is used up something stops that has no next hour: the time that a stop takes is paid too."""
WARN_SECONDS = 900
SEEN_SECONDS = 60
"""How often the time used so far is written down."""
AWAY = timedelta(seconds=120)
"""A server that has not looked for so long was away; what ended meanwhile ended when it was last seen."""
LONGEST_WAIT = timedelta(minutes=15)
"""A charge that no instance took in that time is released: a change of the service has made it unnecessary."""
GONE = (InstanceStatus.STOPPED, InstanceStatus.LOST)
ARREARS = "arrears"
"""Reason of what was stopped because the balance could not cover the next hour."""


class Metering:
    """Used by one thread, the supervisor's.

    Args:
        database: of the installation.
        billing: opens the charges.
        runs: stops trainings.
        warn: is told a charge whose next hour the balance does not cover, once, some minutes before it stops.
        clock: the present instant.
    """

    def __init__(
        self,
        database: Database,
        billing: Billing,
        runs: Runs,
        warn: Callable[[Session, Charge], None] = lambda _session, _charge: None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._billing = billing
        self._runs = runs
        self._warn = warn
        self._clock = clock

    def tick(self) -> None:
        """Take every open charge one step further."""
        self.reconcile()

    def reconcile(self) -> None:
        """Take every open charge one step further."""
        with self._database.read() as session:
            charges = session.scalars(select(Charge).where(Charge.closed_at.is_(None))).all()
            steps = [charge.id for charge in charges if self._step(session, charge, self._clock()) is not None]
        for charge_id in steps:
            self._take(charge_id)

    def _step(self, session: Session, charge: Charge, now: datetime) -> "_Step | None":
        """What is due for a charge; None = nothing now."""
        seconds, over, started = self._metered(session, charge, now)
        if over:
            return _Step(seconds, "close")
        if started and charge.started_at is None:
            return _Step(seconds, "start")
        if not started:
            return None
        left = _seconds_left(charge, seconds)
        if left <= STOP_SECONDS and charge.arrears_at is None:
            return _Step(seconds, "renew")
        if left <= RENEW_SECONDS and charge.arrears_at is None and self._covers(session, charge):
            return _Step(seconds, "renew")
        if left <= WARN_SECONDS and charge.warned_at is None and not self._covers(session, charge):
            return _Step(seconds, "warn")
        if charge.seen_at is None or now - charge.seen_at >= timedelta(seconds=SEEN_SECONDS):
            return _Step(seconds, "note")
        return None

    def _covers(self, session: Session, charge: Charge) -> bool:
        return self._billing.free(session, charge.user_id) >= rounded(charge.price)

    def _take(self, charge_id: str) -> None:
        stop: str | None = None
        now = self._clock()
        with self._database.write() as session:
            charge = session.get(Charge, charge_id, with_for_update=True)
            if charge is None or charge.closed_at is not None:
                return
            step = self._step(session, charge, now)
            if step is None:
                return
            charge.seconds, charge.seen_at = max(charge.seconds, step.seconds), now
            if step.what == "start":
                charge.started_at = now
            elif step.what == "warn":
                charge.warned_at = now
                self._warn(session, charge)
            elif step.what == "close":
                close(session, charge, step.seconds, self._billing.opening, at=now)
                self._name_reason(session, charge)
            elif step.what == "renew":
                stop = self._renew(session, charge, now)
        if stop is not None:
            self._stop(stop)

    def _renew(self, session: Session, charge: Charge, now: datetime) -> str | None:
        """Settle the hour and freeze the next one; what the balance does not cover is to stop."""
        wallet = locked_wallet(session, charge.user_id, self._billing.opening)
        settle(session, wallet, charge)
        try:
            freeze(session, wallet, charge, rounded(charge.price))
        except NotEnough:
            charge.arrears_at = now
            log.warning("%s stops: the balance does not cover its next hour", charge.title)
            if charge.warned_at is None:
                charge.warned_at = now
                self._warn(session, charge)
            if charge.kind == "run":
                return charge.subject.partition("#")[0]
            service = session.get(Service, charge.resource_id, with_for_update=True)
            if service is not None and not ServiceStatus(service.status).final:
                service.status, service.reason = ServiceStatus.STOPPING, ARREARS
            return None
        charge.warned_at = None
        return None

    def _stop(self, run_id: str) -> None:
        try:
            self._runs.stop(run_id)
        except SandglassError as error:  # it ended in between
            log.info("run %s: %s", run_id, error.message.en)

    def _name_reason(self, session: Session, charge: Charge) -> None:
        if charge.kind == "run" and charge.arrears_at is not None:
            run = session.get(Run, charge.subject.partition("#")[0])
            if run is not None and run.reason == RunReason.STOPPED_BY_PERSON:
                run.reason = RunReason.ARREARS

    def _metered(self, session: Session, charge: Charge, now: datetime) -> tuple[float, bool, bool]:
        """Seconds used, whether it is over, and whether it has begun."""
        if charge.kind == "run":
            run = session.get(Run, charge.subject.partition("#")[0])
            if run is None:
                return charge.seconds, True, False
            seconds = max(charge.seconds, elapsed(run, now) - charge.base_seconds)
            return seconds, RunStatus(run.status).final, run.heartbeat_at is not None
        if charge.subject.startswith(WAITING):
            service = session.get(Service, charge.resource_id)
            over = service is None or ServiceStatus(service.status).final or service.status == ServiceStatus.STOPPING
            return 0.0, over or now - charge.opened_at > LONGEST_WAIT, False
        instance = session.get(Instance, charge.subject)
        if instance is None or instance.status in GONE:
            return _until_gone(charge, now), True, False
        if charge.started_at is None:
            return 0.0, False, instance.status == InstanceStatus.READY
        return max(charge.seconds, (now - charge.started_at).total_seconds()), False, True


class _Step:
    def __init__(self, seconds: float, what: str) -> None:
        self.seconds = seconds
        self.what = what


def _seconds_left(charge: Charge, seconds: float) -> float:
    """How long what is frozen still lasts."""
    if charge.price == 0:
        return float("inf")
    paid = charge.frozen + charge.settled
    return float(paid * 3600 / charge.price) - seconds


def _until_gone(charge: Charge, now: datetime) -> float:
    """Seconds of an instance that is gone: up to now, or up to when it was last seen by a server that was away since."""
    if charge.started_at is None:
        return 0.0
    seen = charge.seen_at or charge.started_at
    end = now if now - seen <= AWAY else seen
    return max(charge.seconds, (end - charge.started_at).total_seconds())


def warn_of_arrears(session: Session, charge: Charge) -> None:
    """Tell whom a service belongs to that the balance does not cover its next hour."""
    if charge.resource_kind != "service" or session.get(Service, charge.resource_id) is None:
        return
    price = money(charge.price)
    note(
        session,
        charge.resource_id,
        "balance_low",
        Text(
            en=f"The free balance does not cover the next hour ({price}); the service stops when what is frozen is used up.",
            zh=f"可用余额不足以支付下一小时（{price}），已冻结金额用完后服务将停止。",
        ),
        severity="warning",
    )
