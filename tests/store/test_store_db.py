import subprocess
import sys
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select
from sqlalchemy.exc import IntegrityError

from sandglass.core.time import utc_now
from sandglass.store.db import Database, migrate
from sandglass.store.tables import Base, Dataset, SampleRow


def test_migrations_make_exactly_the_tables(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert set(inspect(connection).get_table_names()) == set(Base.metadata.tables) | {"alembic_version"}


def test_migrating_twice_changes_nothing(database):
    migrate(database)
    migrate(database)


def test_several_processes_may_migrate_at_once(database_url):
    program = "import sys; from sandglass.store.db import *; migrate(Database(sys.argv[1]))"
    started = [subprocess.Popen([sys.executable, "-c", program, database_url]) for _ in range(3)]
    assert [process.wait() for process in started] == [0, 0, 0]


def test_concurrent_updates_are_all_kept(database):
    with database.write() as session:
        session.add(Dataset(id="d", name="d", scenario="ocr"))

    def add():
        for _ in range(25):
            with database.write() as session:
                row = session.get(Dataset, "d", with_for_update=True)
                row.revision += 1

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.get(Dataset, "d").revision == 100


def test_a_failed_transaction_leaves_nothing(database):
    def write_half():
        with database.write() as session:
            session.add(Dataset(name="half", scenario="ocr"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    with database.read() as session:
        assert session.scalars(select(Dataset)).all() == []


def test_names_are_unique_and_references_hold(database):
    with database.write() as session:
        session.add(Dataset(name="a", scenario="ocr"))
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Dataset(name="a", scenario="ocr"))
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(SampleRow(dataset_id="none", path="a", digest="", width=1, height=1, size=1, state="labelled"))


def test_instants_keep_their_zone(database):
    now = utc_now()
    with database.write() as session:
        session.add(Dataset(id="t", name="t", scenario="ocr", created_at=now))
    with database.read() as session:
        assert session.get(Dataset, "t").created_at == now


def test_what_is_committed_is_seen_by_another_process(database_url):
    database = Database(database_url)
    migrate(database)
    with database.write() as session:
        session.add(Dataset(name="seen", scenario="ocr"))
    program = (
        "import sys; from sqlalchemy import select; from sandglass.store.db import *; from sandglass.store.tables import *\n"
        "with Database(sys.argv[1]).read() as s: print(s.scalars(select(Dataset.name)).one())"
    )
    seen = subprocess.run([sys.executable, "-c", program, database_url], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "seen"
    database.dispose()
