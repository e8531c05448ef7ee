"""Where checkouts and branches are: one directory and one branch per fence, named by it.

Rule: only directories under our own root are ever removed, and none before its commits are proven reachable; whatever
else lies in one is put under a rescue ref, or kept and named. A superseded worker has another directory and another
branch, so it can do no harm.
"""

import os
import re
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from walkaway.core.errors import GitFailed, Usage
from walkaway.core.ids import NO_SHA, MilestoneId, Sha, is_target
from walkaway.core.model import Checkout, Lease
from walkaway.git.repo import (
    Repo,
    common_dir,
    delete,
    operation,
    path_private,
    points_to,
    private_dir,
    update,
)
from walkaway.git.status import Status

_NAME = re.compile(r"(?P<milestone>.+?)\.f(?:(?P<epoch>\d+)-)?(?P<token>\d+)(?:\.(?P<scratch>.+))?")
_SCRATCH = re.compile(r"[a-z0-9][a-z0-9_-]*")
_LEFT = "What a run left behind in {name}\n"


@dataclass(frozen=True, slots=True)
class Place:
    """The directory and the branch of one fence; with ``scratch``, a second directory beside it, on no branch."""

    milestone: MilestoneId
    epoch: int
    token: int
    scratch: str = ""

    @classmethod
    def of(cls, lease: Lease) -> "Place":
        """Return the place of a lease on a milestone."""
        return cls(known(MilestoneId(lease.scope)), lease.epoch, lease.fencing_token)

    @property
    def fence(self) -> str:
        """The fence as in names: the epoch only where there has been more than one."""
        return f"f{self.token}" if self.epoch <= 1 else f"f{self.epoch}-{self.token}"

    @property
    def name(self) -> str:
        """The directory's name."""
        return ".".join(filter(None, (self.milestone, self.fence, self.scratch)))

    @property
    def branch(self) -> str:
        """The branch that is checked out there."""
        return f"wip/{self.milestone}/{self.fence}"

    @property
    def order(self) -> tuple[int, int]:
        """Fences in the order in which they were given out."""
        return self.epoch, self.token


def known(milestone: MilestoneId) -> MilestoneId:
    """Return ``milestone`` if it can be part of a path and of a ref; `Usage` where it is none."""
    if not is_target(milestone) or "/" in milestone:
        message = f"'{milestone}' is no milestone: there is no directory for it"
        raise Usage(message)
    return milestone


def place_named(name: str) -> Place | None:
    """Read the name of a directory; None where it is not one of ours."""
    found = _NAME.fullmatch(name)
    if not found or not is_target(found["milestone"]):
        return None
    milestone = MilestoneId(found["milestone"])
    return Place(milestone, int(found["epoch"] or 1), int(found["token"]), found["scratch"] or "")


def rescue_ref(milestone: MilestoneId, name: str) -> str:
    """Return the ref under which something of a milestone is kept that no line reaches."""
    return f"refs/walkaway-rescue/{known(milestone)}/{re.sub(r'[^A-Za-z0-9_-]+', '-', name)}"


def line_ref(milestone: MilestoneId) -> str:
    """Return the ref that keeps a milestone's own line, one commit per unit."""
    return f"refs/walkaway/{known(milestone)}"


