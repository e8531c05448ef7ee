"""SQLite: one file on a local disk, WAL, one writer at a time, for the workers of one host.

`pysqlite3` (a current SQLite) is used where it has a wheel. The standard library's may be a version whose WAL reset
can lose committed pages when several connections check-point (3.7.0 to 3.51.2 without the backports in 3.44.6 and
3.50.7; sqlite.org/wal.html); for those, check-points are only made by `_checkpoint_if_large`, in the mode that holds
the write lock.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from walkaway.core.errors import IllegalTransition, StoreUnavailable
from walkaway.store.connections import Connections
from walkaway.store.driver import Cell, Row, Tx, apply_newer
from walkaway.store.filesystem import network_filesystem
from walkaway.store.turns import Turns

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        import pysqlite3.dbapi2 as sqlite3
    except ImportError:
        import sqlite3

BUSY_S = 30.0
POLL_S = 0.05
OLDEST = (3, 35, 0)
LARGE_WAL_BYTES = 4 * 1024 * 1024
SYNCHRONOUS = ("FULL", "NORMAL")


def too_old(version: tuple[int, ...]) -> bool:
    """Whether this SQLite version lacks a word of our dialect (RETURNING, 3.35)."""
    return version < OLDEST


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

    def __init__(self, connection: "sqlite3.Connection", skew: float) -> None:
        """Run on ``connection``, which has begun."""
        self._connection = connection
        self._skew = skew

    def _execute(self, sql: str, params: dict[str, Cell]) -> "sqlite3.Cursor":
        text, timed = _translate(sql)
        if timed:  # one reading for the whole statement; the write lock is held since BEGIN
            params["walkaway_now"] = time.time() + self._skew
        return self._connection.execute(text, params)

    def all(self, sql: str, **params: Cell) -> Sequence[Row]:
        """Run a statement and return its rows."""
        return self._execute(sql, params).fetchall()

    def one(self, sql: str, **params: Cell) -> Row | None:
        """Run a statement and return its first row, if it has one."""
        found: Row | None = self._execute(sql, params).fetchone()
        return found

    def run(self, sql: str, **params: Cell) -> int:
        """Run a statement and return how many rows it changed."""
        return self._execute(sql, params).rowcount

    def many(self, sql: str, rows: Sequence[dict[str, Cell]]) -> None:
        """Run a statement once for each set of parameters."""
        self._connection.executemany(_translate(sql)[0], rows)


@lru_cache(maxsize=512)
def _translate(sql: str) -> tuple[str, bool]:
    return sql.replace("{now}", ":walkaway_now"), "{now}" in sql


@dataclass(frozen=True, slots=True)
class Own:
    """What one thread uses."""

    connection: "sqlite3.Connection"
    turns: Turns

    def close(self) -> None:
        """Give both back."""
        self.connection.close()
        self.turns.close()


class SqliteDriver:
    """A SQLite file; it is made, with its folder, where it does not exist and ``create`` says so."""

    dialect = "sqlite"

    def __init__(self, path: str, *, synchronous: str = "FULL", create: bool = False, busy_s: float = BUSY_S) -> None:
        """Open ``path``; raise `StoreUnavailable` if it is missing, on a network file system or no database.

        ``busy_s``: how long to wait for other writers before `StoreUnavailable` is raised.
        """
        self.skew = 0.0
        self._path = path
        self._synchronous = synchronous if synchronous in SYNCHRONOUS else "FULL"
        self._busy_s = busy_s
        self._connections: Connections[Own] = Connections()
        self._require_local(os.path.dirname(path), create=create)
        with _translated(self._path):
            self._own()

    def _require_local(self, folder: str, *, create: bool) -> None:
        if too_old(sqlite3.sqlite_version_info):
            raise StoreUnavailable(
                f"SQLite {sqlite3.sqlite_version} is too old: walkaway needs 3.35. Install pysqlite3 or a newer Python."
            )
        if not create and not os.path.exists(self._path):
            raise StoreUnavailable(f"There is no database at {self._path}. Run walkaway init first.")
        if kind := network_filesystem(folder):
            raise StoreUnavailable(
                f"The folder {folder} is on a network file system ({kind}), where SQLite loses data. "
                "Move the project to a local disk, or set database.url to a PostgreSQL server."
            )
        if create:
            try:
                os.makedirs(folder, exist_ok=True)
            except OSError as error:
                raise StoreUnavailable(f"The folder {folder} cannot be made: {error.strerror}.") from error

    def _own(self) -> "Own":
        """Return what this thread uses."""
        return self._connections.mine() or self._connections.keep(Own(self._open(), Turns(f"{self._path}-turns")))

    def _open(self) -> "sqlite3.Connection":
        made = sqlite3.connect(
            self._path,
            timeout=self._busy_s,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            made.execute(f"PRAGMA synchronous={self._synchronous}")
            made.execute("PRAGMA foreign_keys=ON")
            if not wal_is_safe(sqlite3.sqlite_version_info):
                made.execute("PRAGMA wal_autocheckpoint=0")
            made.execute("SELECT count(*) FROM sqlite_master").fetchone()  # is it a database at all?
        except BaseException:
            made.close()
            raise
        return made

    def now(self) -> float:
        """Return this host's clock."""
        return time.time() + self.skew

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Open a read transaction: one instant, by WAL."""
        with _translated(self._path), self._connections.alone():
            connection = self._own().connection
            try:
                connection.execute("BEGIN")
                yield SqliteTx(connection, self.skew)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """Open a write transaction; the write lock is taken first, so that nothing read can be stale."""
        with _translated(self._path), self._connections.alone():
            own = self._own()
            connection = own.connection
            with own.turns.turn(self._busy_s):
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    yield SqliteTx(connection, self.skew)
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
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
        """Return when another connection has written since the last call, or after ``seconds``; at once at first."""
        end = time.monotonic() + seconds
        with _translated(self._path):
            connection = self._own().connection
            while True:
                version = int(connection.execute("PRAGMA data_version").fetchone()[0])
                if self._connections.noted(version):
                    return
                left = end - time.monotonic()
                if left <= 0:
                    return
                time.sleep(min(POLL_S, left))

    def has_schema(self) -> bool:
        """Whether the table ``schema_version`` exists."""
        with self.read() as tx:
            return _has_schema(tx)

    def migrate(self, scripts: Sequence[tuple[int, str]]) -> None:
        """Copy the file (``.backup-v<n>`` beside it), then apply the newer scripts, all under one write lock."""
        with _translated(self._path):
            self._use_wal(self._own().connection)
        with self.write() as tx:
            apply_newer(tx, scripts, present=_has_schema(tx), back_up=lambda _tx, found: self._back_up(found))

    def _use_wal(self, connection: "sqlite3.Connection") -> None:
        """Switch the file to a write-ahead log; several processes may do so at once."""
        end = time.monotonic() + self._busy_s
        while True:
            try:
                mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > end:
                    raise
                time.sleep(POLL_S / 10)
            else:
                break
        if mode is None or mode[0] != "wal":
            raise StoreUnavailable(f"The database {self._path} cannot use a write-ahead log on this file system.")

    def _back_up(self, version: int) -> None:
        """Write what is committed into a copy beside the file; an older copy of the same version stays."""
        path = f"{self._path}.backup-v{version}"
        if os.path.exists(path):
            return
        partial = f"{path}.partial"
        if os.path.exists(partial):
            os.remove(partial)
        with closing(self._open()) as other:
            other.execute("VACUUM INTO ?", (partial,))
        os.replace(partial, path)

    def close(self) -> None:
        """Close the connections of all threads."""
        self._connections.close()


def _has_schema(tx: Tx) -> bool:
    return tx.one("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'") is not None


def _is_busy(error: "sqlite3.OperationalError") -> bool:
    return "locked" in str(error)


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise IllegalTransition(f"The database refused a state that must never be: {error}.") from error
    except (sqlite3.DatabaseError, OSError) as error:
        raise StoreUnavailable(
            f"The database {path} cannot be used: {error}. Nothing was changed; see walkaway doctor."
        ) from error
