"""The composition root: one `Studio` holds everything that the server needs, opened and closed in one place."""

import logging
from pathlib import Path

from sandglass.core.settings import Settings
from sandglass.core.value import Value
from sandglass.engine.base import Engine
from sandglass.engine.local import LocalEngine
from sandglass.serving.meter import Meter
from sandglass.store.db import Database, migrate
from sandglass.store.objects import Objects
from sandglass.studio.access import Access, restrict
from sandglass.studio.accounts import Accounts
from sandglass.studio.additions import Additions
from sandglass.studio.annotations import Annotations
from sandglass.studio.audit import Audit
from sandglass.studio.billing import Billing, specs_in_use
from sandglass.studio.bulk import Bulk
from sandglass.studio.clockwatch import ClockWatch
from sandglass.studio.comparisons import Comparisons
from sandglass.studio.credentials import KnownCallers, OwnerToken
from sandglass.studio.datasets import Datasets
from sandglass.studio.differences import Differences
from sandglass.studio.evaluations import Evaluations
from sandglass.studio.examples import Examples
from sandglass.studio.exports import Exports
from sandglass.studio.imports import Imports
from sandglass.studio.instances import Instances
from sandglass.studio.keeping import Keeper
from sandglass.studio.labels import Labels
from sandglass.studio.lock import HomeLock
from sandglass.studio.logs import Logs
from sandglass.studio.metering import Metering, warn_of_arrears
from sandglass.studio.metricseries import MetricReader
from sandglass.studio.models import Models
from sandglass.studio.monitoring import Monitor
from sandglass.studio.prelabels import Prelabels
from sandglass.studio.restore import Restores
from sandglass.studio.routes import Routes
from sandglass.studio.runevents import RunEvents
from sandglass.studio.runs import Runs
from sandglass.studio.samples import Samples
from sandglass.studio.scaler import Scaler
from sandglass.studio.servicechanges import ServiceChanges
from sandglass.studio.serviceevents import ServiceEvents
from sandglass.studio.servicelogs import ServiceLogs
from sandglass.studio.services import Services
from sandglass.studio.signin import SignIn
from sandglass.studio.specs import Specs
from sandglass.studio.statistics import StatisticsCache
from sandglass.studio.supervision import Supervisor
from sandglass.studio.tasks import Tasks
from sandglass.studio.taskviews import TaskViews
from sandglass.studio.tokens import Tokens
from sandglass.studio.uploads import Uploads
from sandglass.studio.versions import Versions

log = logging.getLogger(__name__)


class Activity(Value):
    """How much is going on: what must not be interrupted, and what a header shows."""

    runs: int
    imports: int
    exports: int
    services: int

    @property
    def idle(self) -> bool:
        return not (self.runs or self.imports or self.exports or self.services)


