"""Notices that the machine's clock was set, and moves the end of services' run time along with it.

What is left of a run time is time that passes, not a place on a clock that somebody may set.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from sandglass.core.text import Text
from sandglass.store.db import Database
from sandglass.store.tables import Service
from sandglass.studio.monitoring import ENDED
from sandglass.studio.serviceevents import note

log = logging.getLogger(__name__)

LEAST_SECONDS = 5.0
"""Smaller steps are those of a clock that is kept right, and are let be."""


class ClockWatch:
    """Compares the wall clock with the one that only runs forward.

    Args:
        database: holds services.
        clock: epoch seconds.
        steady: monotonic seconds; stands still while the machine sleeps.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._steady = steady
        self._offset = clock() - steady()

    def tick(self) -> None:
        """Look whether the clock was set since the last time."""
        offset = self._clock() - self._steady()
        jump = offset - self._offset
        if abs(jump) < LEAST_SECONDS:
            self._offset += jump / 10  # drift is followed slowly, so that it never adds up to a jump
            return
        log.warning("the clock was set by %+.0f s", jump)
        with self._database.write() as session:
            running = session.scalars(
                select(Service).where(Service.status.not_in(ENDED), Service.started_at.is_not(None))
            ).all()
            for service in running:
                assert service.started_at is not None
                service.started_at += timedelta(seconds=jump)
                if service.expires_at is not None:
                    service.expires_at += timedelta(seconds=jump)
                    note(
                        session,
                        service.id,
                        "clock_set",
                        Text(
                            en=f"The machine's clock was set by {jump:+.0f} s; the time left stays as it was.",
                            zh=f"系统时钟被调整 {jump:+.0f} 秒，剩余运行时间保持不变。",
                        ),
                        severity="warning",
                    )
        self._offset = offset
