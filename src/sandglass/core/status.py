"""Statuses of runs and services, and which of them are final."""

from enum import StrEnum


class RunKind(StrEnum):
    """What a run does."""

    TRAINING = "training"
    EVALUATION = "evaluation"
    PRELABEL = "prelabel"


class RunStatus(StrEnum):
    """Where a run stands; ``not_started`` is derived (a task without a run) and never stored."""

    SUBMITTING = "submitting"
    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    SUCCEEDED = "succeeded"

    @property
    def final(self) -> bool:
        return self in (RunStatus.STOPPED, RunStatus.FAILED, RunStatus.SUCCEEDED)


class RunReason(StrEnum):
    """Why a run ended as it did."""

    COMPLETED = "completed"
    CONVERGED = "converged"
    TARGET_REACHED = "target_reached"
    TIME_LIMIT = "time_limit"
    STOPPED_BY_PERSON = "stopped_by_person"
    ERROR = "error"
    INTERRUPTED = "interrupted"
    ARREARS = "arrears"


class ServiceStatus(StrEnum):
    """Where a service stands; ``sleeping`` = scaled to zero, the next request wakes it."""

    CREATING = "creating"
    STARTING = "starting"
    RUNNING = "running"
    SLEEPING = "sleeping"
    ABNORMAL = "abnormal"
    STOPPING = "stopping"
    STOPPED = "stopped"
    CREATE_FAILED = "create_failed"
    ARREARS_STOPPED = "arrears_stopped"

    @property
    def final(self) -> bool:
        return self in (ServiceStatus.STOPPED, ServiceStatus.CREATE_FAILED, ServiceStatus.ARREARS_STOPPED)


class InstanceStatus(StrEnum):
    """Where one serving process stands."""

    STARTING = "starting"
    READY = "ready"
    UNHEALTHY = "unhealthy"
    RESTARTING = "restarting"
    DRAINING = "draining"
    STOPPED = "stopped"
    LOST = "lost"
