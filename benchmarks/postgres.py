"""A PostgreSQL server for the time of a measurement, where the test support can start one."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.measure import BenchmarkError, scratch
from walkaway.core.errors import CannotRun
from walkaway.testing import postgres


@contextmanager
def database() -> Iterator[str]:
    """Give the URL of an empty database; raise `BenchmarkError` where no server can be started here."""
    with scratch() as folder:
        try:
            server = postgres.start(str(folder / "server"))
        except (CannotRun, ImportError) as error:
            message = f"PostgreSQL cannot be measured: {error}"
            raise BenchmarkError(message) from error
        try:
            yield server.database()
        finally:
            server.stop()
