"""A folder becomes something to work in; what lies there stays as it is."""

from pathlib import Path

import pytest

from tests.git.gitrig import commit, head, lease, tree, write
from walkaway.core.errors import GitFailed, Usage
from walkaway.core.ids import NO_SHA
from walkaway.git import GitWorkspace, exclude, init_repository, version, version_ok
from walkaway.git.repo import Repo, plain


def test_a_folder_without_git_gets_a_repository_and_an_empty_commit_and_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "new one"

    did = init_repository(path)

    assert did == (
        f"Made the folder {path}.",
        f"Made a git repository in {path}.",
        "Made an empty first commit.",
    )
    assert plain(path, "symbolic-ref", "--short", "HEAD").strip() == "main"
    assert tree(path, head(path)) == {}
    assert GitWorkspace(path, path / ".walkaway").pin(None).branch == "main"


def test_a_second_time_there_is_nothing_to_do(tmp_path: Path) -> None:
    init_repository(tmp_path / "p")

    assert init_repository(tmp_path / "p") == ()
    assert (tmp_path / "p/.git/info/exclude").read_text().count("/.walkaway\n") == 1


def test_a_repository_without_a_commit_keeps_its_branch_and_what_is_staged(tmp_path: Path) -> None:
    path = tmp_path / "p"
    path.mkdir()
    plain(path, "init", "-q", "-b", "trunk")
    write(path, {"staged": "s\n", "loose": "l\n"})
    plain(path, "add", "staged")

    did = init_repository(path)

    assert did[0] == "Made an empty first commit."
    assert "not committed" in did[1]
    assert plain(path, "symbolic-ref", "--short", "HEAD").strip() == "trunk"
    assert plain(path, "status", "--porcelain") == "A  staged\n?? loose\n"


def test_a_repository_with_commits_is_only_told_what_to_ignore(root: Path) -> None:
    before = head(root)

    assert init_repository(root) == ()

    write(root, {".walkaway/state.db": "x"})
    assert head(root) == before
    assert plain(root, "status", "--porcelain") == ""


def test_the_users_own_exclude_lines_stay(root: Path) -> None:
    (root / ".git/info/exclude").write_text("mine")

    exclude(Repo(root))

    assert (root / ".git/info/exclude").read_text() == "mine\n/.walkaway\n"


def test_the_default_branch_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text("[init]\ndefaultBranch = hauptast\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))

    init_repository(tmp_path / "p")
    assert plain(tmp_path / "p", "symbolic-ref", "--short", "HEAD").strip() == "hauptast"

    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    init_repository(tmp_path / "q")
    assert plain(tmp_path / "q", "symbolic-ref", "--short", "HEAD").strip() == "main"


def test_a_folder_inside_a_repository_is_refused(root: Path) -> None:
    with pytest.raises(Usage, match="inside the repository"):
        init_repository(root / "lib")


def test_a_bare_repository_is_refused(tmp_path: Path) -> None:
    plain(tmp_path, "init", "-q", "--bare", "b.git")

    with pytest.raises(Usage, match="bare"):
        init_repository(tmp_path / "b.git")


def test_a_linked_worktree_can_be_the_project(root: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    plain(root, "worktree", "add", "-q", "-b", "feature", str(linked))

    assert init_repository(linked) == ()

    work = GitWorkspace(linked, linked / ".walkaway")
    base = work.pin(None).sha
    place = work.prepare(lease(1), base, NO_SHA)
    write(Path(place.path), {"c.txt": "c\n"})
    made = work.integrate(base, work.seal(place, "Work", work=True), "M\n")
    work.publish("feature", base, made)
    assert (linked / "c.txt").exists()
    assert plain(linked, "status", "--porcelain") == ""


def test_this_git_is_new_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert version() >= (2, 38)
    assert version_ok()

    monkeypatch.setattr("walkaway.git.repo.OLDEST", (99, 0))
    assert not version_ok()


def test_without_git_there_is_a_sentence(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))

    with pytest.raises(GitFailed, match="install git"):
        version()
    with pytest.raises(GitFailed, match="install git"):
        GitWorkspace(root, root / ".walkaway").pin(None)


def test_a_folder_without_git_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(GitFailed, match="walkaway init"):
        exclude(Repo(tmp_path))


def test_a_first_commit_is_what_a_first_unit_builds_on(tmp_path: Path) -> None:
    init_repository(tmp_path / "p")
    work = GitWorkspace(tmp_path / "p", tmp_path / "p/.walkaway")
    place = work.prepare(lease(1), work.pin(None).sha, NO_SHA)
    write(Path(place.path), {"c.txt": "c\n"})

    assert tree(tmp_path / "p", work.seal(place, "Work", work=True)) == {"c.txt": "c\n"}
    assert commit(tmp_path / "p", "The user's") != place.base
