"""A directory and a branch per fence: made, cleaned, carried on, given back."""

import shutil
from pathlib import Path

import pytest

from tests.git.gitrig import commit, files, head, hook, lease, refs, rescued, tree, write
from walkaway.core.errors import GitFailed, HookRefused, Usage
from walkaway.core.ids import NO_SHA, DispatchId, MilestoneId, Sha
from walkaway.git import GitWorkspace, worktrees
from walkaway.git.repo import plain

NOTHING = NO_SHA


def test_a_fence_gets_a_directory_and_a_branch_named_after_it(work: GitWorkspace, root: Path, base: Sha) -> None:
    place = work.prepare(lease(7), base, NOTHING)

    assert place.path == str(root / ".walkaway/worktrees/M001.f7")
    assert (place.branch, place.base) == ("wip/M001/f7", base)
    assert files(Path(place.path)) == {"a.txt", "lib/b.txt", ".gitignore"}
    assert head(root, "wip/M001/f7") == base


def test_the_epoch_is_in_the_names_from_the_second_on(work: GitWorkspace, base: Sha) -> None:
    place = work.prepare(lease(7, epoch=2), base, NOTHING)

    assert place.path.endswith("/M001.f2-7")
    assert place.branch == "wip/M001/f2-7"


def test_the_users_checkout_index_and_branches_stay_as_they_are(work: GitWorkspace, root: Path, base: Sha) -> None:
    write(root, {"a.txt": "mine\n", "new.txt": "mine too\n"})
    plain(root, "add", "a.txt")
    before = (plain(root, "status", "--porcelain"), refs(root, "refs/heads/main"), plain(root, "stash", "list"))

    place = work.prepare(lease(1), base, NOTHING)
    write(Path(place.path), {"a.txt": "theirs\n"})
    work.seal(place, "Work", work=True)

    assert before == (plain(root, "status", "--porcelain"), refs(root, "refs/heads/main"), plain(root, "stash", "list"))
    assert (root / "a.txt").read_text() == "mine\n"


def test_preparing_twice_gives_the_same(work: GitWorkspace, root: Path, base: Sha) -> None:
    assert work.prepare(lease(1), base, NOTHING) == work.prepare(lease(1), base, NOTHING)
    assert rescued(root) == []


def test_the_next_unit_starts_on_the_new_head(work: GitWorkspace, root: Path, base: Sha) -> None:
    place = work.prepare(lease(1), base, NOTHING)
    write(Path(place.path), {"c.txt": "c\n"})
    sealed = work.seal(place, "One", work=True)

    place = work.prepare(lease(1), sealed, NOTHING)

    assert (Path(place.path) / "c.txt").read_text() == "c\n"
    assert rescued(root) == []


def test_what_the_checks_left_is_not_part_of_the_next_unit(work: GitWorkspace, root: Path, base: Sha) -> None:
    place = work.prepare(lease(1), base, NOTHING)
    write(Path(place.path), {"c.txt": "c\n"})
    sealed = work.seal(place, "One", work=True)
    write(Path(place.path), {"report.xml": "<x/>", "c.txt": "rewritten\n"})

    place = work.prepare(lease(1), sealed, NOTHING)

    assert files(Path(place.path)) == {"a.txt", "lib/b.txt", ".gitignore", "c.txt"}
    assert (Path(place.path) / "c.txt").read_text() == "c\n"


def test_what_a_cancelled_run_left_is_rescued_before_it_is_cleared(work: GitWorkspace, root: Path, base: Sha) -> None:
    path = Path(work.prepare(lease(1), base, NOTHING).path)
    write(path, {"a.txt": "half\n", "odd\nname é.txt": "new\n", "x.log": "ignored\n"})
    (path / "lib/b.txt").unlink()

    work.prepare(lease(1), base, NOTHING)

    assert files(path) == {"a.txt", "lib/b.txt", ".gitignore", "x.log"}
    assert (path / "a.txt").read_text() == "a\n"
    (kept,) = rescued(root)
    assert tree(root, kept) == {"a.txt": "half\n", "odd\nname é.txt": "new\n", ".gitignore": "*.log\nnode_modules/\n"}


def test_a_sealed_commit_that_was_never_recorded_is_rescued(work: GitWorkspace, root: Path, base: Sha) -> None:
    place = work.prepare(lease(1), base, NOTHING)
    write(Path(place.path), {"c.txt": "c\n"})
    sealed = work.seal(place, "One", work=True)

    work.prepare(lease(1), base, NOTHING)

    assert files(Path(place.path)) == {"a.txt", "lib/b.txt", ".gitignore"}
    assert rescued(root) == [sealed]


