"""Checkouts that no living worker holds: what an interrupted run left, and files that were kept as they are somebody's.

Rule: a checkout is only removed where it is proven that nothing is lost: git knows it, all in it is committed (nothing
untracked, ignored or hidden from git), nothing is under way in it, and what it is at is reached by a branch of the
user's, a milestone's line or a rescue ref. Anything else is named.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from walkaway.core.errors import GitFailed
from walkaway.core.ids import NO_SHA, Sha
from walkaway.doctor.check import Check, Fault, Finding, Patient, Severity
from walkaway.doctor.workers import at_work
from walkaway.git.repo import delete, operation
from walkaway.git.worktrees import Place, Worktrees, place_named

SPARE = Fault(
    code="worktree-orphan",
    severity=Severity.NOTE,
    means="A checkout that no run needs any more, and in which nothing would be lost.",
    mends="looks again, then removes the checkout and its branch `wip/…`",
)
LEFT = Fault(
    code="worktree-left",
    severity=Severity.NOTE,
    means="A run left a checkout with files or commits of its own; walkaway auto saves them and clears it.",
)
KEPT = Fault(
    code="worktree-kept",
    severity=Severity.NOTE,
    means="A checkout outlived its milestone because it holds files or commits that are nowhere else.",
)
FOREIGN = Fault(
    code="worktree-unregistered",
    severity=Severity.WARNING,
    means="Something under `.walkaway/worktrees` is no checkout of walkaway's.",
)

KEEPERS = ("refs/heads", "refs/tags", "refs/walkaway", "refs/walkaway-rescue")
"""The refs that keep a commit; of the branches, all but those of fences."""
FENCES = "refs/heads/wip/"


def finds(patient: Patient) -> Sequence[Finding]:
    """Return each checkout whose milestone nobody works on, and what becomes of it."""
    overview = patient.opened.overview()
    going_on = {row.id for row in overview.milestones if not row.over}
    busy = at_work(overview)
    trees = _trees(patient)
    found: list[Finding] = []
    for path in _listed(trees.root):
        place = place_named(path.name)
        if place is None or place.milestone not in busy:
            found.append(_judged(patient, trees, path, going_on=place is not None and place.milestone in going_on))
    return found


def _judged(patient: Patient, trees: Worktrees, path: Path, *, going_on: bool) -> Finding:
    if place_named(path.name) is None or path.is_symlink() or trees.private(path) is None:
        told = f"{path} is no checkout of walkaway's."
        return FOREIGN.found(path.name, told, f"Look at it; then move it elsewhere, or: rm -r {quote(str(path))}")
    if _proven(patient, trees, path):
        told = f"{path} is left from a run that ended; nothing would be lost with it."
        return SPARE.found(path.name, told, f"git worktree remove {quote(str(path))}")
    if going_on:
        told = f"{path} is left from a run that ended."
        return LEFT.found(path.name, told, "Nothing to do: the next walkaway auto clears it, saving work.")
    told = f"{path} was kept because it holds files or commits that are nowhere else."
    return KEPT.found(path.name, told, f"Look at them; then: git worktree remove --force {quote(str(path))}")


def fixes(patient: Patient, finding: Finding) -> str:
    """Remove a checkout and its branch, if everything that was seen of it still holds; raise `GitFailed` if not."""
    trees = _trees(patient)
    path = trees.root / finding.scope
    place = place_named(path.name)
    if place is None or not path.exists():
        return f"{path} was removed already."
    if place.milestone in at_work(patient.opened.overview()):
        raise GitFailed(f"{place.milestone} was taken meanwhile: its worker clears {path} itself")
    head = _proven(patient, trees, path)
    if not head:
        raise GitFailed(f"{path} has changed meanwhile: it stays as it is")
    patient.repo.git("worktree", "remove", str(path))
    return f"Removed {path}, which was at {head[:12]}{_without_branch(patient, place)}."


def _without_branch(patient: Patient, place: Place) -> str:
    """Delete the branch of a removed checkout where other refs reach it; return words for that."""
    ref = f"refs/heads/{place.branch}"
    tip = patient.repo.tip(ref)
    if place.scratch or not tip or not _reached(patient, tip):
        return ""
    patient.repo.update_refs([delete(ref, tip)])
    return f", and its branch {place.branch}"


def _proven(patient: Patient, trees: Worktrees, path: Path) -> Sha:
    """Return what a checkout is at if nothing would be lost with it; NO_SHA where that is not proven."""
    private = trees.private(path)
    if private is None or operation(private) or (private / "locked").exists() or (private / "index.lock").exists():
        return NO_SHA
    try:
        state = patient.repo.status(path, ignored=True)
        if state.entries or not state.head or _paused_in(patient, path) or _hidden(patient, path):
            return NO_SHA
        return state.head if _reached(patient, state.head) else NO_SHA
    except GitFailed:
        return NO_SHA  # git cannot make sense of it


def _hidden(patient: Patient, path: Path) -> bool:
    """Whether git was told not to look at some file there (assume-unchanged, skip-worktree): it may be changed."""
    listed = patient.repo.git("ls-files", "-v", "-z", cwd=path).split("\0")
    return any(line[0].islower() or line[0] == "S" for line in listed if line)


def _reached(patient: Patient, sha: Sha) -> bool:
    listed = patient.repo.git("for-each-ref", f"--contains={sha}", "--format=%(refname)", *KEEPERS).split()
    return any(not ref.startswith(FENCES) for ref in listed)


def _paused_in(patient: Patient, path: Path) -> bool:
    """Whether the record of a pause names this directory."""
    pauses = patient.opened.controls.read().pauses.values()
    return any(pause.worktree and os.path.realpath(pause.worktree) == str(path) for pause in pauses)


def _trees(patient: Patient) -> Worktrees:
    return Worktrees(patient.repo, Path(patient.state))


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


CHECK = Check(
    id="worktrees",
    healthy="No checkout is left over.",
    faults=(SPARE, LEFT, KEPT, FOREIGN),
    finds=finds,
    fixes=fixes,
    needs=("git", "database"),
)
