"""The register of workers: who they are, whether they still beat, and who is provably dead."""

from walkaway.core.ids import ProjectId, WorkerId
from walkaway.core.model import WorkerRow
from walkaway.identity import Identity, alive
from walkaway.store.driver import Cell, Row, Tx

REGISTER = """
INSERT INTO workers (project_id, id, host, boot_id, pid, started, status, registered_at, beat_at)
VALUES (:project, :id, :host, :boot_id, :pid, :started, 'active', {now}, {now})
"""

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


def register(tx: Tx, project: ProjectId, worker: WorkerId, identity: Identity) -> None:
    """Enter a worker, before it takes any lease."""
    tx.run(
        REGISTER,
        project=project,
        id=worker,
        host=identity.host,
        boot_id=identity.boot_id,
        pid=identity.pid,
        started=identity.started,
    )


def beat(tx: Tx, project: ProjectId, worker: WorkerId, unit: str) -> None:
    """Say that the worker lives, and what it is doing ("" = nothing)."""
    tx.run(BEAT, project=project, id=worker, unit=unit)


def set_status(tx: Tx, project: ProjectId, worker: WorkerId, status: str) -> None:
    """Enter that the worker is stopping, stopped or crashed; whoever has ended stays as it ended."""
    tx.run(SET_STATUS, project=project, id=worker, status=status)


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
