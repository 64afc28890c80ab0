"""Where requests to a service go: its ready instances, looked up in the database at most twice a second."""

import threading
import time

from sqlalchemy import select

from sandglass.core.errors import Conflict
from sandglass.core.status import InstanceStatus, ServiceStatus
from sandglass.core.text import Text
from sandglass.serving.gateway import Backend, Route
from sandglass.store.db import Database
from sandglass.store.tables import Instance, ServiceVersion
from sandglass.studio.services import ENDED, find_service

KEPT_SECONDS = 0.5
_MOST = 10_000


class Routes:
    """Routes of services by name or id; safe from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Route]] = {}

    def lookup(self, service: str) -> Route:
        """The ready instances of a service.

        Raises:
            NotFound: ``service_not_found``.
            Conflict: ``service_not_running``.
        """
        now = time.monotonic()
        with self._lock:
            until, route = self._known.get(service, (0.0, None))
        if route is not None and now < until:
            return route
        route = self._read(service)
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[service] = (now + KEPT_SECONDS, route)
        return route

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
                select(Instance.id, Instance.address, ServiceVersion.id, ServiceVersion.weight)
                .join(ServiceVersion, ServiceVersion.id == Instance.version_id)
                .where(
                    Instance.service_id == row.id,
                    Instance.status == InstanceStatus.READY,
                    Instance.address.is_not(None),
                )
            )
            backends = tuple(
                Backend(instance_id=instance, address=address, version_id=version, weight=weight)
                for instance, address, version, weight in ready
                if address is not None
            )
            return Route(service_id=row.id, name=row.name, backends=backends)
