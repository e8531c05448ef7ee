"""PostgreSQL: one server for the workers of many hosts.

Writers are serialised per scope by the row that `ADVANCE` updates; reads are REPEATABLE READ, so that a snapshot is
one instant; LISTEN/NOTIFY wakes waiters, and is only a hint. Times are the server's (`clock_timestamp()`).
"""

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import psycopg
from psycopg import errors as pg

from walkaway.core.errors import IllegalTransition, StoreUnavailable
from walkaway.store.driver import Cell, Row, Tx, statements

CHANNEL = "walkaway"
MIGRATION_LOCK = 7_261_001
STATEMENT_TIMEOUT_MS = 30_000
OLDEST = 140000
_NAMED = re.compile(r"(?<![:\w]):([a-z_]+)")

READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"


@lru_cache(maxsize=512)
def _translate(sql: str, skew: float) -> str:
    now = f"(extract(epoch from clock_timestamp())::double precision + {skew!r})"
    return _NAMED.sub(r"%(\1)s", sql.replace("%", "%%")).replace("{now}", now)


class PostgresTx:
    """A transaction on one connection."""

    def __init__(self, connection: "psycopg.Connection[Row]", skew: float) -> None:
        """Run on ``connection``, which has begun."""
        self._connection = connection
        self._skew = skew

    def _execute(self, sql: str, params: dict[str, Cell]) -> "psycopg.Cursor[Row]":
        return self._connection.execute(_translate(sql, self._skew), params)

    def all(self, sql: str, **params: Cell) -> Sequence[Row]:
        """Run a statement and return its rows."""
        return self._execute(sql, params).fetchall()

    def one(self, sql: str, **params: Cell) -> Row | None:
        """Run a statement and return its first row, if it has one."""
        return self._execute(sql, params).fetchone()

    def run(self, sql: str, **params: Cell) -> int:
        """Run a statement and return how many rows it changed."""
        return self._execute(sql, params).rowcount

    def many(self, sql: str, rows: Sequence[dict[str, Cell]]) -> None:
        """Run a statement once for each set of parameters."""
        with self._connection.cursor() as cursor:
            cursor.executemany(_translate(sql, self._skew), rows)


class PostgresDriver:
    """A PostgreSQL database, version 14 or newer."""

    dialect = "postgres"

    def __init__(self, url: str) -> None:
        """Connect to ``url``; raise `StoreUnavailable` if that fails or the server is too old."""
        self.skew = 0.0
        self._url = url
        self._local = threading.local()
        self._all: list[psycopg.Connection[Row]] = []
        self._guard = threading.Lock()
        with _translated():
            if self._connection().info.server_version < OLDEST:
                raise StoreUnavailable("walkaway needs PostgreSQL 14 or newer.")

    def _connection(self) -> "psycopg.Connection[Row]":
        found: psycopg.Connection[Row] | None = getattr(self._local, "connection", None)
        if found is None or found.closed:
            found = self._open(f"-c statement_timeout={STATEMENT_TIMEOUT_MS}")
            self._local.connection = found
        return found

    def _open(self, options: str) -> "psycopg.Connection[Row]":
        made: psycopg.Connection[Row] = psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=10,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            options=options,
            prepare_threshold=2,
        )
        with self._guard:
            self._all = [c for c in self._all if not c.closed]
            self._all.append(made)
        return made

    def now(self) -> float:
        """Return the server's clock."""
        with self.read() as tx:
            row = tx.one("SELECT {now}")
        if row is None or row[0] is None:
            raise StoreUnavailable("The database did not say what time it is.")
        return float(row[0])

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Open a read transaction: one instant."""
        with _translated():
            connection = self._connection()
            connection.execute(READ)
            try:
                yield PostgresTx(connection, self.skew)
            finally:
                _roll_back(connection)

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """Open a write transaction; the first row it updates serialises it with other writers of that row."""
        with _translated():
            connection = self._connection()
            connection.execute(WRITE)
            try:
                yield PostgresTx(connection, self.skew)
            except BaseException:
                _roll_back(connection)
                raise
            connection.execute(f"NOTIFY {CHANNEL}")
            connection.execute("COMMIT")

    def wait(self, seconds: float) -> None:
        """Return when anyone has written, or after ``seconds``."""
        with _translated():
            listener: psycopg.Connection[Row] | None = getattr(self._local, "listener", None)
            if listener is None or listener.closed:
                listener = self._open("")
                listener.execute(f"LISTEN {CHANNEL}")
                self._local.listener = listener
                return
            for _ in listener.notifies(timeout=seconds, stop_after=1):
                return

    def has_schema(self) -> bool:
        """Whether the table ``schema_version`` exists."""
        with self.read() as tx:
            return tx.one("SELECT 1 WHERE to_regclass('schema_version') IS NOT NULL") is not None

    def migrate(self, present: int, scripts: Sequence[tuple[int, str]]) -> None:
        """Copy all tables into the schema ``walkaway_backup_v<n>``, then apply the newer scripts, in one transaction."""
        with self.write() as tx:
            tx.one("SELECT pg_advisory_xact_lock(:key)", key=MIGRATION_LOCK)
            found = 0
            if tx.one("SELECT 1 WHERE to_regclass('schema_version') IS NOT NULL"):
                row = tx.one("SELECT max(version) FROM schema_version")
                found = int(row[0] or 0) if row else 0
            if present and found < scripts[-1][0]:
                _back_up(tx, found)
            for number, script in scripts:
                if number > found:
                    for statement in statements(script):
                        tx.run(statement)
                    tx.run("INSERT INTO schema_version VALUES (:n, {now})", n=number)

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._guard:
            for connection in self._all:
                connection.close()
            self._all.clear()
            self._local = threading.local()


def _back_up(tx: Tx, version: int) -> None:
    schema = f"walkaway_backup_v{version}"
    tx.run(f"CREATE SCHEMA {schema}")
    tables = tx.all(
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
    )
    for (table,) in tables:
        tx.run(f"CREATE TABLE {schema}.{table} AS TABLE {table}")


def _roll_back(connection: "psycopg.Connection[Row]") -> None:
    """End the transaction; a connection that is gone has ended it already."""
    if not connection.closed:
        connection.execute("ROLLBACK")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except psycopg.IntegrityError as error:
        raise IllegalTransition(f"The database refused a state that must never be: {error}") from error
    except pg.SyntaxError:
        raise
    except psycopg.Error as error:
        raise StoreUnavailable(
            f"The PostgreSQL database cannot be used: {str(error).strip()}. Check database.url and the server."
        ) from error
