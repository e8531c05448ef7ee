"""The seam between the store and a database: four verbs and no rules (ADR 0006).

SQL is one dialect. A driver translates ``:name`` parameters and the word ``{now}``: the database's clock in seconds
since the UNIX epoch, evaluated when the statement runs, plus ``skew``.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

Cell = str | int | float | None
Row = tuple[Cell, ...]


class Tx(Protocol):
    """One transaction; it ends with its context, committed, or rolled back if an error leaves it."""

    def all(self, sql: str, **params: Cell) -> Sequence[Row]:
        """Run a statement and return its rows."""
        ...

    def one(self, sql: str, **params: Cell) -> Row | None:
        """Run a statement and return its first row, if it has one."""
        ...

    def run(self, sql: str, **params: Cell) -> int:
        """Run a statement and return how many rows it changed."""
        ...

    def many(self, sql: str, rows: Sequence[dict[str, Cell]]) -> None:
        """Run a statement once for each set of parameters."""
        ...


class Driver(Protocol):
    """One database, for any number of threads: each has a connection of its own.

    All methods raise `StoreUnavailable` where the database cannot be reached, read or written.
    """

    dialect: str
    skew: float
    """Seconds added to the database's clock; only ``walkaway.testing`` sets it."""

    def read(self) -> AbstractContextManager[Tx]:
        """Open a transaction that sees one instant and changes nothing."""
        ...

    def write(self) -> AbstractContextManager[Tx]:
        """Open a transaction that is all or nothing and that excludes other writers of the rows it touches.

        A thread has one transaction at a time. Where `StoreUnavailable` is raised by a connection that broke while
        it committed, the work may have been done or not: read again.
        """
        ...

    def now(self) -> float:
        """Return the database's clock."""
        ...

    def wait(self, seconds: float) -> None:
        """Return when something may have changed since this thread's last call, or after ``seconds``.

        A thread's first call returns at once: what happened before it cannot be known.
        """
        ...

    def migrate(self, scripts: Sequence[tuple[int, str]]) -> None:
        """Back up what there is, then apply the scripts newer than the version found.

        One process at a time, all or nothing; nothing at all where no script is newer.
        """
        ...

    def has_schema(self) -> bool:
        """Whether the table ``schema_version`` exists."""
        ...

    def close(self) -> None:
        """Close the connections of all threads."""
        ...


def apply_newer(
    tx: Tx, scripts: Sequence[tuple[int, str]], *, present: bool, back_up: Callable[[Tx, int], None]
) -> None:
    """Apply the scripts newer than the version found; ``present``: whether there is a version to be found.

    ``back_up`` is called first with the version found, if anything is going to change that exists.
    """
    found = 0
    if present:
        row = tx.one("SELECT max(version) FROM schema_version")
        found = int(row[0] or 0) if row else 0
    todo = [(number, script) for number, script in scripts if number > found]
    if found and todo:
        back_up(tx, found)
    for number, script in todo:
        for statement in statements(script):
            tx.run(statement)
        tx.run("INSERT INTO schema_version VALUES (:n, {now})", n=number)


def statements(script: str) -> list[str]:
    """Cut a script into statements, at semicolons that end a line; lines that begin with ``--`` are left out."""
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("--")]
    found = "\n".join(lines).split(";\n")
    return [s.strip().rstrip(";") for s in found if s.strip().rstrip(";")]
