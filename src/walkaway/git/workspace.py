"""The repository as the engine sees it: places to work, and one branch to move."""

from contextlib import AbstractContextManager
from pathlib import Path

from walkaway.core.errors import GitFailed, StaleSnapshot, Usage
from walkaway.core.ids import NO_SHA, DispatchId, MilestoneId, Sha
from walkaway.core.model import Checkout, Lease, Pin
from walkaway.git import merge, objects, publish
from walkaway.git.repo import UNSAID, Repo, branch_of, create, loose, private_dir, readable, update
from walkaway.git.seal import Seal
from walkaway.git.worktrees import Worktrees, line_ref, rescue_ref


class GitWorkspace:
    """A real repository; what each method promises is said in `engine.ports.Workspace`."""

    def __init__(self, root: Path, state: Path) -> None:
        """Work on the repository whose top is ``root``; checkouts and scratch files go under ``state``."""
        self.repo = Repo(root)
        self._trees = Worktrees(self.repo, state)
        self._seal = Seal(self._trees, state / "hooks")

    def pin(self, branch: str | None) -> Pin:
        """Return the branch (None: the one the user has checked out) and its commit; `Usage` if there is none."""
        name = self._checked_out() if branch is None else branch.removeprefix("refs/heads/")
        sha = self.repo.tip(f"refs/heads/{name}")
        if not sha:
            message = (
                f"there is no commit on the branch '{name}' of {self.repo.path}: run `walkaway init`, or name another"
            )
            raise Usage(message)
        return Pin(branch=name, sha=sha)

    def has(self, sha: Sha) -> bool:
        """Whether this clone holds a commit."""
        return bool(self.repo.tip(f"{sha}^{{commit}}"))

    def prepare(self, lease: Lease, base: Sha, carry: Sha) -> Checkout:
        """Return the directory of this fence with the files of ``base``, clean, or those of ``carry`` on top of it."""
        return self._trees.prepare(lease, base, carry)

    def merged(self, base: Sha, onto: Sha) -> Sha:
        """Return a commit on ``base`` whose files are those of both, with conflict markers where they do not fit."""
        return merge.merged(self.repo, base, onto)

    def marked(self, sha: Sha, files: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of ``files`` that hold conflict markers in a commit."""
        return merge.marked(self.repo, sha, files)

    def told(self, base: Sha, onto: Sha) -> str:
        """Return the messages of the commits that ``onto`` reaches and ``base`` does not, the newest first."""
        return merge.told(self.repo, base, onto)

    def seal(self, checkout: Checkout, message: str, *, work: bool, onto: Sha = NO_SHA) -> Sha:
        """Commit what lies in the checkout as one commit on its base and return it, with ``onto`` as a merge."""
        sha = self._seal(checkout, message, work=work)
        return merge.joined(self.repo, checkout, sha, onto) if onto else sha

    def salvage(self, lease: Lease, base: Sha) -> Sha:
        """Commit what a run left in this fence's directory, no hook asked; NO_SHA where that is ``base``'s."""
        return self._trees.salvage(lease, base)

    def rescue(self, lease: Lease, dispatch: DispatchId, sha: Sha) -> None:
        """Keep ``sha`` reachable under a rescue ref; harmless twice."""
        self.repo.update_refs([update(rescue_ref(MilestoneId(lease.scope), dispatch), sha)])

    def keep(self, milestone: MilestoneId, sha: Sha) -> None:
        """Keep ``sha``, which a person takes back, reachable under a rescue ref; harmless twice."""
        self.repo.update_refs([update(rescue_ref(milestone, f"undone-{sha[:12]}"), sha)])

    def line(self, milestone: MilestoneId) -> Sha:
        """Return the commit that ``refs/walkaway/<milestone>`` points at; NO_SHA where there is none."""
        return self.repo.read_ref(line_ref(milestone))

    def advance_line(self, milestone: MilestoneId, sha: Sha, seen: Sha) -> None:
        """Point ``refs/walkaway/<milestone>`` from ``seen`` at ``sha``; nothing where it is there already.

        Raises `StaleSnapshot` where it is at neither.
        """
        ref = line_ref(milestone)
        if loose(self.repo.common, ref, sha):
            return
        try:
            self.repo.update_refs([update(ref, sha, seen) if seen else create(ref, sha)])
        except GitFailed as error:
            tip = self.repo.tip(ref)
            if tip == seen:
                raise
            if tip != sha:
                message = f"the line of {milestone} was moved by somebody else"
                raise StaleSnapshot(message) from error

    def clean_checkout(
        self, lease: Lease, sha: Sha, name: str, back: tuple[str, ...] = (), base: Sha = NO_SHA
    ) -> AbstractContextManager[str]:
        """Check ``sha`` out in a new scratch directory, the files ``back`` as in ``base``; removed at the end."""
        return self._trees.clean_checkout(lease, sha, name, back, base)

    def integrate(self, onto: Sha, head: Sha, message: str) -> Sha:
        """Make the squash commit of ``head`` on ``onto`` without a checkout; `Conflict` names the files."""
        return publish.integrate(self.repo, onto, head, message)

    def publish(self, branch: str, base: Sha, sha: Sha) -> None:
        """Move ``branch`` from ``base`` to ``sha``; nothing if it already contains ``sha``."""
        publish.publish(self.repo, branch, base, sha)

    def read(self, sha: Sha, path: str, most: int) -> str | None:
        """Return a file of a commit as text; None where there is none, or it is larger than ``most`` bytes.

        Raises `GitFailed` where the commit is not in this clone.
        """
        if not self.has(sha):
            message = f"commit {sha[:12]} is not in {self.repo.path}: fetch it from the host that made it"
            raise GitFailed(message)
        name = f"{sha}:{path}"
        size = self.repo.run("cat-file", "-s", name)
        if size.exit_code != 0 or int(size.output) > most or self.repo.git("cat-file", "-t", name).strip() != "blob":
            return None
        return self.repo.git("cat-file", "blob", name)

    def changed(self, base: Sha, sha: Sha) -> tuple[str, ...]:
        """Return the paths that differ between two commits; asked after every task, so no process where files do."""
        found = objects.changed(self.repo.common, base, sha)
        if found is not None:
            return tuple(readable(path) for path in found)
        listed = self.repo.git("diff-tree", "-r", "-z", "--no-renames", "--name-only", base, sha)
        return tuple(readable(path) for path in listed.split("\0") if path)

    def release(self, lease: Lease, reached: Sha) -> tuple[str, ...]:
        """Remove this milestone's directories whose commits are kept elsewhere; return the paths of those kept."""
        return self._trees.release(lease, reached)

    def _checked_out(self) -> str:
        """Return the branch that the user has checked out."""
        if private := private_dir(self.repo.path):
            name = branch_of(private)
            if name not in UNSAID:
                return name
        done = self.repo.run("symbolic-ref", "--quiet", "--short", "HEAD")
        if done.exit_code != 0:
            message = f"no branch is checked out in {self.repo.path} (HEAD is detached): name one with --target BRANCH"
            raise Usage(message)
        return done.output.strip()
