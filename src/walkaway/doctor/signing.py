"""Commits that are to be signed and cannot be: the integration commit is signed where the user's own commits are."""

import os
import shutil
from collections.abc import Mapping, Sequence

from walkaway import proc
from walkaway.doctor.check import REPOSITORY, Check, Fault, Finding, Patient, Severity

BROKEN = Fault(
    code="signing-broken",
    severity=Severity.ERROR,
    means="`commit.gpgsign` is set, but the program or the key that signs is missing: no milestone can be integrated.",
)
KEYLESS = Fault(
    code="signing-key-unseen",
    severity=Severity.WARNING,
    means="`commit.gpgsign` is set, and no secret key lies where GnuPG keeps them.",
)

PROGRAMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "openpgp": ("gpg", ("gpg.openpgp.program", "gpg.program")),
    "x509": ("gpgsm", ("gpg.x509.program",)),
    "ssh": ("ssh-keygen", ("gpg.ssh.program",)),
}
"""Format -> the program that signs unless one of these settings names another."""

OTHERWISE = "Or do without: git config commit.gpgsign false"


def finds(patient: Patient) -> Sequence[Finding]:
    """Return why a commit cannot be signed. Nothing is signed to find out: that would leave traces."""
    if not patient.repo.flag("commit.gpgsign"):
        return []
    settings = patient.repo.config
    kind = settings.get("gpg.format", "openpgp")
    if kind not in PROGRAMS:
        told = f"gpg.format is '{kind}', which git does not know."
        return [BROKEN.found(REPOSITORY, told, f"Set it to one of {', '.join(PROGRAMS)}. {OTHERWISE}")]
    usual, names = PROGRAMS[kind]
    program = next((settings[name] for name in names if settings.get(name)), usual)
    if shutil.which(os.path.expanduser(program)) is None:
        told = f"Commits are to be signed by {program}, which is not there."
        return [BROKEN.found(REPOSITORY, told, f"Install it, or set {names[-1]}. {OTHERWISE}")]
    if kind == "ssh":
        return _ssh(patient, settings)
    return _gnupg() if program == usual else []


def _ssh(patient: Patient, settings: Mapping[str, str]) -> Sequence[Finding]:
    key = settings.get("user.signingkey", "")
    if not key and not settings.get("gpg.ssh.defaultkeycommand"):
        told = "Commits are to be signed with an SSH key, and user.signingkey names none."
        return [BROKEN.found(REPOSITORY, told, f"Set it to the path of the key. {OTHERWISE}")]
    path = os.path.join(patient.root, os.path.expanduser(key))
    if not key or key.startswith(("key::", "ssh-")) or os.path.isfile(path):
        return []
    told = f"Commits are to be signed with the SSH key {key}, which is not there."
    return [BROKEN.found(REPOSITORY, told, f"Set user.signingkey to the path of a key. {OTHERWISE}")]


def _gnupg() -> Sequence[Finding]:
    home = proc.environment().get("GNUPGHOME", "") or os.path.expanduser("~/.gnupg")
    keys = os.path.join(home, "private-keys-v1.d")
    if os.path.isfile(os.path.join(home, "secring.gpg")) or (os.path.isdir(keys) and os.listdir(keys)):
        return []
    told = (
        f"Commits are to be signed, and there is no secret key in {home}; unless an agent elsewhere has it, they fail."
    )
    return [KEYLESS.found(REPOSITORY, told, f"Import the key there. {OTHERWISE}")]


CHECK = Check(
    id="signing",
    healthy="Commits can be signed, or need not be.",
    faults=(BROKEN, KEYLESS),
    finds=finds,
    needs=("git",),
)
