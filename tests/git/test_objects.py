"""What differs between two commits, read from git's files: the same as git says."""

import random
from pathlib import Path

import pytest

from tests.git.gitrig import commit, head
from walkaway.core.ids import Sha
from walkaway.git import objects
from walkaway.git.repo import Repo, plain


def by_git(root: Path, one: Sha, other: Sha) -> tuple[str, ...]:
    """Return what git names."""
    listed = Repo(root).git("diff-tree", "-r", "-z", "--no-renames", "--name-only", one, other)
    return tuple(sorted(path for path in listed.split("\0") if path))


def scramble(root: Path, luck: random.Random) -> None:
    """Write, change, remove and link files in a few folders, and let files and folders take each other's places."""
    for _ in range(6):
        path = root / luck.choice(["a", "b.txt", "é", "d/x", "d/y", "d/e/z", "d.x"])
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.is_dir() and luck.random() < 0.3:
            plain(root, "rm", "-r", "-f", "--quiet", "--", str(path))
        if not path.exists() and not path.is_symlink() and all(not p.is_file() for p in path.parents):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to("nowhere") if luck.random() < 0.2 else path.write_text(f"{luck.random()}")


@pytest.mark.parametrize("seed", range(4))
def test_it_names_what_git_names(root: Path, seed: int) -> None:
    luck, seen = random.Random(seed), [head(root)]
    for n in range(5):
        scramble(root, luck)
        seen.append(commit(root, f"Commit {n}"))
    for one in seen:
        for other in seen:
            assert objects.changed(root / ".git", one, other) == by_git(root, one, other)


def test_what_is_packed_is_left_to_git(root: Path) -> None:
    one = head(root)
    (root / "b.txt").write_text("b")
    other = commit(root, "Other")
    assert objects.changed(root / ".git", one, other) == ("b.txt",)
    plain(root, "gc", "--quiet")
    assert objects.changed(root / ".git", one, other) is None