@pytest.mark.parametrize("litter", [False, True], ids=["as sealed", "with what the checks left"])
def test_refused_work_is_carried_on_as_changes(work: GitWorkspace, root: Path, base: Sha, *, litter: bool) -> None:
    place = work.prepare(lease(1), base, NOTHING)
    path = Path(place.path)
    write(path, {"c.txt": "c\n", "a.txt": "A\n"})
    (path / "lib/b.txt").unlink()
    refused = work.seal(place, "Refused", work=True)
    work.rescue(lease(1), DispatchId("M001-D001"), refused)
    if litter:
        write(path, {"report.xml": "<x/>"})

    assert work.prepare(lease(1), base, refused).base == base

    assert files(path) == {"a.txt", "c.txt", ".gitignore"}
    assert (path / "a.txt").read_text() == "A\n"
    assert head(path) == base
    again = work.seal(place, "Again", work=True)
    assert tree(root, again) == tree(root, refused)
    assert head(root, f"{again}^") == base
    assert refused in rescued(root)
    assert len(rescued(root)) == 1 + litter


def test_work_that_a_hook_refused_is_salvaged_whole_and_kept_once(work: GitWorkspace, root: Path, base: Sha) -> None:
    hook(root / ".git/hooks", "pre-commit", "echo no; exit 1")
    place = work.prepare(lease(1), base, NOTHING)
    path = Path(place.path)
    write(path, {"c.txt": "c\n", "a.txt": "A\n", "x.log": "ignored\n"})
    (path / "lib/b.txt").unlink()
    with pytest.raises(HookRefused):
        work.seal(place, "Refused", work=True)

    left = work.salvage(lease(1), base)
    work.rescue(lease(1), DispatchId("M001-D001"), left)
    work.prepare(lease(1), base, left)

    assert tree(root, left) == {"a.txt": "A\n", "c.txt": "c\n", ".gitignore": "*.log\nnode_modules/\n"}
    assert files(path) == {"a.txt", "c.txt", ".gitignore", "x.log"}
    assert head(path) == base
    assert rescued(root) == [left]


def test_salvaging_moves_no_branch_but_the_fences_own(work: GitWorkspace, root: Path, base: Sha) -> None:
    path = Path(work.prepare(lease(1), base, NOTHING).path)
    plain(path, "checkout", "-q", "-b", "elsewhere")
    write(path, {"a.txt": "one\n"})
    mine = commit(path, "On another branch")
    write(path, {"c.txt": "c\n"})
    (work.repo.common / "worktrees/M001.f1/index.lock").touch()

    left = work.salvage(lease(1), base)

    assert tree(root, left)["c.txt"] == "c\n"
    assert head(root, f"{left}^") == mine == head(root, "elsewhere")
    assert head(root, "wip/M001/f1") == left
    work.prepare(lease(1), base, left)
    assert (path / "c.txt").read_text() == "c\n"
    assert head(path) == base


def test_a_directory_that_is_gone_leaves_nothing_to_salvage(work: GitWorkspace, base: Sha) -> None:
    shutil.rmtree(work.prepare(lease(1), base, NOTHING).path)
    assert work.salvage(lease(1), base) == NOTHING


def test_refused_work_of_an_older_fence_is_carried_into_a_new_directory(work: GitWorkspace, base: Sha) -> None:
    place = work.prepare(lease(1), base, NOTHING)
    write(Path(place.path), {"c.txt": "c\n"})
    refused = work.seal(place, "Refused", work=True)

    heir = work.prepare(lease(2), base, refused)

    assert (Path(heir.path) / "c.txt").read_text() == "c\n"
    assert head(Path(heir.path)) == base


def test_an_agent_on_another_branch_in_the_middle_of_a_rebase_is_brought_back(
    work: GitWorkspace, root: Path, base: Sha
) -> None:
    path = Path(work.prepare(lease(1), base, NOTHING).path)
    plain(path, "checkout", "-q", "-b", "elsewhere")
    write(path, {"a.txt": "one\n"})
    mine = commit(path, "On another branch")
    plain(path, "checkout", "-q", "--detach", base)
    write(path, {"a.txt": "two\n"})
    commit(path, "Other side")
    with pytest.raises(GitFailed):
        plain(path, "rebase", mine)

    place = work.prepare(lease(1), base, NOTHING)

    assert plain(path, "status", "--porcelain=v2", "--branch").splitlines()[1] == "# branch.head wip/M001/f1"
    assert not (work.repo.common / "worktrees/M001.f1/rebase-merge").exists()
    assert head(path) == base
    assert len(rescued(root)) == 1
    assert place.base == base


