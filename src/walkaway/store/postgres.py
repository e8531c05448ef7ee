"""PostgreSQL: one server for the workers of many hosts.

Writers are serialised per scope by the row that `ADVANCE` updates; reads are REPEATABLE READ, so that a snapshot is
one instant; LISTEN/NOTIFY wakes waiters, and is only a hint. Times are the server's (`clock_timestamp()`).
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import LiteralString

import psycopg
from psycopg.pq import TransactionStatus

from walkaway.core.errors import IllegalTransition, StoreUnavailable
from walkaway.store.connections import Connections
from walkaway.store.driver import Cell, Row, Tx, apply_newer

CHANNEL = "walkaway"
MIGRATION_LOCK = 7_261_001
STATEMENT_TIMEOUT_MS = 30_000
OLDEST = 140000
_NAMED = re.compile(r"(?<![:\w]):([a-z_]+)")

HAS_SCHEMA = """
SELECT 1 FROM pg_tables WHERE tablename = 'schema_version' AND schemaname = ANY (current_schemas(false))
"""

READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"


@lru_cache(maxsize=512)
def _translate(sql: str, skew: float) -> bytes:
    now = f"(extract(epoch from clock_timestamp())::double precision + {skew!r})"
    return _NAMED.sub(r"%(\1)s", sql.replace("%", "%%")).replace("{now}", now).encode()


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
        self._connections: Connections[psycopg.Connection[Row]] = Connections()
        self._listeners: Connections[psycopg.Connection[Row]] = Connections()
        with _translated():
            if too_old(self._connection().info.server_version):
                self.close()
                raise StoreUnavailable("walkaway needs PostgreSQL 14 or newer.")

    def _connection(self) -> "psycopg.Connection[Row]":
        found = self._connections.mine()
        if found is not None and not found.closed:
            return found
        return self._connections.keep(self._open(f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"))

    def _begin(self, sql: LiteralString) -> "psycopg.Connection[Row]":
        """Begin a transaction; on a new connection if this thread's was cut while it was idle."""
        connection = self._connection()
        try:
            if connection.info.transaction_status is not TransactionStatus.IDLE:
                connection.execute("ROLLBACK")
            connection.execute(sql)
        except psycopg.OperationalError:
            connection = self._connection()
            connection.execute(sql)
        return connection

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
        return made

    def now(self) -> float:
        """Return the server's clock."""
        with self.read() as tx:
            row = tx.one("SELECT {now}")
        return float(row[0] or 0) if row else 0.0

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Open a read transaction: one instant."""
        with _translated(), self._connections.alone():
            connection = self._begin(READ)
            try:
                yield PostgresTx(connection, self.skew)
            finally:
                _roll_back(connection)

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """Open a write transaction; the first row it updates serialises it with other writers of that row."""
        with _translated(), self._connections.alone():
            connection = self._begin(WRITE)
            try:
                yield PostgresTx(connection, self.skew)
                connection.execute(f"NOTIFY {CHANNEL}")
                connection.execute("COMMIT")
            except BaseException:
                _roll_back(connection)
                raise

    def wait(self, seconds: float) -> None:
        """Return when anyone has written since the last call, or after ``seconds``; at once at first."""
        with _translated():
            listener = self._listeners.mine()
            if listener is None or not _heard(listener, seconds):  # a word may have been missed: it counts as one
                self._listeners.keep(self._open("")).execute(f"LISTEN {CHANNEL}")

    def has_schema(self) -> bool:
        """Whether the table ``schema_version`` exists."""
        with self.read() as tx:
            return _has_schema(tx)

    def migrate(self, scripts: Sequence[tuple[int, str]]) -> None:
        """Copy all tables into the schema ``walkaway_backup_v<n>``, then apply the newer scripts: one transaction."""
        with self.write() as tx:
            tx.run("SET LOCAL statement_timeout = 0")
            tx.one("SELECT pg_advisory_xact_lock(:key)", key=MIGRATION_LOCK)
            apply_newer(tx, scripts, present=_has_schema(tx), back_up=_back_up)

    def close(self) -> None:
        """Close the connections of all threads."""
        self._connections.close()
        self._listeners.close()


def _heard(listener: "psycopg.Connection[Row]", seconds: float) -> bool:
    """Wait for a word, at most ``seconds``, and take all others that have come by then; False where it was cut."""
    try:
        for timeout, stop_after in ((seconds, 1), (0.0, None)):
            for _ in listener.notifies(timeout=timeout, stop_after=stop_after):
                pass
    except psycopg.OperationalError:
        return False
    return True


def too_old(version: int) -> bool:
    """Whether a server of this version (as 140005) lacks what we need."""
    return version < OLDEST


def _has_schema(tx: Tx) -> bool:
    # from the catalogue itself: to_regclass may answer what was true before this transaction waited for its lock
    return tx.one(HAS_SCHEMA) is not None


def _back_up(tx: Tx, version: int) -> None:
    """Copy what there is into a schema of its own; an older copy of the same version stays."""
    schema = f"walkaway_backup_v{version}"
    if tx.one("SELECT 1 FROM information_schema.schemata WHERE schema_name = :schema", schema=schema):
        return
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


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except psycopg.IntegrityError as error:
        raise IllegalTransition(f"The database refused a state that must never be: {error}") from error
    except psycopg.Error as error:
        raise StoreUnavailable(
            f"The PostgreSQL database cannot be used: {_first_line(error)}. Check database.url and the server."
        ) from error
