"""A database for the explorer: SQLite in memory, a clock that is set by hand, and going back at no price.

The statements are the production's, run by the production's `SqliteTx`. Only the transaction differs: it is a savepoint
inside one of the explorer's, so that whatever was committed can be taken back.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache

from walkaway.store import sqlite
from walkaway.store.driver import Cell, Row, Tx, apply_newer
from walkaway.store.sqlite import SqliteTx

Rows = tuple[Row, ...]
Tables = Mapping[str, Rows]

KEPT = (
    "milestone_leases",
    "lease_history",
    "workers",
    "milestones",
    "policies",
    "tasks",
    "unit_dispatches",
    "questions",
    "events",
    "command_queue",
    "pause_records",
    "stop_requests",
)
"""What the explorer's moves can change; the other tables stay as they were at the start."""

_WRITES = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)")


@cache
def written(sql: str) -> str:
    """Return the table that a statement writes; "" for one that only reads."""
    found = _WRITES.match(sql)
    return found[1] if found else ""


class MemoryTx(SqliteTx):
    """A transaction at the driver's time; it notes which tables were written."""

    def __init__(self, driver: "Memory", connection: "sqlite.sqlite3.Connection") -> None:
        super().__init__(connection, 0.0)
        self._driver = driver

    def _execute(self, sql: str, params: dict[str, Cell]) -> "sqlite.sqlite3.Cursor":
        self._driver.touched.add(written(sql))
        text, timed = sqlite._translate(sql)
        if timed:
            params["walkaway_now"] = self._driver.now()
        return self._connection.execute(text, params)

    def many(self, sql: str, rows: Sequence[dict[str, Cell]]) -> None:
        self._driver.touched.add(written(sql))
        super().many(sql, rows)


class Memory:
    """The verbs of a driver over one connection in memory, for one thread."""

    dialect = "sqlite"

    def __init__(self) -> None:
        self.skew = 0.0
        self.clock = 1_000.0
        self.touched: set[str] = set()
        """The tables written since it was last cleared, also by what was taken back."""
        self._connection = sqlite.sqlite3.connect(":memory:", isolation_level=None, cached_statements=512)
        self._connection.execute("PRAGMA foreign_keys=ON")
        self._tx = MemoryTx(self, self._connection)
        self._open = False
        self._tables: Tables = {}

    def now(self) -> float:
        return self.clock + self.skew

    @contextmanager
    def read(self) -> Iterator[Tx]:
        with self._alone(), sqlite._translated(":memory:"):
            yield self._tx

    @contextmanager
    def write(self) -> Iterator[Tx]:
        with self._alone(), sqlite._translated(":memory:"), self._savepoint("committed", keep=True):
            yield self._tx

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._open:
            raise RuntimeError("A transaction is open; transactions do not nest.")
        self._open = True
        try:
            yield
        finally:
            self._open = False

    @contextmanager
    def _savepoint(self, name: str, *, keep: bool) -> Iterator[None]:
        self._connection.execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            keep = False
            raise
        finally:
            if not keep:
                self._connection.execute(f"ROLLBACK TO {name}")
            self._connection.execute(f"RELEASE {name}")

    def wait(self, seconds: float) -> None:
        raise NotImplementedError

    def migrate(self, scripts: Sequence[tuple[int, str]]) -> None:
        with self.write() as tx:
            apply_newer(tx, scripts, present=False, back_up=lambda _tx, _found: None)

    def has_schema(self) -> bool:
        with self.read() as tx:
            return tx.one("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'") is not None

    def close(self) -> None:
        self._connection.close()

    # ---- going back -------------------------------------------------------------------------------------------------

    @contextmanager
    def taken_back(self) -> Iterator[None]:
        """Take back, at the end of the block, whatever was committed in it, and set the clock back."""
        clock = self.clock
        try:
            with self._savepoint("taken_back", keep=False):
                yield
        finally:
            self.clock = clock

    def tables(self, before: Tables) -> Tables:
        """Return what is in the database now, where ``before`` was before the tables in ``touched`` were written."""
        found = {name: self._rows(name) for name in KEPT if name in self.touched or name not in before}
        changed = {name: rows for name, rows in found.items() if rows != before.get(name)}
        return {**before, **changed} if changed else before

    def load(self, tables: Tables) -> None:
        """Make the database hold exactly these rows."""
        self._connection.execute("BEGIN")
        self._connection.execute("PRAGMA defer_foreign_keys=ON")  # until the COMMIT
        for name, rows in tables.items():
            if rows is not self._tables.get(name):
                self._connection.execute(f"DELETE FROM {name}")  # noqa: S608 - one of `KEPT`
                if rows:
                    marks = ", ".join("?" * len(rows[0]))
                    self._connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)  # noqa: S608
        self._connection.execute("COMMIT")
        self._tables = tables

    def columns(self, table: str) -> tuple[str, ...]:
        """Return the names of a table's columns."""
        return tuple(str(row[1]) for row in self._connection.execute(f"PRAGMA table_info({table})"))

    def run(self, sql: str, **params: Cell) -> None:
        """Do to the database what no transaction of ours does."""
        with self.write() as tx:
            tx.run(sql, **params)

    def _rows(self, table: str) -> Rows:
        found: list[Row] = self._connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
        return tuple(found)
