"""The contract of every engine."""

from abc import ABC, abstractmethod
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from sandglass.core.value import Value


class Work(Value):
    """One piece of work.

    Attributes:
        command: program and arguments.
        environment: variables beside those of the engine.
        cpu: cores that it takes; its libraries are told to use no more threads.
        memory_mb: most memory that it may take; None = no limit.
    """

    command: tuple[str, ...]
    environment: dict[str, str] = Field(default_factory=dict)
    cpu: float = Field(default=1.0, gt=0)
    memory_mb: int | None = None


class WorkState(StrEnum):
    """Where a piece of work stands; ``lost`` = its process is gone and nobody knows how it ended."""

    QUEUED = "queued"
    RUNNING = "running"
    EXITED = "exited"
    LOST = "lost"

    @property
    def over(self) -> bool:
        return self in (WorkState.EXITED, WorkState.LOST)


class WorkStatus(Value):
    """State of a piece of work; ``ahead`` = how many wait before it.

    ``reason`` says why the engine itself ended it: ``memory`` = it took more than its limit.
    """

    id: str
    state: WorkState
    exit_code: int | None = None
    pid: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    ahead: int = 0
    reason: str | None = None


class Capacity(Value):
    """Cores and memory of the engine, and what of it is free."""

    cpu_total: float
    cpu_free: float
    memory_total_mb: int


class Engine(ABC):
    """Runs work. All calls are safe from several threads and after any crash of the caller."""

    @abstractmethod
    def submit(self, work: Work, work_id: str | None = None) -> str:
        """Queue a piece of work and return its id.

        A caller that gives the id may repeat the call after a crash: work of an id that is known is not queued again.
        """

    @abstractmethod
    def stop(self, work_id: str, grace: float) -> None:
        """Ask it to end (SIGTERM) and make it end after ``grace`` seconds (SIGKILL); returns at once."""

    @abstractmethod
    def poll(self, work_id: str) -> WorkStatus:
        """Where it stands.

        Raises:
            NotFound: ``work_unknown``.
        """

    @abstractmethod
    def capacity(self) -> Capacity:
        """What the engine has."""

    @abstractmethod
    def logs(self, work_id: str, offset: int = 0, limit: int = 1 << 20) -> tuple[bytes, int]:
        """Up to ``limit`` bytes of its output from ``offset``, and the offset behind them."""

    @abstractmethod
    def log_end(self, work_id: str, length: int) -> bytes:
        """The last ``length`` bytes of its output."""

    @abstractmethod
    def usage(self, work_id: str) -> tuple[float, float] | None:
        """Processor seconds used so far and MiB of memory now; None when it does not run."""

    @abstractmethod
    def tick(self) -> None:
        """Do what is due: start queued work, notice ended work, enforce stops. Called twice a second."""

    @abstractmethod
    def close(self) -> None:
        """Let go; running work goes on."""
