"""Who is at work: each worker with its milestone, unit, age of its lease and last word."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from walkaway.core.fleet.overview import Overview, WorkerRow
from walkaway.core.ids import MilestoneId, WorkerId
from walkaway.views.query import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerShown:
    """One worker as people see it; times in seconds before now, None where there is no lease."""

    row: WorkerRow
    dead: bool
    milestone: MilestoneId | None
    fencing_token: int
    lease_age_s: float | None
    lease_left_s: float | None
    beat_age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseShown:
    """What the history of leases says of the one that is held."""

    fencing_token: int
    acquired_at: float


def workers(
    overview: Overview, leases: Mapping[MilestoneId, LeaseShown], dead: Collection[WorkerId]
) -> tuple[WorkerShown, ...]:
    """Return every worker that did not say goodbye, the oldest first."""
    found = []
    for row in overview.workers:
        held = next((m for m in overview.milestones if m.holder == row.id), None)
        lease = leases.get(held.id) if held else None
        found.append(
            WorkerShown(
                row=row,
                dead=row.id in dead,
                milestone=held.id if held else None,
                fencing_token=lease.fencing_token if lease else 0,
                lease_age_s=max(overview.now - lease.acquired_at, 0.0) if lease else None,
                lease_left_s=held.expires_at - overview.now if held else None,
                beat_age_s=max(overview.now - row.beat_at, 0.0),
            )
        )
    return tuple(found)


def worker_json(shown: WorkerShown) -> Json:
    """Return a worker for programs."""
    row = shown.row
    return {
        "id": row.id,
        "host": row.host,
        "pid": row.pid,
        "status": "dead" if shown.dead else row.status,
        "milestone": shown.milestone,
        "unit": row.unit or None,
        "fencing_token": shown.fencing_token or None,
        "lease_age_s": _seconds(shown.lease_age_s),
        "lease_left_s": _seconds(shown.lease_left_s),
        "last_beat_s": _seconds(shown.beat_age_s),
    }


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
