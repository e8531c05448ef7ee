"""The target moves only to what passed, and never over a file of the user's."""

import contextlib
import fcntl
import threading
from pathlib import Path

import pytest

from tests.git.gitrig import commit, head, lease, refs, tree, write
from walkaway.core.errors import Conflict, GitFailed, NotPublishable, StaleSnapshot, Usage
from walkaway.core.ids import NO_SHA, Sha
from walkaway.git import GitWorkspace, publish
from walkaway.git.repo import plain


@pytest.fixture
def made(work: GitWorkspace, base: Sha) -> Sha:
    """Return a prepared integration commit: it adds, changes and removes files."""
    return integration(
        work, base, {"new.txt": "new\n", "deep/er/x.log.d/f": "f\n", "a.txt": "A\n"}, remove=["lib/b.txt"]
    )


def integration(work: GitWorkspace, base: Sha, files: dict[str, str], remove: list[str] | None = None) -> Sha:
    place = work.prepare(lease(1), base, NO_SHA)
    for name in remove or []:
        (Path(place.path) / name).unlink()
    write(Path(place.path), files)
    plain(Path(place.path), "add", "--force", "--all", ".")
    sealed = work.seal(place, "Work", work=True)
    return work.integrate(base, sealed, "Milestone M001\n\nWalkaway-Milestone: M001\n")


def snapshot(root: Path) -> tuple[str, str, str, str, dict[str, str]]:
    status = plain(root, "status", "--porcelain", "--ignored", "-z")
    content = {str(file): file.read_text() for file in root.rglob("*") if ".git" not in file.parts and file.is_file()}
    content = {name: text for name, text in content.items() if ".walkaway" not in name}
    return head(root), status, plain(root, "ls-files", "-s"), plain(root, "stash", "list"), content