class Studio:
    """Everything that the product does, over one home. Open it with `open_studio`."""

    def __init__(self, settings: Settings, lock: HomeLock) -> None:
        self.settings = settings
        self._lock = lock
        self.database = Database(settings.database)
        migrate(self.database)
        restrict(self.database)
        self.owner_token = OwnerToken(settings.home)
        self.callers = KnownCallers()
        self.access = Access(self.database)
        self.accounts = Accounts(self.database, self.callers)
        self.sign_in = SignIn(self.database, self.callers)
        self.tokens = Tokens(self.database, self.callers)
        self.audit = Audit(self.database)
        self.objects = Objects(settings.objects)
        self.engine: Engine = LocalEngine(self.database, settings.home / "work", settings.cpu_count)
        self.specs = Specs(self.engine, settings.home / "specs.yaml", lambda: specs_in_use(self.database))
        self.billing = Billing(settings, self.database, self.specs)
        self.models = Models(settings, self.database, self.objects)
        statistics = StatisticsCache()
        self.datasets = Datasets(self.database, statistics)
        self.samples = Samples(self.database, self.objects, statistics)
        self.bulk = Bulk(self.database)
        self.labels = Labels(self.database)
        self.annotations = Annotations(self.database)
        self.versions = Versions(self.database, self.objects)
        self.differences = Differences(self.database, self.objects, statistics)
        self.restores = Restores(self.database, self.objects)
        self.uploads = Uploads(settings)
        self.imports = Imports(settings, self.database, self.objects, self.uploads)
        self.additions = Additions(self.database, self.objects, self.imports.claims, self.samples)
        self.exports = Exports(settings.home, self.objects, self.versions, self.labels)
        self.runs = Runs(settings, self.database, self.engine, self.specs, self.billing)
        self.prelabels = Prelabels(settings, self.database, self.objects, self.runs, self.specs)
        self.run_events = RunEvents(self.database)
        self.tasks = Tasks(settings, self.database, self.versions, self.runs, self.specs)
        self.examples = Examples(self.database, self.imports, self.tasks)
        self.evaluations = Evaluations(self.database, self.versions, self.runs, self.tasks)
        self.comparisons = Comparisons(self.database)
        self.task_views = TaskViews(self.database, self.runs, self.evaluations)
        self.meter = Meter()
        self.monitor = Monitor(self.database, self.meter, self.engine.usage)
        self.services = Services(self.database, self.specs, self.monitor, self.billing)
        self.service_changes = ServiceChanges(self.database, self.specs, self.monitor, self.billing)
        self.service_events = ServiceEvents(self.database)
        self.metric_reader = MetricReader(self.database)
        self.keeper = Keeper(self.database, self.objects)
        self.scaler = Scaler(self.database, self.meter, self.monitor)
        self.metering = Metering(self.database, self.billing, self.runs, warn_of_arrears)
        self.routes = Routes(self.database, self._wake)
        self.logs = Logs(self.database, self.engine)
        self.service_logs = ServiceLogs(self.database, self.engine)
        self.supervisor = Supervisor(
            self.database,
            self.engine,
            self.runs,
            self.evaluations,
            Instances(
                settings,
                self.database,
                self.engine,
                self.models,
                self.specs,
                changed=self.routes.forget,
                soon=lambda: self.supervisor.nudge(),
                hooks=self.billing,
            ),
            (ClockWatch(self.database).tick, self.metering.tick, self.scaler.tick, self.monitor.tick, self.keeper.tick),
        )

    def _wake(self, service_id: str) -> None:
        self.scaler.wake(service_id)
        self.supervisor.nudge()

    def changed(self) -> None:
        """Something was written down that is to be carried out: look now, and ask again where requests go."""
        self.routes.forget()
        self.supervisor.nudge()

    def start(self) -> None:
        """Tidy up after a server that was killed, and begin supervising."""
        self.first_admin = self.accounts.first_start(login=self.settings.login)
        self.audit.prune()
        self.imports.recover()
        self.uploads.recover()
        self.exports.recover()
        self.keeper.start()
        self.supervisor.start()

    def close(self) -> None:
        """End what needs the server (imports, exports); runs and services go on by themselves."""
        self.imports.close()
        self.exports.close()
        self.prelabels.close()
        self.supervisor.close()
        self.keeper.close()
        self.engine.close()
        self.database.dispose()
        self._lock.close()

    def activity(self) -> Activity:
        """How much is going on now."""
        return Activity(
            runs=self.runs.active_count(),
            imports=self.imports.list(active=True, limit=1).total,
            exports=len(self.exports.active()),
            services=self.services.active_count(),
        )


def open_studio(settings: Settings) -> Studio:
    """Open the installation in ``settings.home``, made on first use, and begin supervising.

    Raises:
        Conflict: ``server_already_running``: another process serves the same home.
        Broken: the home or a store cannot be written.
    """
    settings = settings.model_copy(update={"home": Path(settings.home).absolute()})
    lock = HomeLock(settings.home)
    try:
        studio = Studio(settings, lock)
        studio.start()
    except BaseException:
        lock.close()
        raise
    return studio
