"""Hooks of the repository that do not run: those that judge a commit, and could not."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from walkaway.doctor.check import REPOSITORY, Check, Fault, Finding, Patient, Severity
from walkaway.git.repo import some

BROKEN = Fault(
    code="hook-cannot-run",
    severity=Severity.ERROR,
    means="A hook that judges commits names a program that is not there, so that every commit is refused.",
)
IGNORED = Fault(
    code="hook-not-executable",
    severity=Severity.WARNING,
    means="A hook is there, but git passes over it: it is not executable, or a link that leads nowhere.",
)
ELSEWHERE = Fault(
    code="hooks-path-missing",
    severity=Severity.WARNING,
    means="`core.hooksPath` names a folder that is not there: no hook runs.",
)

JUDGES = ("pre-commit", "prepare-commit-msg", "commit-msg")
"""The hooks that can refuse a commit of ours."""
KNOWN = (*JUDGES, "pre-merge-commit", "post-commit", "post-merge", "post-checkout", "reference-transaction", "pre-push")
_FIRST_LINE_BYTES = 256


def finds(patient: Patient) -> Sequence[Finding]:
    """Return the hooks that are meant to run and do not."""
    named = patient.repo.config.get("core.hookspath", "")
    folder = Path(patient.root) / Path(named).expanduser() if named else patient.repo.common / "hooks"
    if not folder.is_dir():
        if not named:
            return []
        told = f"core.hooksPath is {named}, but {folder} is no folder: no hook runs."
        return [
            ELSEWHERE.found(REPOSITORY, told, "Make it (often: the project's set-up does), or unset core.hooksPath.")
        ]
    found: list[Finding] = []
    present = [folder / name for name in KNOWN if os.path.lexists(folder / name)]
    for hook in present:
        program = _missing_program(hook) if hook.name in JUDGES and os.access(hook, os.X_OK) else ""
        if program:
            told = f"{hook} cannot run: there is no {program}. Every commit would be refused."
            found.append(BROKEN.found(REPOSITORY, told, f"Install {program}, or change the first line of the hook."))
    if passed := [hook for hook in present if not os.access(hook, os.X_OK)]:
        told = f"git passes over {some([str(hook) for hook in passed])}: not executable, or a link that leads nowhere."
        found.append(IGNORED.found(REPOSITORY, told, "Make them executable (chmod +x), or remove them."))
    return found


def _missing_program(hook: Path) -> str:
    """Return the interpreter that a script names and that is not there; "" where it is there, or none is named."""
    with hook.open("rb") as source:
        line = source.readline(_FIRST_LINE_BYTES).decode(errors="replace")
    words = line.removeprefix("#!").split() if line.startswith("#!") else []
    if not words:
        return ""
    program, *rest = words
    if not os.access(program, os.X_OK):
        return program
    wanted = rest[0] if rest and os.path.basename(program) == "env" else ""
    if not wanted or wanted.startswith("-") or "=" in wanted:  # `env -S`, `env A=b`: not for us to take apart
        return ""
    return "" if shutil.which(wanted) else wanted


CHECK = Check(
    id="hooks",
    healthy="Every hook of the repository can run.",
    faults=(BROKEN, IGNORED, ELSEWHERE),
    finds=finds,
    needs=("git",),
    cheap=True,
)
