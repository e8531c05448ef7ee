"""What a command of the agent changes outside its own checkout and branch is seen and named."""

import pytest

from tests.git.gitrig import lease, write
from walkaway.core.errors import OutsideChanged
from walkaway.core.ids import NO_SHA
from walkaway.git import Guard
from walkaway.git.repo import plain


@pytest.fixture
def checkout(work, base):
    return work.prepare(lease(1), base, NO_SHA)


@pytest.mark.parametrize(
    ("does", "named"),
    [
        (lambda root: plain(root, "branch", "other"), "refs/heads/other"),
        (lambda root: plain(root, "tag", "v1"), "refs/tags/v1"),
        (lambda root: plain(root, "update-ref", "refs/heads/main", plain(root, "commit-tree", "HEAD^{tree}", "-m", "x").strip()), "refs/heads/main"),
        (lambda root: (write(root, {"a.txt": "changed\n"}), plain(root, "stash")), "refs/stash"),
        (lambda root: plain(root, "checkout", "--quiet", "--detach"), "HEAD"),
        (lambda root: plain(root, "config", "core.hooksPath", "evil"), "configuration"),
        (lambda root: write(root / ".git", {"hooks/pre-commit": "#!/bin/sh\n"}), "hook pre-commit"),
        (lambda root: (write(root, {"new.txt": "n\n"}), plain(root, "add", "new.txt")), "index"),
        (lambda root: write(root, {"a.txt": "changed\n"}), "a.txt"),
        (lambda root: write(root, {"untracked.txt": "u\n"}), "untracked.txt"),
        (lambda root: (root / "a.txt").unlink(), "a.txt"),
        (lambda root: write(root, {"deep/er/untracked.txt": "u\n"}), "deep/er/untracked.txt"),
        (lambda root: (root / "kept.log").unlink(), "kept.log"),
    ],
)  # fmt: skip
def test_each_kind_of_trespass_is_named(root, checkout, does, named):
    write(root, {"kept.log": "ignored, but somebody's\n", "node_modules/m.js": "x"})
    with pytest.raises(OutsideChanged, match=named), Guard(root)(checkout.path):
        does(root)


def test_a_second_change_of_a_file_that_was_changed_before_is_seen(root, checkout):
    write(root, {"a.txt": "the user's own change\n"})
    with pytest.raises(OutsideChanged, match=r"a\.txt"), Guard(root)(checkout.path):
        write(root, {"a.txt": "the agent's change on top\n"})


def test_what_an_agent_may_do_is_no_trespass(root, checkout):
    write(root, {"a.txt": "the user's own change\n"})
    with Guard(root)(checkout.path):
        from pathlib import Path

        own = Path(checkout.path)
        write(own, {"a.txt": "mine\n", "made.txt": "mine\n"})
        plain(own, "add", "--all")
        plain(own, "commit", "--quiet", "-m", "an agent that commits itself")
        plain(own, "status")
        plain(root, "status")
        write(root, {"server.log": "the user's own server writes on\n"})


def test_looking_again_at_files_whose_times_changed_is_no_change_of_the_index(root, checkout):
    (root / "a.txt").touch()
    with Guard(root)(checkout.path):
        plain(root, "update-index", "--refresh")


def published(root):
    """Move main as another worker's publication does, the user's checkout with it, and return the commit."""
    blob = plain(root, "hash-object", "-w", "--stdin", given="theirs\n").strip()
    env = {"GIT_INDEX_FILE": str(root / ".git" / "other-index")}
    plain(root, "read-tree", "HEAD", env=env)
    plain(root, "update-index", "--add", "--cacheinfo", f"100644,{blob},theirs.txt", env=env)
    tree = plain(root, "write-tree", env=env).strip()
    sha = plain(root, "commit-tree", tree, "-p", "HEAD", "-m", "Somebody else's milestone").strip()
    plain(root, "merge", "--quiet", "--ff-only", sha)
    return sha


def test_what_another_worker_publishes_meanwhile_is_no_trespass(root, checkout):
    shas = set()
    with Guard(root, shas.__contains__)(checkout.path):
        shas.add(published(root))
    assert (root / "theirs.txt").read_text() == "theirs\n"


def test_a_change_beside_what_another_worker_publishes_is_seen(root, checkout):
    shas = set()
    with pytest.raises(OutsideChanged, match=r"a\.txt") as error, Guard(root, shas.__contains__)(checkout.path):
        shas.add(published(root))
        write(root, {"a.txt": "the agent's\n"})
    assert "theirs.txt" not in str(error.value)


def test_a_commit_that_nobody_recorded_is_a_trespass_however_it_looks(root, checkout):
    with pytest.raises(OutsideChanged, match="refs/heads/main"), Guard(root)(checkout.path):
        published(root)
