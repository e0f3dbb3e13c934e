"""The database: opened by address, brought up to date, and asked for transactions."""

from importlib.resources import as_file, files
from pathlib import Path

import alembic.command
import alembic.config
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from occode.errors import OccodeError

#: Seconds that a transaction of SQLite waits for another's end.
PATIENCE = 30
#: Names the lock that lets one process at a time migrate a PostgreSQL database.
_MIGRATION_LOCK = 0x6F63636F


class DatabaseUnreachable(OccodeError):
    """The database {url} cannot be used: {reason}."""


def connect(url: str) -> Engine:
    """Open a database by its SQLAlchemy address; the folder of a SQLite file is made.

    Raises
    ------
    DatabaseUnreachable
        The address is no address, or names a driver that is not there.
    """
    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite":
            Path(address.database or "").parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(address, connect_args={"timeout": PATIENCE})
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        return create_engine(address, pool_pre_ping=True, pool_size=10, max_overflow=20)
    except (ArgumentError, SQLAlchemyError, ImportError, OSError) as error:
        raise DatabaseUnreachable(url=_shown(url), reason=_first_line(error)) from error


def migrate(engine: Engine) -> None:
    """Bring the database to the tables of this version; several processes may try at once.

    Raises
    ------
    DatabaseUnreachable
        It does not answer.
    """
    try:
        with engine.begin() as connection, as_file(files("occode.storage") / "migrations") as folder:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
            config = alembic.config.Config()
            config.set_main_option("script_location", str(folder))
            config.set_main_option("path_separator", "os")
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, "head")
    except OperationalError as error:
        raise DatabaseUnreachable(url=engine.url.render_as_string(), reason=_first_line(error.orig or error)) from error


def _prepare_sqlite(connection: object, _: object) -> None:
    """Let readers and one writer work side by side, and leave the opening of transactions to `_begin_sqlite`."""
    connection.isolation_level = None  # type: ignore[attr-defined]  # a DB-API connection
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={PATIENCE * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once where a writer asks for it: a lock taken halfway can fail without waiting."""
    immediate = connection.get_execution_options().get("immediate", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def reading(engine: Engine) -> Engine:
    """Return the same engine for transactions that only read, which then wait for no writer."""
    return engine.execution_options(immediate=False)


def _shown(url: str) -> str:
    try:
        return make_url(url).render_as_string()
    except ArgumentError:
        return repr(url)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