@pytest.mark.parametrize("verb", ["merge", "cherry-pick", "revert"])
def test_an_operation_that_an_agent_left_unfinished_is_over(work: GitWorkspace, base: Sha, verb: str) -> None:
    path = Path(work.prepare(lease(1), base, NOTHING).path)
    write(path, {"a.txt": "one\n"})
    one = commit(path, "One")
    plain(path, "reset", "-q", "--hard", base)
    write(path, {"a.txt": "two\n"})
    commit(path, "Two")
    with pytest.raises(GitFailed):
        plain(path, verb, one)

    work.prepare(lease(1), base, NOTHING)

    assert plain(path, "status").splitlines()[-1] == "nothing to commit, working tree clean"
    assert head(path) == base


def test_a_repository_left_in_the_directory_is_moved_aside_whole(work: GitWorkspace, root: Path, base: Sha) -> None:
    path = Path(work.prepare(lease(1), base, NOTHING).path)
    nested = path / "sub/inner"
    nested.mkdir(parents=True)
    plain(nested, "init", "-q")
    write(nested, {"f": "precious\n"})

    work.prepare(lease(1), base, NOTHING)

    assert files(path) == {"a.txt", "lib/b.txt", ".gitignore"}
    assert (root / ".walkaway/rescued/M001.f1.1/inner/f").read_text() == "precious\n"


def test_a_directory_that_git_was_killed_in_while_making_it_is_made_again(
    work: GitWorkspace, root: Path, base: Sha
) -> None:
    path = Path(work.prepare(lease(1), base, NOTHING).path)
    (root / ".git/worktrees/M001.f1/locked").write_text("initializing")
    (root / ".git/worktrees/M001.f1/index").unlink()
    (path / "a.txt").unlink()

    work.prepare(lease(1), base, NOTHING)

    assert files(path) == {"a.txt", "lib/b.txt", ".gitignore"}
    assert not (root / ".git/worktrees/M001.f1/locked").exists()
    assert rescued(root) == []


def test_a_directory_that_somebody_removed_is_made_again_and_its_commits_are_rescued(
    work: GitWorkspace, root: Path, base: Sha
) -> None:
    place = work.prepare(lease(1), base, NOTHING)
    write(Path(place.path), {"c.txt": "c\n"})
    sealed = work.seal(place, "One", work=True)
    Path(place.path).rename(root.parent / "gone")

    work.prepare(lease(1), base, NOTHING)

    assert files(Path(place.path)) == {"a.txt", "lib/b.txt", ".gitignore"}
    assert rescued(root) == [sealed]


def test_a_directory_of_ours_that_became_a_repository_of_its_own_is_moved_aside(
    work: GitWorkspace, root: Path, base: Sha
) -> None:
    path = Path(work.prepare(lease(1), base, NOTHING).path)
    (path / ".git").unlink()
    plain(path, "init", "-q")

    work.prepare(lease(1), base, NOTHING)

    assert (root / ".walkaway/rescued/M001.f1.1/M001.f1/.git").is_dir()
    assert work.repo.status(path).head == base


def test_locks_that_a_killed_git_left_in_the_directory_do_not_stop_the_next_run(
    work: GitWorkspace, root: Path, base: Sha
) -> None:
    path = Path(work.prepare(lease(1), base, NOTHING).path)
    write(path, {"a.txt": "half\n"})
    (root / ".git/worktrees/M001.f1/index.lock").touch()
    (root / ".git/worktrees/M001.f1/HEAD.lock").touch()
    (root / ".git/refs/heads/wip/M001/f1.lock").touch()

    work.prepare(lease(1), base, NOTHING)

    assert (path / "a.txt").read_text() == "a\n"


def test_planning_units_need_not_be_looked_after(work: GitWorkspace, root: Path, base: Sha) -> None:
    place = work.prepare(lease(1), base, NOTHING)
    planned = work.seal(place, "Plan", work=False)
    (Path(place.path) / "a.txt").write_text("by somebody, in between\n")

    place = work.prepare(lease(1), planned, NOTHING)
    sealed = work.seal(place, "Work", work=True)

    assert tree(root, sealed)["a.txt"] == "by somebody, in between\n", "what is not looked for is at least not lost"


def test_a_restarted_worker_looks_again(work: GitWorkspace, root: Path, base: Sha) -> None:
    place = work.prepare(lease(1), base, NOTHING)
    planned = work.seal(place, "Plan", work=False)
    (Path(place.path) / "a.txt").write_text("by somebody, in between\n")

    GitWorkspace(root, root / ".walkaway").prepare(lease(1), planned, NOTHING)

    assert (Path(place.path) / "a.txt").read_text() == "a\n"
    assert len(rescued(root)) == 1


# ---- scratch -----------------------------------------------------------------------------------------------------


