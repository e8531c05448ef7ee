"""A database that cannot be opened, or whose schema is not ours."""

from collections.abc import Sequence

from walkaway.core.errors import WalkawayError
from walkaway.doctor.check import Check, Finding, Patient, error

ID = "database"


def finds(patient: Patient) -> Sequence[Finding]:
    """Return why the state cannot be read."""
    if patient.database:
        return [error(ID, patient.database, "Mend what the message names; walkaway init upgrades an older schema.")]
    if patient.store is None:
        return []
    try:
        patient.store.overview()
    except WalkawayError as failed:
        return [error(ID, str(failed), "Restore a backup (state.db.backup-v…), or copy the file away and run init.")]
    return []


CHECK = Check(id=ID, healthy="The database can be read and has our schema.", finds=finds)
