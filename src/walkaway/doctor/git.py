"""A git that is missing or too old, and commits that nobody would sign."""

from collections.abc import Sequence
from pathlib import Path

from walkaway.core.errors import GitFailed
from walkaway.doctor.check import Check, Finding, Patient, error, note
from walkaway.git import repo

ID = "git"


def finds(patient: Patient) -> Sequence[Finding]:
    """Return what is wrong with git, here."""
    oldest = ".".join(str(part) for part in repo.OLDEST)
    try:
        if not repo.version_ok():
            found = ".".join(str(part) for part in repo.version())
            return [error(ID, f"git is {found}, which is too old.", f"Install git {oldest} or newer.")]
        settings = repo.Repo(Path(patient.root)).config
    except GitFailed as failed:
        return [error(ID, str(failed), f"Install git {oldest} or newer, or run walkaway init here.")]
    missing = [name for name in ("user.name", "user.email") if not settings.get(name)]
    if missing:
        told = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set; commits are signed 'walkaway'."
        return [note(ID, told, "To sign them yourself: git config user.name NAME; git config user.email ADDRESS")]
    return []


CHECK = Check(id=ID, healthy="git is new enough and knows who commits.", finds=finds)
