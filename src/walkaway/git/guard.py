"""See whether a command of the agent touched what is not its own: there is no sandbox yet, so it is looked at.

What is the agent's: its checkout and the branch of its fence. What is compared, before and after each command: every
other ref (stash included), the user's HEAD, index, configuration and hooks, and the files in the user's checkout.
walkaway's own refs of other fences move while others work and are left out, and so is a branch that another worker
moved to a commit that the database has recorded as an integration, with the files that it brought into the user's
checkout.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from walkaway.core.errors import OutsideChanged
from walkaway.git import index
from walkaway.git.repo import Repo, private_dir, some

OURS = ("refs/heads/wip/", "refs/walkaway/", "refs/walkaway-rescue/")
SKIPPED = frozenset({".git", ".walkaway"})
BRANCH = "the ref refs/heads/"
INDEX = "the index"
PUBLISHING_S = 1.0
"""How long another worker may take between the user's files and the branch when it publishes."""

Seen = Mapping[str, object]


class Guard:
    """What lies outside the fences of one repository."""

    def __init__(self, root: Path, recorded: Callable[[str], bool] = lambda _sha: False) -> None:
        """Look at the repository whose user's checkout is ``root``.

        ``recorded`` says whether a commit is an integration that the database knows of.
        """
        self._repo = Repo(root)
        self._recorded = recorded
        self._ignored: frozenset[str] | None = None

    @contextmanager
    def __call__(self, _cwd: str) -> Iterator[None]:
        """Compare around a command; raise `OutsideChanged`, naming what changed, after it."""
        before, files = self._look(), self._files()
        yield
        until = time.monotonic() + PUBLISHING_S
        while changed := self._changed(before, files):
            if time.monotonic() > until:
                raise OutsideChanged(
                    f"a command of the agent changed what is not its own: {some(changed)}. Look at it, put it back, "
                    "and run walkaway auto again; nothing of this run was taken."
                )
            time.sleep(PUBLISHING_S / 20)

    def _changed(self, before: Seen, files: Seen) -> list[str]:
        """Return what differs from ``before`` and was not brought by another worker's publication."""
        now = self._look()
        published = {
            name: (str(old), str(now[name]))
            for name, old in before.items()
            if name.startswith(BRANCH) and name in now and now[name] != old and self._recorded(str(now[name]))
        }
        ours = set(published)
        brought: frozenset[str] = frozenset()
        if (moved := published.get(f"{BRANCH}{self._checked_out()}")) is not None:
            ours.add(INDEX)
            brought = frozenset(self._repo.git("diff", "--name-only", "-z", *moved).split("\0"))
        touched = self._touched(files, self._files())
        return [
            *(name for name in _differing(before, now) if name not in ours),
            *(f"the file {path}" for path in touched if path not in brought),
        ]

    def _checked_out(self) -> str:
        head = (private_dir(self._repo.path) or self._repo.common) / "HEAD"
        return head.read_text(encoding="utf-8").strip().removeprefix("ref: refs/heads/") if head.is_file() else ""

    def _look(self) -> Seen:
        common = self._repo.common
        private = private_dir(self._repo.path) or common
        seen: dict[str, object] = {f"the ref {name}": sha for name, sha in _refs(common) if not name.startswith(OURS)}
        seen["the checked-out branch (HEAD)"] = _bytes(private / "HEAD")
        seen["git's configuration"] = _bytes(common / "config"), _bytes(private / "config.worktree")
        seen[INDEX] = index.contents(private / "index")
        seen.update({f"the hook {path.name}": _bytes(path) for path in _files(common / "hooks")})
        return seen

    def _files(self) -> Seen:
        """Return size and time of last change of every file in the user's checkout, but for folders git ignores."""
        if self._ignored is None:
            ignored = self._repo.status(self._repo.path, ignored=True).ignored
            self._ignored = frozenset(path.rstrip("/") for path in ignored if path.endswith("/"))
        return dict(_walk(str(self._repo.path), "", self._ignored | SKIPPED))

    def _touched(self, before: Seen, after: Seen) -> list[str]:
        """Return the files that changed; one that git ignores counts only when it is gone: servers write logs."""
        changed = _differing(before, after)
        ignored = self._repo.ignored(changed) if changed else frozenset()
        return [path for path in changed if path not in ignored or path not in after]


def _differing(before: Seen, after: Seen) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _walk(top: str, folder: str, skipped: frozenset[str]) -> Iterator[tuple[str, object]]:
    with os.scandir(os.path.join(top, folder)) as entries:
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if path in skipped:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(top, path, skipped)
            else:
                found = entry.stat(follow_symlinks=False)
                yield path, (found.st_size, found.st_mtime_ns)


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
