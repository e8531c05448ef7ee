"""What the tests of git share: leases by number, and the user's own hands."""

from pathlib import Path

from walkaway.core.ids import ProjectId, Scope, Sha, WorkerId
from walkaway.core.model import Lease
from walkaway.git.repo import plain


def lease(token: int, epoch: int = 1, milestone: str = "M001") -> Lease:
    """Return the lease with this fence."""
    return Lease(
        project=ProjectId("p"),
        scope=Scope(milestone),
        worker_id=WorkerId("w"),
        epoch=epoch,
        fencing_token=token,
        expires_at=0.0,
    )


def write(path: Path, files: dict[str, str]) -> None:
    """Write files by relative name."""
    for name, text in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def commit(path: Path, message: str) -> Sha:
    """Commit all that lies in ``path``, as its user would."""
    plain(path, "add", "--all")
    plain(path, "commit", "--quiet", "--allow-empty", "-m", message)
    return head(path)


def head(path: Path, ref: str = "HEAD") -> Sha:
    """Return the commit of a ref."""
    return Sha(plain(path, "rev-parse", "--verify", ref).strip())


def refs(path: Path, under: str = "refs/") -> dict[str, str]:
    """Return all refs under a prefix."""
    lines = plain(path, "for-each-ref", "--format=%(refname) %(objectname)", under).splitlines()
    return dict(line.split(" ") for line in lines)


def rescued(path: Path) -> list[Sha]:
    """Return the commits under rescue refs."""
    return [Sha(sha) for sha in refs(path, "refs/walkaway-rescue/").values()]


def tree(path: Path, sha: Sha) -> dict[str, str]:
    """Return a commit's files with their content."""
    names = [name for name in plain(path, "ls-tree", "-r", "-z", "--name-only", sha).split("\0") if name]
    return {name: plain(path, "show", f"{sha}:{name}") for name in names}


def files(path: Path) -> set[str]:
    """Return the names of the files in a directory, git's own left out."""
    found = (file.relative_to(path) for file in path.rglob("*") if file.is_file() or file.is_symlink())
    return {str(file) for file in found if ".git" not in file.parts}


def hook(path: Path, name: str, script: str) -> None:
    """Install a hook."""
    file = path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
