"""Make a folder something that walkaway can work in: a repository with a first commit that ignores our own folder."""

from pathlib import Path

from walkaway.core.errors import Usage
from walkaway.core.ids import Sha
from walkaway.git.repo import Repo, plain

OURS = ".walkaway"
_PATTERN = f"/{OURS}"
_MESSAGE = "Begin\n\nAn empty commit, so that there is something to build on.\n"


def init_repository(path: Path) -> tuple[str, ...]:
    """Make ``path`` a repository with at least one commit; return a sentence for each thing that had to be done.

    What lies there is neither committed nor changed. Harmless twice. `Usage` where ``path`` is inside a repository
    without being its top, or is one without a checkout.
    """
    did = []
    if not path.is_dir():
        path.mkdir(parents=True)
        did.append(f"Made the folder {path}.")
    if not (path / ".git").exists():
        _outside(path)
        defaults = plain(path, "config", "--list", "-z", "--name-only").split("\0")
        named = "init.defaultbranch" in defaults
        plain(path, *([] if named else ["-c", "init.defaultBranch=main"]), "init", "--quiet")
        did.append(f"Made a git repository in {path}.")
    repo = Repo(path)
    if not repo.tip("HEAD"):
        _first_commit(repo)
        did.append("Made an empty first commit.")
    exclude(repo)
    if did and repo.status(path).entries:
        did.append("The files that lie there are not committed: commit those that the work shall build on.")
    return tuple(did)


def exclude(repo: Repo) -> None:
    """Have git ignore our folder in every checkout of the repository, by its own exclude file; harmless twice."""
    file = repo.common / "info/exclude"
    present = file.read_text() if file.is_file() else ""
    if _PATTERN not in present.splitlines():
        file.parent.mkdir(exist_ok=True)
        gap = "" if present.endswith("\n") or not present else "\n"
        file.write_text(f"{present}{gap}{_PATTERN}\n")


def _outside(path: Path) -> None:
    """Refuse a folder that belongs to a repository already."""
    inside = next((folder for folder in path.resolve().parents if (folder / ".git").exists()), None)
    if inside is not None:
        message = f"{path} is inside the repository {inside}: run init there, or name a folder outside of it"
        raise Usage(message)
    if (path / "HEAD").is_file() and (path / "objects").is_dir():
        message = f"{path} is a bare repository: clone it and run init in the clone"
        raise Usage(message)


def _first_commit(repo: Repo) -> None:
    """Commit the empty tree on the branch that HEAD names, and leave index and files alone."""
    tree = repo.git("mktree", given="").strip()
    sha = Sha(repo.git("commit-tree", tree, "-F", "-", given=_MESSAGE).strip())
    repo.git("update-ref", "HEAD", sha, "0" * len(sha))
