"""`walkaway doctor`: what it says, what it mends when it is told to, and that it changes nothing else (I36)."""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.surfaces import stories
from tests.surfaces.conftest import Cli, grow
from walkaway import app, doctor
from walkaway.core import events as e
from walkaway.core.fleet.pause import Pause
from walkaway.core.ids import PROJECT_SCOPE, DispatchId, Scope, WorkerId, slice_id
from walkaway.core.model import DispatchStatus
from walkaway.doctor import Severity
from walkaway.doctor.check import ModelAccess, Patient
from walkaway.proc import me
from walkaway.testing.world import dead_identity

S01 = slice_id(stories.M, 1)
KEYS = ["code", "severity", "scope", "message", "fix", "fixable", "check", "text"]
FIXED = {"stale-worker", "lease-without-worker", "state-not-ignored", "projection-missing", "worktree-orphan"}


@pytest.fixture
def healthy(opened, monkeypatch) -> app.App:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k" * 20)
    git(opened, "config", "user.name", "t")
    git(opened, "config", "user.email", "t@t")
    grow(opened.store, [*stories.planned(), *stories.sliced(S01)])
    return opened


@pytest.fixture
def sick(healthy) -> app.App:
    """A project with all that can be mended, and much that cannot: above all what is the user's."""
    store, root = healthy.store, Path(healthy.place.root)
    (root / "a").write_text("base\n")
    git(healthy, "add", "a")
    git(healthy, "commit", "--quiet", "-m", "base")
    lease = hold(healthy, stories.M, "gone", dead=True)
    claimed = e.DispatchClaimed(
        dispatch=DispatchId("M001-D001"), unit="execute-task", target=f"{S01}/T01", attempt=1,
        worker=WorkerId("gone"), epoch=lease.epoch, token=lease.fencing_token, base=stories.BASE,
    )  # fmt: skip
    store.commit(lease, [claimed])
    other = grow(store, [], "Another")
    hold(healthy, other, "unregistered")
    with store.driver.write() as tx:
        tx.run("DELETE FROM workers WHERE id = 'unregistered'")
    store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann", reason="lunch"))
    trees = Path(healthy.place.worktrees)
    git(healthy, "worktree", "add", "--quiet", "-b", "wip/M001/f1", str(trees / "M001.f1"), "main")
    git(healthy, "worktree", "add", "--quiet", "-b", "wip/M002/f1", str(trees / "M002.f1"), "main")
    (trees / "M002.f1" / "mine.txt").write_text("nowhere else\n")
    (trees / "M009.f1").mkdir()
    (trees / "M009.f1" / "mine.txt").write_text("nowhere else\n")
    (root / ".git/info/exclude").write_text("*.log\n")
    (root / ".git/index.lock").touch()
    (root / ".git/MERGE_HEAD").write_text(git(healthy, "rev-parse", "HEAD"))
    (root / "a").write_text("resolved by hand\n")
    return healthy


def hold(at: app.App, milestone: str, name: str, *, dead: bool = False):
    at.store.register(WorkerId(name), dead_identity() if dead else me())
    lease = at.store.acquire(Scope(milestone), WorkerId(name), 60.0)
    assert lease is not None
    return lease


