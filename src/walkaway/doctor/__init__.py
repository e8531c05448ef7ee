"""Looking for what is wrong: a project goes in, findings come out; nothing is changed."""

from walkaway.doctor import (
    configuration,
    database,
    disk,
    filesystem,
    git,
    journal,
    model,
    sqlite,
    workers,
    worktrees,
)
from walkaway.doctor.check import Check, Finding, Patient, Severity

CHECKS: tuple[Check, ...] = (
    configuration.CHECK,
    model.CHECK,
    git.CHECK,
    filesystem.CHECK,
    sqlite.CHECK,
    database.CHECK,
    journal.CHECK,
    workers.CHECK,
    worktrees.CHECK,
    disk.CHECK,
)
"""Every check, in the order in which a person should mend things."""


def examine(patient: Patient) -> tuple[Finding, ...]:
    """Return what every check found; a check that has nothing to say says that all is well."""
    found: list[Finding] = []
    for check in CHECKS:
        found.extend(check.finds(patient) or [check.well()])
    return tuple(found)


__all__ = ["CHECKS", "Check", "Finding", "Patient", "Severity", "examine"]
