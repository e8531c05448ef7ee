"""Looking for what is wrong, and mending what is provably safe to mend: a project goes in, findings come out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from walkaway.core.errors import WalkawayError
from walkaway.doctor import (
    bloat,
    checkout,
    commands,
    configuration,
    database,
    disk,
    dispatches,
    exclusion,
    filesystem,
    git,
    hooks,
    journal,
    leases,
    model,
    pauses,
    projections,
    signing,
    sqlite,
    targets,
    trust,
    workers,
    worktrees,
)
from walkaway.doctor.check import BLIND, GENERAL, PROJECT, UNSEEN, Check, Fault, Finding, Patient, Severity

CHECKS: tuple[Check, ...] = (
    configuration.CHECK,
    model.CHECK,
    git.CHECK,
    checkout.CHECK,
    hooks.CHECK,
    trust.CHECK,
    signing.CHECK,
    exclusion.CHECK,
    filesystem.CHECK,
    sqlite.CHECK,
    database.CHECK,
    journal.CHECK,
    workers.CHECK,
    leases.CHECK,
    dispatches.CHECK,
    commands.CHECK,
    pauses.CHECK,
    targets.CHECK,
    projections.CHECK,
    worktrees.CHECK,
    disk.CHECK,
    bloat.CHECK,
)
"""Every check, in the order in which a person should mend things; one that needs another comes after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What became of one finding: what was ``done`` about it, or ``why`` nothing was."""

    finding: Finding
    done: str = ""
    why: str = ""


def faults() -> tuple[Fault, ...]:
    """Return everything that can be found, in the order of the checks."""
    return (*(fault for check in CHECKS for fault in check.faults), *GENERAL)


def examine(patient: Patient) -> tuple[Finding, ...]:
    """Return what every check found; a check that has nothing to say says that all is well. Changes nothing."""
    fresh = replace(patient)  # remembers nothing of what git said before
    return tuple(finding for check, found in _looked(fresh, CHECKS) for finding in found or [check.well()])


def health(patient: Patient) -> tuple[Finding, ...]:
    """Return what forbids to begin a unit here: a full disk, no git, no repository, a hook that cannot run.

    Only ``root`` and ``state`` of the patient are used. Takes a few milliseconds, with a patient that was asked before
    two; may be called from any thread. Raises nothing that a check can meet: what cannot be seen is a finding.
    """
    cheap = [check for check in CHECKS if check.cheap]
    found = (finding for _, found in _looked(patient, cheap) for finding in found)
    return tuple(finding for finding in found if finding.severity is Severity.ERROR)


def mend(patient: Patient, findings: Sequence[Finding]) -> tuple[Mended, ...]:
    """Do what is provably safe about each finding that says so; what cannot be done stays as it is, and says why.

    This is the only door through which the doctor changes anything.
    """
    by_id = {check.id: check for check in CHECKS}
    return tuple(_mended(patient, by_id[finding.check], finding) for finding in findings if finding.fixable)


def _mended(patient: Patient, check: Check, finding: Finding) -> Mended:
    if check.fixes is None:
        return Mended(finding=finding, why=f"The check {check.id} mends nothing.")
    try:
        return Mended(finding=finding, done=check.fixes(replace(patient), finding))
    except (WalkawayError, OSError) as error:
        return Mended(finding=finding, why=str(error))


def _looked(patient: Patient, checks: Sequence[Check]) -> Iterator[tuple[Check, list[Finding]]]:
    """Yield each check with what it found; one that an earlier error leaves blind is not tried."""
    broken: dict[str, str] = {}
    for check in checks:
        cause = next((broken[need] for need in check.needs if need in broken), "")
        if cause:
            broken[check.id] = cause
            text = f"The check {check.id} was left out, because of {cause}."
            found = [BLIND.found(PROJECT, text, f"Mend {cause} first, then run walkaway doctor again.")]
        else:
            found = _found(patient, check)
            if any(finding.severity is Severity.ERROR for finding in found):
                broken[check.id] = check.id
        yield check, [replace(finding, check=check.id) for finding in found]


def _found(patient: Patient, check: Check) -> Sequence[Finding]:
    try:
        return check.finds(patient)
    except (WalkawayError, OSError) as error:
        text = f"The check {check.id} could not look: {error}"
        return [UNSEEN.found(PROJECT, text, "Mend what the message names, then run walkaway doctor again.")]


__all__ = [
    "CHECKS",
    "Check",
    "Fault",
    "Finding",
    "Mended",
    "Patient",
    "Severity",
    "examine",
    "faults",
    "health",
    "mend",
]