def git(at: app.App, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=at.place.root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def found(name: str) -> list[tuple[Severity, str, str]]:
    findings = doctor.examine(app.patient())
    return [(f.severity, f.code, f.message) for f in findings if f.check == name and f.severity is not Severity.OK]


def told(walkaway: Cli, *words: str) -> dict:
    ran = walkaway("doctor", "--json", *words)
    (line,) = ran.json()
    assert ran.code == (0 if line["ok"] else 10)
    assert list(line) == ["v", "ok", "findings", "fixed", "failed", "would_fix"]
    assert all(list(finding) == KEYS for finding in line["findings"])
    return line


def codes(line: dict) -> set[str]:
    return {finding["code"] for finding in line["findings"] if finding["severity"] != "ok"}


def fingerprint(at: app.App) -> dict[str, str]:
    """Return what the whole project is: every file (SQLite's side files and the queue's apart), and every row."""
    root = Path(at.place.root)
    files = sorted(path for path in root.rglob("*") if not path.is_dir() and not path.name.startswith("state.db"))
    seen = {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    seen |= {f"{path.relative_to(root)}/": "" for path in root.rglob("*") if path.is_dir()}
    database = sqlite3.connect(at.place.database)
    seen["rows"] = "\n".join(database.iterdump())
    database.close()
    return seen


# ---- looking ------------------------------------------------------------------------------------------------------


def test_nothing_is_wrong_with_a_healthy_project(healthy, walkaway):
    line = told(walkaway)
    assert (line["v"], line["ok"], line["fixed"], line["failed"], line["would_fix"]) == (1, True, [], [], [])
    assert {f["check"] for f in line["findings"]} == {c.id for c in doctor.CHECKS}
    wrong = [f["code"] for f in line["findings"] if f["severity"] in {"error", "warning"}]
    assert [code for code in wrong if code != "disk-low"] == []
    assert walkaway("doctor").code == 0


def test_a_finding_that_is_an_error_exits_10(healthy, walkaway, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    ran = walkaway("doctor")
    assert ran.code == 10
    assert "error    key-missing (environment): " in ran.out
    assert "ANTHROPIC_API_KEY is not set" in ran.out
    assert "Set ANTHROPIC_API_KEY" in ran.out


def test_an_unknown_setting_is_found_and_what_it_hides_is_said(healthy, walkaway):
    with open(healthy.place.config, "w", encoding="utf-8") as sink:
        sink.write("[limits]\natempts = 3\n")
    ((severity, code, text),) = found("configuration")
    assert (severity, code) == (Severity.ERROR, "setting-wrong")
    assert "limits.attempts" in text
    assert "The check journal was left out, because of configuration." in walkaway("doctor").out


def test_a_missing_database_is_found(healthy):
    healthy.close()
    for name in os.listdir(healthy.place.state):
        if name.startswith("state.db"):
            os.unlink(os.path.join(healthy.place.state, name))
    ((severity, code, text),) = found("database")
    assert (severity, code) == (Severity.ERROR, "database-unusable")
    assert "There is no database" in text


def test_a_database_that_is_none_is_found(healthy, walkaway):
    healthy.close()
    for name in os.listdir(healthy.place.state):
        if name.startswith("state.db-"):
            os.unlink(os.path.join(healthy.place.state, name))
    Path(healthy.place.database).write_text("nothing that SQLite could read\n" * 1000)
    line = told(walkaway, "--fix")
    assert "database-unusable" in codes(line)
    assert line["ok"] is False


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
    assert (finding.severity, words in finding.message) == (severity, True)
    assert doctor.model.finds(
        Patient(root="/", state="/", model=ModelAccess(name="a:b", base_url="", key_variable="", has_key=True))
    ) == []  # fmt: skip


def test_outside_a_project_there_is_nothing_to_examine(walkaway):
    assert walkaway("doctor").code == 2


# ---- mending ------------------------------------------------------------------------------------------------------


def test_looking_changes_nothing_also_where_much_is_wrong(sick, walkaway):
    before = fingerprint(sick)
    for words in ([], ["--dry-run"], ["--fix", "--dry-run"], ["--json"], ["--json", "--fix", "--dry-run"]):
        assert walkaway("doctor", *words).code == 10
        assert fingerprint(sick) == before, words


def test_what_is_mended_is_found_no_more_and_the_second_time_there_is_nothing_to_mend(sick, walkaway):
    seen = {(f["code"], f["scope"]) for f in told(walkaway)["findings"]}
    first = told(walkaway, "--fix")
    assert {each["code"] for each in first["fixed"]} == FIXED
    assert first["failed"] == []
    mended = {(each["code"], each["scope"]) for each in first["fixed"]}
    assert mended <= seen
    left = {(f["code"], f["scope"]) for f in first["findings"]}
    assert not mended & left
    before = fingerprint(sick)
    second = told(walkaway, "--fix")
    assert second["fixed"] == []
    assert {(f["code"], f["scope"]) for f in second["findings"]} == left, "their words may differ: the disk fills up"
    assert fingerprint(sick) == before


def test_mending_leaves_alone_what_is_the_user_s(sick, walkaway):
    line = told(walkaway, "--fix")
    assert codes(line) >= {"git-unfinished", "index-lock", "worktree-left", "worktree-unregistered", "paused"}
    root, trees = Path(sick.place.root), Path(sick.place.worktrees)
    assert (root / "a").read_text() == "resolved by hand\n"
    assert (root / ".git/MERGE_HEAD").exists()
    assert (root / ".git/index.lock").exists()
    assert (root / ".git/info/exclude").read_text() == "*.log\n/.walkaway\n"
    assert (trees / "M002.f1/mine.txt").read_text() == "nowhere else\n"
    assert (trees / "M009.f1/mine.txt").read_text() == "nowhere else\n"
    assert not (trees / "M001.f1").exists()
    assert sick.store.snapshot(Scope("M001")).dispatches["M001-D001"].status is DispatchStatus.CANCELED
    assert PROJECT_SCOPE in sick.store.controls.read().pauses


def test_mending_says_what_it_did_and_what_is_left(sick, walkaway):
    ran = walkaway("doctor", "--fix")
    assert ran.code == 10
    done, left = ran.out.split("Looked at again:\n")
    assert "mended   stale-worker (gone): What gone left is settled: M001 can be taken." in done
    assert "stale-worker" not in left
    assert "error    git-unfinished (repository): A merge was begun" in left


def test_a_dry_run_says_what_would_be_done(sick, walkaway):
    line = told(walkaway, "--fix", "--dry-run")
    assert {each["code"] for each in line["would_fix"]} == FIXED
    assert line["fixed"] == []
    out = walkaway("doctor", "--dry-run").out
    assert "would    worktree-orphan (M001.f1): --fix looks again, then removes the checkout" in out
    assert "With --fix, walkaway doctor does it." in walkaway("doctor").out


def test_what_cannot_be_mended_is_said_and_stays_found(sick, walkaway):
    Path(sick.place.root, ".gitignore").write_text("!/.walkaway\n")
    line = told(walkaway, "--fix")
    ((code, scope, why),) = [tuple(each.values()) for each in line["failed"]]
    assert (code, scope, "take that line out" in why) == ("state-not-ignored", "repository", True)
    assert code in codes(line)
    assert "not      state-not-ignored (repository): a .gitignore says" in walkaway("doctor", "--fix").out


def test_with_nothing_to_mend_it_looks_once(healthy, walkaway):
    walkaway("doctor", "--fix")
    ran = walkaway("doctor", "--fix")
    assert (ran.code, "Looked at again" in ran.out) == (0, False)


WORKER = """
import sys
from walkaway import app, proc
from walkaway.core.ids import Scope, WorkerId
opened = app.open_project()
opened.store.register(WorkerId("killed"), proc.me())
assert opened.store.acquire(Scope("M001"), WorkerId("killed"), 3600.0)
print("holds", flush=True)
sys.stdin.read()
"""


@pytest.mark.e2e
def test_what_a_killed_process_left_is_settled_at_once(healthy, walkaway):
    child = subprocess.Popen(
        [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=healthy.place.root
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "holds\n"
    assert "stale-worker" not in codes(told(walkaway))
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert child.stdin is not None
    child.stdin.close()
    assert "stale-worker" in codes(told(walkaway))
    line = told(walkaway, "--fix")
    assert ("stale-worker", "killed") in {(each["code"], each["scope"]) for each in line["fixed"]}
    assert healthy.store.holder(Scope("M001")) is None
    assert json.dumps(line["findings"]) == json.dumps(told(walkaway, "--fix")["findings"])
