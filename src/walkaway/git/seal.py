"""Make one commit of what lies in a fence's directory: always on its base, whatever the agent did to refs and HEAD.

Rule: the repository's own hooks judge it, and those are the hooks of the base: an agent cannot rewrite its judge.
"""

import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from walkaway import proc
from walkaway.core.errors import GitFailed, HookRefused
from walkaway.core.ids import Sha
from walkaway.core.model import Checkout
from walkaway.git.index import ordinary
from walkaway.git.repo import NO_HOOKS, SLOW_S, Repo, failed, operation, path_private, points_to, said, some, update
from walkaway.git.start import OURS
from walkaway.git.status import Entry, Status
from walkaway.git.worktrees import Worktrees

_COMMIT = ("commit", "--allow-empty", "--allow-empty-message", "--no-gpg-sign", "--cleanup=whitespace", "--file=-")
_JUDGES = ("pre-commit", "prepare-commit-msg", "commit-msg")


@dataclass(frozen=True, slots=True)
class Hooks:
    """Where the hooks lie that judge this commit, and whether there are any that can refuse."""

    folder: Path
    judge: bool


class Seal:
    """Commits what lies in the directories of fences."""

    def __init__(self, worktrees: Worktrees, scratch: Path) -> None:
        """Copy hooks to ``scratch`` where those in the directory cannot be trusted."""
        self._trees = worktrees
        self._repo: Repo = worktrees.repo
        self._scratch = scratch.resolve()

    def __call__(self, checkout: Checkout, message: str, *, work: bool) -> Sha:
        """Return the commit on ``checkout.base``: of all that lies there, or without ``work`` of base's own tree."""
        path = Path(checkout.path)
        private = self._trees.private(path)
        if private is None:
            text = f"{path} is no checkout of {self._repo.path} any more: nothing in it can be committed"
            raise GitFailed(text)
        seal = self._work if work else self._empty
        sha = seal(checkout, path, private, message)
        self._trees.sealed(checkout, sha, work=work)
        return sha

    # ---- without work --------------------------------------------------------------------------------------------

    def _empty(self, checkout: Checkout, path: Path, private: Path, message: str) -> Sha:
        """Commit base's tree on base; move the branch along where it is at base, so that nobody has to later."""
        base = checkout.base
        if points_to(private, checkout.branch, base) and not operation(private):
            done = self._repo.run(*_COMMIT, "--only", cwd=path, given=message, hooks=NO_HOOKS)
            return self._made(done, path)
        made = self._repo.git("commit-tree", f"{base}^{{tree}}", "-p", base, "-F", "-", given=message)
        return Sha(made.strip())

    # ---- with work -----------------------------------------------------------------------------------------------

    def _work(self, checkout: Checkout, path: Path, private: Path, message: str) -> Sha:
        """Take everything that is not ignored, and let the hooks judge."""
        if self._staged_simply(checkout, path, private):
            hooks = self._hooks(path, checkout.base, ())
        else:
            hooks = self._staged(checkout, path)
        done = self._commit(path, hooks, message)
        if done.exit_code == 1 and hooks.judge and (changed := self._changed_by_hooks(path)):
            # A formatter has put the files right and wants to see them again, as it would from a person.
            self._stage(path, changed)
            done = self._commit(path, hooks, message)
        if hooks.judge and (done.exit_code == 1 or done.timed_out):
            late = "did not end in time" if done.timed_out else "refused the commit"
            text = f"the repository's own commit hook {late}: {said(done)}"
            raise HookRefused(text)
        return self._made(done, path)

    def _staged_simply(self, checkout: Checkout, path: Path, private: Path) -> bool:
        """Stage everything in one process where nothing needs to be decided; False where that cannot be told."""

        def plain() -> bool:
            return ordinary(private / "index", checkout.base, OURS)

        settled = points_to(private, checkout.branch, checkout.base) and not operation(private)
        if not settled or self._hooks_in_tree is not None or not plain():
            return False
        return self._repo.run("add", "--all", cwd=path).exit_code == 0 and plain()

    def _staged(self, checkout: Checkout, path: Path) -> Hooks:
        """Stage everything with a look at it before; return the hooks that are to judge it."""
        state = self._on_base(checkout, path, self._repo.status(path, ignored=self._hooks_in_tree is not None))
        self._admit(path, state)
        hooks = self._hooks(path, checkout.base, state.entries)
        if state.own:
            self._stage(path, state.own)
        return hooks

    def _on_base(self, checkout: Checkout, path: Path, state: Status) -> Status:
        """Put HEAD back on its branch and that on its base; files and index stay."""
        if state.unmerged:
            return state
        self._trees.back_to_branch(path, checkout.branch, state)
        if state.head == checkout.base and state.branch == checkout.branch:
            return state
        self._repo.update_refs([update("HEAD", checkout.base)], cwd=path)
        return self._repo.status(path, ignored=self._hooks_in_tree is not None)

    def _admit(self, path: Path, state: Status) -> None:
        """Refuse what must not become a commit; the index forgets it, so that removing it is enough."""
        if state.unmerged:
            text = f"a merge was begun and not decided: resolve the conflicts in {some(state.unmerged)}"
            raise HookRefused(text)
        if state.repositories:
            staged = [entry.path for entry in state.entries if entry.repository and entry.kind != "?"]
            if staged:
                self._repo.git("--literal-pathspecs", "reset", "--quiet", "--", *staged, cwd=path)
            text = (
                f"{some(state.repositories)} is a git repository of its own, and its files would not be committed: "
                "remove its .git, or the folder"
            )
            raise HookRefused(text)

    def _stage(self, path: Path, entries: Iterable[Entry]) -> None:
        """Put everything that is not ignored into the index, but nothing of ours."""
        self._repo.git("add", "--all", cwd=path)
        if any(entry.path.split("/")[0] == OURS for entry in entries):
            self._repo.git("reset", "--quiet", "--", OURS, cwd=path)

    def _commit(self, path: Path, hooks: Hooks, message: str) -> proc.Done:
        return self._repo.run(*_COMMIT, cwd=path, given=message, hooks=str(hooks.folder), timeout_s=SLOW_S)

    def _changed_by_hooks(self, path: Path) -> tuple[Entry, ...]:
        """Return the files that are not as in the index any more, after all of them had been put there."""
        return tuple(each for each in self._repo.status(path).entries if each.kind == "?" or each.xy[1] != ".")

    def _made(self, done: proc.Done, path: Path) -> Sha:
        """Return the commit that git says it made."""
        if done.exit_code != 0:
            raise failed(("commit",), done)
        found = re.match(r"\[.* ([0-9a-f]{40,64})\] ", done.output)
        return Sha(found[1] if found else self._repo.git("rev-parse", "HEAD", cwd=path).strip())

    # ---- hooks ---------------------------------------------------------------------------------------------------

    @property
    def _hooks_in_tree(self) -> Path | None:
        """The folder of the hooks as part of the tree; None where it is outside, out of an agent's reach."""
        value = self._repo.config.get("core.hookspath", "")
        folder = Path(os.path.normpath(value))
        return None if not value or value[0] in "/~" or ".." in folder.parts else folder

    def _hooks(self, path: Path, base: Sha, entries: Iterable[Entry]) -> Hooks:
        """Return the hooks of the repository as they are at ``base``."""
        value = self._repo.config.get("core.hookspath", "")
        folder = self._repo.path / Path(value).expanduser() if value else self._repo.common / "hooks"
        inside = self._hooks_in_tree
        if inside is not None:
            top = Path(inside.parts[0]) if inside.parts and inside.parts[0].startswith(".") else inside
            touched = any(top in (Path(entry.path), *Path(entry.path).parents) for entry in entries)
            folder = (self._pinned(path, base, top) if touched else path) / inside
        return Hooks(folder, any(os.access(folder / name, os.X_OK) for name in _JUDGES))

    def _pinned(self, path: Path, base: Sha, top: Path) -> Path:
        """Copy ``top`` as it is at ``base``, and what a set-up made beside it from the user's own checkout."""
        copy = self._scratch / path.name
        if copy.exists():
            shutil.rmtree(copy)
        theirs = self._repo.path / top
        if theirs.is_dir():
            shutil.copytree(theirs, copy / top, symlinks=True)
        copy.mkdir(parents=True, exist_ok=True)
        private = path_private(path)
        self._repo.run(
            f"--git-dir={private}",
            f"--work-tree={copy}",
            "--literal-pathspecs",
            "checkout",
            "--quiet",
            base,
            "--",
            str(top),
            cwd=copy,
            env={"GIT_INDEX_FILE": str(copy / "index")},
        )  # exits with 1 where base has no such folder: then there is nothing to pin
        return copy
