"""The register of workers: who they are, whether they still beat, and who is provably dead."""

from collections.abc import Mapping
from dataclasses import dataclass

from walkaway.core.errors import Refused
from walkaway.core.fleet.overview import WorkerRow
from walkaway.core.ids import PROJECT_SCOPE, ProjectId, Scope, UnitKey, WorkerId
from walkaway.identity import Identity, alive
from walkaway.store.driver import Cell, Row, Tx

REGISTER = """
INSERT INTO workers (project_id, id, host, boot_id, pid, started, status, registered_at, beat_at, since)
VALUES (:project, :id, :host, :boot_id, :pid, :started, 'active', {now}, {now}, :since)
"""

REVISION = "SELECT rev FROM milestone_leases WHERE project_id = :project AND scope = :scope"

FORGET = "DELETE FROM runtime_kv WHERE project_id = :project AND scope = 'worker' AND scope_id = :id"

BEAT = """
UPDATE workers SET unit = :unit, beat_at = CASE WHEN {now} > beat_at THEN {now} ELSE beat_at END
WHERE project_id = :project AND id = :id
"""

SET_STATUS = """
UPDATE workers SET status = :status, unit = ''
WHERE project_id = :project AND id = :id AND status IN ('active', 'stopping')
"""

ONE = "SELECT host, boot_id, pid, started, status FROM workers WHERE project_id = :project AND id = :id"

LISTED = """
SELECT id, host, boot_id, pid, started, status, beat_at, unit FROM workers
WHERE project_id = :project AND status IN ('active', 'stopping') ORDER BY registered_at, id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was settled for a dead worker, and whether anything changed at all."""

    worker: WorkerId
    freed: Mapping[Scope, UnitKey | None]
    """The milestones that it held, each with the unit that it was at, if it was at one."""
    changed: bool


def register(tx: Tx, project: ProjectId, worker: WorkerId, identity: Identity, since: int | None = None) -> int:
    """Enter a worker of the run that began at revision ``since`` of the project (None: now); return that revision."""
    if since is None:
        row = tx.one(REVISION, project=project, scope=PROJECT_SCOPE)
        since = int(row[0] or 0) if row else 0
    tx.run(
        REGISTER,
        project=project,
        id=worker,
        host=identity.host,
        boot_id=identity.boot_id,
        pid=identity.pid,
        started=identity.started,
        since=since,
    )
    return since


def beat(tx: Tx, project: ProjectId, worker: WorkerId, unit: str) -> None:
    """Say that the worker lives, and what it is doing ("" = nothing)."""
    tx.run(BEAT, project=project, id=worker, unit=unit)


def set_status(tx: Tx, project: ProjectId, worker: WorkerId, status: str) -> bool:
    """Enter that the worker is stopping, stopped or crashed; False for one that has ended: it stays as it ended."""
    return tx.run(SET_STATUS, project=project, id=worker, status=status) == 1


def bury(tx: Tx, project: ProjectId, worker: WorkerId, status: str = "crashed") -> bool:
    """Enter that a worker ended, give its orders back and forget its soft state; False where all that is done."""
    from walkaway.store.fleet import commands  # noqa: PLC0415 - `query` only lists workers

    ended = set_status(tx, project, worker, status)
    given = commands.give_back(tx, project, worker)
    forgotten = tx.run(FORGET, project=project, id=worker)
    return ended or given > 0 or forgotten > 0


def require_dead(tx: Tx, project: ProjectId, worker: WorkerId) -> None:
    """Raise `Refused` for a worker that may be alive."""
    if not provably_dead(tx, project, worker):
        raise Refused(f"Worker {worker} may be alive; it is replaced when its lease has lapsed.")


def listed(tx: Tx, project: ProjectId) -> tuple[WorkerRow, ...]:
    """Return the workers that did not say goodbye, the oldest first; some may be dead without a word."""
    return tuple(_row(row) for row in tx.all(LISTED, project=project))


def provably_dead(tx: Tx, project: ProjectId, worker: WorkerId) -> bool:
    """Whether the worker is gone for certain: it said so, or it ran here and its process is no more.

    A worker on another host, in another boot or another process namespace is never called dead.
    """
    row = tx.one(ONE, project=project, id=worker)
    if row is None:
        return False
    host, boot_id, pid, started, status = row
    if status in {"stopped", "crashed"}:
        return True
    who = Identity(host=str(host), boot_id=str(boot_id), pid=_int(pid), started=float(started or 0))
    return alive(who) is False


def _row(row: Row) -> WorkerRow:
    identity, host, boot_id, pid, started, status, beat_at, unit = row
    return WorkerRow(
        id=WorkerId(str(identity)),
        host=str(host),
        boot_id=str(boot_id),
        pid=_int(pid),
        started=float(started or 0),
        status=str(status),
        beat_at=float(beat_at or 0),
        unit=str(unit),
    )


def _int(cell: Cell) -> int:
    return int(cell or 0)
