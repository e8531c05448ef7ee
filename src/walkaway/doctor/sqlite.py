"""A SQLite whose write-ahead log can lose committed pages under several connections."""

from collections.abc import Sequence

from walkaway.doctor.check import Check, Finding, Patient, note
from walkaway.store.sqlite import version, wal_is_safe

ID = "sqlite"


def finds(patient: Patient) -> Sequence[Finding]:
    """Return whether the version in use has that fault; the store then check-points with care of its own."""
    used = version()
    if patient.url.startswith("postgres") or wal_is_safe(tuple(int(part) for part in used.split("."))):
        return []
    told = f"SQLite {used} has the WAL-reset fault (fixed in 3.51.3); walkaway check-points so that it cannot strike."
    return [note(ID, told, "To be rid of it: pip install pysqlite3, where there is a wheel for this machine.")]


CHECK = Check(id=ID, healthy=f"SQLite {version()} has no known fault that matters here.", finds=finds)
