"""A git that is missing or too old, a repository that it cannot use, and commits that nobody would sign."""

import os
from collections.abc import Sequence

from walkaway.core.errors import GitFailed
from walkaway.doctor.check import ENVIRONMENT, REPOSITORY, Check, Fault, Finding, Patient, Severity
from walkaway.git.repo import OLDEST

MISSING = Fault(code="git-missing", severity=Severity.ERROR, means="There is no git, or it does not start.")
OLD = Fault(code="git-too-old", severity=Severity.ERROR, means="git is older than walkaway needs.")
UNUSABLE = Fault(
    code="repository-unusable",
    severity=Severity.ERROR,
    means="The repository is gone, or git may not or cannot read it or write to it.",
)
ANONYMOUS = Fault(
    code="committer-unset", severity=Severity.NOTE, means="git does not know who commits; 'walkaway' is entered."
)


def finds(patient: Patient) -> Sequence[Finding]:
    """Return what is wrong with git, here."""
    oldest = ".".join(str(part) for part in OLDEST)
    try:
        version = patient.git_version
    except GitFailed as failed:
        return [MISSING.found(ENVIRONMENT, f"{failed}.", f"Install git {oldest} or newer.")]
    if version < OLDEST:
        told = f"git is {'.'.join(str(part) for part in version)}, which is too old."
        return [OLD.found(ENVIRONMENT, told, f"Install git {oldest} or newer.")]
    try:
        _ = patient.head  # git starts, may read this repository, and finds its commits
        closed = [
            path for path in (patient.repo.common, patient.repo.common / "objects") if not os.access(path, os.W_OK)
        ]
    except GitFailed as failed:
        return [UNUSABLE.found(REPOSITORY, str(failed), "Mend what git names; walkaway init makes what is missing.")]
    if closed:
        told = f"{closed[0]} cannot be written to."
        return [UNUSABLE.found(REPOSITORY, told, "Let this user write there; each run commits its work.")]
    return _anonymous(patient)


def _anonymous(patient: Patient) -> Sequence[Finding]:
    missing = [name for name in ("user.name", "user.email") if not patient.repo.config.get(name)]
    if not missing:
        return []
    told = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set; commits are signed 'walkaway'."
    fix = "To sign them yourself: git config user.name NAME; git config user.email ADDRESS"
    return [ANONYMOUS.found(REPOSITORY, told, fix)]


CHECK = Check(
    id="git",
    healthy="git is new enough, can use the repository and knows who commits.",
    faults=(MISSING, OLD, UNUSABLE, ANONYMOUS),
    finds=finds,
    cheap=True,
)
