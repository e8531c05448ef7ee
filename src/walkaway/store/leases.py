"""Leases: who may take a scope, keep it and give it back. See LEASES.md beside this file.

Rule: `ACQUIRE` is the only place that decides who may take over: its one ``WHERE``. Expiry decides who may *take*; only
the fence (epoch, token) decides who may *write* (ADR 0003), so a lapsed lease that nobody took is renewed by its exact
holder, and one that was taken never.
"""

from dataclasses import dataclass

from walkaway.core.errors import LeaseLost, Usage
from walkaway.core.ids import ProjectId, Scope, WorkerId
from walkaway.core.model import Lease
from walkaway.store.driver import Row, Tx

CLOCK = "(CASE WHEN {now} > clock THEN {now} ELSE clock END)"
"""The time as a lease row gives it out: never before one that it gave out, whatever the host's clock does."""

_EPOCH = "(SELECT fence_epoch FROM projects WHERE id = :project)"

FENCED = f"status = 'held' AND worker_id = :worker AND epoch = :epoch AND fencing_token = :token AND epoch = {_EPOCH}"
"""True of the row whose exact holder asks. A raised epoch (a restored backup) ends every lease given out before."""

ENSURE = """
INSERT INTO milestone_leases (project_id, scope, epoch)
SELECT id, :scope, fence_epoch FROM projects WHERE id = :project
ON CONFLICT (project_id, scope) DO NOTHING
"""

# {now} may be read more than once in a statement: the clock is assigned last, so that it is the latest of them
ACQUIRE = f"""
UPDATE milestone_leases SET
    worker_id = :worker, status = 'held', epoch = {_EPOCH}, fencing_token = fencing_token + 1,
    acquired_at = {CLOCK}, renewed_at = {CLOCK}, expires_at = {CLOCK} + :ttl, clock = {CLOCK}
WHERE project_id = :project AND scope = :scope
  AND (status <> 'held' OR expires_at <= {CLOCK} OR epoch <> {_EPOCH}
       OR (worker_id = :dead AND fencing_token = :dead_token))
RETURNING epoch, fencing_token, expires_at
"""  # noqa: S608 - the inserted texts are the constants above

RENEW = f"""
UPDATE milestone_leases SET renewed_at = {CLOCK}, expires_at = {CLOCK} + :ttl, clock = {CLOCK}
WHERE project_id = :project AND scope = :scope AND {FENCED}
RETURNING rev
"""  # noqa: S608 - the inserted texts are the constants above

RELEASE = f"""
UPDATE milestone_leases SET status = 'released', clock = {CLOCK}
WHERE project_id = :project AND scope = :scope AND {FENCED}
"""  # noqa: S608 - the inserted texts are the constants above

HOLDS = f"SELECT 1 FROM milestone_leases WHERE project_id = :project AND scope = :scope AND {FENCED}"  # noqa: S608

HOLDER = """
SELECT worker_id, fencing_token FROM milestone_leases
WHERE project_id = :project AND scope = :scope AND status = 'held'
"""

HELD_BY = """
SELECT scope, fencing_token FROM milestone_leases
WHERE project_id = :project AND worker_id = :worker AND status = 'held' ORDER BY scope
"""

REVOKE = f"""
UPDATE milestone_leases SET status = 'released', clock = {CLOCK}
WHERE project_id = :project AND scope = :scope AND status = 'held' AND worker_id = :worker AND fencing_token = :token
"""  # noqa: S608 - the inserted text is the constant above

LOCK = """
UPDATE milestone_leases SET rev = rev
WHERE project_id = :project AND scope = :scope AND status = 'held' AND worker_id = :dead AND fencing_token = :dead_token
"""

# the row of the lease is locked by the statement before: history is written by one at a time
OPENED = """
INSERT INTO lease_history (project_id, scope, epoch, fencing_token, worker_id, acquired_at)
SELECT project_id, scope, epoch, fencing_token, worker_id, acquired_at FROM milestone_leases
WHERE project_id = :project AND scope = :scope
"""

CLOSED = """
UPDATE lease_history SET ended_how = :how,
    ended_at = (SELECT CASE WHEN :how = 'taken' THEN acquired_at ELSE clock END
                FROM milestone_leases l WHERE l.project_id = :project AND l.scope = :scope)
WHERE project_id = :project AND scope = :scope AND ended_how = ''
"""

HISTORY = """
SELECT worker_id, epoch, fencing_token, acquired_at, ended_at, ended_how FROM lease_history
WHERE project_id = :project AND scope = :scope ORDER BY epoch, fencing_token
"""

