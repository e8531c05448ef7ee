"""A disk that is nearly full: checkouts, tests and a database all need room."""

import os
from collections.abc import Sequence
from pathlib import Path

from walkaway.doctor.check import ENVIRONMENT, Check, Fault, Finding, Patient, Severity
from walkaway.git.repo import common_dir, private_dir

FULL = Fault(
    code="disk-full", severity=Severity.ERROR, means="Less than 100 MiB, or 1000 files, are free: nothing is begun."
)
LOW = Fault(code="disk-low", severity=Severity.WARNING, means="Less than 1 GiB is free.")

MIB = 1024 * 1024
LOW_MIB = 1024
FULL_MIB = 100
FULL_FILES = 1000
FIX = "Make room: each run needs a checkout of the project and what its tests write."


def finds(patient: Patient) -> Sequence[Finding]:
    """Return whether little room is left, where our things are and where git keeps its own."""
    places = {os.stat(place).st_dev: place for place in _places(patient)}
    return [finding for place in places.values() for finding in _at(place)]


def _places(patient: Patient) -> list[str]:
    private = private_dir(Path(patient.root))
    kept = [str(common_dir(private))] if private is not None and private.is_dir() else []
    return [*kept, patient.state]


def _at(place: str) -> Sequence[Finding]:
    room = os.statvfs(place)
    files = room.f_favail if room.f_files else None  # some file systems do not count
    return judged(place, room.f_bavail * room.f_frsize // MIB, files)


def judged(path: str, free_mib: int, free_files: int | None = None) -> Sequence[Finding]:
    """Judge how much room there is at ``path``."""
    if free_files is not None and free_files < FULL_FILES:
        told = f"Only {free_files} more files can be made at {path}."
        return [FULL.found(ENVIRONMENT, told, FIX)]
    told = f"{free_mib} MiB are free at {path}."
    if free_mib < FULL_MIB:
        return [FULL.found(ENVIRONMENT, told, FIX)]
    return [LOW.found(ENVIRONMENT, told, FIX)] if free_mib < LOW_MIB else []


CHECK = Check(id="disk", healthy="There is room on the disk.", faults=(FULL, LOW), finds=finds, cheap=True)
