"""Make the integration commit in private, and move the target to it by compare-and-swap.

Rule: the user's checkout is touched in one case only, and then by git's own fast-forward: the target is checked out
there, and no changed, untracked or ignored file is in the way. Otherwise nothing moves, and the files are named.
"""

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from walkaway.core.errors import Conflict, GitFailed, NotPublishable, StaleSnapshot
from walkaway.core.ids import NO_SHA, Sha
from walkaway.git.repo import (
    SLOW_S,
    UNSAID,
    Repo,
    branch_of,
    failed,
    operation,
    path_private,
    points_to,
    private_dir,
    readable,
    said,
    some,
    update,
)

ALONE_S = 5.0
TICK_S = 0.02


@dataclass(frozen=True, slots=True)
class _Checkout:
    """One line of `git worktree list`."""

    path: Path
    head: Sha
    branch: str
    locked: bool


def integrate(repo: Repo, onto: Sha, head: Sha, message: str) -> Sha:
    """Return the squash commit of ``head`` on ``onto``, signed where the user's commits are; no ref, no checkout moves.

    Raises `Conflict` with the names of the files that both sides changed.
    """
    done = repo.run("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", onto, head)
    tree, *files = done.output.split("\0")
    if done.exit_code == 1:
        names = tuple(sorted(filter(None, files)))
        text = f"the work and its target changed the same lines of {some(names)}"
        raise Conflict(text, files=tuple(readable(name) for name in names))
    if done.exit_code != 0:
        raise failed(("merge-tree",), done)
    sign = ("-S",) if repo.flag("commit.gpgsign") else ()
    return Sha(repo.git("commit-tree", *sign, "-p", onto, "-F", "-", tree, given=message).strip())


def publish(repo: Repo, branch: str, base: Sha, sha: Sha) -> None:
    """Move ``branch`` from ``base`` to ``sha``; nothing if it contains ``sha`` already."""
    with _alone(repo):
        _publish(repo, branch, base, sha)


