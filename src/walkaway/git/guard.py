"""See whether a command of the agent touched what is not its own: there is no sandbox yet, so it is looked at.

What is the agent's: its checkout and the branch of its fence. What is compared, before and after each command: every
other ref (stash included), the user's HEAD, index, configuration and hooks, and the files in the user's checkout.
walkaway's own refs of other fences move while others work and are left out.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from walkaway.core.errors import OutsideChanged
from walkaway.git import index
from walkaway.git.repo import Repo, private_dir, some

OURS = ("refs/heads/wip/", "refs/walkaway/", "refs/walkaway-rescue/")
STATE = ".walkaway/"

Seen = Mapping[str, object]


class Guard:
    """What lies outside the fences of one repository."""

    def __init__(self, root: Path) -> None:
        """Look at the repository whose user's checkout is ``root``."""
        self._repo = Repo(root)

    @contextmanager
    def __call__(self, _cwd: str) -> Iterator[None]:
        """Compare around a command; raise `OutsideChanged`, naming what changed, after it."""
        before = self._look()
        yield
        after = self._look()
        changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        if changed:
            raise OutsideChanged(
                f"a command of the agent changed what is not its own: {some(changed)}. Look at it, put it back, and "
                "run walkaway auto again; nothing of this run was taken."
            )

    def _look(self) -> Seen:
        common = self._repo.common
        private = private_dir(self._repo.path) or common
        seen: dict[str, object] = {f"the ref {name}": sha for name, sha in _refs(common) if not name.startswith(OURS)}
        seen["the checked-out branch (HEAD)"] = _bytes(private / "HEAD")
        seen["git's configuration"] = _bytes(common / "config"), _bytes(private / "config.worktree")
        seen["the index"] = index.contents(private / "index")
        seen.update({f"the hook {path.name}": _bytes(path) for path in _files(common / "hooks")})
        seen.update(self._tree())
        return seen

    def _tree(self) -> Iterator[tuple[str, object]]:
        """Return what in the user's checkout is not as committed, and how it is; of what git ignores only its being."""
        for entry in self._repo.status(self._repo.path, ignored=True).entries:
            if not entry.path.startswith(STATE):
                how = None if entry.kind == "!" else _stamp(self._repo.path / entry.path)
                yield f"the file {entry.path}", (entry.kind, entry.xy, how)


def _refs(common: Path) -> Iterator[tuple[str, str]]:
    """Return every ref: packed ones first, loose ones win."""
    found: dict[str, str] = {}
    packed = common / "packed-refs"
    for line in packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else ():
        if line[:1] not in {"#", "^"}:
            sha, _, name = line.partition(" ")
            found[name] = sha
    top = common / "refs"
    for path in sorted(top.rglob("*")):
        if not path.name.endswith(".lock") and path.is_file():
            found[path.relative_to(common).as_posix()] = path.read_text(encoding="utf-8").strip()
    return iter(found.items())


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def _bytes(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return size and time of last change; None where nothing is."""
    if not path.is_symlink() and not path.exists():
        return None
    found = path.lstat()
    return found.st_size, found.st_mtime_ns
