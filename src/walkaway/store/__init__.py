"""The only SQL. `connect` opens a project's state on the database that a URL names."""

from walkaway.core.errors import Usage
from walkaway.core.ids import ProjectId
from walkaway.store import schema
from walkaway.store.driver import Driver
from walkaway.store.store import Store

__all__ = ["Store", "connect", "create", "open_driver"]


def connect(url: str, project: ProjectId, *, synchronous: str = "FULL") -> Store:
    """Return the store of ``project`` in the database at ``url``.

    ``url`` is ``sqlite:///absolute/path`` or ``postgresql://…``. Raises `StoreUnavailable` where there is no usable
    database with our schema, `NewerSchema` where it is a newer walkaway's.
    """
    driver = open_driver(url, synchronous=synchronous)
    try:
        schema.require(driver)
    except BaseException:
        driver.close()
        raise
    return Store(driver, project)


def create(url: str, project: ProjectId, *, synchronous: str = "FULL") -> Store:
    """Make or upgrade the schema at ``url``, enter ``project``, and return its store; harmless twice."""
    driver = open_driver(url, synchronous=synchronous, create=True)
    try:
        schema.upgrade(driver, schema.scripts())
        schema.add_project(driver, project)
    except BaseException:
        driver.close()
        raise
    return Store(driver, project)


def open_driver(url: str, *, synchronous: str = "FULL", create: bool = False) -> Driver:
    """Return a driver for ``url``; with ``create`` a SQLite file that is missing is made."""
    if url.startswith("sqlite:///"):
        from walkaway.store.sqlite import SqliteDriver  # noqa: PLC0415 - only the database in use is imported

        return SqliteDriver(url.removeprefix("sqlite://"), synchronous=synchronous, create=create)
    if url.startswith(("postgresql://", "postgres://")):
        try:
            from walkaway.store.postgres import PostgresDriver  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise Usage("database.url names PostgreSQL: install walkaway[postgres] to use it.") from error
        return PostgresDriver(url)
    raise Usage(f"database.url begins with sqlite:/// or postgresql://, not {url.partition(':')[0]}:.")
