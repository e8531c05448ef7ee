"""One commit per unit, on its base, judged by the repository's own hooks."""

from pathlib import Path

import pytest

from tests.git.gitrig import commit, head, hook, lease, refs, tree, write
from walkaway.core.errors import GitFailed, HookRefused
from walkaway.core.ids import NO_SHA, Sha
from walkaway.core.model import Checkout
from walkaway.git import GitWorkspace
from walkaway.git.repo import plain


@pytest.fixture
def place(work: GitWorkspace, base: Sha) -> Checkout:
    return work.prepare(lease(7), base, NO_SHA)


@pytest.fixture
def path(place: Checkout) -> Path:
    return Path(place.path)


def parents(root: Path, sha: Sha) -> list[str]:
    return plain(root, "show", "-s", "--format=%P", sha).split()


def test_everything_that_is_not_ignored_is_committed(
    work: GitWorkspace, root: Path, base: Sha, place: Checkout, path: Path
) -> None:
    write(path, {"c d.txt": "c\n", "new\nline": "n\n", "é/ü": "u\n", "x.log": "ignored", "a.txt": "changed\n"})
    (path / "lib/b.txt").unlink()

    sealed = work.seal(place, "Task T01\n\n# kept\nWalkaway-Unit: execute-task M001/S01/T01\n", work=True)

    assert set(tree(root, sealed)) == {"a.txt", "c d.txt", "new\nline", "é/ü", ".gitignore"}
    assert parents(root, sealed) == [base]
    assert head(root, "wip/M001/f7") == sealed
    message = plain(root, "show", "-s", "--format=%B", sealed)
    assert message == "Task T01\n\n# kept\nWalkaway-Unit: execute-task M001/S01/T01\n\n"
    assert plain(path, "status", "--porcelain") == ""


def test_nothing_changed_is_an_empty_commit(work: GitWorkspace, root: Path, base: Sha, place: Checkout) -> None:
    sealed = work.seal(place, "Nothing", work=True)

    assert tree(root, sealed) == tree(root, base)
    assert parents(root, sealed) == [base]


def test_without_work_nothing_in_the_directory_is_taken_and_no_hook_runs(
    work: GitWorkspace, root: Path, base: Sha, place: Checkout, path: Path
) -> None:
    hook(root / ".git/hooks", "pre-commit", "exit 1")
    hook(root / ".git/hooks", "prepare-commit-msg", "exit 1")
    write(path, {"c.txt": "c\n", "a.txt": "changed\n"})
    plain(path, "add", "c.txt")

    sealed = work.seal(place, "Plan", work=False)

    assert tree(root, sealed) == tree(root, base)
    assert parents(root, sealed) == [base]
    assert (path / "c.txt").exists()


@pytest.mark.parametrize("packed", [False, True], ids=["loose refs", "packed refs"])
def test_without_work_the_commit_is_on_base_wherever_head_is(
    work: GitWorkspace, root: Path, base: Sha, place: Checkout, path: Path, *, packed: bool
) -> None:
    if packed:
        plain(root, "pack-refs", "--all")
    else:
        commit(path, "The agent's own")

    sealed = work.seal(place, "Plan", work=False)

    assert parents(root, sealed) == [base]
    assert tree(root, sealed) == tree(root, base)


def test_an_empty_message_is_no_reason_to_fail(work: GitWorkspace, place: Checkout) -> None:
    assert work.seal(place, "", work=True)
    assert work.seal(place, "", work=False)


# ---- whatever the agent did to git -------------------------------------------------------------------------------


def test_commits_of_the_agents_own_become_one(
    work: GitWorkspace, root: Path, base: Sha, place: Checkout, path: Path
) -> None:
    for n in range(3):
        write(path, {f"{n}.txt": "x"})
        commit(path, f"Mine {n}")
    write(path, {"last.txt": "x"})

    sealed = work.seal(place, "Work", work=True)

    assert parents(root, sealed) == [base]
    assert set(tree(root, sealed)) == {"a.txt", "lib/b.txt", ".gitignore", "0.txt", "1.txt", "2.txt", "last.txt"}


