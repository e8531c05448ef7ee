"""A disk that is nearly full: checkouts, tests and a database all need room."""

import shutil
from collections.abc import Sequence

from walkaway.doctor.check import Check, Finding, Patient, error, warning

ID = "disk"
MIB = 1024 * 1024
LOW_MIB = 1024
EMPTY_MIB = 100


def finds(patient: Patient) -> Sequence[Finding]:
    """Return whether little room is left."""
    return judged(patient.state, shutil.disk_usage(patient.state).free // MIB)


def judged(path: str, free_mib: int) -> Sequence[Finding]:
    """Judge how much room there is at ``path``."""
    told = f"{free_mib} MiB are free at {path}."
    fix = "Make room: each run needs a checkout of the project and what its tests write."
    if free_mib < EMPTY_MIB:
        return [error(ID, told, fix)]
    return [warning(ID, told, fix)] if free_mib < LOW_MIB else []


CHECK = Check(id=ID, healthy="There is room on the disk.", finds=finds)
