import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from sandglass.store.tables import Service
from sandglass.studio.clockwatch import ClockWatch
from sandglass.studio.serviceevents import ServiceEvents

START = datetime(2026, 3, 1, tzinfo=UTC)


class Clocks:
    wall = START.timestamp()
    steady = 50.0

    def run(self, seconds, jump=0.0):
        self.steady += seconds
        self.wall += seconds + jump


@pytest.fixture
def clocks(database):
    clocks = Clocks()
    with database.write() as session:
        for name, expires in (("limited", START + timedelta(hours=1)), ("endless", None)):
            session.add(
                Service(
                    name=name,
                    scenario="x",
                    status="running",
                    spec="1C2G",
                    instances=1,
                    limits={},
                    scaling={},
                    started_at=START,
                    expires_at=expires,
                )
            )
    clocks.watch = ClockWatch(database, lambda: clocks.wall, lambda: clocks.steady)
    return clocks


def left(database, clocks):
    from sqlalchemy import select

    with database.read() as session:
        service = session.scalars(select(Service).where(Service.name == "limited")).one()
        return service.expires_at.timestamp() - clocks.wall


@pytest.mark.parametrize("jump", [86_400, -86_400, 30, -30])
def test_setting_the_clock_leaves_a_service_its_time(database, clocks, jump):
    for _ in range(10):
        clocks.run(60)
        clocks.watch.tick()
    clocks.run(0.5, jump)
    clocks.watch.tick()
    assert left(database, clocks) == pytest.approx(3600 - 600.5, abs=0.01)
    clocks.run(100)
    clocks.watch.tick()
    assert left(database, clocks) == pytest.approx(3600 - 700.5, abs=0.01)
    events = ServiceEvents(database)
    [event] = events.list("limited").items
    assert (event.code, event.severity, event.count) == ("clock_set", "warning", 1)
    assert events.list("endless").total == 0


def test_a_clock_that_drifts_is_no_jump(database, clocks):
    for _ in range(1000):
        clocks.run(0.5, 0.02)
        clocks.watch.tick()
    assert ServiceEvents(database).list("limited").total == 0


JOURNAL = """
import os, sys
from sandglass.serving.journal import Journal
journal = Journal()
for number in range(3):
    journal.say(f"lost {number}")
os.dup2(int(sys.argv[1]), 1)
journal.say("back")
"""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a device that is always full")  # noqa: PTH110
def test_a_full_disk_costs_log_lines_and_nothing_else(tmp_path):
    kept = tmp_path / "kept"
    with open("/dev/full", "w") as full, kept.open("w") as good:  # noqa: PTH123
        command = [sys.executable, "-u", "-c", JOURNAL, str(good.fileno())]
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, pass_fds=(good.fileno(),), text=True, timeout=60, check=False
        )
    assert done.returncode == 0, done.stderr
    assert "back (3 lines before this one could not be written)" in kept.read_text()
