"""Milestones held by nobody who could work on them, and a history of leases that says otherwise than the leases."""

from collections.abc import Sequence

from walkaway.core.errors import Refused
from walkaway.core.fleet.overview import MilestoneRow
from walkaway.core.ids import Scope
from walkaway.doctor.check import Check, Fault, Finding, Patient, Severity
from walkaway.store import Store
from walkaway.store.leases import Held

ALONE = Fault(
    code="lease-without-worker",
    severity=Severity.WARNING,
    means="A milestone is held by a worker that ended or was never registered.",
    mends="ends that lease; whatever its holder was doing can be written no more",
)
UNTOLD = Fault(
    code="lease-history",
    severity=Severity.ERROR,
    means="The history of leases says otherwise than the leases themselves: this must never be.",
)


def finds(patient: Patient) -> Sequence[Finding]:
    """Return the leases that cannot be, or that nobody can keep."""
    store = patient.opened
    scopes = [Scope(row.id) for row in store.overview().milestones]
    before = {scope: store.lease_history(scope) for scope in scopes}
    overview = store.overview()
    registered = {worker.id for worker in overview.workers}
    found: list[Finding] = []
    for row in overview.milestones:
        history = store.lease_history(Scope(row.id))
        if history != before.get(Scope(row.id)):
            continue  # it changed hands while we looked
        if row.holder and row.holder not in registered:
            told = f"{row.id} is held by {row.holder}, which is no worker any more."
            found.append(ALONE.found(row.id, told, "End that lease; walkaway auto takes over when it has lapsed."))
        if wrong := _untold(row, open_lease(history)):
            fix = "Keep a copy of the database and report this: it is a defect."
            found.append(UNTOLD.found(row.id, wrong, fix))
    return found


def fixes(patient: Patient, finding: Finding) -> str:
    """End a lease whose holder is still no worker; raise `Refused` where its token is not known."""
    store, scope = patient.opened, Scope(finding.scope)
    held = open_lease(store.lease_history(scope))
    holder = _alone(store, scope)
    if holder is None:
        return f"The lease of {scope} was settled already."
    if held is None or held.worker_id != holder:
        raise Refused(f"The lease of {scope} is not in its history, so that it cannot be named: it lapses by itself.")
    store.revoke(scope, held.worker_id, held.fencing_token)
    return f"{scope} can be taken: the lease of {held.worker_id} was ended."


def open_lease(history: Sequence[Held]) -> Held | None:
    """Return the lease that is not ended; None where nobody holds the scope."""
    return next((held for held in history if not held.ended_how), None)


def _alone(store: Store, scope: Scope) -> str | None:
    """Return who holds a scope without being a worker; None where that is not so any more."""
    overview = store.overview()
    registered = {worker.id for worker in overview.workers}
    holders = (row.holder for row in overview.milestones if row.id == scope)
    return next((holder for holder in holders if holder and holder not in registered), None)


def _untold(row: MilestoneRow, held: Held | None) -> str:
    if row.holder and held is None:
        return f"{row.id} is held by {row.holder}, and the history of leases does not say so."
    if held is not None and held.worker_id != row.holder:
        return (
            f"By the history of leases {row.id} is held by {held.worker_id}; by its lease, {row.holder or 'by nobody'}."
        )
    return ""


CHECK = Check(
    id="leases",
    healthy="Every milestone that is held is held by a worker.",
    faults=(ALONE, UNTOLD),
    finds=finds,
    fixes=fixes,
    needs=("database",),
)
