import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from sandglass.store.db import Database, migrate
from sandglass.store.objects import Objects


def pytest_addoption(parser):
    group = parser.getgroup("console")
    group.addoption("--screenshots", metavar="FOLDER", help="Keep pictures of the console's pages in this folder.")
    group.addoption("--update-images", action="store_true", help="Renew the pictures of the documentation.")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _postgres_program(name):
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


@pytest.fixture(scope="session")
def postgres_url():
    """Address of a PostgreSQL server of this test run's own; as root it runs under the account ``nobody``."""
    folder = Path(tempfile.mkdtemp(prefix="sandglass-postgres-"))
    port = _free_port()
    user = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam("nobody")
        os.chown(folder, account.pw_uid, account.pw_gid)
        user = {"user": "nobody", "group": account.pw_gid, "extra_groups": []}
    data = folder / "data"
    options = {"check": True, "capture_output": True, "cwd": folder, **user}
    subprocess.run([_postgres_program("initdb"), "-D", data, "-U", "sandglass", "-A", "trust", "-E", "UTF8"], **options)
    arguments = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off"
    control = _postgres_program("pg_ctl")
    subprocess.run([control, "-D", data, "-w", "-l", folder / "log", "-o", arguments, "start"], **options)
    yield f"postgresql+psycopg://sandglass@127.0.0.1:{port}/postgres"
    subprocess.run([control, "-D", data, "-m", "immediate", "stop"], **options)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """An empty database on each kind of server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    import psycopg

    base = request.getfixturevalue("postgres_url")
    name = f"t{time.monotonic_ns()}"
    plain = base.replace("postgresql+psycopg", "postgresql")
    with contextlib.closing(psycopg.connect(plain, autocommit=True)) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield base.rsplit("/", 1)[0] + f"/{name}"


@pytest.fixture
def database(database_url):
    """A migrated database."""
    opened = Database(database_url)
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def objects(tmp_path):
    return Objects((tmp_path / "objects").as_uri())
