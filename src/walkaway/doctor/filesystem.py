"""A database on a file system where SQLite loses data."""

from collections.abc import Sequence

from walkaway.doctor.check import ENVIRONMENT, Check, Fault, Finding, Patient, Severity
from walkaway.store.filesystem import network_filesystem

REMOTE = Fault(
    code="network-database",
    severity=Severity.ERROR,
    means="The SQLite database is on a network file system, where data is lost.",
)
SLOW = Fault(
    code="network-checkouts",
    severity=Severity.WARNING,
    means="The checkouts are on a network file system: they are slow.",
)


def finds(patient: Patient) -> Sequence[Finding]:
    """Return whether the state folder is on a network."""
    kind = network_filesystem(patient.state)
    if not kind:
        return []
    told = f"{patient.state} is on a network file system ({kind})."
    if patient.url.startswith("postgres"):
        return [SLOW.found(ENVIRONMENT, f"{told} Checkouts there are slow.", "Move the project to a local disk.")]
    fix = "Move the project to a local disk, or set database.url."
    return [REMOTE.found(ENVIRONMENT, f"{told} SQLite loses data there.", fix)]


CHECK = Check(id="filesystem", healthy="The state folder is on a local disk.", faults=(REMOTE, SLOW), finds=finds)
