"""Which schema a database has, and bringing it up to ours: numbered scripts, all or nothing, a backup first."""

from collections.abc import Sequence

from walkaway.core.errors import NewerSchema, StoreUnavailable
from walkaway.core.ids import PROJECT_SCOPE, ProjectId
from walkaway.store import leases
from walkaway.store.driver import Driver

CURRENT = 11


def scripts() -> Sequence[tuple[int, str]]:
    """Return the numbered migrations, in order."""
    from importlib.resources import files  # noqa: PLC0415 - `query` checks the version only

    folder = files("walkaway.store") / "migrations"
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name[:4]), (folder / name).read_text(encoding="utf-8")) for name in found]


def present(driver: Driver) -> int:
    """Return the schema version that the database has; 0 for an empty database."""
    if not driver.has_schema():
        return 0
    with driver.read() as tx:
        row = tx.one("SELECT max(version) FROM schema_version")
    return int(row[0] or 0) if row else 0


def guard(driver: Driver, wanted: int = CURRENT) -> int:
    """Return the version found; raise `NewerSchema`, before anything is touched, if it is newer than ours."""
    found = present(driver)
    if found > wanted:
        raise NewerSchema(
            f"The database has schema {found}; this walkaway knows {wanted}. Upgrade walkaway; nothing was changed."
        )
    return found


def upgrade(driver: Driver, todo: Sequence[tuple[int, str]]) -> None:
    """Bring the schema up to the newest of ``todo``; a backup is made first if there is anything to lose."""
    newest = todo[-1][0]
    found = guard(driver, newest)
    if found < newest:
        driver.migrate(todo)


def require(driver: Driver) -> None:
    """Raise `StoreUnavailable` unless the schema is exactly ours: for those who only read."""
    found = guard(driver)
    if found < CURRENT:
        raise StoreUnavailable(
            f"The database has schema {found}, this walkaway needs {CURRENT}. Run walkaway init to upgrade it; "
            "a backup is made first."
        )


def add_project(driver: Driver, project: ProjectId) -> None:
    """Enter a project and its own scope; harmless twice."""
    with driver.write() as tx:
        tx.run("INSERT INTO projects (id, created_at) VALUES (:id, {now}) ON CONFLICT (id) DO NOTHING", id=project)
        leases.ensure(tx, project, PROJECT_SCOPE)
