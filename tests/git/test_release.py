"""Nothing is removed before it is proven to be kept."""

from pathlib import Path

import pytest

from tests.git.gitrig import commit, files, head, lease, refs, rescued, tree, write
from walkaway.core.ids import NO_SHA, MilestoneId, Sha
from walkaway.git import GitWorkspace
from walkaway.git.repo import Repo, plain


def sealed(work: GitWorkspace, token: int, base: Sha, name: str) -> Sha:
    place = work.prepare(lease(token), base, NO_SHA)
    write(Path(place.path), {name: "x\n"})
    return work.seal(place, name, work=True)


def places(root: Path) -> set[str]:
    return {path.name for path in (root / ".walkaway/worktrees").iterdir()}


def test_a_directory_whose_commits_are_reached_goes_with_its_branch(work: GitWorkspace, root: Path, base: Sha) -> None:
    tip = sealed(work, 7, base, "c.txt")

    assert work.release(lease(7), tip) == ()

    assert places(root) == set()
    assert list(refs(root)) == ["refs/heads/main"]
    assert "M001" not in plain(root, "worktree", "list")


def test_releasing_twice_and_releasing_nothing_is_harmless(work: GitWorkspace, base: Sha) -> None:
    assert work.release(lease(7), base) == ()
    tip = sealed(work, 7, base, "c.txt")
    assert work.release(lease(7), tip) == work.release(lease(7), tip) == ()


def test_the_line_of_the_milestone_proves_it_too(work: GitWorkspace, root: Path, base: Sha) -> None:
    tip = sealed(work, 7, base, "c.txt")
    work.advance_line(MilestoneId("M001"), tip, NO_SHA)

    work.release(lease(7), base)

    assert refs(root, "refs/heads/wip") == {}
    assert rescued(root) == []


def test_a_commit_that_nothing_reaches_is_rescued_first(work: GitWorkspace, root: Path, base: Sha) -> None:
    lost = sealed(work, 6, base, "lost.txt")
    tip = sealed(work, 7, base, "c.txt")

    work.release(lease(7), tip)

    assert rescued(root) == [lost]
    assert refs(root, "refs/heads/wip") == {}
    assert places(root) == set()


def test_a_head_that_ran_ahead_of_its_branch_is_rescued(work: GitWorkspace, root: Path, base: Sha) -> None:
    tip = sealed(work, 7, base, "c.txt")
    path = root / ".walkaway/worktrees/M001.f7"
    plain(path, "checkout", "-q", "--detach")
    write(path, {"ahead.txt": "x\n"})
    ahead = commit(path, "Ahead")

    work.release(lease(7), tip)

    assert rescued(root) == [ahead]
    assert places(root) == set()


def test_changes_and_untracked_files_go_under_a_rescue_ref(work: GitWorkspace, root: Path, base: Sha) -> None:
    tip = sealed(work, 7, base, "c.txt")
    write(root / ".walkaway/worktrees/M001.f7", {"a.txt": "changed\n", "un tracked": "x\n"})

    assert work.release(lease(7), tip) == ()

    (kept,) = rescued(root)
    assert tree(root, kept)["a.txt"] == "changed\n"
    assert tree(root, kept)["un tracked"] == "x\n"
    assert head(root, f"{kept}^") == tip
    assert places(root) == set()


@pytest.mark.parametrize("name", ["x.log", "node_modules/p/i.js"])
def test_ignored_files_keep_their_directory_and_it_is_named(
    work: GitWorkspace, root: Path, base: Sha, name: str
) -> None:
    tip = sealed(work, 7, base, "c.txt")
    path = root / ".walkaway/worktrees/M001.f7"
    write(path, {name: "somebody's\n", "un tracked": "x\n"})

    assert work.release(lease(7), tip) == (str(path),)

    assert files(path) == {"a.txt", "lib/b.txt", ".gitignore", "c.txt", "un tracked", name}
    assert refs(root, "refs/heads/wip") == {"refs/heads/wip/M001/f7": tip}


def test_a_repository_inside_keeps_its_directory(work: GitWorkspace, root: Path, base: Sha) -> None:
    tip = sealed(work, 7, base, "c.txt")
    path = root / ".walkaway/worktrees/M001.f7"
    (path / "inner").mkdir()
    plain(path / "inner", "init", "-q")

    assert work.release(lease(7), tip) == (str(path),)

    assert (path / "inner/.git").is_dir()


