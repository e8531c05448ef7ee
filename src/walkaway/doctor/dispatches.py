"""Runs that nobody carries on, and runs under a fence that is not their milestone's."""

from collections.abc import Sequence

from walkaway.core.ids import Scope
from walkaway.core.model import Dispatch, DispatchStatus
from walkaway.doctor.check import Check, Fault, Finding, Patient, Severity
from walkaway.doctor.leases import open_lease
from walkaway.store import Store

ENDLESS = Fault(
    code="dispatch-without-end",
    severity=Severity.NOTE,
    means="A run was begun and nobody holds its milestone; walkaway auto settles it.",
)
UNFENCED = Fault(
    code="dispatch-fence",
    severity=Severity.ERROR,
    means="A live run has another fence than the lease on its milestone: this must never be.",
)
BEGUN = frozenset({DispatchStatus.CLAIMED, DispatchStatus.RUNNING})


def finds(patient: Patient) -> Sequence[Finding]:
    """Return the live runs that nobody holds, or not by their fence."""
    store = patient.opened
    open_ones = [row.id for row in store.overview().milestones if not row.over]
    return [finding for milestone in open_ones for finding in _live(store, Scope(milestone))]


def _live(store: Store, scope: Scope) -> Sequence[Finding]:
    before = store.lease_history(scope)
    live = store.snapshot(scope).live
    if live is None or store.lease_history(scope) != before:
        return []  # nothing runs, or it changed hands while we looked
    held = open_lease(before)
    if held is None:
        return [_endless(scope, live)] if live.status in BEGUN else []
    if (held.epoch, held.fencing_token) == (live.epoch, live.fencing_token):
        return []
    told = (
        f"{live.id} ({live.key}) is {live.status} under fence {live.epoch}.{live.fencing_token}, and {scope} is held "
        f"under {held.epoch}.{held.fencing_token}."
    )
    return [UNFENCED.found(scope, told, "Keep a copy of the database and report this: it is a defect.")]


def _endless(scope: Scope, live: Dispatch) -> Finding:
    told = f"{live.id} ({live.key}) is {live.status}, and nobody holds {scope}."
    return ENDLESS.found(scope, told, "Nothing to do: the next walkaway auto settles it and runs the unit again.")


CHECK = Check(
    id="dispatches",
    healthy="Every live run is carried on by the holder of its milestone.",
    faults=(ENDLESS, UNFENCED),
    finds=finds,
    needs=("database",),
)
