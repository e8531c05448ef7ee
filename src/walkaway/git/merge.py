"""Two lines of work brought together in private: what a unit that resolves a conflict starts from and leaves."""

from pathlib import Path

from walkaway.core.ids import Sha
from walkaway.core.model import Checkout
from walkaway.git.repo import Repo, failed, readable, update

_MARKS = "^(<<<<<<< |>>>>>>> )"
_WORDS = "The work and its target, brought together by git\n"
TOLD_MOST = 50


def merged(repo: Repo, base: Sha, onto: Sha) -> Sha:
    """Return a commit on ``base`` with the files of both, conflict markers in them where git cannot decide."""
    done = repo.run("merge-tree", "--write-tree", "--no-messages", "--name-only", "-z", base, onto)
    if done.exit_code not in {0, 1}:  # 1: there are conflicts, and the tree holds them
        raise failed(("merge-tree",), done)
    tree = done.output.split("\0")[0]
    return Sha(repo.git("commit-tree", tree, "-p", base, "-F", "-", given=_WORDS).strip())


def marked(repo: Repo, sha: Sha, files: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of ``files`` in which a line of a commit begins as a conflict marker does."""
    done = repo.run("grep", "--name-only", "-z", "--extended-regexp", "-e", _MARKS, sha)
    if done.exit_code not in {0, 1}:  # 1: nowhere
        raise failed(("grep",), done)
    found = {readable(name.removeprefix(f"{sha}:")) for name in done.output.split("\0")}
    return tuple(name for name in files if name in found)


def told(repo: Repo, base: Sha, onto: Sha) -> str:
    """Return the messages of what ``onto`` has beside ``base``, with the files of each, the newest first."""
    shown = ("--format=- %h %s%n%w(0,2,2)%b", "--name-only", f"--max-count={TOLD_MOST}", "--first-parent")
    return readable(repo.git("log", *shown, f"{base}..{onto}").strip())


def joined(repo: Repo, checkout: Checkout, sha: Sha, onto: Sha) -> Sha:
    """Return ``sha``, which was just sealed in a checkout, as a merge with ``onto``; its branch points there."""
    words = repo.git("show", "--no-patch", "--format=%B", sha)
    parents = ("-p", checkout.base, "-p", onto)
    made = Sha(repo.git("commit-tree", f"{sha}^{{tree}}", *parents, "-F", "-", given=words).strip())
    repo.update_refs([update("HEAD", made, sha)], cwd=Path(checkout.path))
    return made
