from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from sandglass.core.text import Text
from sandglass.serving.meter import Meter, Outcome, Quality
from sandglass.store.tables import Service, ServiceEvent, ServiceMetric
from sandglass.studio import metricseries
from sandglass.studio.metricseries import MetricReader
from sandglass.studio.monitoring import RINGS, Monitor
from sandglass.studio.serviceevents import MOST, ServiceEvents, note

START = 1_800_000_000


class World:
    """A monitor over a real database whose clock the test turns."""

    def __init__(self, database, monkeypatch):
        self.now = float(START)
        self.meter = Meter()
        self.database = database
        with database.write() as session:
            row = Service(name="s", scenario="x", status="running", spec="1C2G", instances=1, limits={}, scaling={})
            session.add(row)
            session.flush()
            self.id = row.id
        self.monitor = Monitor(database, self.meter, lambda work: None, clock=lambda: self.now)
        monkeypatch.setattr(metricseries, "utc_now", lambda: datetime.fromtimestamp(self.now, UTC))
        self.reader = MetricReader(database)

    def pass_time(self, seconds):
        self.now += seconds
        self.monitor.tick()

    def call(self, outcome=Outcome.SUCCESS, ms=10.0, count=1, **more):
        for _ in range(count):
            self.meter.record(self.id, outcome, milliseconds=ms, version=1, instance_id="in-1", **more)

    def rows(self):
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(ServiceMetric))


@pytest.fixture
def world(database, monkeypatch):
    return World(database, monkeypatch)


def test_what_was_counted_comes_back_as_curves(world):
    world.call(count=8, quality=Quality(4, 1, 1))
    world.call(Outcome.ERROR, 900, count=2)
    world.pass_time(10)
    world.pass_time(10)
    found = world.reader.read("s", range="1h")
    assert found.step == 10
    [series] = found.series
    points = [point for point in series.points if point is not None]
    assert [point.calls for point in points] == [10, 0]
    assert (points[0].success, points[0].errors, points[0].qps) == (8, 2, 1.0)
    assert 8 < points[0].p50 < 12
    assert 800 < points[0].p99 < 1080
    assert (points[0].low_share, points[0].empty_share) == (0.25, 0.25)
    assert (points[1].p50, points[1].low_share) == (None, None)
    assert series.total.calls == 10
    [version] = world.reader.read("s", range="1h", by="version").series
    [instance] = world.reader.read("s", range="1h", by="instance").series
    assert (version.subject, instance.subject) == ("v1", "in-1")
    assert version.total.calls == instance.total.calls == 10


def test_time_in_which_nothing_was_recorded_is_a_gap_and_no_zero(world):
    world.pass_time(10)
    world.now += 600  # the server was away
    world.pass_time(10)
    world.pass_time(10)
    points = world.reader.read("s", range="1h").series[0].points
    known = [index for index, point in enumerate(points) if point is not None]
    assert known[-1] - known[0] >= 60
    assert sum(point is None for point in points[known[0] : known[-1]]) >= 58


def test_the_ring_stays_flat_and_long_ranges_come_from_long_ticks(world, monkeypatch):
    monkeypatch.setitem(RINGS, 10, 6)
    monkeypatch.setitem(RINGS, 300, 4)
    for _ in range(200):
        world.call()
        world.pass_time(10)
    assert world.rows() == 10
    found = world.reader.read("s", start=datetime.fromtimestamp(world.now - 1100, UTC))
    assert found.step == 300
    calls = [point.calls for point in found.series[0].points if point is not None]
    assert 30 in calls
    assert max(calls) == 30


def test_numbers_survive_a_database_that_cannot_be_written(world, monkeypatch):
    world.call(count=3)
    broken = pytest.MonkeyPatch()
    broken.setattr(
        world.monitor, "_write", lambda *_: (_ for _ in ()).throw(OperationalError("x", {}, OSError("full")))
    )
    world.pass_time(10)
    broken.undo()
    world.call(count=2)
    world.pass_time(10)
    assert world.reader.read("s", range="1h").series[0].total.calls == 5


def test_a_clock_that_jumps_neither_stops_the_ring_nor_shows_the_future(world):
    world.call(count=1)
    world.pass_time(10)
    world.call(count=2)
    world.pass_time(50000)
    world.call(count=4)
    world.pass_time(-50000 + 30)
    points = world.reader.read("s", range="1h").series[0].points
    assert sum(point.calls for point in points if point) == 5
    world.call(count=8)
    world.pass_time(10)
    assert world.reader.read("s", range="1h").series[0].total.calls == 13


def test_the_same_event_again_raises_its_count(world):
    with world.database.write() as session:
        for number in range(3):
            note(session, world.id, "instance_ended", Text(en=f"n{number}", zh="x"), severity="warning", instance="i")
        note(session, world.id, "instance_ended", Text(en="other", zh="x"), severity="warning", instance="j")
        note(session, world.id, "published", Text(en="p", zh="x"))
    events = ServiceEvents(world.database)
    found = {(event.code, event.instance): event for event in events.list("s").items}
    assert found["instance_ended", "i"].count == 3
    assert found["instance_ended", "i"].message.en == "n2"
    assert found["instance_ended", "i"].first_at <= found["instance_ended", "i"].last_at
    assert events.list("s", severity="warning").total == 2


def test_events_do_not_grow_without_end(world):
    with world.database.write() as session:
        for number in range(MOST + 20):
            note(session, world.id, "e", Text(en="e", zh="e"), key=str(number))
    with world.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ServiceEvent)) <= MOST + 1
