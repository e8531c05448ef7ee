"""Our own folder, seen by git: it would be offered to the user to commit, and be in the way of every clean checkout."""

import os
from collections.abc import Sequence
from pathlib import Path

from walkaway.core.errors import GitFailed
from walkaway.doctor.check import REPOSITORY, Check, Fault, Finding, Patient, Severity
from walkaway.git.repo import some
from walkaway.git.start import OURS, exclude

SEEN = Fault(
    code="state-not-ignored",
    severity=Severity.WARNING,
    means="git does not ignore `.walkaway`.",
    mends="adds `/.walkaway` to git's own exclude file of this repository",
)
TRACKED = Fault(code="state-tracked", severity=Severity.WARNING, means="Files of `.walkaway` were committed or staged.")


def finds(patient: Patient) -> Sequence[Finding]:
    """Return whether git sees our folder."""
    found: list[Finding] = []
    if not _ignored(patient):
        told = f"git does not ignore {OURS}: what lies there would be offered for a commit."
        found.append(SEEN.found(REPOSITORY, told, f"Add /{OURS} to {patient.repo.common / 'info/exclude'}."))
    listed = patient.repo.git("ls-files", "-z", "--", OURS, cwd=Path(patient.root)).split("\0")
    if tracked := [path for path in listed if path]:
        told = f"git tracks {some(tracked)}, which walkaway changes as it runs."
        found.append(TRACKED.found(REPOSITORY, told, f"git rm -r --cached {OURS}, then commit that."))
    return found


def fixes(patient: Patient, finding: Finding) -> str:
    """Have git ignore our folder; raise `GitFailed` where another file of the user's says otherwise."""
    del finding
    exclude(patient.repo)
    if not _ignored(patient):
        raise GitFailed(f"a .gitignore says that {OURS} is not to be ignored: take that line out")
    return f"git ignores {OURS} now."


def _ignored(patient: Patient) -> bool:
    probe = OURS if os.path.islink(patient.state) else f"{OURS}/worktrees"  # git looks at nothing behind a link
    return probe in patient.repo.ignored([probe])


CHECK = Check(
    id="exclusion",
    healthy=f"git ignores {OURS}.",
    faults=(SEEN, TRACKED),
    finds=finds,
    fixes=fixes,
    needs=("git",),
)
