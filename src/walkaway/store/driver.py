"""The seam between the store and a database: four verbs and no rules (ADR 0006).

SQL is one dialect. A driver translates ``:name`` parameters and the word ``{now}``: the database's clock in seconds
since the UNIX epoch, evaluated when the statement runs, plus ``skew``.
"""

from collections.abc import Sequence
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
        """Open a transaction that is all or nothing and that excludes other writers of the rows it touches."""
        ...

    def now(self) -> float:
        """Return the database's clock."""
        ...

    def wait(self, seconds: float) -> None:
        """Return when something may have changed, or after ``seconds``."""
        ...

    def migrate(self, present: int, scripts: Sequence[tuple[int, str]]) -> None:
        """Back up what there is (if ``present`` > 0), then apply the scripts newer than the version found.

        One process at a time, all or nothing.
        """
        ...

    def has_schema(self) -> bool:
        """Whether the table ``schema_version`` exists."""
        ...

    def close(self) -> None:
        """Close the connections of all threads."""
        ...


def statements(script: str) -> list[str]:
    """Cut a script into statements, at semicolons that end a line."""
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("--")]
    found = "\n".join(lines).split(";\n")
    return [s.strip().rstrip(";") for s in found if s.strip().rstrip(";")]
