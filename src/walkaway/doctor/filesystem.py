"""A database on a file system where SQLite loses data."""

from collections.abc import Sequence

from walkaway.doctor.check import Check, Finding, Patient, error, warning
from walkaway.store.filesystem import network_filesystem

ID = "filesystem"


def finds(patient: Patient) -> Sequence[Finding]:
    """Return whether the state folder is on a network."""
    kind = network_filesystem(patient.state)
    if not kind:
        return []
    told = f"{patient.state} is on a network file system ({kind})."
    if patient.url.startswith("postgres"):
        return [warning(ID, f"{told} Checkouts there are slow.", "Move the project to a local disk.")]
    return [error(ID, f"{told} SQLite loses data there.", "Move the project to a local disk, or set database.url.")]


CHECK = Check(id=ID, healthy="The state folder is on a local disk.", finds=finds)