class Worktrees:
    """All directories of one repository that belong to fences."""

    def __init__(self, repo: Repo, state: Path) -> None:
        """Keep them under ``state``; nothing is made before it is needed."""
        self.repo = repo
        self.root = state.resolve() / "worktrees"
        self.aside = state.resolve() / "rescued"
        self._handed: dict[Path, Sha] = {}
        self._untouched: dict[Path, Sha] = {}
        """Only to save looking: directories sealed as they were handed out, clean, by a unit that may not write."""

    # ---- handing out ---------------------------------------------------------------------------------------------

    def prepare(self, lease: Lease, base: Sha, carry: Sha) -> Checkout:
        """Return this fence's directory with the files of ``base``, or of ``carry`` as changes on ``base``."""
        place = Place.of(lease)
        path = self.root / place.name
        private = self.private(path)
        untouched = self._untouched.pop(path, NO_SHA)
        lies = NO_SHA
        if private is None or _half_made(private):
            self._make(place, base)
        elif untouched != base or not points_to(private, place.branch, base):
            self._unlock(private, place.branch)
            lies = self._clear(place, base, carry)
        if carry and lies != carry:
            self.repo.git("read-tree", "-m", "-u", "HEAD", carry, cwd=path)
        self._handed[path] = NO_SHA if carry else base
        return Checkout(path=str(path), branch=place.branch, base=base)

    def sealed(self, checkout: Checkout, sha: Sha, *, work: bool) -> None:
        """Note that a directory was sealed, and if nobody may have written in it, that it is as it was handed out."""
        path = Path(checkout.path)
        if self._handed.pop(path, NO_SHA) == checkout.base and not work:
            self._untouched[path] = sha

    def private(self, path: Path) -> Path | None:
        """Return the private git directory of one of our checkouts; None where there is no checkout of ours."""
        private = private_dir(path)
        if private is None or private == self.repo.common or not private.is_dir():
            return None
        return private if common_dir(private) == self.repo.common else None

    def _make(self, place: Place, base: Sha) -> None:
        """Check ``base`` out in a new directory on this fence's branch, whatever is in the way of that."""
        path = self.root / place.name
        add = ("worktree", "add", "--quiet")
        if not path.exists() and self.repo.run(*add, "-b", place.branch, str(path), base).exit_code == 0:
            return
        if self.private(path) is None and path.exists():
            self._set_aside(place, [path])
        self.discard(path)
        tip = self.repo.tip(f"refs/heads/{place.branch}")
        if tip and not self.repo.contains(base, tip):
            self.repo.update_refs([_rescued(place, tip)])
        self.repo.git(*add, "-B", place.branch, str(path), base)

    def _clear(self, place: Place, base: Sha, carry: Sha) -> Sha:
        """Bring the directory to ``base`` on its branch and return whose files lie there: base's, or carry's.

        What a run left there is rescued first.
        """
        path = self.root / place.name
        state = self.repo.status(path)
        at_rest = not state.entries and not operation(path_private(path)) and state.branch == place.branch
        if at_rest and state.head == base:
            return base
        if at_rest and carry and state.head == carry:
            self.repo.update_refs([update("HEAD", base, carry)], cwd=path)  # under a rescue ref of its own
            return carry
        self._rescue(place, path, state, base)
        self.back_to_branch(path, place.branch, state)
        self.repo.git("reset", "--quiet", "--hard", base, cwd=path)
        return base

    def back_to_branch(self, path: Path, branch: str, state: Status) -> None:
        """Forget a merge or rebase that was begun there and put HEAD on its branch; files and index stay."""
        private, quitted = path_private(path), set[str]()
        while (begun := operation(private)) and begun not in quitted:
            self.repo.git(begun, "--quit", cwd=path)
            quitted.add(begun)
        if state.branch != branch:
            self.repo.git("symbolic-ref", "HEAD", f"refs/heads/{branch}", cwd=path)

    # ---- rescuing ------------------------------------------------------------------------------------------------

    def salvage(self, lease: Lease, base: Sha) -> Sha:
        """Commit what a run left in this fence's directory and leave it there as if it had been sealed."""
        place = Place.of(lease)
        path = self.root / place.name
        private = self.private(path)
        if private is None:
            return NO_SHA
        self._unlock(private, place.branch)
        state = self.repo.status(path)
        tip = self._left(place, path, state, base)
        if tip:
            self.back_to_branch(path, place.branch, state)
            self.repo.update_refs([update("HEAD", tip)], cwd=path)
        return tip

    def _rescue(self, place: Place, path: Path, state: Status, base: Sha) -> None:
        """Put commits that ``base`` does not reach, and files that no commit holds, under a rescue ref."""
        if tip := self._left(place, path, state, base):
            self.repo.update_refs([_rescued(place, tip)])

    def _left(self, place: Place, path: Path, state: Status, base: Sha) -> Sha:
        """Return HEAD, with files that no commit holds in a commit on top of it; NO_SHA where ``base`` reaches that."""
        tip = state.head
        if state.entries:
            self._set_aside(place, [path / folder for folder in state.repositories])
            self.repo.git("add", "--all", cwd=path)
            tree = self.repo.git("write-tree", cwd=path).strip()
            parent = ("-p", state.head) if state.head else ()
            words = _LEFT.format(name=place.name)
            tip = Sha(self.repo.git("commit-tree", tree, *parent, "-F", "-", given=words).strip())
        return NO_SHA if tip and base and self.repo.contains(base, tip) else tip

    def _set_aside(self, place: Place, folders: Sequence[Path]) -> None:
        """Move what git cannot hold, whole, to where nothing is ever removed."""
        for folder in folders:
            room = next(room for n in range(1, 1 << 20) if not (room := self.aside / f"{place.name}.{n}").exists())
            room.mkdir(parents=True)
            folder.rename(room / folder.name)

    # ---- scratch -------------------------------------------------------------------------------------------------

    @contextmanager
    def clean_checkout(
        self, lease: Lease, sha: Sha, name: str, back: tuple[str, ...] = (), base: Sha = NO_SHA
    ) -> Generator[str]:
        """Check ``sha`` out beside this fence's directory, on no branch, the files ``back`` as they are in ``base``.

        Gone at the end, or when next asked for.
        """
        if not _SCRATCH.fullmatch(name):
            message = f"'{name}' cannot name a directory: use lower-case letters, digits and hyphens"
            raise Usage(message)
        path = self.root / f"{Place.of(lease).name}.{name}"
        self.discard(path)
        self.repo.git("worktree", "add", "--quiet", "--detach", str(path), sha)
        try:
            if back:
                given = "\0".join(back)
                restore = ("--literal-pathspecs", "restore", "--staged", "--worktree", f"--source={base}")
                self.repo.git(*restore, "--pathspec-from-file=-", "--pathspec-file-nul", cwd=path, given=given)
            yield str(path)
        finally:
            self.discard(path)

    def discard(self, path: Path) -> None:
        """Remove a directory of ours that holds nobody's work, and git's note of it; harmless twice."""
        if path.parent != self.root or place_named(path.name) is None:
            message = f"{path} is not ours to remove"
            raise GitFailed(message)
        noted = self._noted(path)
        if path.exists():
            _remove_tree(path)
        if noted is not None:
            if _half_made(noted):
                self.repo.git("worktree", "unlock", str(path))
            self.repo.git("worktree", "remove", str(path))

    def _noted(self, path: Path) -> Path | None:
        """Return git's note of a checkout at ``path``, whether or not the directory is still there."""
        for pointer in (self.repo.common / "worktrees").glob("*/gitdir"):
            if (pointer.parent / pointer.read_text().strip()).resolve() == path / ".git":
                return pointer.parent
        return None

    def _unlock(self, private: Path, branch: str) -> None:
        """Take away the locks that a killed git left: nobody else works in this fence's directory."""
        for lock in (private / "index.lock", private / "HEAD.lock", self.repo.common / f"refs/heads/{branch}.lock"):
            lock.unlink(missing_ok=True)

    # ---- giving back ---------------------------------------------------------------------------------------------

    def release(self, lease: Lease, reached: Sha) -> tuple[str, ...]:
        """Remove the directories and branches of this milestone up to this fence; return those kept."""
        ours = Place.of(lease)
        kept: list[str] = []
        leaving: dict[Path, Sha] = {}
        for place in self.places(ours):
            path = self.root / place.name
            if place.scratch:
                self.discard(path)
                continue
            head = self._emptied(place, path)
            if head is None:
                kept.append(str(path))
            else:
                leaving[path] = head
        branches = self._prove(ours, reached, leaving)
        kept += [str(path) for path in leaving if self.repo.run("worktree", "remove", str(path)).exit_code != 0]
        for _, _, at in branches:
            if at and not Path(at).exists() and Path(at).parent == self.root and Path(at) not in leaving:
                self.discard(Path(at))
        self.repo.update_refs([delete(ref, tip) for ref, tip, at in branches if not at or not Path(at).exists()])
        return tuple(kept)

    def places(self, ours: Place) -> list[Place]:
        """Return the directories of a milestone whose fence is not newer than ours, oldest first."""
        names = (entry.name for entry in self.root.iterdir()) if self.root.is_dir() else ()
        found = (place for name in names if (place := place_named(name)) is not None)
        return sorted(
            (place for place in found if place.milestone == ours.milestone and place.order <= ours.order),
            key=lambda place: (place.order, place.scratch),
        )

    def _emptied(self, place: Place, path: Path) -> Sha | None:
        """Put what no commit holds under a rescue ref and return HEAD; None where something must stay as it is."""
        private = self.private(path)
        if private is None or operation(private):
            return None
        state = self.repo.status(path, ignored=True)
        if state.ignored or state.repositories:
            return None
        if state.own:
            self._rescue(place, path, state, NO_SHA)
            self.repo.git("reset", "--quiet", "--hard", cwd=path)
        return state.head

    def _prove(self, ours: Place, reached: Sha, leaving: dict[Path, Sha]) -> list[tuple[str, Sha, str]]:
        """Return the branches that may go, as (ref, tip, where it is checked out); what nothing reaches is rescued."""
        wip, line = f"refs/heads/wip/{ours.milestone}/", line_ref(ours.milestone)
        rescues = rescue_ref(ours.milestone, "")
        shown = "%(refname)%00%(objectname)%00%(worktreepath)%00"
        listed = self.repo.git("for-each-ref", f"--format={shown}", wip, line, rescues).split("\0")
        refs = [(ref.lstrip("\n"), Sha(tip), at) for ref, tip, at in zip(*[iter(listed)] * 3, strict=False)]
        old = [each for each in refs if each[0].startswith(wip) and _not_newer(each[0], ours)]
        safe = {tip for ref, tip, _ in refs if not ref.startswith(wip)} | {reached} - {NO_SHA}
        tips = {*leaving.values(), *(tip for _, tip, _ in old)} - safe - {NO_SHA}
        if tips:
            question = "\n".join((*tips, *(f"^{sha}" for sha in safe)))
            lost = set(self.repo.git("rev-list", "--stdin", given=question + "\n").split())
            self.repo.update_refs([_rescued(ours, Sha(tip)) for tip in sorted(tips & lost)])
        return old


