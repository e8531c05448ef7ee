"""Workers that vanished without a word."""

from collections.abc import Sequence

from walkaway import identity
from walkaway.core.fleet.overview import Overview, WorkerRow
from walkaway.core.ids import MilestoneId, WorkerId
from walkaway.doctor.check import Check, Fault, Finding, Patient, Severity

STALE = Fault(
    code="stale-worker",
    severity=Severity.WARNING,
    means="A worker is registered whose process is provably gone.",
    mends="settles what it left: its milestones are free, its runs cancelled or kept where they were reported, its "
    "orders given back",
)
SILENT = Fault(
    code="silent-worker",
    severity=Severity.WARNING,
    means="A worker has been silent for long, and that it is gone cannot be proved from here.",
)

SILENT_S = 300.0
MYSELF = WorkerId("doctor")
"""Who says in the journal that a worker was gone."""


def finds(patient: Patient) -> Sequence[Finding]:
    """Return the registered workers that are gone, or have been silent for long."""
    overview = patient.opened.overview()
    found = []
    for worker in overview.workers:
        name = f"The worker on {worker.host}, pid {worker.pid},"
        if _gone(worker):
            fix = "Settle what it left; walkaway auto does so too."
            found.append(STALE.found(worker.id, f"{name} ended without a word.", fix))
        elif overview.now - worker.beat_at > SILENT_S:
            told = f"{name} has been silent for {overview.now - worker.beat_at:.0f} s."
            fix = f"Look at it on {worker.host}; where it is gone, walkaway auto takes over when its lease has lapsed."
            found.append(SILENT.found(worker.id, told, fix))
    return found


def fixes(patient: Patient, finding: Finding) -> str:
    """Settle what a dead worker left; raise `Refused` where it may be alive."""
    settled = patient.opened.recover(WorkerId(finding.scope), MYSELF)
    if not settled.changed:
        return f"What {finding.scope} left was settled already."
    freed = f": {', '.join(settled.freed)} can be taken" if settled.freed else ""
    return f"What {finding.scope} left is settled{freed}."


def at_work(overview: Overview) -> frozenset[MilestoneId]:
    """Return the milestones that are held by a worker which may be alive: nobody else touches their things."""
    living = {worker.id for worker in overview.workers if not _gone(worker)}
    return frozenset(row.id for row in overview.milestones if row.holder in living)


def _gone(worker: WorkerRow) -> bool:
    who = identity.Identity(worker.host, worker.boot_id, worker.pid, worker.started)
    return identity.alive(who) is False


CHECK = Check(
    id="workers",
    healthy="Every registered worker is alive.",
    faults=(STALE, SILENT),
    finds=finds,
    fixes=fixes,
    needs=("database",),
)