@pytest.mark.parametrize("where", ["another branch", "detached", "unborn", "own branch moved"])
def test_the_commit_is_on_base_and_on_the_fences_branch_wherever_the_agent_went(
    work: GitWorkspace, root: Path, base: Sha, place: Checkout, path: Path, where: str
) -> None:
    if where == "another branch":
        plain(path, "checkout", "-q", "-b", "elsewhere")
    if where == "detached":
        plain(path, "checkout", "-q", "--detach")
    if where == "unborn":
        plain(path, "checkout", "-q", "--orphan", "fresh")
    write(path, {"c.txt": "c\n"})
    if where != "unborn":
        commit(path, "Mine")

    sealed = work.seal(place, "Work", work=True)

    assert parents(root, sealed) == [base]
    assert set(tree(root, sealed)) == {"a.txt", "lib/b.txt", ".gitignore", "c.txt"}
    assert head(root, "wip/M001/f7") == sealed
    assert plain(path, "symbolic-ref", "HEAD").strip() == "refs/heads/wip/M001/f7"


def conflicting(path: Path, base: Sha) -> Sha:
    write(path, {"a.txt": "one\n"})
    one = commit(path, "One")
    plain(path, "reset", "-q", "--hard", base)
    write(path, {"a.txt": "two\n"})
    commit(path, "Two")
    return one


@pytest.mark.parametrize("verb", ["merge", "cherry-pick", "rebase"])
def test_a_conflict_that_nobody_decided_is_refused_and_named(
    work: GitWorkspace, base: Sha, place: Checkout, path: Path, verb: str
) -> None:
    one = conflicting(path, base)
    with pytest.raises(GitFailed):
        plain(path, verb, one)

    with pytest.raises(HookRefused, match=r"resolve the conflicts in a\.txt"):
        work.seal(place, "Work", work=True)


def test_a_merge_that_the_agent_decided_but_did_not_commit_is_one_commit_with_one_parent(
    work: GitWorkspace, root: Path, base: Sha, place: Checkout, path: Path
) -> None:
    one = conflicting(path, base)
    with pytest.raises(GitFailed):
        plain(path, "merge", one)
    write(path, {"a.txt": "both\n"})
    plain(path, "add", "a.txt")

    sealed = work.seal(place, "Work", work=True)

    assert parents(root, sealed) == [base]
    assert tree(root, sealed)["a.txt"] == "both\n"


@pytest.mark.parametrize("how", ["untracked", "without a commit", "staged", "committed"])
def test_a_repository_inside_is_refused_and_named_and_fine_once_its_git_folder_is_gone(
    work: GitWorkspace, root: Path, base: Sha, place: Checkout, path: Path, how: str
) -> None:
    nested = path / "sub/inner"
    nested.mkdir(parents=True)
    plain(nested, "init", "-q")
    write(nested, {"f": "f\n"})
    if how != "without a commit":
        commit(nested, "Inner")
    if how in {"staged", "committed"}:
        plain(path, "add", "--all")
    if how == "committed":
        plain(path, "commit", "-q", "-m", "Mine")

    with pytest.raises(HookRefused, match="sub/inner is a git repository of its own"):
        work.seal(place, "Work", work=True)

    (nested / ".git").rename(root.parent / "inner git")
    sealed = work.seal(place, "Work", work=True)
    assert tree(root, sealed)["sub/inner/f"] == "f\n"
    assert parents(root, sealed) == [base]


def test_our_own_folder_is_never_committed_even_if_forced(
    work: GitWorkspace, root: Path, place: Checkout, path: Path
) -> None:
    write(path, {".walkaway/state.db": "x", ".walkaway/deep/er": "y", "c.txt": "c\n"})
    plain(path, "add", "--force", ".walkaway")

    sealed = work.seal(place, "Work", work=True)

    assert set(tree(root, sealed)) == {"a.txt", "lib/b.txt", ".gitignore", "c.txt"}


def test_our_own_folder_is_never_committed_even_if_nothing_is_excluded(
    work: GitWorkspace, root: Path, place: Checkout, path: Path
) -> None:
    (root / ".git/info/exclude").write_text("")
    write(path, {".walkaway/state.db": "x"})

    assert set(tree(root, work.seal(place, "Work", work=True))) == {"a.txt", "lib/b.txt", ".gitignore"}


def test_a_directory_that_is_another_repository_now_is_refused(work: GitWorkspace, place: Checkout, path: Path) -> None:
    (path / ".git").unlink()
    plain(path, "init", "-q")

    with pytest.raises(GitFailed, match="no checkout of"):
        work.seal(place, "Work", work=True)


