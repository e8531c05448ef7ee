"""A real repository, and nobody's own git configuration."""

from pathlib import Path

import pytest

from tests.git.gitrig import commit, head, write
from walkaway.core.ids import Sha
from walkaway.git import GitWorkspace, exclude
from walkaway.git.repo import Repo, plain


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