def test_a_newer_fence_and_another_milestone_are_not_touched(work: GitWorkspace, root: Path, base: Sha) -> None:
    tip = sealed(work, 7, base, "c.txt")
    for other in (lease(8), lease(3, epoch=2), lease(1, milestone="M002"), lease(1, milestone="M001-abcdef")):
        work.prepare(other, base, NO_SHA)

    work.release(lease(7), tip)

    assert places(root) == {"M001.f8", "M001.f2-3", "M002.f1", "M001-abcdef.f1"}
    assert set(refs(root, "refs/heads/wip")) == {
        "refs/heads/wip/M001/f8",
        "refs/heads/wip/M001/f2-3",
        "refs/heads/wip/M002/f1",
        "refs/heads/wip/M001-abcdef/f1",
    }


def test_a_newer_branch_without_its_directory_stays(work: GitWorkspace, root: Path, base: Sha) -> None:
    newer = sealed(work, 8, base, "newer.txt")
    plain(root, "worktree", "remove", "--force", str(root / ".walkaway/worktrees/M001.f8"))

    work.release(lease(7), base)

    assert refs(root, "refs/heads/wip") == {"refs/heads/wip/M001/f8": newer}


def test_scratch_left_by_a_crash_goes_too(work: GitWorkspace, root: Path, base: Sha) -> None:
    work.clean_checkout(lease(6), base, "check").__enter__()

    work.release(lease(7), base)

    assert places(root) == set()
    assert "check" not in plain(root, "worktree", "list")


def test_a_directory_that_is_not_ours_is_kept_and_named(work: GitWorkspace, root: Path, base: Sha) -> None:
    odd = root / ".walkaway/worktrees/M001.f2"
    write(odd, {"what": "is this\n"})
    write(root / ".walkaway/worktrees/notes", {"n": "n\n"})

    assert work.release(lease(7), base) == (str(odd),)

    assert (odd / "what").exists()
    assert places(root) == {"M001.f2", "notes"}


def test_a_branch_that_the_user_looks_at_stays(work: GitWorkspace, root: Path, base: Sha, tmp_path: Path) -> None:
    tip = sealed(work, 6, base, "c.txt")
    plain(root / ".walkaway/worktrees/M001.f6", "checkout", "-q", "--detach")
    plain(root, "worktree", "add", "-q", str(tmp_path / "look"), "wip/M001/f6")

    work.release(lease(7), tip)

    assert refs(root, "refs/heads/wip") == {"refs/heads/wip/M001/f6": tip}
    assert (tmp_path / "look/c.txt").exists()
    assert places(root) == set()


def test_a_directory_that_somebody_removed_leaves_no_branch_behind(work: GitWorkspace, root: Path, base: Sha) -> None:
    lost = sealed(work, 6, base, "lost.txt")
    (root / ".walkaway/worktrees/M001.f6").rename(root.parent / "gone")

    work.release(lease(7), base)

    assert refs(root, "refs/heads/wip") == {}
    assert rescued(root) == [lost]


@pytest.mark.parametrize("how", ["locked", "merging"])
def test_a_directory_that_git_holds_on_to_is_kept(work: GitWorkspace, root: Path, base: Sha, how: str) -> None:
    tip = sealed(work, 7, base, "c.txt")
    path = root / ".walkaway/worktrees/M001.f7"
    if how == "locked":
        plain(root, "worktree", "lock", str(path))
    else:
        (root / ".git/worktrees/M001.f7/MERGE_HEAD").write_text(f"{base}\n")

    assert work.release(lease(7), tip) == (str(path),)

    assert (path / "c.txt").exists()
    assert refs(root, "refs/heads/wip") == {"refs/heads/wip/M001/f7": tip}


def test_every_commit_ever_sealed_is_still_reachable(work: GitWorkspace, root: Path, base: Sha) -> None:
    made = [sealed(work, token, base, f"{token}.txt") for token in (1, 2, 2, 3)]

    work.release(lease(3), made[-1])
    plain(root, "reflog", "expire", "--expire=now", "--all")

    reachable = plain(root, "rev-list", "--all").split()
    assert set(made[:-1]) <= set(reachable)
    assert Repo(root).tip("refs/heads/main") == base
