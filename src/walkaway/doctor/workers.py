"""Workers that vanished without a word."""

from collections.abc import Sequence

from walkaway import identity
from walkaway.core.errors import WalkawayError
from walkaway.doctor.check import Check, Finding, Patient, note

ID = "workers"
SILENT_S = 300.0


def finds(patient: Patient) -> Sequence[Finding]:
    """Return the registered workers that are gone, or have been silent for long."""
    if patient.store is None:
        return []
    try:
        overview = patient.store.overview()
    except WalkawayError:
        return []  # the check of the database says so
    found = []
    for worker in overview.workers:
        name = f"The worker on {worker.host}, pid {worker.pid},"
        who = identity.Identity(worker.host, worker.boot_id, worker.pid, worker.started)
        if identity.alive(who) is False:
            found.append(note(ID, f"{name} ended without a word.", "Nothing to do: walkaway auto takes its work over."))
        elif overview.now - worker.beat_at > SILENT_S:
            silent = f"{name} has been silent for {overview.now - worker.beat_at:.0f} s."
            found.append(note(ID, silent, "If it is gone, walkaway auto takes over when its lease has lapsed."))
    return found


CHECK = Check(id=ID, healthy="Every registered worker is alive.", finds=finds)