def test_a_clean_checkout_holds_the_commit_and_is_gone_at_the_end(work: GitWorkspace, root: Path, base: Sha) -> None:
    with work.clean_checkout(lease(3), base, "check") as path:
        assert files(Path(path)) == {"a.txt", "lib/b.txt", ".gitignore"}
        assert path.endswith("/M001.f3.check")
        write(Path(path), {"litter": "x", "node_modules/x/y": "z"})
        (Path(path) / "node_modules/x").chmod(0o500)

    assert not Path(path).exists()
    assert "M001.f3.check" not in plain(root, "worktree", "list")


def test_a_clean_checkout_is_gone_after_a_failure_too(work: GitWorkspace, base: Sha) -> None:
    def fail(path: str) -> None:
        raise KeyError(path)

    with pytest.raises(KeyError) as seen, work.clean_checkout(lease(3), base, "check") as path:
        fail(path)

    assert not Path(seen.value.args[0]).exists()


@pytest.mark.parametrize("left", ["whole", "without directory", "half made"])
def test_a_clean_checkout_left_by_a_crash_is_replaced(work: GitWorkspace, root: Path, base: Sha, left: str) -> None:
    crashed = work.clean_checkout(lease(3), base, "check")
    path = Path(crashed.__enter__())
    write(path, {"litter": "x"})
    if left == "without directory":
        path.rename(root.parent / "gone")
    if left == "half made":
        (root / ".git/worktrees/M001.f3.check/locked").write_text("initializing")

    with GitWorkspace(root, root / ".walkaway").clean_checkout(lease(3), base, "check") as again:
        assert files(Path(again)) == {"a.txt", "lib/b.txt", ".gitignore"}

    assert not path.exists()


def test_a_tree_that_forbids_its_removal_is_let_into_and_links_are_not_followed(tmp_path: Path) -> None:
    """The superuser is never refused, so it is the permissions that are looked at."""
    (tmp_path / "outside").mkdir(mode=0o500)
    deep = tmp_path / "tree/a/b"
    deep.mkdir(parents=True)
    (tmp_path / "tree/link").symlink_to(tmp_path / "outside")
    for folder in (deep, deep.parent, tmp_path / "tree"):
        folder.chmod(0o000)

    worktrees._permit(tmp_path / "tree")

    assert {folder.stat().st_mode & 0o777 for folder in (deep, deep.parent, tmp_path / "tree")} == {0o700}
    assert (tmp_path / "outside").stat().st_mode & 0o777 == 0o500


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "X"])
def test_a_scratch_name_cannot_lead_out_of_the_managed_folder(work: GitWorkspace, base: Sha, name: str) -> None:
    with pytest.raises(Usage), work.clean_checkout(lease(3), base, name):
        pass


@pytest.mark.parametrize("scope", ["*", "", "../M001", "M001/S01"])
def test_only_a_milestone_has_a_directory(work: GitWorkspace, base: Sha, scope: str) -> None:
    with pytest.raises(Usage, match="no milestone"):
        work.prepare(lease(1, milestone=scope), base, NOTHING)


def test_what_is_not_ours_is_never_discarded(work: GitWorkspace, root: Path) -> None:
    for path in (root, root / ".walkaway/worktrees", root / ".walkaway/worktrees/mine", root.parent / "M001.f1"):
        with pytest.raises(GitFailed, match="not ours"):
            work._trees.discard(path)


def test_a_missing_checkout_is_a_sentence_and_never_the_project_itself(
    work: GitWorkspace, root: Path, base: Sha
) -> None:
    place = work.prepare(lease(1), base, NOTHING)
    Path(place.path).rename(root.parent / "gone")
    write(root, {"mine.txt": "mine\n"})

    with pytest.raises(GitFailed, match="no checkout of"):
        work.seal(place, "Work", work=True)

    assert head(root) == base


# ---- rescue and line ---------------------------------------------------------------------------------------------


def test_rescue_and_line_are_refs_and_harmless_twice(work: GitWorkspace, root: Path, base: Sha) -> None:
    for _ in range(2):
        work.rescue(lease(1), DispatchId("M001/d:1"), base)
        work.advance_line(MilestoneId("M001"), base, NO_SHA)

    assert refs(root, "refs/walkaway-rescue") == {"refs/walkaway-rescue/M001/M001-d-1": base}
    assert refs(root, "refs/walkaway") == {"refs/walkaway/M001": base}

    later = commit(root, "Later")
    work.advance_line(MilestoneId("M001"), later, base)
    assert refs(root, "refs/walkaway") == {"refs/walkaway/M001": later}


def test_changed_names_every_path_readably(work: GitWorkspace, root: Path, base: Sha) -> None:
    write(root, {"with space": "x", "new\nline": "x", "é": "x"})
    (root / "a.txt").unlink()
    raw = root / "caf\udce9"
    raw.write_text("latin")
    after = commit(root, "Odd")

    assert work.changed(base, after) == ("a.txt", "caf\ufffd", "new\nline", "with space", "é")
