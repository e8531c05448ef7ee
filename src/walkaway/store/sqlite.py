"""SQLite: one file on a local disk, WAL, one writer at a time, for the workers of one host.

`pysqlite3` (a current SQLite) is used where it has a wheel. The standard library's may be a version whose WAL reset
can lose committed pages when several connections check-point (3.7.0 to 3.51.2 without the backports in 3.44.6 and
3.50.7; sqlite.org/wal.html); for those, check-points are only made by `_checkpoint_if_large`, under the write lock.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from walkaway.core.errors import IllegalTransition, StoreUnavailable
from walkaway.store.driver import Cell, Row, Tx, statements
from walkaway.store.filesystem import network_filesystem

try:
    import pysqlite3.dbapi2 as sqlite3
except ImportError:
    import sqlite3  # type: ignore[no-redef]

BUSY_S = 30.0
POLL_S = 0.05
LARGE_WAL_BYTES = 4 * 1024 * 1024
SYNCHRONOUS = ("FULL", "NORMAL")


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite version has the WAL-reset fix."""
    if version[:2] == (3, 44):
        return version >= (3, 44, 6)
    if version[:2] == (3, 50):
        return version >= (3, 50, 7)
    return version >= (3, 51, 3) or version < (3, 7, 0)


def version() -> str:
    """Return the SQLite version in use."""
    return sqlite3.sqlite_version


class SqliteTx:
    """A transaction on one connection."""

    def __init__(self, connection: "sqlite3.Connection") -> None:
        """Run on ``connection``, which has begun."""
        self._connection = connection

    def all(self, sql: str, **params: Cell) -> Sequence[Row]:
        """Run a statement and return its rows."""
        return self._connection.execute(_translate(sql), params).fetchall()

    def one(self, sql: str, **params: Cell) -> Row | None:
        """Run a statement and return its first row, if it has one."""
        return self._connection.execute(_translate(sql), params).fetchone()

    def run(self, sql: str, **params: Cell) -> int:
        """Run a statement and return how many rows it changed."""
        return self._connection.execute(_translate(sql), params).rowcount

    def many(self, sql: str, rows: Sequence[dict[str, Cell]]) -> None:
        """Run a statement once for each set of parameters."""
        self._connection.executemany(_translate(sql), rows)


def _translate(sql: str) -> str:
    return sql.replace("{now}", "walkaway_now()")


class SqliteDriver:
    """A SQLite file; it is made, with its folder, where it does not exist and ``create`` says so."""

    dialect = "sqlite"

    def __init__(self, path: str, *, synchronous: str = "FULL", create: bool = False) -> None:
        """Open ``path``; raise `StoreUnavailable` if it is missing, on a network file system or no database."""
        self.skew = 0.0
        self._path = path
        self._synchronous = synchronous if synchronous in SYNCHRONOUS else "FULL"
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        folder = os.path.dirname(path)
        if create:
            os.makedirs(folder, exist_ok=True)
        elif not os.path.exists(path):
            raise StoreUnavailable(f"There is no database at {path}. Run walkaway init first.")
        if kind := network_filesystem(folder):
            raise StoreUnavailable(
                f"{folder} is on a network file system ({kind}), where SQLite loses data. "
                "Move the project to a local disk, or set database.url to a PostgreSQL server."
            )
        with _translated(self._path):
            self._connection()

    def _connection(self) -> "sqlite3.Connection":
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._open()
            self._local.connection = found
            with self._guard:
                self._all.append(found)
        return found

    def _open(self) -> "sqlite3.Connection":
        made = sqlite3.connect(
            self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        made.create_function("walkaway_now", 0, self._clock)
        made.execute(f"PRAGMA synchronous={self._synchronous}")
        made.execute("PRAGMA foreign_keys=ON")
        mode = made.execute("PRAGMA journal_mode=WAL").fetchone()
        if mode is None or mode[0] != "wal":
            raise StoreUnavailable(f"{self._path} cannot use a write-ahead log on this file system.")
        if not wal_is_safe(sqlite3.sqlite_version_info):
            made.execute("PRAGMA wal_autocheckpoint=0")
        return made

    def _clock(self) -> float:
        return time.time() + self.skew

    def now(self) -> float:
        """Return this host's clock."""
        return self._clock()

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Open a read transaction: one instant, by WAL."""
        with _translated(self._path):
            connection = self._connection()
            connection.execute("BEGIN")
            try:
                yield SqliteTx(connection)
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """Open a write transaction; the write lock is taken first, so that nothing read can be stale."""
        with _translated(self._path):
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteTx(connection)
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            self._checkpoint_if_large(connection)

    def _checkpoint_if_large(self, connection: "sqlite3.Connection") -> None:
        if wal_is_safe(sqlite3.sqlite_version_info):
            return
        try:
            size = os.stat(f"{self._path}-wal").st_size
        except FileNotFoundError:
            return
        if size > LARGE_WAL_BYTES:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def wait(self, seconds: float) -> None:
        """Return when another connection has written, or after ``seconds``."""
        end = time.monotonic() + seconds
        with _translated(self._path):
            connection = self._connection()
            while True:
                seen = connection.execute("PRAGMA data_version").fetchone()[0]
                before = getattr(self._local, "seen", seen)
                self._local.seen = seen
                if seen != before:
                    return
                left = end - time.monotonic()
                if left <= 0:
                    return
                time.sleep(min(POLL_S, left))

    def has_schema(self) -> bool:
        """Whether the table ``schema_version`` exists."""
        with self.read() as tx:
            return tx.one("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'") is not None

    def migrate(self, present: int, scripts: Sequence[tuple[int, str]]) -> None:
        """Copy the file (``.backup-v<n>`` beside it), then apply the newer scripts in one transaction."""
        if present:
            self._back_up(f"{self._path}.backup-v{present}")
        with self.write() as tx:
            found = 0
            if tx.one("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'"):
                row = tx.one("SELECT max(version) FROM schema_version")
                found = int(row[0] or 0) if row else 0
            for number, script in scripts:
                if number > found:
                    for statement in statements(script):
                        tx.run(statement)
                    tx.run("INSERT INTO schema_version VALUES (:n, {now})", n=number)

    def _back_up(self, path: str) -> None:
        """Write a copy beside the file; an older copy of the same version is the better one and stays."""
        if os.path.exists(path):
            return
        with _translated(self._path):
            self._connection().execute("VACUUM INTO ?", (f"{path}.partial",))
        os.replace(f"{path}.partial", path)

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._guard:
            for connection in self._all:
                connection.close()
            self._all.clear()
            self._local = threading.local()


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise IllegalTransition(f"The database refused a state that must never be: {error}.") from error
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(
            f"The database {path} cannot be used: {error}. Nothing was changed; see walkaway doctor."
        ) from error