def test_a_superseded_worker_seals_where_nobody_looks(work: GitWorkspace, root: Path, base: Sha) -> None:
    zombie = GitWorkspace(root, root / ".walkaway")
    old = zombie.prepare(lease(7), base, NO_SHA)
    new = work.prepare(lease(8), base, NO_SHA)
    write(Path(new.path), {"new.txt": "n"})
    write(Path(old.path), {"old.txt": "o"})

    kept = work.seal(new, "New", work=True)
    zombie.seal(old, "Old", work=True)

    assert head(root, "wip/M001/f8") == kept
    assert "old.txt" not in tree(root, kept)
    assert refs(root, "refs/heads/main") == {"refs/heads/main": base}


# ---- who commits -------------------------------------------------------------------------------------------------


def test_the_user_is_the_author(work: GitWorkspace, root: Path, place: Checkout) -> None:
    sealed = work.seal(place, "Work", work=True)

    assert plain(root, "show", "-s", "--format=%an <%ae>|%cn <%ce>", sealed).strip() == (
        "Ada <ada@example.org>|Ada <ada@example.org>"
    )


def test_where_nobody_has_said_who_they_are_we_are(
    root: Path, base: Sha, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "ci@example.org")
    work = GitWorkspace(root, tmp_path / "state")

    sealed = work.seal(work.prepare(lease(1), base, NO_SHA), "Work", work=True)

    assert plain(root, "show", "-s", "--format=%an <%ae>|%cn <%ce>", sealed).strip() == (
        "walkaway <walkaway@localhost>|walkaway <ci@example.org>"
    )


def test_what_an_outer_git_says_of_its_repository_is_not_heard(
    root: Path, base: Sha, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "Given")
    work = GitWorkspace(root, root / ".walkaway")

    sealed = work.seal(work.prepare(lease(1), base, NO_SHA), "Work", work=True)

    assert plain(root, "show", "-s", "--format=%an", sealed).strip() == "Given"


# ---- hooks -------------------------------------------------------------------------------------------------------


def test_the_pre_commit_hook_may_refuse_and_is_quoted(
    work: GitWorkspace, root: Path, base: Sha, place: Checkout, path: Path
) -> None:
    hook(root / ".git/hooks", "pre-commit", "echo to out; echo 'no tabs, please' >&2; exit 1")
    write(path, {"c.txt": "c\n"})

    with pytest.raises(HookRefused, match="no tabs, please") as refused:
        work.seal(place, "Work", work=True)

    assert "to out" in str(refused.value)
    assert head(path) == base
    assert (path / "c.txt").exists()


def test_the_commit_msg_hook_may_refuse_and_may_rewrite(
    work: GitWorkspace, root: Path, place: Checkout, path: Path
) -> None:
    hook(
        root / ".git/hooks", "commit-msg", 'grep -q "^feat" "$1" || { echo "say feat" >&2; exit 3; }; echo Seen >>"$1"'
    )
    write(path, {"c.txt": "c\n"})

    with pytest.raises(HookRefused, match="say feat"):
        work.seal(place, "Work", work=True)
    sealed = work.seal(place, "feat: work", work=True)

    assert plain(root, "show", "-s", "--format=%B", sealed).strip() == "feat: work\nSeen"


def test_what_a_hook_says_is_bounded(work: GitWorkspace, root: Path, place: Checkout) -> None:
    hook(root / ".git/hooks", "pre-commit", "yes | head -100000; exit 1")

    with pytest.raises(HookRefused) as refused:
        work.seal(place, "Work", work=True)

    assert len(str(refused.value)) < 5000


def test_a_formatter_that_refuses_once_is_shown_its_own_changes(
    work: GitWorkspace, root: Path, place: Checkout, path: Path
) -> None:
    hook(root / ".git/hooks", "pre-commit", "grep -q formatted c.txt || { echo formatted >>c.txt; exit 1; }")
    write(path, {"c.txt": "c\n"})

    assert tree(root, work.seal(place, "Work", work=True))["c.txt"] == "c\nformatted\n"


def test_a_failure_of_git_is_not_blamed_on_the_hook(work: GitWorkspace, root: Path, place: Checkout) -> None:
    hook(root / ".git/hooks", "pre-commit", "exit 0")
    (root / ".git/worktrees/M001.f7/index.lock").touch()

    with pytest.raises(GitFailed, match=r"index\.lock") as seen:
        work.seal(place, "Work", work=True)

    assert not isinstance(seen.value, HookRefused)


