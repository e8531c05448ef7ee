"""A SQLite whose write-ahead log can lose committed pages under several connections."""

from collections.abc import Sequence

from walkaway.doctor.check import ENVIRONMENT, Check, Fault, Finding, Patient, Severity
from walkaway.store.sqlite import version, wal_is_safe

FAULTY = Fault(
    code="sqlite-fault",
    severity=Severity.NOTE,
    means="This SQLite has the WAL-reset fault; walkaway check-points so that it cannot strike.",
)


def finds(patient: Patient) -> Sequence[Finding]:
    """Return whether the version in use has that fault; the store then check-points with care of its own."""
    used = version()
    if patient.url.startswith("postgres") or wal_is_safe(tuple(int(part) for part in used.split("."))):
        return []
    told = f"SQLite {used} has the WAL-reset fault (fixed in 3.51.3); walkaway check-points so that it cannot strike."
    fix = "To be rid of it: pip install pysqlite3, where there is a wheel for this machine."
    return [FAULTY.found(ENVIRONMENT, told, fix)]


CHECK = Check(
    id="sqlite",
    healthy=f"SQLite {version()} has no known fault that matters here.",
    faults=(FAULTY,),
    finds=finds,
)
