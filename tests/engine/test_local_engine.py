import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from sandglass.core.errors import NotFound
from sandglass.engine import LocalEngine, Work, WorkState
from sandglass.engine.local import is_alive
from sandglass.store.db import Database, migrate


@pytest.fixture
def store(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'engine.db'}")
    migrate(database)
    yield database
    database.dispose()


@pytest.fixture
def engine(store, tmp_path):
    engine = LocalEngine(store, tmp_path / "work", cpu_count=2)
    yield engine
    for child in list(engine._children.values()):
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def python(code, **options):
    return Work(command=(sys.executable, "-u", "-c", code), **options)


def until(engine, condition, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        engine.tick()
        if condition():
            return
        time.sleep(0.03)
    raise AssertionError("it did not come to pass")


def ended(engine, work):
    return lambda: engine.poll(work).state.over


def test_work_runs_with_its_environment_and_output(engine):
    work = engine.submit(
        python(
            "import os; print(os.environ['COLOUR'], os.environ['OMP_NUM_THREADS'])",
            environment={"COLOUR": "blue"},
            cpu=2,
        )
    )
    assert engine.poll(work).state is WorkState.QUEUED
    until(engine, ended(engine, work))
    status = engine.poll(work)
    assert (status.state, status.exit_code) == (WorkState.EXITED, 0)
    data, offset = engine.logs(work)
    assert data == b"blue 2\n"
    assert engine.logs(work, offset) == (b"", offset)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ((sys.executable, "-c", "raise SystemExit(7)"), 7),
        (("/no/such/program",), 127),
        ((sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"), 137),
    ],
)
def test_the_way_work_ended_is_known(engine, command, code):
    work = engine.submit(Work(command=command))
    until(engine, ended(engine, work))
    assert engine.poll(work).exit_code == code


def test_work_that_does_not_fit_waits_its_turn(engine):
    first = engine.submit(python("import time; time.sleep(1)", cpu=2))
    second = engine.submit(python("pass"))
    third = engine.submit(python("pass"))
    engine.tick()
    assert engine.poll(first).state is WorkState.RUNNING
    assert (engine.poll(second).state, engine.poll(second).ahead) == (WorkState.QUEUED, 0)
    assert engine.poll(third).ahead == 1
    assert engine.capacity().cpu_free == 0
    until(engine, ended(engine, second))
    until(engine, ended(engine, third))
    assert engine.capacity().cpu_free == 2


def test_work_larger_than_the_machine_still_runs(engine):
    work = engine.submit(python("pass", cpu=64))
    until(engine, ended(engine, work))
    assert engine.poll(work).exit_code == 0


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def test_stop_asks_first_then_kills_the_whole_group(engine):
    polite = engine.submit(
        python("import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(0))\nprint(1)\ntime.sleep(60)")
    )
    stubborn = engine.submit(python(STUBBORN))
    until(engine, lambda: engine.logs(polite)[0] and engine.logs(stubborn)[0])
    grandchild = int(engine.logs(stubborn)[0])
    started = time.monotonic()
    engine.stop(polite, grace=10)
    engine.stop(stubborn, grace=0.5)
    until(engine, ended(engine, polite))
    until(engine, ended(engine, stubborn))
    assert time.monotonic() - started < 8
    assert engine.poll(polite).exit_code == 0
    assert engine.poll(stubborn).exit_code == 137
    until(engine, lambda: not is_alive(grandchild, None))


def test_queued_work_is_stopped_without_being_started(engine):
    engine.submit(python("import time; time.sleep(1)", cpu=2))
    waiting = engine.submit(python("print('never')"))
    engine.tick()
    engine.stop(waiting, grace=1)
    assert engine.poll(waiting).state is WorkState.EXITED
    assert engine.logs(waiting)[0] == b""


def test_work_that_takes_too_much_memory_is_ended_and_says_so(engine):
    greedy = engine.submit(python("x = bytearray(400 << 20); import time; time.sleep(60)", memory_mb=200))
    modest = engine.submit(python("x = bytearray(100 << 20); import time; time.sleep(1)", memory_mb=200))
    until(engine, ended(engine, greedy))
    assert (engine.poll(greedy).exit_code, engine.poll(greedy).reason) == (137, "memory")
    until(engine, ended(engine, modest))
    assert (engine.poll(modest).exit_code, engine.poll(modest).reason) == (0, None)


def test_an_allocation_far_beyond_the_limit_is_refused_at_once(engine):
    work = engine.submit(python("x = bytearray(3 << 30)", memory_mb=200))
    until(engine, ended(engine, work))
    assert b"MemoryError" in engine.logs(work)[0] or engine.poll(work).reason == "memory"


def test_usage_is_that_of_the_command_without_its_wrapper(engine):
    work = engine.submit(python("x = bytearray(100 << 20); print('up'); import time; time.sleep(60)"))
    until(engine, lambda: b"up" in engine.logs(work)[0])
    seconds, memory = engine.usage(work)
    assert seconds > 0
    assert 100 < memory < 200
    engine.stop(work, 0)
    until(engine, ended(engine, work))
    assert engine.usage(work) is None


SERVER = """
import sys, time
from pathlib import Path
from sandglass.engine import LocalEngine, Work
from sandglass.store.db import Database
engine = LocalEngine(Database(sys.argv[1]), Path(sys.argv[2]), cpu_count=2)
print(engine.submit(Work(command=(sys.executable, "-c", sys.argv[3]))), flush=True)
while True:
    engine.tick()
    time.sleep(0.05)
"""


@pytest.mark.parametrize(
    ("code", "exit_code"), [("import time; time.sleep(2); raise SystemExit(5)", 5), ("import time; time.sleep(0.3)", 0)]
)
def test_work_outlives_its_server_and_is_taken_over(store, tmp_path, code, exit_code):
    url = f"sqlite:///{tmp_path / 'engine.db'}"
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, url, str(tmp_path / "work"), code], stdout=subprocess.PIPE, text=True
    )
    work = server.stdout.readline().strip()
    successor = LocalEngine(store, tmp_path / "work", cpu_count=2)
    end = time.monotonic() + 10
    while successor.poll(work).pid is None and time.monotonic() < end:
        time.sleep(0.02)
    server.kill()
    server.wait()
    if exit_code == 0:
        time.sleep(1.0)  # the work ends while nobody watches
    until(successor, ended(successor, work), seconds=30)
    assert (successor.poll(work).state, successor.poll(work).exit_code) == (WorkState.EXITED, exit_code)


def test_work_whose_processes_vanished_is_lost(engine):
    work = engine.submit(python("import time; time.sleep(60)"))
    engine.tick()
    pid = engine.poll(work).pid
    engine._children.pop(work)
    os.killpg(pid, signal.SIGKILL)
    psutil.Process(pid).wait(5)
    until(engine, ended(engine, work))
    assert engine.poll(work).state is WorkState.LOST


def test_a_recycled_process_number_is_not_taken_for_the_work():
    own = psutil.Process()
    assert is_alive(own.pid, own.create_time())
    assert not is_alive(own.pid, own.create_time() - 100)
    assert not is_alive(None, None)


def test_unknown_work_is_named(engine):
    with pytest.raises(NotFound):
        engine.poll("wk-none")
