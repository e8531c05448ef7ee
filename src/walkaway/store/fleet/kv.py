"""Soft state by scope: losing it changes no decision, so nothing that decides correctness may ever be kept here."""

from dataclasses import dataclass
from enum import StrEnum

from walkaway.core.errors import StaleSnapshot
from walkaway.core.ids import ProjectId
from walkaway.store.driver import Driver, Row

GET = """
SELECT key, value, version, updated_at FROM runtime_kv
WHERE project_id = :project AND scope = :scope AND scope_id = :id
"""

PUT = """
INSERT INTO runtime_kv (project_id, scope, scope_id, key, value, version, updated_at)
VALUES (:project, :scope, :id, :key, :value, 1, {now})
ON CONFLICT (project_id, scope, scope_id, key)
DO UPDATE SET value = excluded.value, version = runtime_kv.version + 1, updated_at = excluded.updated_at
RETURNING version
"""

REPLACE = """
UPDATE runtime_kv SET value = :value, version = version + 1, updated_at = {now}
WHERE project_id = :project AND scope = :scope AND scope_id = :id AND key = :key AND version = :version
RETURNING version
"""

ADD = """
INSERT INTO runtime_kv (project_id, scope, scope_id, key, value, version, updated_at)
VALUES (:project, :scope, :id, :key, :value, 1, {now})
ON CONFLICT (project_id, scope, scope_id, key) DO NOTHING
RETURNING version
"""

DELETE = "DELETE FROM runtime_kv WHERE project_id = :project AND scope = :scope AND scope_id = :id AND key = :key"


class KvKind(StrEnum):
    """What a piece of soft state is about."""

    GLOBAL = "global"
    WORKER = "worker"
    MILESTONE = "milestone"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class KvScope:
    """Whose soft state: all of the project's (no ``id``), a worker's, a milestone's or a unit's."""

    kind: KvKind = KvKind.GLOBAL
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KvEntry:
    """One value, a text; ``version`` counts its changes from 1."""

    key: str
    value: str
    version: int
    updated_at: float


class RuntimeKv:
    """The soft state of one project. All methods raise `StoreUnavailable` where the database cannot be used."""

    def __init__(self, driver: Driver, project: ProjectId) -> None:
        """Keep it in the database behind ``driver``."""
        self._driver = driver
        self._project = project

    def get(self, scope: KvScope, key: str) -> KvEntry | None:
        """Return what is kept under a key; None where nothing is."""
        with self._driver.read() as tx:
            row = tx.one(f"{GET} AND key = :key", **self._at(scope), key=key)
        return None if row is None else _entry(row)

    def listed(self, scope: KvScope) -> tuple[KvEntry, ...]:
        """Return all of a scope, by key."""
        with self._driver.read() as tx:
            rows = tx.all(GET, **self._at(scope))
        return tuple(sorted(map(_entry, rows), key=lambda entry: entry.key))

    def put(self, scope: KvScope, key: str, value: str) -> int:
        """Keep a value, whatever was there, and return its version."""
        with self._driver.write() as tx:
            row = tx.one(PUT, **self._at(scope), key=key, value=value)
        return int(row[0] or 0) if row else 0

    def put_if(self, scope: KvScope, key: str, value: str, *, version: int) -> int:
        """Keep a value only where the present one has ``version`` (0: there is none); else raise `StaleSnapshot`."""
        with self._driver.write() as tx:
            if version:
                row = tx.one(REPLACE, **self._at(scope), key=key, value=value, version=version)
            else:
                row = tx.one(ADD, **self._at(scope), key=key, value=value)
        if row is None:
            raise StaleSnapshot(f"{key} was changed by somebody else; read it again.")
        return int(row[0] or 0)

    def delete(self, scope: KvScope, key: str) -> bool:
        """Forget a key; False where there was none."""
        with self._driver.write() as tx:
            return tx.run(DELETE, **self._at(scope), key=key) == 1

    def _at(self, scope: KvScope) -> dict[str, str]:
        return {"project": self._project, "scope": str(scope.kind), "id": scope.id}


def _entry(row: Row) -> KvEntry:
    key, value, version, updated_at = row
    return KvEntry(key=str(key), value=str(value), version=int(version or 0), updated_at=float(updated_at or 0))
