"""A database that cannot be opened, or whose schema is not ours."""

from collections.abc import Sequence

from walkaway.core.errors import WalkawayError
from walkaway.doctor.check import PROJECT, Check, Fault, Finding, Patient, Severity

UNUSABLE = Fault(
    code="database-unusable",
    severity=Severity.ERROR,
    means="The database is missing, locked, damaged or of another schema.",
)


def finds(patient: Patient) -> Sequence[Finding]:
    """Return why the state cannot be read."""
    if patient.database:
        fix = "Mend what the message names; walkaway init upgrades an older schema."
        return [UNUSABLE.found(PROJECT, patient.database, fix)]
    try:
        patient.opened.overview()
    except WalkawayError as failed:
        fix = "Restore a backup (state.db.backup-v…), or copy the file away and run init."
        return [UNUSABLE.found(PROJECT, str(failed), fix)]
    return []


CHECK = Check(
    id="database",
    healthy="The database can be read and has our schema.",
    faults=(UNUSABLE,),
    finds=finds,
    needs=("configuration",),
)