def hooked(root: Path, folder: str = ".githooks") -> Sha:
    """Track hooks in the tree: they refuse what contains a tab, and call a file beside them."""
    hook(root / folder, "helper", "! git diff --cached --name-only --diff-filter=d -z | xargs -0 grep -l TAB")
    hook(root / folder, "pre-commit", 'exec "$(dirname "$0")/helper"')
    plain(root, "config", "core.hooksPath", folder)
    plain(root, "add", "--all")
    plain(root, "-c", "core.hooksPath=/dev/null", "commit", "-qm", "Hooks")
    return head(root)


def test_hooks_in_the_tree_judge(work: GitWorkspace, root: Path) -> None:
    place = work.prepare(lease(1), hooked(root), NO_SHA)
    write(Path(place.path), {"c.txt": "TAB\n"})

    with pytest.raises(HookRefused, match=r"c\.txt"):
        work.seal(place, "Work", work=True)

    write(Path(place.path), {"c.txt": "fine\n"})
    assert tree(root, work.seal(place, "Work", work=True))["c.txt"] == "fine\n"


@pytest.mark.parametrize("how", ["changed", "removed", "committed", "mode", "by its helper"])
@pytest.mark.parametrize("folder", [".githooks", "tools/hooks"])
def test_an_agent_cannot_rewrite_the_hooks_that_judge_it(work: GitWorkspace, root: Path, how: str, folder: str) -> None:
    place = work.prepare(lease(1), hooked(root, folder), NO_SHA)
    path = Path(place.path)
    write(path, {"c.txt": "TAB\n"})
    script = path / folder / ("helper" if how == "by its helper" else "pre-commit")
    if how == "removed":
        script.unlink()
    elif how == "mode":
        script.chmod(0o644)
    else:
        script.write_text("#!/bin/sh\nexit 0\n")
    if how == "committed":
        commit(path, "Mine")

    with pytest.raises(HookRefused, match=r"c\.txt"):
        work.seal(place, "Work", work=True)

    write(path, {"c.txt": "fine\n"})
    sealed = work.seal(place, "Work", work=True)
    changed = {"c.txt", f"{folder}/{script.name}"}
    assert set(work.changed(place.base, sealed)) == changed, "it may propose other hooks, for the next unit"


def test_generated_hooks_in_an_ignored_folder_are_those_of_the_user(work: GitWorkspace, root: Path) -> None:
    """As husky has it: `.husky/_` is made by a set-up and ignored, and calls the tracked file above it."""
    hook(root / ".husky/_", "pre-commit", 'exec "$(dirname "$(dirname "$0")")/pre-commit"')
    hook(root / ".husky", "pre-commit", "test ! -e bad.txt || { echo bad >&2; exit 1; }")
    write(root, {".husky/_/.gitignore": "*\n"})
    plain(root, "config", "core.hooksPath", ".husky/_")
    plain(root, "add", "--all")
    plain(root, "-c", "core.hooksPath=/dev/null", "commit", "-qm", "Husky")
    place = work.prepare(lease(1), head(root), NO_SHA)
    path = Path(place.path)
    hook(path / ".husky/_", "pre-commit", "exit 0")
    write(path, {".husky/_/.gitignore": "*\n", "bad.txt": "x"})

    with pytest.raises(HookRefused, match="bad"):
        work.seal(place, "Work", work=True)


def test_a_hooks_path_that_an_agent_sets_later_is_not_used(
    work: GitWorkspace, root: Path, place: Checkout, path: Path
) -> None:
    hook(root / ".git/hooks", "pre-commit", "echo no >&2; exit 1")
    plain(path, "config", "core.hooksPath", "/dev/null")

    with pytest.raises(HookRefused, match="no"):
        work.seal(place, "Work", work=True)


def test_a_hooks_path_outside_the_tree_is_used_as_it_is(root: Path, base: Sha, tmp_path: Path) -> None:
    hook(tmp_path / "shared hooks", "pre-commit", "echo no >&2; exit 1")
    plain(root, "config", "core.hooksPath", str(tmp_path / "shared hooks"))
    work = GitWorkspace(root, root / ".walkaway")

    with pytest.raises(HookRefused, match="no"):
        work.seal(work.prepare(lease(1), base, NO_SHA), "Work", work=True)