@contextmanager
def _alone(repo: Repo) -> Iterator[None]:
    """Let no other worker of this clone publish meanwhile: half of its fast-forward would look like a user's changes.

    The kernel gives up the turn of one that dies. One that is stopped in its turn holds nobody up for longer than
    `ALONE_S`: what may move is decided by compare-and-swap, not here.
    """
    file = os.open(repo.common / "walkaway-publish.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        end = time.monotonic() + ALONE_S
        while not _locked(file) and time.monotonic() < end:
            time.sleep(TICK_S)
        yield
    finally:
        os.close(file)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _publish(repo: Repo, branch: str, base: Sha, sha: Sha) -> None:
    ref = f"refs/heads/{branch}"
    checkouts = _checkouts(repo)
    holders = [each for each in checkouts if each.branch == ref]
    tip = holders[0].head if holders else repo.tip(ref)
    if tip != base and not (tip and repo.contains(tip, sha)):
        raise _moved(branch, base, tip)
    if tip != base or sha == base:
        return
    _unclaimed(checkouts, branch, sha)
    present = [each for each in holders if each.path.is_dir()]
    if present:
        _fast_forward(repo, present[0], branch, base, sha)
    else:
        _swap(repo, ref, base, sha)


def _unclaimed(checkouts: Iterable[_Checkout], branch: str, sha: Sha) -> None:
    """Refuse where moving the branch would pull it away under somebody."""
    ref = f"refs/heads/{branch}"
    holders = [each for each in checkouts if each.branch == ref and (each.path.is_dir() or each.locked)]
    if len(holders) > 1 or any(not each.path.is_dir() for each in holders):
        places = some([str(each.path) for each in holders])
        raise _blocked(sha, f"{branch} is checked out in {places}", "leave it checked out in one place, or in none")
    for each in checkouts:
        private = private_dir(each.path)
        begun = "" if private is None else operation(private)
        if begun and (each.branch == ref or _names(private, ref)):
            raise _blocked(sha, f"a {begun} of {branch} is under way in {each.path}", "finish or abort it")


def _names(private: Path | None, ref: str) -> bool:
    """Whether a rebase that was begun in a checkout will move ``ref`` at its end."""
    names = ("rebase-merge/head-name", "rebase-apply/head-name")
    files = [private / name for name in names] if private else []
    return any(file.is_file() and file.read_text().strip() == ref for file in files)


def _fast_forward(repo: Repo, at: _Checkout, branch: str, base: Sha, sha: Sha) -> None:
    """Move the branch where it is checked out, files and all."""
    files = _in_the_way(repo, at.path, base, sha)
    if files:
        why = f"{at.path} has changed, untracked or ignored files that the work changes too: {some(files)}"
        raise _blocked(sha, why, "commit, move or remove them", files)
    private = path_private(at.path)
    if branch_of(private) not in {branch, *UNSAID}:
        raise _blocked(sha, f"{at.path} was switched to another branch just now", "leave it for a moment")
    quiet = ("--quiet", "--ff-only", "--no-autostash", "--no-squash", "--commit")
    done = repo.run("merge", *quiet, sha, cwd=at.path, hooks=None, timeout_s=SLOW_S)
    if points_to(private, branch, sha):
        return
    tip = repo.tip(f"refs/heads/{branch}")
    if tip == base:
        raise _blocked(sha, f"git would not move {branch} in {at.path}: {said(done)}", "mend that")
    if not (tip and repo.contains(tip, sha)):
        raise _moved(branch, base, tip)


def _swap(repo: Repo, ref: str, base: Sha, sha: Sha) -> None:
    """Move a branch that nobody has checked out."""
    try:
        repo.update_refs([update(ref, sha, base)])
    except GitFailed:
        tip = repo.tip(ref)
        if tip == base:
            raise
        if not (tip and repo.contains(tip, sha)):
            raise _moved(ref.removeprefix("refs/heads/"), base, tip) from None


# ---- what is in the way ------------------------------------------------------------------------------------------


def _in_the_way(repo: Repo, top: Path, base: Sha, sha: Sha) -> tuple[str, ...]:
    """Return the user's files that the fast-forward would touch: git itself would overwrite the ignored ones."""
    listed = repo.git("diff-tree", "-r", "-z", "--no-renames", "--name-status", base, sha).split("\0")
    changes = dict(zip(listed[1::2], listed[0::2], strict=False))
    gone = {path for path, what in changes.items() if what == "D"}
    folders = {str(folder) for path in changes for folder in PurePosixPath(path).parents}
    state = repo.status(top, tracked_only=True)
    found = {
        entry.path
        for entry in state.entries
        if entry.path in changes or entry.path in folders or not changes.keys().isdisjoint(_above(entry.path))
    }
    for path, what in changes.items():
        if what == "A":
            found.update(_untracked_at(top, path, gone))
    return tuple(readable(path) for path in sorted(found))


def _untracked_at(top: Path, path: str, gone: set[str]) -> Iterator[str]:
    """Yield the files that lie where git would put a new one."""
    for folder in _above(path):
        there = top / folder
        if there.is_symlink() or (there.exists() and not there.is_dir()):
            if folder not in gone:
                yield folder
            return
    there = top / path
    if there.is_dir() and not there.is_symlink():
        for here, _, names in os.walk(there):
            inside = (os.path.relpath(Path(here) / name, top) for name in names)
            yield from (name for name in inside if name not in gone)
    elif there.is_symlink() or there.exists():
        yield path


def _above(path: str) -> tuple[str, ...]:
    """Return the folders that a path lies in, the outermost first, the top left out."""
    return tuple(str(folder) for folder in reversed(PurePosixPath(path).parents[:-1]))


# ---- words -------------------------------------------------------------------------------------------------------


def _moved(branch: str, base: Sha, tip: Sha) -> StaleSnapshot:
    where = f"is at {tip[:12]}" if tip else "is gone"
    return StaleSnapshot(f"{branch} {where} and not at {base[:12]}, on which the work was prepared: prepare it again")


def _blocked(sha: Sha, why: str, remedy: str, files: tuple[str, ...] = ()) -> NotPublishable:
    text = (
        f"the work is ready as {sha[:12]}, but {why}; {remedy}, then run `walkaway auto` again: it costs no model call"
    )
    return NotPublishable(text, files=files)


def _checkouts(repo: Repo) -> list[_Checkout]:
    """Return every checkout of the repository."""
    found = []
    for record in repo.git("worktree", "list", "--porcelain", "-z").split("\0\0"):
        lines = [line.partition(" ") for line in record.split("\0") if line]
        words = {key: value for key, _, value in lines}
        if "worktree" in words:
            head = Sha(words.get("HEAD", NO_SHA))
            head = head if head.strip("0") else NO_SHA  # the branch was deleted under the checkout
            found.append(_Checkout(Path(words["worktree"]), head, words.get("branch", ""), "locked" in words))
    return found
