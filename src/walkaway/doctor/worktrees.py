"""Checkouts that no lease names: what an interrupted run left, and files that were kept because they are somebody's."""

import os
from collections.abc import Sequence

from walkaway.core.errors import WalkawayError
from walkaway.core.model import MilestoneStatus
from walkaway.doctor.check import Check, Finding, Patient, note

ID = "worktrees"


def finds(patient: Patient) -> Sequence[Finding]:
    """Return each checkout whose milestone nobody works on, and what becomes of it."""
    if patient.store is None:
        return []
    try:
        overview = patient.store.overview()
    except WalkawayError:
        return []  # the check of the database says so
    held = {row.id for row in overview.milestones if row.holder and row.expires_at > overview.now}
    complete = {row.id for row in overview.milestones if row.status is MilestoneStatus.COMPLETE}
    found = []
    for name in _names(os.path.join(patient.state, "worktrees")):
        path = os.path.join(patient.state, "worktrees", name)
        milestone = name.partition(".")[0]
        if milestone in complete:
            kept = f"{path} was kept because it holds files that are in no commit."
            found.append(note(ID, kept, f"Look at them; then: git worktree remove --force {path}"))
        elif milestone not in held:
            left = f"{path} is left from a run that ended."
            found.append(note(ID, left, "The next walkaway auto clears it, saving work."))
    return found


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []


CHECK = Check(id=ID, healthy="No checkout is left over.", finds=finds)
