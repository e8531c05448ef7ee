"""The project's database as a breaker of databases sees it: the only SQL outside the store, and none of it is kind."""

from collections.abc import Callable
from contextlib import ExitStack

from walkaway.core.ids import ProjectId
from walkaway.store import Store, open_driver
from walkaway.store.driver import Driver
from walkaway.store.sqlite import SqliteDriver

BUSY_S = 0.3
"""How long to wait for SQLite's lock: a stopped worker that has it is only let go by who waits here."""

CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

FORGET = "DELETE FROM runtime_kv WHERE project_id = :project"


class Database:
    """One project's database, on a connection of our own. All methods raise `StoreUnavailable` while it is broken."""

    def __init__(self, url: str, project: ProjectId) -> None:
        """Open the database that ``url`` names, in which ``project`` is."""
        self._url = url
        self._project = project
        self._driver = _open(url)
        self.store = Store(self._driver, project)
        """The project's state, to look at."""

    @property
    def dialect(self) -> str:
        """Which kind of database it is."""
        return self._driver.dialect

    def lock(self) -> Callable[[], None]:
        """Begin to write and do not end: nobody else can until the returned function is called (SQLite)."""
        driver, held = _open(self._url), ExitStack()
        held.callback(driver.close)
        try:
            held.enter_context(driver.write())
        except BaseException:
            held.close()
            raise
        return held.close

    def cut(self) -> int:
        """Terminate every other connection to the database and return how many there were (PostgreSQL)."""
        with self._driver.read() as tx:
            return len(tx.all(CUT))

    def forget(self) -> None:
        """Remove all soft state of the project."""
        with self._driver.write() as tx:
            tx.run(FORGET, project=self._project)

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()


def is_empty(url: str) -> bool:
    """Whether a database has no tables of walkaway's."""
    driver = open_driver(url)
    try:
        return not driver.has_schema()
    finally:
        driver.close()


def _open(url: str) -> Driver:
    if url.startswith("sqlite:///"):
        return SqliteDriver(url.removeprefix("sqlite://"), busy_s=BUSY_S)
    return open_driver(url)
