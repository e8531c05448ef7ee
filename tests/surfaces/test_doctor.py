"""Every check of the doctor: its fault is planted and found; without it, it is not."""

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable

import pytest

from tests.surfaces import stories
from tests.surfaces.conftest import grow
from walkaway import app, doctor
from walkaway.core.ids import WorkerId, slice_id
from walkaway.doctor import Severity, check, disk, filesystem, sqlite
from walkaway.doctor import git as git_check
from walkaway.doctor.check import ModelAccess, Patient
from walkaway.proc import Identity

S01 = slice_id(stories.M, 1)


@pytest.fixture
def healthy(opened, monkeypatch) -> app.App:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k" * 20)
    subprocess.run(["git", "config", "user.name", "t"], cwd=opened.place.root, check=True)
    subprocess.run(["git", "config", "user.email", "t@t"], cwd=opened.place.root, check=True)
    grow(opened.store, [*stories.planned(), *stories.sliced(S01), stories.question()])
    return opened


def found(name: str) -> list[tuple[Severity, str]]:
    return [
        (f.severity, f.text) for f in doctor.examine(app.patient()) if f.check == name and f.severity != Severity.OK
    ]


def test_nothing_is_wrong_with_a_healthy_project(healthy, walkaway):
    ran = walkaway("doctor", "--json")
    told = json.loads(ran.out)
    assert (ran.code, told["ok"], told["v"]) == (0, True, 1)
    assert {f["check"] for f in told["findings"]} == {c.id for c in doctor.CHECKS}
    wrong = [f for f in told["findings"] if f["severity"] in {"error", "warning"}]
    assert [f["check"] for f in wrong if f["check"] != "disk"] == []
    assert walkaway("doctor").code == 0