def _rescued(place: Place, tip: Sha) -> str:
    """Order that ``tip`` stay reachable; the name follows from what it is, so that twice is once."""
    return update(rescue_ref(place.milestone, f"{place.fence}-{tip[:12]}"), tip)


def _not_newer(ref: str, ours: Place) -> bool:
    place = place_named(f"{ours.milestone}.{ref.rpartition('/')[2]}")
    return place is not None and place.order <= ours.order


def _half_made(private: Path) -> bool:
    """Whether git was killed while it made this checkout: nobody has worked in it."""
    lock = private / "locked"
    return lock.is_file() and lock.read_text().strip() == "initializing"


def _remove_tree(path: Path) -> None:
    """Remove a directory of ours, folders without write permission included; `GitFailed` where that cannot be."""
    try:
        try:
            shutil.rmtree(path)
        except PermissionError:
            _permit(path)
            shutil.rmtree(path)
    except OSError as error:
        message = f"{path} cannot be removed ({error.strerror}): remove it by hand and run again"
        raise GitFailed(message) from error


def _permit(path: Path) -> None:
    """Let ourselves into every folder below, as some package caches do not; links are not followed."""
    path.chmod(0o700)
    for here, folders, _ in os.walk(path):  # a folder is listed after its turn here
        for folder in folders:
            if not (Path(here) / folder).is_symlink():
                (Path(here) / folder).chmod(0o700)
