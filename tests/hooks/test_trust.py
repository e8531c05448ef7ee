"""What a person's trust in a hook covers, where it is kept, and when it ends."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from walkaway.core.errors import Usage
from walkaway.core.plan.hook import Hook
from walkaway.hooks.trust import FILE_MOST, State, Trust, digest, files_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    (made / "hooks").mkdir(parents=True)
    (made / "hooks" / "rules.sh").write_text("echo rules\n")
    (made / "hooks" / "list.txt").write_text("a\n")
    return made


@pytest.fixture
def trust(tmp_path: Path, root: Path) -> Trust:
    return Trust(str(tmp_path / "config" / "walkaway" / "trust.json"), str(root))


def hook(run: str = "sh hooks/rules.sh") -> Hook:
    return Hook(name="rules", when="before", units=("execute-task",), run=run)


def test_a_hook_is_new_then_trusted_then_changed_then_revoked(trust: Trust, root: Path) -> None:
    assert trust.of(hook()) is State.NEW
    trust.trust(hook())
    assert trust.of(hook()) is State.TRUSTED
    (root / "hooks" / "rules.sh").write_text("echo others\n")
    assert trust.of(hook()) is State.CHANGED
    (root / "hooks" / "rules.sh").write_text("echo rules\n")
    assert trust.of(hook()) is State.TRUSTED
    trust.revoke(hook())
    trust.revoke(hook())
    assert trust.of(hook()) is State.NEW


@pytest.mark.parametrize(
    "other", [{"run": "sh hooks/rules.sh -x"}, {"units": ()}, {"units": ("run-uat",)}], ids=["command", "all", "units"]
)
def test_trust_is_in_the_whole_table(trust: Trust, other: dict[str, object]) -> None:
    trust.trust(hook())
    assert trust.of(replace(hook(), **other)) is State.CHANGED
    assert trust.of(replace(hook(), when="after")) is State.NEW
    assert trust.of(replace(hook(), name="others")) is State.NEW


@pytest.mark.parametrize(
    ("run", "files"),
    [
        ("sh hooks/rules.sh", ["hooks/rules.sh"]),
        ("./hooks/rules.sh hooks/list.txt", ["hooks/list.txt", "hooks/rules.sh"]),
        ("x=1;sh hooks/rules.sh|cat", ["hooks/rules.sh"]),
        ("tool --list=hooks/list.txt", ["hooks/list.txt"]),
        ("sh 'hooks/../hooks/rules.sh'", ["hooks/rules.sh"]),
        ("sh ../outside.sh /bin/sh", []),
        ("echo 'hooks/rules.sh", []),
        ("sh link.sh", ["link.sh"]),
        ("sh hooks", []),
    ],
)
def test_the_files_of_the_project_that_a_command_names(root: Path, run: str, files: list[str]) -> None:
    (root.parent / "outside.sh").write_text("true\n")
    os.symlink("../outside.sh", root / "link.sh")
    assert list(files_of(hook(run), str(root))) == files


def test_a_link_is_what_it_leads_to(trust: Trust, root: Path) -> None:
    (root.parent / "outside.sh").write_text("true\n")
    os.symlink("../outside.sh", root / "link.sh")
    trust.trust(hook("sh link.sh"))
    (root.parent / "outside.sh").write_text("false\n")
    assert trust.of(hook("sh link.sh")) is State.CHANGED


def test_trust_is_kept_outside_the_project_and_for_one_project(trust: Trust, root: Path, tmp_path: Path) -> None:
    trust.trust(hook())
    kept = json.loads(Path(trust.path).read_text())
    assert kept == {"v": 1, "projects": {os.path.realpath(root): {"before:rules": digest(hook(), str(root))}}}
    other = tmp_path / "other"
    other.mkdir()
    (other / "hooks").symlink_to(root / "hooks")
    assert Trust(trust.path, str(other)).of(hook()) is State.NEW
    Trust(trust.path, str(other)).trust(hook())
    assert trust.of(hook()) is State.TRUSTED


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"projects": {"x": 1}}', "\x00"])
def test_a_file_that_says_something_else_is_no_trust(trust: Trust, text: str) -> None:
    trust.trust(hook())
    Path(trust.path).write_text(text)
    with pytest.raises(Usage, match=r"trust\.json .* trust your hooks anew"):
        trust.of(hook())
    with pytest.raises(Usage):
        trust.trust(hook())
    assert Path(trust.path).read_text() == text


def test_a_file_too_large_to_look_at_is_not_trusted(trust: Trust, root: Path) -> None:
    with (root / "hooks" / "list.txt").open("wb") as sink:
        sink.truncate(FILE_MOST + 1)
    with pytest.raises(Usage, match="larger than 16 MiB"):
        trust.trust(hook("cat hooks/list.txt"))
