"""Every command finds its project from wherever it is started, and always the root's."""

import os
import subprocess

import pytest

from walkaway import layout
from walkaway.core.errors import Usage
from walkaway.layout import Layout, Resolved


def git(folder, *args: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", *args],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_a_subfolder_belongs_to_the_project_above_it(place, empty):
    deep = empty / "a" / "b"
    deep.mkdir(parents=True)
    assert layout.find(str(deep)) == place


def test_the_working_directory_decides_where_nothing_else_is_said(place, empty, monkeypatch):
    (empty / "sub").mkdir()
    monkeypatch.chdir(empty / "sub")
    assert layout.find() == place


def test_a_symbolic_link_leads_to_the_project(place, empty, tmp_path):
    (tmp_path / "link").symlink_to(empty)
    assert layout.find(str(tmp_path / "link")) == place


def test_a_worktree_of_the_users_belongs_to_the_main_checkouts_project(place, empty, tmp_path):
    git(empty, "worktree", "add", "-b", "side", str(tmp_path / "side"))
    (tmp_path / "side" / "deep").mkdir()
    assert layout.find(str(tmp_path / "side" / "deep")) == place


def test_a_worktree_with_a_state_folder_of_its_own_still_belongs_to_the_root(place, empty, tmp_path):
    git(empty, "worktree", "add", "-b", "side", str(tmp_path / "side"))
    Layout(str(tmp_path / "side")).enter(layout.ProjectId("other"))
    assert layout.find(str(tmp_path / "side")) == place


def test_our_own_worktrees_belong_to_the_project(place, empty):
    ours = os.path.join(place.worktrees, "M001.f7")
    git(empty, "worktree", "add", "-b", "wip/M001/f7", ours)
    os.makedirs(os.path.join(ours, "src"))
    assert layout.find(os.path.join(ours, "src")) == place


def test_the_variable_outweighs_the_working_directory(place, empty, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WALKAWAY_PROJECT", str(empty))
    assert layout.find() == place
    (empty / "sub").mkdir()
    monkeypatch.setenv("WALKAWAY_PROJECT", str(empty / "sub"))
    assert layout.find() == place


def test_a_variable_that_names_no_project_is_an_error_even_inside_one(place, tmp_path, monkeypatch):
    monkeypatch.setenv("WALKAWAY_PROJECT", str(tmp_path))
    with pytest.raises(Usage, match="WALKAWAY_PROJECT"):
        layout.find()


def test_another_repository_inside_the_project_is_no_part_of_it(place, empty):
    other = empty / "vendor" / "other"
    other.mkdir(parents=True)
    git(other, "init", "-q")
    with pytest.raises(Usage, match="There is no walkaway project"):
        layout.find(str(other))


def test_where_there_is_no_project_the_error_says_what_to_do(empty):
    with pytest.raises(Usage, match="walkaway init"):
        layout.find()


def test_a_working_directory_that_is_gone_is_an_error_of_usage(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(Usage, match="is gone"):
        layout.find()
    monkeypatch.chdir(tmp_path)


def test_the_first_identity_stays_whoever_comes_later(place):
    first = place.project()
    assert place.enter(layout.ProjectId("late")) == first
    assert place.project() == first
    assert [name for name in os.listdir(place.state) if name.startswith("project.json")] == ["project.json"]


def test_what_was_resolved_is_kept_for_the_owner_alone(place):
    told = Resolved(url="postgresql://a:b@h/d", synchronous="FULL", target="main", usd=None, attempts=3)
    place.resolve(told)
    assert place.resolved() == told
    assert os.stat(os.path.join(place.state, "resolved.json")).st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 3}', '{"v": 1}'])
def test_a_resolved_file_that_was_damaged_says_how_to_make_it_again(place, text):
    with open(os.path.join(place.state, "resolved.json"), "w", encoding="utf-8") as sink:
        sink.write(text)
    with pytest.raises(Usage, match="walkaway init"):
        place.resolved()


def test_the_tip_of_a_branch_is_read_loose_packed_and_nested(place, empty):
    tip = git(empty, "rev-parse", "HEAD")
    assert layout.tip(place.root, layout.checked_out(place.root)) == tip
    git(empty, "branch", "feature/deep")
    git(empty, "pack-refs", "--all")
    assert not (empty / ".git/refs/heads/feature/deep").exists()
    assert layout.tip(place.root, "feature/deep") == tip
    assert layout.tip(place.root, "deep") == ""
    assert layout.tip(place.root, "") == ""


def test_a_detached_head_is_on_no_branch(place, empty):
    git(empty, "checkout", "-q", "--detach")
    assert layout.checked_out(place.root) == ""
