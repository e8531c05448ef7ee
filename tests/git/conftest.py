"""A real repository, and leases by number."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from walkaway.core.ids import ProjectId, Scope, Sha, WorkerId
from walkaway.core.model import Lease
from walkaway.git import GitWorkspace, exclude
from walkaway.git.repo import Repo, plain

Git = Callable[..., str]


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own git configuration decides what these tests see."""
    settings = tmp_path / "gitconfig"
    settings.write_text("[user]\nname = Ada\nemail = ada@example.org\n[init]\ndefaultBranch = main\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a repository with one commit on `main`, checked out."""
    path = tmp_path / "the project"
    path.mkdir()
    plain(path, "init", "--quiet")
    write(path, {"a.txt": "a\n", "lib/b.txt": "b\n", ".gitignore": "*.log\nnode_modules/\n"})
    commit(path, "First")
    exclude(Repo(path))
    return path


@pytest.fixture
def work(root: Path) -> GitWorkspace:
    """Return the workspace of that repository."""
    return GitWorkspace(root, root / ".walkaway")


@pytest.fixture
def base(root: Path) -> Sha:
    """Return the first commit."""
    return head(root)


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


def python(code: str) -> str:
    """Return a shell command that runs Python code."""
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"
