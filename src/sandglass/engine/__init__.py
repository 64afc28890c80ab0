"""Where work runs. Work is data: a command, its environment, its resources; the engine knows nothing of its meaning."""

from sandglass.engine.base import Capacity, Engine, Work, WorkState, WorkStatus
from sandglass.engine.local import LocalEngine

__all__ = ["Capacity", "Engine", "LocalEngine", "Work", "WorkState", "WorkStatus"]
