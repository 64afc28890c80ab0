"""The database: short transactions on SQLite or PostgreSQL, chosen by address alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session, sessionmaker

BUSY_SECONDS = 30
MIGRATION_LOCK = 7_305_419
"""Key of the PostgreSQL advisory lock under which migrations run."""


class Database:
    """A connection pool; one per process, safe to use from several threads.

    On SQLite every write transaction begins with ``BEGIN IMMEDIATE``: one that began as a reader and wanted to write
    later would fail, or overwrite what another wrote in between.

    Args:
        url: SQLAlchemy address, ``sqlite:///path`` or ``postgresql+psycopg://…``.
    """

    def __init__(self, url: str) -> None:
        self._sqlite = url.startswith("sqlite")
        if self._sqlite and (path := url.removeprefix("sqlite:///")) != url:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        arguments = {"timeout": BUSY_SECONDS, "check_same_thread": False} if self._sqlite else {}
        self.engine: Engine = create_engine(url, connect_args=arguments, pool_pre_ping=not self._sqlite)
        if self._sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin)
        self._writer = self.engine.execution_options(sandglass_begin="BEGIN IMMEDIATE")
        self._read_sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._write_sessions = sessionmaker(self._writer, expire_on_commit=False)

    @property
    def sessions(self) -> tuple[sessionmaker[Session], sessionmaker[Session]]:
        """What makes the sessions of `read` and `write`, for whoever has to see their events."""
        return self._read_sessions, self._write_sessions

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A snapshot; nothing done in it is kept."""
        with self._read_sessions() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that is committed at the end, or rolled back when an exception leaves it."""
        with self._write_sessions() as session, session.begin():
            yield session

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401
    # The driver must not begin transactions by itself: `_begin` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    # FULL: what was committed survives a power cut, at the price of one fsync a transaction.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sandglass_begin", "BEGIN"))


def migrate(database: Database) -> None:
    """Bring the schema to the present version; safe when several processes start at once."""
    config = Config()
    config.set_main_option("script_location", "sandglass.store:migrations")
    with database._writer.connect() as connection, connection.begin():
        # BEGIN IMMEDIATE makes other SQLite processes wait here; PostgreSQL waits at the lock.
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