def test_a_finding_that_is_an_error_exits_10(healthy, walkaway, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    ran = walkaway("doctor")
    assert ran.code == 10
    assert "ANTHROPIC_API_KEY is not set" in ran.out
    assert "Set ANTHROPIC_API_KEY" in ran.out


def test_an_unknown_setting_is_found(healthy):
    with open(healthy.place.config, "w", encoding="utf-8") as sink:
        sink.write("[limits]\natempts = 3\n")
    ((severity, text),) = found("configuration")
    assert severity is Severity.ERROR
    assert "limits.attempts" in text


def test_a_missing_database_is_found(healthy):
    healthy.close()
    for name in os.listdir(healthy.place.state):
        if name.startswith("state.db"):
            os.unlink(os.path.join(healthy.place.state, name))
    ((severity, text),) = found("database")
    assert severity is Severity.ERROR
    assert "There is no database" in text


def test_tables_that_differ_from_the_journal_are_found(healthy):
    assert found("journal") == []
    database = sqlite3.connect(healthy.place.database)
    with database:
        database.execute("UPDATE tasks SET title = 'changed by hand' WHERE id = 'M001/S01/T01'")
    database.close()
    ((severity, text),) = found("journal")
    assert severity is Severity.ERROR
    assert text == "The tables of M001 differ from its journal in tasks."


def test_a_journal_that_lacks_an_entry_is_found(healthy):
    database = sqlite3.connect(healthy.place.database)
    with database:
        database.execute("DELETE FROM events WHERE type = 'SlicePlanned'")
    database.close()
    ((severity, text),) = found("journal")
    assert severity is Severity.ERROR
    assert "M001" in text


def test_a_worker_that_vanished_is_named(healthy):
    gone = Identity(host=os.uname().nodename, boot_id=_boot(), pid=2**22 + 1, started=1.0)
    healthy.store.register(WorkerId("gone"), gone)
    ((severity, text),) = found("workers")
    assert severity is Severity.NOTE
    assert "ended without a word" in text


def _boot() -> str:
    from walkaway.proc import me

    return me().boot_id


def test_a_checkout_that_no_lease_names_is_named(healthy):
    os.makedirs(os.path.join(healthy.place.worktrees, "M001.f3"))
    ((severity, text),) = found("worktrees")
    assert severity is Severity.NOTE
    assert "M001.f3" in text


@pytest.mark.parametrize(
    ("model", "severity", "words"),
    [
        (ModelAccess(name="gpt-5", base_url="", key_variable="", has_key=True), Severity.ERROR, "without a provider"),
        (ModelAccess(name=":x", base_url="", key_variable="", has_key=True), Severity.ERROR, "without a provider"),
        (ModelAccess(name="a:b", base_url="localhost:1", key_variable="", has_key=True), Severity.ERROR, "base_url"),
        (ModelAccess(name="a:b", base_url="", key_variable="MINE", has_key=False), Severity.ERROR, "MINE"),
        (ModelAccess(name="a:b", base_url="http://127.0.0.1:1/v1", key_variable="", has_key=False), Severity.NOTE, "may"),
        (ModelAccess(name="a:b", base_url="http://ollama:1/v1", key_variable="", has_key=False), Severity.NOTE, "may"),
        (ModelAccess(name="a:b", base_url="", key_variable="", has_key=False), Severity.WARNING, "cannot be told"),
        (
            ModelAccess(name="a:b", base_url="https://api.example.com", key_variable="", has_key=False,
                        usual_variables=("A_KEY", "B_KEY")),
            Severity.ERROR, "A_KEY or B_KEY",
        ),
    ],
)  # fmt: skip
def test_a_model_that_cannot_be_reached_is_found(model, severity, words):
    (finding,) = doctor.model.finds(Patient(root="/", state="/", model=model))
    assert (finding.severity, words in finding.text) == (severity, True)
    assert doctor.model.finds(
        Patient(root="/", state="/", model=ModelAccess(name="a:b", base_url="", key_variable="", has_key=True))
    ) == []  # fmt: skip


def test_a_git_that_is_too_old_or_missing_is_found(healthy, monkeypatch):
    from walkaway.core.errors import GitFailed
    from walkaway.git import repo

    patient = Patient(root=healthy.place.root, state=healthy.place.state)
    monkeypatch.setattr(repo, "version", lambda: (2, 30, 1))
    (finding,) = git_check.finds(patient)
    assert (finding.severity, "2.30.1" in finding.text) == (Severity.ERROR, True)

    def missing() -> tuple[int, ...]:
        raise GitFailed("git cannot be started")

    monkeypatch.setattr(repo, "version", missing)
    (finding,) = git_check.finds(patient)
    assert finding.severity is Severity.ERROR


def test_commits_that_nobody_would_sign_are_named(place):
    (finding,) = git_check.finds(Patient(root=place.root, state=place.state))
    assert finding.severity is Severity.NOTE
    assert "user.name and user.email are not set" in finding.text


@pytest.mark.parametrize(
    ("free", "severity"), [(99, Severity.ERROR), (100, Severity.WARNING), (1023, Severity.WARNING)]
)
def test_little_room_is_found(free, severity):
    (finding,) = disk.judged("/x", free)
    assert finding.severity is severity
    assert disk.judged("/x", 1024) == []


def test_a_network_file_system_is_found(monkeypatch):
    monkeypatch.setattr(filesystem, "network_filesystem", lambda folder: "nfs4")
    (local,) = filesystem.finds(Patient(root="/", state="/s", url="sqlite:////s/state.db"))
    (remote,) = filesystem.finds(Patient(root="/", state="/s", url="postgresql://h/d"))
    assert (local.severity, remote.severity) == (Severity.ERROR, Severity.WARNING)


def test_a_sqlite_with_the_fault_is_named(monkeypatch):
    monkeypatch.setattr(sqlite, "version", lambda: "3.45.1")
    (finding,) = sqlite.finds(Patient(root="/", state="/", url="sqlite:///x"))
    assert (finding.severity, "3.45.1" in finding.text) == (Severity.NOTE, True)
    assert sqlite.finds(Patient(root="/", state="/", url="postgresql://h/d")) == []


def test_the_doctor_changes_nothing(healthy, walkaway):
    def look() -> dict[str, int]:
        state = healthy.place.state
        return {name: os.stat(os.path.join(state, name)).st_size for name in os.listdir(state) if "-" not in name}

    before = look(), healthy.store.snapshot("M001").rev
    walkaway("doctor")
    assert (look(), healthy.store.snapshot("M001").rev) == before


def test_every_check_says_how_to_mend_what_it_calls_wrong():
    makers: list[Callable[..., check.Finding]] = [check.error, check.warning]
    assert all(make("id", "text", "fix").fix == "fix" for make in makers)


def test_outside_a_project_there_is_nothing_to_examine(walkaway):
    assert walkaway("doctor").code == 2
