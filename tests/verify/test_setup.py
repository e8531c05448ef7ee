"""A checkout is set up once, and again when what it depends on has changed."""

import subprocess
import threading
from pathlib import Path

import pytest

from walkaway.core.errors import Cancelled, CannotRun
from walkaway.core.model import Result
from walkaway.core.verdict import CheckRun
from walkaway.verify import ProjectChecks

COUNT = ("echo run >>count",)


def set_up(path: Path, commands: tuple[str, ...] | None, timeout_s: float = 60.0) -> tuple[CheckRun, ...]:
    return ProjectChecks().set_up(str(path), commands, timeout_s, threading.Event())


def git(path: Path, *args: str) -> str:
    identity = ("-c", "user.name=x", "-c", "user.email=x@y")
    return subprocess.run(["git", *identity, *args], cwd=path, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a linked worktree."""
    root = tmp_path / "root"
    root.mkdir()
    git(root, "init", "-q")
    (root / "package-lock.json").write_text("1")
    (root / ".gitignore").write_text("count\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "First")
    git(root, "worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    return tmp_path / "tree"


def test_it_runs_once_per_checkout_and_is_returned(checkout: Path) -> None:
    (ran,) = set_up(checkout, COUNT)

    assert (ran.command, ran.result, ran.exit_code) == (COUNT[0], Result.PASS, 0)
    assert set_up(checkout, COUNT) == ()
    assert (checkout / "count").read_text() == "run\n"


@pytest.mark.parametrize("name", ["package-lock.json", "web/yarn.lock", "requirements-dev.txt"])
def test_it_runs_again_when_a_lock_file_changes(checkout: Path, name: str) -> None:
    set_up(checkout, COUNT)
    (checkout / "web").mkdir()
    (checkout / name).write_text("2")

    assert len(set_up(checkout, COUNT)) == 1
    assert set_up(checkout, COUNT) == ()


def test_it_runs_again_when_the_commands_change_and_not_when_other_files_do(checkout: Path) -> None:
    set_up(checkout, COUNT)
    (checkout / "main.py").write_text("x")
    assert set_up(checkout, COUNT) == ()

    assert len(set_up(checkout, (*COUNT, "true"))) == 2


def test_a_set_up_that_writes_its_lock_file_runs_once(checkout: Path) -> None:
    commands = ("date +%s%N >package-lock.json",)

    assert len(set_up(checkout, commands)) == 1
    assert set_up(checkout, commands) == ()


def test_the_note_lies_where_no_commit_can_take_it(checkout: Path) -> None:
    set_up(checkout, COUNT)

    assert git(checkout, "status", "--porcelain") == ""
    assert not (checkout / "walkaway-set-up").exists()


def test_another_checkout_is_set_up_for_itself(checkout: Path) -> None:
    set_up(checkout, COUNT)
    other = checkout.parent / "other"
    git(checkout, "worktree", "add", "-q", "--detach", str(other))

    assert len(set_up(other, COUNT)) == 1


def test_where_there_is_no_git_it_runs_each_time(tmp_path: Path) -> None:
    set_up(tmp_path, COUNT)
    set_up(tmp_path, COUNT)

    assert (tmp_path / "count").read_text() == "run\nrun\n"


def test_the_first_failure_stops_it_says_why_and_is_tried_again(checkout: Path) -> None:
    commands = ("true", "echo no network >&2; exit 3", *COUNT)

    for _ in range(2):
        with pytest.raises(CannotRun, match=r"(?s)exit code 3.*no network"):
            set_up(checkout, commands)

    assert not (checkout / "count").exists()


def test_a_missing_program_and_a_time_out_cannot_run_either(checkout: Path) -> None:
    with pytest.raises(CannotRun, match="no-such-program"):
        set_up(checkout, ("no-such-program --install",))
    with pytest.raises(CannotRun, match="did not end in time"):
        set_up(checkout, ("exec tail -f /dev/null",), timeout_s=0.3)


def test_a_long_output_is_cut_to_its_end(checkout: Path) -> None:
    with pytest.raises(CannotRun, match=r"the end$") as seen:
        set_up(checkout, ("yes | head -c 50000; echo the end; exit 1",))

    assert len(str(seen.value)) < 5000


def test_it_can_be_cancelled(checkout: Path) -> None:
    cancel = threading.Event()
    cancel.set()

    with pytest.raises(Cancelled):
        ProjectChecks().set_up(str(checkout), ("exec tail -f /dev/null",), 60.0, cancel)


def test_none_means_what_is_discovered_and_nothing_means_nothing(checkout: Path) -> None:
    (checkout / "package.json").write_text("{}")
    (checkout / "package-lock.json").unlink()

    assert set_up(checkout, None) == ()
    assert set_up(checkout, ()) == ()

    (checkout / "uv.lock").write_text("")
    (checkout / "uv").write_text("")
    with pytest.raises(CannotRun, match="uv sync --frozen"):
        ProjectChecks().set_up(str(checkout), None, 0.0, threading.Event())