# ---- one at a time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("freed", [True, False])
def test_who_publishes_waits_for_another_worker_but_not_for_ever(
    work: GitWorkspace, root: Path, base: Sha, made: Sha, monkeypatch: pytest.MonkeyPatch, freed: bool
) -> None:
    monkeypatch.setattr(publish, "ALONE_S", 60.0 if freed else 0.05)
    with (root / ".git" / "walkaway-publish.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        begun = threading.Thread(target=work.publish, args=("main", base, made))
        begun.start()
        begun.join(0.2 if freed else 30)
        assert begun.is_alive() is freed, "it waits; or who is stopped in its turn holds nobody up"
        assert (head(root) == base) is freed
    begun.join(30)
    assert head(root) == made


# ---- the integration commit --------------------------------------------------------------------------------------


def test_the_integration_commit_is_a_squash_on_the_targets_tip(
    work: GitWorkspace, root: Path, base: Sha, made: Sha
) -> None:
    before = refs(root)

    again = work.integrate(base, head(root, "wip/M001/f1"), "M\n")

    assert plain(root, "show", "-s", "--format=%P", made).strip() == base
    assert set(tree(root, made)) == {"a.txt", ".gitignore", "new.txt", "deep/er/x.log.d/f"}
    assert plain(root, "show", "-s", "--format=%B", made).strip() == "Milestone M001\n\nWalkaway-Milestone: M001"
    assert tree(root, again) == tree(root, made)
    assert refs(root) == before


def test_both_sides_work_is_in_it_where_the_target_has_moved(work: GitWorkspace, root: Path, made: Sha) -> None:
    write(root, {"users.txt": "u\n"})
    moved = commit(root, "The user's")

    merged = work.integrate(moved, made, "M\n")

    assert {"users.txt", "new.txt"} <= set(tree(root, merged))
    assert plain(root, "show", "-s", "--format=%P", merged).strip() == moved


def test_a_conflict_names_its_files_and_moves_nothing(work: GitWorkspace, root: Path, made: Sha) -> None:
    write(root, {"a.txt": "mine\n", "new.txt": "mine\n"})
    moved = commit(root, "The user's")
    before = snapshot(root)

    with pytest.raises(Conflict, match=r"a\.txt, new\.txt"):
        work.integrate(moved, made, "M\n")

    assert snapshot(root) == before


def test_the_integration_commit_is_signed_where_the_users_are(root: Path, base: Sha, tmp_path: Path) -> None:
    signer = tmp_path / "signer"
    signer.write_text("#!/bin/sh\ncat >/dev/null\necho '[GNUPG:] SIG_CREATED ' >&2\necho SIGNED-BY-TEST\n")
    signer.chmod(0o755)
    for key, value in {"commit.gpgSign": "true", "gpg.program": str(signer), "user.signingKey": "k"}.items():
        plain(root, "config", key, value)
    work = GitWorkspace(root, root / ".walkaway")

    made = integration(work, base, {"new.txt": "n"})

    assert "SIGNED-BY-TEST" in plain(root, "cat-file", "commit", made)
    assert "SIGNED-BY-TEST" not in plain(root, "cat-file", "commit", "wip/M001/f1"), "units are not"


def test_unrelated_histories_are_a_failure_of_git(work: GitWorkspace, root: Path, base: Sha) -> None:
    tree_sha = plain(root, "write-tree").strip()
    other = Sha(plain(root, "commit-tree", tree_sha, "-m", "Other").strip())

    with pytest.raises(GitFailed, match="unrelated"):
        work.integrate(base, other, "M\n")


# ---- where the target is not checked out -------------------------------------------------------------------------


def test_a_branch_that_nobody_has_checked_out_moves_by_compare_and_swap(
    work: GitWorkspace, root: Path, base: Sha, made: Sha
) -> None:
    plain(root, "checkout", "-q", "-b", "elsewhere")
    write(root, {"new.txt": "the user's, on another branch\n"})

    work.publish("main", base, made)
    work.publish("main", base, made)

    assert head(root, "main") == made
    assert head(root) == base
    assert (root / "new.txt").read_text() == "the user's, on another branch\n"


def test_a_target_that_moved_is_stale(work: GitWorkspace, root: Path, base: Sha, made: Sha) -> None:
    for branch in ("main", "other"):
        plain(root, "checkout", "-q", "-B", branch, base)
        moved = commit(root, "The user's")

        with pytest.raises(StaleSnapshot, match=branch):
            work.publish(branch, base, made)
        plain(root, "checkout", "-q", "--detach")
        with pytest.raises(StaleSnapshot):
            work.publish(branch, base, made)

        assert head(root, branch) == moved


def test_a_target_that_is_gone_is_stale(work: GitWorkspace, root: Path, base: Sha, made: Sha) -> None:
    plain(root, "checkout", "-q", "--detach")
    plain(root, "branch", "-D", "main")

    with pytest.raises(StaleSnapshot, match="gone"):
        work.publish("main", base, made)


def test_a_target_that_went_on_from_the_work_is_left_alone(
    work: GitWorkspace, root: Path, base: Sha, made: Sha
) -> None:
    work.publish("main", base, made)
    later = commit(root, "Later")

    work.publish("main", base, made)

    assert head(root) == later


def test_a_target_that_moves_at_the_last_moment_is_stale(work: GitWorkspace, root: Path, base: Sha, made: Sha) -> None:
    moved = commit(root, "The user's, after we have looked")

    with pytest.raises(StaleSnapshot):
        publish._swap(work.repo, "refs/heads/main", base, made)

    assert head(root, "main") == moved
    publish._swap(work.repo, "refs/heads/main", base, base)


def test_a_ref_that_somebody_locks_is_a_failure_and_nothing_moves(
    work: GitWorkspace, root: Path, base: Sha, made: Sha
) -> None:
    plain(root, "checkout", "-q", "-b", "elsewhere")
    (root / ".git/refs/heads/main.lock").touch()

    with pytest.raises(GitFailed, match="lock"):
        work.publish("main", base, made)

    assert head(root, "main") == base


# ---- where it is checked out -------------------------------------------------------------------------------------


def test_a_clean_checkout_is_fast_forwarded_files_and_all(work: GitWorkspace, root: Path, base: Sha, made: Sha) -> None:
    write(root, {"unrelated.txt": "mine\n", "noise.log": "mine\n", "node_modules/x": "mine\n"})

    work.publish("main", base, made)

    assert head(root) == made
    assert (root / "new.txt").read_text() == "new\n"
    assert not (root / "lib/b.txt").exists()
    assert plain(root, "status", "--porcelain") == "?? unrelated.txt\n"
    assert (root / "noise.log").read_text() == "mine\n"


def test_changes_elsewhere_in_the_tree_do_not_stop_it(work: GitWorkspace, root: Path, base: Sha) -> None:
    made = integration(work, base, {"new.txt": "n\n"})
    write(root, {"a.txt": "mine\n", "staged.txt": "mine\n"})
    plain(root, "add", "staged.txt")

    work.publish("main", base, made)

    assert head(root) == made
    assert plain(root, "status", "--porcelain") == " M a.txt\nA  staged.txt\n"


IN_THE_WAY = {
    "changed": ({"a.txt": "mine\n"}, "a.txt"),
    "staged": ({"a.txt": "mine\n"}, "a.txt"),
    "staged new": ({"new.txt": "mine\n"}, "new.txt"),
    "staged, then removed": ({"new.txt": "mine\n"}, "new.txt"),
    "removed, to be changed": ({}, "a.txt"),
    "changed, to be removed": ({"lib/b.txt": "mine\n"}, "lib/b.txt"),
    "untracked": ({"new.txt": "mine\n"}, "new.txt"),
    "untracked, the same": ({"new.txt": "new\n"}, "new.txt"),
    "file for a folder": ({"deep": "mine\n"}, "deep"),
    "ignored file for a folder": ({"deep/er/x.log.d": "mine\n"}, "deep/er/x.log.d"),
    "folder for a file": ({"new.txt/mine/too": "mine\n"}, "new.txt/mine/too"),
    "ignored, in a folder for a file": ({"new.txt/x.log": "mine\n"}, "new.txt/x.log"),
    "staged below a file": ({"new.txt/mine": "mine\n"}, "new.txt/mine"),
    "staged below a file, then removed": ({"new.txt/mine": "mine\n"}, "new.txt/mine"),
    "staged above a file, then removed": ({"deep/er": "mine\n"}, "deep/er"),
    "staged above a file": ({"deep/er": "mine\n"}, "deep/er"),
}


@pytest.mark.parametrize("how", IN_THE_WAY)
def test_a_file_of_the_users_is_never_touched(work: GitWorkspace, root: Path, base: Sha, made: Sha, how: str) -> None:
    files, named = IN_THE_WAY[how]
    write(root, files)
    if how.startswith("staged"):
        plain(root, "add", "--force", "--all")
    if how.endswith("then removed"):
        (root / named).unlink()
    if how.startswith("removed"):
        (root / named).unlink()
    before = snapshot(root)

    with pytest.raises(NotPublishable, match="commit, move or remove") as seen:
        work.publish("main", base, made)

    assert seen.value.files == (named,)
    assert named in str(seen.value)
    assert made[:12] in str(seen.value)
    assert snapshot(root) == before


@pytest.mark.parametrize("name", ["secret.log", "node_modules/pkg/index.js", "with space.log", "new\nline.log"])
def test_an_ignored_file_which_git_would_overwrite_silently_is_never_touched(
    work: GitWorkspace, root: Path, base: Sha, name: str
) -> None:
    made = integration(work, base, {name: "theirs\n"})
    write(root, {name: "mine\n"})

    with pytest.raises(NotPublishable) as seen:
        work.publish("main", base, made)

    assert seen.value.files == (name,)
    assert (root / name).read_text() == "mine\n"
    assert head(root) == base


@pytest.mark.parametrize("name", ["new.txt", "deep"])
def test_a_link_in_the_way_is_not_followed(work: GitWorkspace, root: Path, base: Sha, made: Sha, name: str) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (root / name).symlink_to(outside)

    with pytest.raises(NotPublishable) as seen:
        work.publish("main", base, made)

    assert seen.value.files == (name,)
    assert list(outside.iterdir()) == []


def test_tracked_files_that_give_way_to_a_folder_and_back_are_not_in_the_way(
    work: GitWorkspace, root: Path, base: Sha
) -> None:
    place = work.prepare(lease(1), base, NO_SHA)
    (Path(place.path) / "a.txt").unlink()
    (Path(place.path) / "lib/b.txt").unlink()
    (Path(place.path) / "lib").rmdir()
    write(Path(place.path), {"a.txt/inside": "x\n", "lib": "now a file\n"})
    made = work.integrate(base, work.seal(place, "Work", work=True), "M\n")

    work.publish("main", base, made)

    assert (root / "a.txt/inside").read_text() == "x\n"
    assert (root / "lib").read_text() == "now a file\n"
    assert plain(root, "status", "--porcelain") == ""


def test_once_the_file_is_out_of_the_way_the_same_commit_is_published(
    work: GitWorkspace, root: Path, base: Sha, made: Sha
) -> None:
    write(root, {"new.txt": "mine\n"})
    with pytest.raises(NotPublishable):
        work.publish("main", base, made)
    (root / "new.txt").rename(root / "mine.txt")

    work.publish("main", base, made)

    assert head(root) == made


def test_it_is_published_where_it_is_checked_out_be_it_another_worktree(
    work: GitWorkspace, root: Path, base: Sha, made: Sha, tmp_path: Path
) -> None:
    plain(root, "branch", "release")
    plain(root, "worktree", "add", "-q", str(tmp_path / "other tree"), "release")

    work.publish("release", base, made)

    assert (tmp_path / "other tree/new.txt").exists()
    assert head(root, "release") == made
    assert head(root) == base
    assert not (root / "new.txt").exists()


def test_a_file_in_the_way_in_another_worktree_is_named_with_that_worktree(
    work: GitWorkspace, root: Path, base: Sha, made: Sha, tmp_path: Path
) -> None:
    plain(root, "worktree", "add", "-q", "-b", "release", str(tmp_path / "other"))
    write(tmp_path / "other", {"new.txt": "mine\n"})

    with pytest.raises(NotPublishable, match=str(tmp_path / "other")):
        work.publish("release", base, made)

    assert head(root, "release") == base


def test_a_worktree_that_is_gone_holds_nothing(
    work: GitWorkspace, root: Path, base: Sha, made: Sha, tmp_path: Path
) -> None:
    plain(root, "worktree", "add", "-q", "-b", "release", str(tmp_path / "other"))
    (tmp_path / "other").rename(tmp_path / "moved away")

    work.publish("release", base, made)

    assert head(root, "release") == made


@pytest.mark.parametrize("why", ["locked and away", "twice"])
def test_a_branch_that_is_checked_out_where_it_cannot_be_moved_is_not(
    work: GitWorkspace, root: Path, base: Sha, made: Sha, tmp_path: Path, why: str
) -> None:
    plain(root, "worktree", "add", "-q", "-b", "release", str(tmp_path / "other"))
    if why == "twice":
        plain(root, "worktree", "add", "-q", "--force", str(tmp_path / "third"), "release")
    else:
        plain(root, "worktree", "lock", str(tmp_path / "other"))
        (tmp_path / "other").rename(tmp_path / "on a stick")

    with pytest.raises(NotPublishable, match="checked out in"):
        work.publish("release", base, made)

    assert head(root, "release") == base


@pytest.mark.parametrize("verb", ["merge", "rebase", "cherry-pick"])
def test_nothing_moves_while_the_user_is_in_the_middle_of_something(
    work: GitWorkspace, root: Path, base: Sha, verb: str
) -> None:
    made = integration(work, base, {"new.txt": "n\n"})
    plain(root, "checkout", "-q", "-b", "side")
    write(root, {"a.txt": "side\n"})
    commit(root, "Side")
    plain(root, "checkout", "-q", "main")
    write(root, {"a.txt": "main\n"})
    tip = commit(root, "Main")
    again = work.integrate(tip, made, "M\n")
    with pytest.raises(GitFailed):
        plain(root, verb, "side")
    before = snapshot(root)

    with pytest.raises(NotPublishable, match=f"{verb} of main is under way"):
        work.publish("main", tip, again)

    assert snapshot(root) == before


def test_an_autostash_setting_does_not_move_the_users_changes(work: GitWorkspace, root: Path, base: Sha) -> None:
    for key, value in {"merge.autoStash": "true", "merge.ff": "false", "branch.main.mergeOptions": "--squash"}.items():
        plain(root, "config", key, value)
    made = integration(work, base, {"new.txt": "n\n"})
    write(root, {"a.txt": "mine\n"})
    before = (root / "a.txt").stat()

    work.publish("main", base, made)

    assert head(root) == made
    assert (root / "a.txt").read_text() == "mine\n"
    assert (root / "a.txt").stat().st_ctime_ns == before.st_ctime_ns, "put away and back is touched as well"


def test_what_git_itself_refuses_is_said_and_nothing_moves(
    work: GitWorkspace, root: Path, base: Sha, made: Sha
) -> None:
    (root / ".git/index.lock").touch()

    with pytest.raises(NotPublishable, match=r"index\.lock"):
        work.publish("main", base, made)

    assert head(root) == base


def test_a_crash_in_the_middle_is_repeated_harmlessly(work: GitWorkspace, root: Path, base: Sha, made: Sha) -> None:
    """Git writes the files first and the ref last: after a kill between them the work's own files lie there."""
    plain(root, "read-tree", "-m", "-u", "HEAD", made)

    with contextlib.suppress(NotPublishable):
        work.publish("main", base, made)

    assert head(root) in {base, made}
    assert (root / "new.txt").read_text() == "new\n"


# ---- which branch ------------------------------------------------------------------------------------------------


def test_the_target_is_what_the_user_has_checked_out_or_names(work: GitWorkspace, root: Path, base: Sha) -> None:
    plain(root, "checkout", "-q", "-b", "feature/é x".replace(" ", "-"))
    there = commit(root, "There")

    assert (work.pin(None).branch, work.pin(None).sha) == ("feature/é-x", there)
    assert (work.pin("main").branch, work.pin("main").sha) == ("main", base)
    assert work.pin("refs/heads/main").branch == "main"


def test_a_detached_head_asks_for_a_target(work: GitWorkspace, root: Path, base: Sha) -> None:
    plain(root, "checkout", "-q", "--detach")

    with pytest.raises(Usage, match="--target"):
        work.pin(None)

    assert work.pin("main").sha == base


@pytest.mark.parametrize("name", ["nope", "HEAD", "v1", "--all", "", "main^{tree}"])
def test_what_is_no_branch_with_a_commit_is_no_target(work: GitWorkspace, root: Path, name: str) -> None:
    plain(root, "tag", "v1")

    with pytest.raises(Usage, match="no commit on the branch"):
        work.pin(name)


def test_an_unborn_branch_is_no_target(tmp_path: Path) -> None:
    plain(tmp_path, "init", "-q")

    with pytest.raises(Usage, match="walkaway init"):
        GitWorkspace(tmp_path, tmp_path / ".walkaway").pin(None)
