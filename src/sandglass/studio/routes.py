"""Where requests to a service go: its ready instances, looked up in the database at most twice a second."""

import threading
import time
from collections.abc import Callable

from sqlalchemy import select

from sandglass.core.actor import acting_as
from sandglass.core.errors import Conflict
from sandglass.core.status import InstanceStatus, ServiceStatus
from sandglass.core.text import Text
from sandglass.serving import gateway
from sandglass.serving.gateway import Backend, Route
from sandglass.serving.limits import Limits
from sandglass.store.db import Database
from sandglass.store.tables import Instance, ServiceVersion
from sandglass.studio.keepsettings import KeepPictures
from sandglass.studio.monitoring import ENDED
from sandglass.studio.serviceviews import find_service, wanted_total

KEPT_SECONDS = 0.5
_MOST = 10_000


class Routes(gateway.Routes):
    """Routes of services by name or id; safe from several threads.

    Args:
        database: holds services and instances.
        wake: is told the id of a service that a request waits for although it is asleep.
    """

    def __init__(self, database: Database, wake: Callable[[str], None] = lambda _: None) -> None:
        self._database = database
        self._wake = wake
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Route]] = {}

    def known(self, service: str) -> Route | None:
        until, route = self._known.get(service, (0.0, None))
        return route if time.monotonic() < until else None

    def lookup(self, service: str) -> Route:
        """The ready instances of a service.

        Raises:
            NotFound: ``service_not_found``.
            Conflict: ``service_not_running``.
        """
        now = time.monotonic()
        with acting_as(None):  # what is remembered is for all callers; whether this one may see it was asked before
            route = self._read(service)
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[service] = (now + KEPT_SECONDS, route)
        return route

    def forget(self) -> None:
        with self._lock:
            self._known.clear()

    def wake(self, service_id: str) -> None:
        self._wake(service_id)
        self.forget()

    def _read(self, service: str) -> Route:
        with self._database.read() as session:
            row = find_service(session, service)
            if row.status in ENDED or row.status == ServiceStatus.STOPPING:
                raise Conflict(
                    "service_not_running",
                    Text(en=f"{row.name} is not running.", zh=f"{row.name} 未在运行。"),
                    Text(en="Start it first.", zh="请先启动它。"),
                    field="service",
                )
            ready = session.execute(
                select(
                    Instance.id,
                    Instance.address,
                    Instance.places,
                    ServiceVersion.id,
                    ServiceVersion.number,
                    ServiceVersion.weight,
                )
                .join(ServiceVersion, ServiceVersion.id == Instance.version_id)
                .where(
                    Instance.service_id == row.id,
                    Instance.status == InstanceStatus.READY,
                    Instance.address.is_not(None),
                )
            )
            backends = tuple(
                Backend(
                    instance_id=instance,
                    address=address or "",
                    places=places,
                    version_id=version,
                    version=number,
                    weight=weight,
                )
                for instance, address, places, version, number, weight in ready
            )
            keep = None if row.keep is None else KeepPictures.model_validate(row.keep)
            return Route(
                service_id=row.id,
                name=row.name,
                backends=backends,
                limits=Limits.model_validate(row.limits),
                asleep=wanted_total(row) == 0,
                keep_share=0.0 if keep is None else keep.share,
            )
