"""Branches that finished work is to go to, and that are gone."""

from collections.abc import Sequence
from shlex import quote

from walkaway.core.ids import Scope
from walkaway.doctor.check import Check, Fault, Finding, Patient, Severity

MISSING = Fault(
    code="target-missing",
    severity=Severity.ERROR,
    means="The branch that a milestone is to be integrated into was deleted.",
)


def finds(patient: Patient) -> Sequence[Finding]:
    """Return the open milestones whose target is gone."""
    store = patient.opened
    found = []
    for row in store.overview().milestones:
        if row.over:
            continue
        m = store.snapshot(Scope(row.id)).milestone
        if m.target_branch and not patient.repo.tip(f"refs/heads/{m.target_branch}"):
            seen = m.prepared_base or m.target_sha
            told = f"{m.target_branch}, which {m.id} is to be integrated into, is gone. It was last seen at {seen}."
            found.append(MISSING.found(m.id, told, f"git branch {quote(m.target_branch)} {seen}"))
    return found


CHECK = Check(
    id="targets",
    healthy="Every milestone has a branch to go to.",
    faults=(MISSING,),
    finds=finds,
    needs=("git", "database"),
)