EXISTS = "SELECT 1 FROM milestone_leases WHERE project_id = :project AND scope = :scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Who wants which scope, and for how many seconds."""

    project: ProjectId
    scope: Scope
    worker: WorkerId
    ttl_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Who held a scope from when to when (store's seconds; 0 = still), and how it ended."""

    worker_id: WorkerId
    epoch: int
    fencing_token: int
    acquired_at: float
    ended_at: float
    ended_how: str
    """``released``, ``taken`` (by another, after it lapsed or its holder died), ``revoked``; "" while it is held."""


def take(tx: Tx, wanted: Wanted, dead: tuple[WorkerId, int]) -> Lease | None:
    """Take the scope if it is free, lapsed, of an older epoch, or held by exactly ``dead`` (proven; and its token).

    Return the lease with a token higher than any before it, or None where somebody holds it. The caller settles, in
    the same transaction, what the last holder left live.
    """
    row = tx.one(
        ACQUIRE,
        project=wanted.project,
        scope=wanted.scope,
        worker=wanted.worker,
        ttl=wanted.ttl_s,
        dead=dead[0],
        dead_token=dead[1],
    )
    if row is None:
        return None
    tx.run(CLOSED, project=wanted.project, scope=wanted.scope, how="taken")
    tx.run(OPENED, project=wanted.project, scope=wanted.scope)
    epoch, token, expires_at = row
    return Lease(
        project=wanted.project,
        scope=wanted.scope,
        worker_id=wanted.worker,
        epoch=int(epoch or 0),
        fencing_token=int(token or 0),
        expires_at=float(expires_at or 0),
    )


def lock(tx: Tx, wanted: Wanted, dead: tuple[WorkerId, int]) -> bool:
    """Lock the scope's row if it is still held by exactly ``dead``; False if somebody settled that meanwhile."""
    return tx.run(LOCK, project=wanted.project, scope=wanted.scope, dead=dead[0], dead_token=dead[1]) == 1


def renew(tx: Tx, lease: Lease, ttl_s: float) -> int:
    """Keep the lease for ``ttl_s`` seconds from now and return the scope's revision; raise `LeaseLost`."""
    row = tx.one(RENEW, ttl=ttl_s, **_fence(lease))
    if row is None:
        raise LeaseLost(f"{lease.worker_id} no longer holds {lease.scope}; nothing was renewed.")
    return int(row[0] or 0)


def release(tx: Tx, lease: Lease) -> bool:
    """Give the scope back; False, and nothing changed, if somebody else has it by now."""
    if tx.run(RELEASE, **_fence(lease)) == 0:
        return False
    tx.run(CLOSED, project=lease.project, scope=lease.scope, how="released")
    return True


def revoke(tx: Tx, project: ProjectId, scope: Scope, worker: WorkerId, token: int) -> bool:
    """End a lease in a person's name; False if ``worker`` does not hold ``scope`` by ``token`` any more."""
    if tx.run(REVOKE, project=project, scope=scope, worker=worker, token=token) == 0:
        return False
    tx.run(CLOSED, project=project, scope=scope, how="revoked")
    return True


def held_by(tx: Tx, project: ProjectId, worker: WorkerId) -> list[tuple[Scope, int]]:
    """Return what a worker holds, lapsed or not, and by which token."""
    return [(Scope(str(scope)), int(token or 0)) for scope, token in tx.all(HELD_BY, project=project, worker=worker)]


def history(tx: Tx, project: ProjectId, scope: Scope) -> tuple[Held, ...]:
    """Return every lease of a scope that ever was, by token."""
    return tuple(_held(row) for row in tx.all(HISTORY, project=project, scope=scope))


def holds(tx: Tx, lease: Lease) -> bool:
    """Whether the lease is still the one by which its scope is held, lapsed or not."""
    return tx.one(HOLDS, **_fence(lease)) is not None


def exists(tx: Tx, project: ProjectId, scope: Scope) -> bool:
    """Whether the scope has a row, that is, whether there ever was such a milestone."""
    return tx.one(EXISTS, project=project, scope=scope) is not None


def ensure(tx: Tx, project: ProjectId, scope: Scope) -> None:
    """Make the scope's row if it has none; a row that exists keeps its token for ever."""
    tx.run(ENSURE, project=project, scope=scope)


def holder(tx: Tx, project: ProjectId, scope: Scope) -> tuple[WorkerId, int] | None:
    """Return who holds the scope, lapsed or not, and the token; None where nobody does."""
    row = tx.one(HOLDER, project=project, scope=scope)
    return None if row is None else (WorkerId(str(row[0])), int(row[1] or 0))


def positive(ttl_s: float) -> float:
    """Return ``ttl_s``; raise `Usage` if it is no length of time."""
    if not 0 < ttl_s < float("inf"):
        raise Usage(f"lease.ttl_s is a time in seconds, above 0, not {ttl_s}.")
    return ttl_s


def _held(row: Row) -> Held:
    worker, epoch, token, acquired_at, ended_at, how = row
    return Held(
        worker_id=WorkerId(str(worker)),
        epoch=int(epoch or 0),
        fencing_token=int(token or 0),
        acquired_at=float(acquired_at or 0),
        ended_at=float(ended_at or 0),
        ended_how=str(how),
    )


def _fence(lease: Lease) -> dict[str, str | int]:
    return {
        "project": lease.project,
        "scope": lease.scope,
        "worker": lease.worker_id,
        "epoch": lease.epoch,
        "token": lease.fencing_token,
    }
