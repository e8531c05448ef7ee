"""What piles up and is never read again: transcripts, tracebacks, folders that were put aside."""

import os
from collections.abc import Mapping, Sequence

from walkaway.doctor.check import Check, Fault, Finding, Patient, Severity

PILE = Fault(
    code="old-files",
    severity=Severity.NOTE,
    means="More than 500 files or 100 MiB of transcripts, tracebacks or put-aside folders piled up.",
)

KINDS: Mapping[str, str] = {
    "transcripts": "Remove those of runs that you will not look at again.",
    "crashes": "Report those that you have not reported, then remove them.",
    "rescued": "Look at them: they were in the way of a run and are somebody's; then remove them.",
}
"""Folder of the state -> what to do with what lies there."""
MOST_FILES = 500
MIB = 1024 * 1024
MOST_MIB = 100


def finds(patient: Patient) -> Sequence[Finding]:
    """Return the folders in which much has piled up."""
    found = []
    for folder, fix in KINDS.items():
        top = os.path.join(patient.state, folder)
        files, size = _measured(top)
        if files > MOST_FILES or size > MOST_MIB * MIB:
            found.append(PILE.found(folder, f"{top} holds {files} files, {size // MIB} MiB.", fix))
    return found


def _measured(top: str) -> tuple[int, int]:
    """Return how many files lie below a folder, and their size; one that goes while we look counts for nothing."""
    files = size = 0
    for here, _, names in os.walk(top):
        for name in names:
            try:
                size += os.lstat(os.path.join(here, name)).st_size
            except FileNotFoundError:
                continue
            files += 1
    return files, size


CHECK = Check(id="bloat", healthy="Little has piled up.", faults=(PILE,), finds=finds)
