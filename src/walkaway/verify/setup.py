"""Make a checkout ready to run the project's commands: once, and again when a lock file has changed.

Rule: the note that it was done lies in the checkout's private git directory, where no commit can take it.
"""

import hashlib
import threading
from pathlib import Path

from walkaway.core.errors import CannotRun
from walkaway.core.model import Result
from walkaway.core.verdict import CheckRun
from walkaway.verify.discover import files
from walkaway.verify.run import run

_LOCKS = frozenset(
    {
        "Cargo.lock",
        "Gemfile.lock",
        "Pipfile.lock",
        "bun.lock",
        "bun.lockb",
        "composer.lock",
        "go.sum",
        "npm-shrinkwrap.json",
        "package-lock.json",
        "pdm.lock",
        "pnpm-lock.yaml",
        "poetry.lock",
        "uv.lock",
        "yarn.lock",
    }
)
_STAMP = "walkaway-set-up"
_SHOWN = 4000


def set_up(
    path: Path, commands: tuple[str, ...], timeout_s: float, cancel: threading.Event, *, again: bool = False
) -> tuple[CheckRun, ...]:
    """Run ``commands`` in order, unless they have succeeded here with the lock files as they are; return what ran.

    With ``again`` they run whatever was run before. Raises `CannotRun` with the output at the first that fails, and
    `Cancelled`.
    """
    stamp = _stamp(path)
    done = stamp is not None and stamp.is_file() and stamp.read_text() == _state(path, commands)
    if not commands or (done and not again):
        return ()
    ran = tuple(_must(run(command, path, timeout_s, cancel)) for command in commands)
    if stamp is not None:
        stamp.write_text(_state(path, commands))  # afterwards: a set-up may write the lock file itself
    return ran


def _must(ran: CheckRun) -> CheckRun:
    if ran.result in {Result.PASS, Result.NO_CHECK}:
        return ran
    how = "did not end in time" if ran.exit_code is None else f"failed with exit code {ran.exit_code}"
    message = f"the set-up command '{ran.command}' {how}: correct setup.commands or what it needs.\n{_tail(ran.output)}"
    raise CannotRun(message)


def _tail(output: str) -> str:
    return output.strip() if len(output) <= _SHOWN else f"[...]\n{output[-_SHOWN:].strip()}"


def _state(path: Path, commands: tuple[str, ...]) -> str:
    """Return a digest of all that a set-up depends on."""
    digest = hashlib.sha256(repr(commands).encode())
    for file in files(path):
        if file.name in _LOCKS or (file.name.startswith("requirements") and file.suffix == ".txt"):
            digest.update(repr((str(file.relative_to(path)), file.read_bytes())).encode())
    return digest.hexdigest()


def _stamp(path: Path) -> Path | None:
    """Return where to note it; None where there is no git directory: then it runs each time."""
    dot = path / ".git"
    if dot.is_file():
        dot = path / dot.read_text().strip().removeprefix("gitdir: ")
    return dot / _STAMP if dot.is_dir() else None
