"""The client's calls about services that are there: versions, traffic, settings, records, monitoring, logs."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

Json = Any
FINAL_SERVICE = ("stopped", "create_failed", "arrears_stopped")


class ServiceCalls(ABC):
    """What the client asks about services; the transport is the client's."""

    @abstractmethod
    def request(self, method: str, path: str, **options: Any) -> Json:  # noqa: ANN401
        """Send one request and return the parsed answer."""

    @abstractmethod
    def download(self, path: str, target: Path) -> int:
        """Write an answer's bytes to a file as they come; returns how many."""

    def start_service(self, name: str) -> Json:
        """Start a stopped service again, for its maximum run time anew."""
        return self._service("POST", name, "/start")

    def extend_service(self, name: str, seconds: float | None) -> Json:
        """Let a service run so many seconds longer; None lifts the limit."""
        return self._service("POST", name, "/extend", json={"seconds": seconds})

    def delete_service(self, name: str) -> None:
        """Delete a service that has stopped."""
        self._service("DELETE", name)

    def change_service(self, name: str, **changes: Any) -> Json:  # noqa: ANN401
        """Change ``spec``, ``instances``, ``thresholds``, ``max_run_seconds``, ``limits``, ``scaling`` or ``keep``."""
        return self._service("PATCH", name, json=changes)

    def add_service_version(
        self,
        name: str,
        task: str,
        *,
        version: int | None = None,
        weight: int = 0,
        threshold: float | None = None,
        confirm: bool = False,
    ) -> Json:
        """Publish the best model of a task version as a new version with a share of the traffic."""
        body = {"task": task, "version": version, "weight": weight, "threshold": threshold, "confirm": confirm}
        return self._service("POST", name, "/versions", json=body)

    def remove_service_version(self, name: str, number: int) -> Json:
        """Remove a version that has no traffic."""
        return self._service("DELETE", name, f"/versions/{number}")

    def set_weights(self, name: str, weights: Mapping[int, int]) -> Json:
        """Set the traffic weights of all versions together; they sum to 100."""
        return self._service(
            "PUT", name, "/weights", json={"weights": {str(key): value for key, value in weights.items()}}
        )

    def service_updates(self, name: str, **filters: int) -> Json:
        """Update records, the latest first."""
        return self._service("GET", name, "/updates", params=filters)

    def roll_back(self, name: str, number: int) -> Json:
        """Restore all settings of an update record."""
        return self._service("POST", name, f"/updates/{number}/rollback")

    def restart_instance(self, name: str, instance: str) -> Json:
        """Replace one process by a new one."""
        return self._service("POST", name, f"/instances/{quote(instance, safe='')}/restart")

    def service_events(self, name: str, **filters: str | int) -> Json:
        """Events, the latest first."""
        return self._service("GET", name, "/events", params=filters)

    def service_metrics(self, name: str, **filters: str) -> Json:
        """Curves over a range: ``range`` (1h, 24h, 7d) or ``start`` and ``end``; ``by`` service, version or instance."""
        return self._service("GET", name, "/metrics", params=filters)

    def service_logs(self, name: str, **filters: str | int) -> Json:
        """A page of the log of a service's processes."""
        return self._service("GET", name, "/logs", params=filters)

    def download_service_logs(self, name: str, target: Path, *, instance: str | None = None) -> int:
        """Write the whole log to a file; returns its bytes."""
        query = "" if instance is None else f"?instance={quote(instance, safe='')}"
        return self.download(f"/services/{quote(name, safe='')}/logs/download{query}", target)

    def follow_service_log(self, name: str, **filters: str | int) -> Iterator[Json]:
        """Yield log lines of a service until it has ended."""
        cursor = "0"
        while True:
            over = self._service("GET", name)["status"] in FINAL_SERVICE
            page = self.service_logs(name, cursor=cursor, **filters)
            yield from page["items"]
            cursor = page["next"]
            if page["end"]:
                if over:
                    return
                time.sleep(0.5)

    def wait_for_rollout(self, name: str, seconds: float = 300.0) -> Json:
        """Wait until every process of a service is what its settings say, or the service has ended."""
        end = time.monotonic() + seconds
        while True:
            state = self._service("GET", name)
            if not state["updating"] or state["status"] in FINAL_SERVICE or time.monotonic() > end:
                return state
            time.sleep(0.2)

    def _service(self, method: str, name: str, path: str = "", **options: Any) -> Json:  # noqa: ANN401
        return self.request(method, f"/services/{quote(name, safe='')}{path}", **options)
