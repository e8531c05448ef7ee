"""The user's own checkout: something begun and not finished in it, or a lock that lies there. It is never touched."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from walkaway.doctor.check import REPOSITORY, Check, Fault, Finding, Patient, Severity
from walkaway.git.repo import operation, path_private, some

UNFINISHED = Fault(
    code="git-unfinished",
    severity=Severity.ERROR,
    means="A merge, rebase, cherry-pick, revert or bisect was begun in your checkout and not finished.",
)
UNMERGED = Fault(
    code="git-unmerged", severity=Severity.ERROR, means="Files in your checkout have conflicts that nobody resolved."
)
LOCKED = Fault(code="index-lock", severity=Severity.WARNING, means="A lock file keeps git from changing your checkout.")

BISECTING = "BISECT_LOG"


def finds(patient: Patient) -> Sequence[Finding]:
    """Return what is under way in the user's checkout."""
    top = Path(patient.root)
    private = path_private(top)
    found: list[Finding] = []
    unmerged = some(patient.repo.status(top, tracked_only=True).unmerged)
    begun = operation(private) or ("bisect" if (private / BISECTING).exists() else "")
    if begun:
        conflicts = f"; {unmerged} still has conflicts" if unmerged else ""
        told = f"A {begun} was begun in {top} and is not finished{conflicts}."
        end = "git bisect reset" if begun == "bisect" else f"git {begun} --abort"
        fix = f"Finish it, or give it up with {end}: that is yours to decide."
        found.append(UNFINISHED.found(REPOSITORY, told, fix))
    elif unmerged:
        told = f"{unmerged} has conflicts that nobody resolved."
        found.append(UNMERGED.found(REPOSITORY, told, "Resolve them, then: git add those files"))
    lock = private / "index.lock"
    if lock.exists():
        found.append(LOCKED.found(REPOSITORY, _aged(patient, lock), f"If no git is running: rm {quote(str(lock))}"))
    return found


def _aged(patient: Patient, lock: Path) -> str:
    told = f"{lock} keeps git from changing {patient.root}"
    if patient.store is None:
        return f"{told}."
    seconds = max(0.0, patient.store.now() - lock.stat().st_mtime)
    age = f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - where minutes read better
    return f"{told}; it was made {age} ago."


CHECK = Check(
    id="checkout",
    healthy="Nothing is half done in your checkout.",
    faults=(UNFINISHED, UNMERGED, LOCKED),
    finds=finds,
    needs=("git",),
)
