from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from sandglass.core.errors import InvalidInput
from sandglass.studio.allocation import allocate, check_weights
from sandglass.studio.scaling import Load, LoadWindow, ScalingRules, decide, scheduled
from sandglass.studio.servicechanges import share_rest

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [
        (1, {1: 100}, {1: 1}),
        (4, {1: 75, 2: 25}, {1: 3, 2: 1}),
        (3, {1: 100, 2: 0}, {1: 3, 2: 0}),
        (1, {1: 90, 2: 10}, {1: 1, 2: 1}),
        (10, {1: 99, 2: 1}, {1: 9, 2: 1}),
        (5, {1: 34, 2: 33, 3: 33}, {1: 2, 2: 2, 3: 1}),
        (0, {1: 90, 2: 10}, {1: 0, 2: 0}),
    ],
)
def test_processes_follow_traffic(total, weights, expected):
    assert allocate(total, weights) == expected


def test_processes_always_sum_up_and_none_is_forgotten():
    for total in range(1, 30):
        for first in range(1, 100):
            found = allocate(total, {1: first, 2: 100 - first})
            assert sum(found.values()) == max(total, 2)
            assert min(found.values()) >= 1


def test_a_new_versions_share_comes_from_the_others_in_proportion():
    for weight in range(101):
        shares = share_rest({1: 60, 2: 30, 3: 10, 4: 0}, 100 - weight)
        assert sum(shares.values()) == 100 - weight
        assert shares[1] >= shares[2] >= shares[3] >= shares[4] == 0


@pytest.mark.parametrize("weights", [{1: 50, 2: 49}, {1: 100}, {1: 50, 2: 25, 3: 25}, {1: 101, 2: -1}, {}])
def test_weights_that_do_not_sum_to_100_over_all_versions_are_refused(weights):
    with pytest.raises(InvalidInput) as caught:
        check_weights(weights, {1, 2})
    assert caught.value.code == "weights_wrong"


def load(concurrency=0.0, p95=None, idle=0.0, asked=False):
    return Load(concurrency=concurrency, p95_ms=p95, idle_seconds=idle, asked=asked)


BY_LOAD = ScalingRules(mode="load", minimum=1, maximum=5, target_concurrency=2, cooldown_seconds=30)
BY_P95 = ScalingRules(mode="load", maximum=5, target_concurrency=None, target_p95_ms=200, cooldown_seconds=30)
SLEEPY = ScalingRules(idle_seconds=60)


@pytest.mark.parametrize(
    ("rules", "present", "seen", "ago", "wanted"),
    [
        (ScalingRules(), 3, load(50), None, 3),
        (BY_LOAD, 1, load(7.0), None, 4),
        (BY_LOAD, 1, load(99), None, 5),
        (BY_LOAD, 2, load(4.0), None, 2),
        (BY_LOAD, 2, load(7.0), 10, 2),
        (BY_LOAD, 2, load(7.0), 31, 4),
        (BY_LOAD, 4, load(0.5), 31, 4),
        (BY_LOAD, 4, load(0.5), 91, 3),
        (BY_LOAD, 1, load(0.0), 999, 1),
        (BY_LOAD, 9, load(0.0), 1, 5),
        (BY_P95, 2, load(1, 250), None, 3),
        (BY_P95, 2, load(1, 150), 999, 2),
        (BY_P95, 2, load(1, 90), 999, 1),
        (BY_P95, 5, load(1, 900), 999, 5),
        (SLEEPY, 3, load(idle=59), None, 3),
        (SLEEPY, 3, load(idle=60), None, 0),
        (SLEEPY, 0, load(idle=9999), None, 0),
        (SLEEPY, 0, load(idle=9999, asked=True), None, 3),
        (ScalingRules(), 0, load(), None, 3),
    ],
)
def test_decisions(rules, present, seen, ago, wanted):
    changed = None if ago is None else NOON - timedelta(seconds=ago)
    assert decide(rules, 3, present, seen, NOON, changed).wanted == wanted


OFFICE = ScalingRules(
    mode="schedule",
    timezone="Asia/Shanghai",
    schedule=[{"cron": "0 8 * * 1-5", "instances": 4}, {"cron": "0 20 * * *", "instances": 0}],
)


@pytest.mark.parametrize(
    ("local", "wanted"),
    [
        ("2026-03-04T07:59:59", 0),
        ("2026-03-04T08:00:00", 4),
        ("2026-03-04T19:59:59", 4),
        ("2026-03-04T20:00:00", 0),
        ("2026-03-07T12:00:00", 0),
    ],
)
def test_a_schedule_is_followed_in_its_own_time_zone(local, wanted):
    now = datetime.fromisoformat(local + "+08:00").astimezone(UTC)
    assert scheduled(OFFICE, now).instances == wanted
    quiet = load(idle=3600)
    assert decide(OFFICE, 1, 4 - wanted, quiet, now, None).wanted == wanted


def test_a_schedules_zero_waits_for_silence_and_wakes_for_a_request():
    night = datetime.fromisoformat("2026-03-04T21:00:00+08:00").astimezone(UTC)
    assert decide(OFFICE, 1, 4, load(concurrency=1), night, None).wanted == 1
    assert decide(OFFICE, 1, 1, load(idle=61), night, None).wanted == 0
    assert decide(OFFICE, 1, 0, load(idle=9999, asked=True), night, None).wanted == 1


@pytest.mark.parametrize(
    "rules",
    [
        {"mode": "schedule"},
        {"mode": "load", "minimum": 5, "maximum": 2},
        {"mode": "load", "target_concurrency": None},
        {"mode": "schedule", "schedule": [{"cron": "* * * *", "instances": 1}]},
        {"mode": "schedule", "schedule": [{"cron": "61 * * * *", "instances": 1}]},
        {"timezone": "Nowhere/Land"},
        {"idle_seconds": 1},
    ],
)
def test_rules_that_make_no_sense_are_refused(rules):
    with pytest.raises(ValidationError):
        ScalingRules.model_validate(rules)


def test_load_is_averaged_over_a_window():
    window = LoadWindow(10)
    for second in range(20):
        window.add(float(second), 4 if second >= 15 else 0, called=False)
    assert window.concurrency == pytest.approx(20 / 11, rel=0.01)
    assert window.last_request == 19
