"""The small commands: init, new, answer, config, log, status, units, doctor, playback."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.surfaces import stories
from tests.surfaces.conftest import grow
from walkaway import __version__, app, layout
from walkaway.cli.main import COMMANDS, cli
from walkaway.core.events import MilestonePlanned, NoteTaken, PolicyChanged
from walkaway.core.ids import Scope, TextHash, slice_id, task_id
from walkaway.core.model import Note, Policy
from walkaway.units import UNITS, sections
from walkaway.views.samples import SAMPLES

BIN = Path(sys.executable).parent / "walkaway"
S01 = slice_id(stories.M, 1)


def git(folder, *args: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", *args],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


# ---- init


def test_init_makes_a_repository_with_an_empty_commit_and_says_so(empty, walkaway):
    ran = walkaway("init")
    assert ran.code == 0
    assert "git repository" in ran.out
    assert "empty first commit" in ran.out
    assert git(empty, "ls-tree", "HEAD") == ""
    assert git(empty, "status", "--porcelain", "--ignored", "--untracked-files=all").split("\n")[0].startswith("!!")
    assert "/.walkaway" in (empty / ".git/info/exclude").read_text()


def test_init_twice_changes_nothing(empty, walkaway):
    walkaway("init")
    (empty / ".walkaway/config.toml").write_text("[limits]\nattempts = 5\n")
    before = layout.find().project(), git(empty, "rev-parse", "HEAD")
    ran = walkaway("init")
    assert ran.code == 0
    assert ran.out.splitlines() == [f"{empty} is ready. Next: walkaway new --spec FILE"]
    assert (layout.find().project(), git(empty, "rev-parse", "HEAD")) == before
    assert (empty / ".walkaway/config.toml").read_text() == "[limits]\nattempts = 5\n"


def test_init_takes_a_folder_that_is_not_there_yet(empty, walkaway):
    assert walkaway("init", "new/deep").code == 0
    assert (empty / "new/deep/.walkaway/state.db").exists()


def test_init_keeps_what_is_in_a_folder_out_of_the_commit(empty, walkaway):
    (empty / "mine.txt").write_text("mine")
    ran = walkaway("init")
    assert "not committed" in ran.out
    assert git(empty, "ls-tree", "HEAD") == ""
    assert (empty / "mine.txt").read_text() == "mine"


def test_init_in_a_subfolder_or_worktree_of_a_project_is_about_that_project(place, empty, walkaway, tmp_path):
    (empty / "sub").mkdir()
    git(empty, "worktree", "add", "-b", "side", str(tmp_path / "side"))
    assert f"{empty} is ready" in walkaway("init", "sub").out
    assert f"{empty} is ready" in walkaway("init", str(tmp_path / "side")).out
    assert not (tmp_path / "side/.walkaway").exists()


def test_init_in_a_worktree_of_a_repository_makes_its_main_checkout_the_project(empty, walkaway, tmp_path):
    git(empty, "init", "-q", "-b", "main")
    git(empty, "commit", "-q", "--allow-empty", "-m", "x")
    git(empty, "worktree", "add", "-b", "side", str(tmp_path / "side"))
    assert f"{empty} is ready" in walkaway("init", str(tmp_path / "side")).out


def test_the_configuration_that_init_writes_is_valid_and_changes_nothing(place, walkaway):
    settings = json.loads(walkaway("config", "show", "--json").out)["settings"]
    assert {s["origin"] for s in settings} == {"default"}
    text = Path(place.config).read_text()
    commented = re.compile(r"^# (?=\[\[|.* = )")
    uncommented = "\n".join(commented.sub("", line) for line in text.splitlines()[3:])
    Path(place.config).write_text(uncommented)
    settings = json.loads(walkaway("config", "show", "--json").out)["settings"]
    assert {s["origin"] for s in settings} == {"default", place.config}


def test_nothing_else_in_the_checkout_is_made(empty, walkaway):
    walkaway("init")
    assert sorted(path.name for path in empty.iterdir()) == [".git", ".walkaway"]
    assert git(empty, "status", "--porcelain") == ""


# ---- new


def test_new_prints_the_id_alone_and_takes_the_first_heading_as_title(opened, empty, walkaway):
    (empty / "spec.md").write_text("\nSome words first.\n\n## Ledger *export* ##\n\nText\n")
    ran = walkaway("new", "--spec", "spec.md")
    assert (ran.code, ran.out, ran.err) == (0, "M001\n", "")
    s = opened.store.snapshot(Scope("M001"))
    assert s.milestone.title == "Ledger *export*"
    assert opened.store.texts([s.milestone.context])[s.milestone.context].endswith("Text\n")
    assert walkaway("new", "--spec", "spec.md", "--title", "Other").out == "M002\n"
    assert opened.store.snapshot(Scope("M002")).milestone.title == "Other"


def test_new_reads_standard_input(opened, walkaway, monkeypatch, tmp_path):
    path = tmp_path / "given"
    path.write_text("Just a line.\n")
    with path.open() as given:
        monkeypatch.setattr("sys.stdin", given)
        assert walkaway("new", "--spec", "-").out == "M001\n"
    assert opened.store.snapshot(Scope("M001")).milestone.title == "Just a line."


@pytest.mark.parametrize("content", [b"", b" \n\t\n", b"\xff\xfe\x00"])
def test_a_specification_that_is_none_is_an_error_of_usage(place, empty, walkaway, content):
    (empty / "spec.md").write_bytes(content)
    ran = walkaway("new", "--spec", "spec.md")
    assert (ran.code, ran.out) == (2, "")
    assert "specification" in ran.err


@pytest.mark.parametrize("args", [("new",), ("new", "--spec", "missing.md"), ("new", "--spec", ".")])
def test_a_specification_that_cannot_be_read_is_an_error_of_usage(place, walkaway, args):
    ran = walkaway(*args)
    assert (ran.code, ran.out) == (2, "")


def test_a_specification_of_marks_alone_still_has_a_title(place, empty, walkaway, opened):
    (empty / "spec.md").write_text("---\n#\n")
    assert walkaway("new", "--spec", "spec.md").code == 0
    assert opened.store.snapshot(Scope("M001")).milestone.title == "Untitled"


def test_a_long_title_is_shortened(opened, empty, walkaway):
    (empty / "spec.md").write_text("# " + "word " * 100)
    walkaway("new", "--spec", "spec.md")
    title = opened.store.snapshot(Scope("M001")).milestone.title
    assert len(title) == 100
    assert title.endswith("…")


def test_a_new_milestone_keeps_the_settings_that_decide(opened, empty, walkaway):
    (empty / "spec.md").write_text("x")
    walkaway("new", "--spec", "spec.md", "--set", "checks.commands=make test", "--set", "limits.usd=7")
    policy = opened.store.snapshot(Scope("M001")).policy
    assert (policy.checks, policy.usd, policy.setup, policy.attempts) == (("make test",), 7.0, None, 3)


# ---- answer


def test_an_answer_is_recorded_with_who_gave_it(opened, walkaway):
    grow(opened.store, [*stories.planned(), *stories.sliced(S01), stories.question()])
    ran = walkaway("answer", "M001-Q1", "retry")
    assert ran.code == 0
    assert "walkaway auto" in ran.out
    asked = opened.store.snapshot(Scope("M001")).questions["M001-Q1"]
    assert asked.answer == "retry"
    assert asked.answered_by
    entry = walkaway("log", "--json").json()[-1]
    assert (entry["event"], entry["by"]) == ("QuestionAnswered", asked.answered_by)


@pytest.mark.parametrize(
    ("question", "words"),
    [("M001-Q1", "perhaps"), ("M001-Q2", "retry"), ("M009-Q1", "retry"), ("M001", "retry"), ("x", "y"), ("-Q1", "y")],
)
def test_an_answer_that_cannot_be_is_an_error_of_usage(opened, walkaway, question, words):
    grow(opened.store, [*stories.planned(), *stories.sliced(S01), stories.question()])
    ran = walkaway("answer", "--", question, words)
    assert ran.code == 2
    assert opened.store.snapshot(Scope("M001")).questions["M001-Q1"].open


# ---- config


def test_config_show_names_value_and_origin_of_every_setting(place, walkaway, monkeypatch):
    monkeypatch.setenv("WALKAWAY_CHECKS__COMMANDS", '["make test"]')
    told = json.loads(walkaway("config", "show", "--json", "--set", "lease.ttl_s=5").out)["settings"]
    by_key = {s["key"]: s for s in told}
    assert by_key["checks.commands"]["value"] == ["make test"]
    assert by_key["checks.commands"]["origin"] == "variable WALKAWAY_CHECKS__COMMANDS"
    assert (by_key["lease.ttl_s"]["value"], by_key["lease.ttl_s"]["origin"]) == (5.0, "--set")
    people = walkaway("--set", "lease.ttl_s=5", "config", "show").out
    for key in by_key:
        assert key in people


def test_an_unknown_setting_fails_every_command_that_reads_them(place, walkaway):
    Path(place.config).write_text("[limits]\natempts = 3\n")
    for args in (("config", "show"), ("status",), ("log",), ("new", "--spec", "x"), ("auto",), ("init",)):
        if args[0] != "new":
            ran = walkaway(*args)
            assert (ran.code, "Did you mean limits.attempts?" in ran.err) == (2, True), args


# ---- log


def test_the_log_tells_every_fact_in_order_for_people_and_for_programs(opened, walkaway):
    grow(opened.store, [*stories.planned(), *stories.sliced(S01), *stories.task_done(1, task_id(S01, 1))])
    lines = walkaway("log", "--json").json()
    assert [line["event"] for line in lines][:4] == [
        "MilestoneCreated", "PolicyChanged", "TargetPinned", "MilestonePlanned",
    ]  # fmt: skip
    assert all((line["v"], line["type"], line["scope"]) == (1, "event", "M001") for line in lines)
    done = next(line for line in lines if line["event"] == "TaskDone")
    assert done["body"]["summary"] == "Ordered column model"
    people = walkaway("log").out.splitlines()
    assert len(people) == len(lines)
    assert "TaskDone" in next(line for line in people if "Ordered column model" in line)


def test_the_log_follows_until_ctrl_c(opened, empty):
    follower = subprocess.Popen([BIN, "log", "--follow"], cwd=empty, stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(30, follower.kill)
    watchdog.start()
    grow(opened.store, stories.planned())
    assert follower.stdout is not None
    assert "MilestoneCreated" in follower.stdout.readline()
    opened.store.new_milestone("Second", "x", opened.policy(), "tester")
    while "Second" not in (line := follower.stdout.readline()):
        assert line
    follower.send_signal(signal.SIGINT)
    rest, _ = follower.communicate(timeout=30)
    watchdog.cancel()
    assert follower.returncode == 0
    assert "MilestoneCreated" not in rest


# ---- status and units


def test_status_shows_what_is_done_what_is_next_and_what_it_cost(opened, walkaway):
    grow(opened.store, [*stories.planned(), *stories.sliced(S01), *stories.task_done(1, task_id(S01, 1))])
    ran = walkaway("status")
    assert ran.code == 0
    for words in ("M001  Ledger export", "1/2 tasks", "✓ T01  Task 1", "· T02  Task 2", "· S02  Part 2  after S01",
                  "Run execute-task M001/S01/T02", "shell: not confined", "of $25.00", "anthropic:claude-sonnet-4-5"):  # fmt: skip
        assert words in ran.out, words


def test_status_shows_questions_with_remedies_and_how_to_answer(opened, walkaway):
    grow(opened.store, [*stories.planned(), *stories.sliced(S01), stories.question()])
    out = walkaway("status").out
    assert "Waiting for you" in out
    assert "- answer retry" in out
    assert "walkaway answer M001-Q1 retry" in out


def test_status_shows_the_last_failure_of_a_task(opened, walkaway):
    facts = [*stories.planned(), *stories.sliced(S01), *stories.claimed(1, "execute-task", task_id(S01, 1))]
    grow(opened.store, [*facts, *stories.failed(1)])
    assert "execute-task attempt 1: failed, The check `python -m unittest` failed" in walkaway("status").out


def test_status_of_an_empty_project_says_how_to_begin(place, walkaway):
    out = walkaway("status").out
    assert "no milestone yet" in out
    assert "walkaway new --spec FILE" in out


def test_units_shows_every_run_with_attempt_status_and_checks(opened, walkaway):
    first = task_id(S01, 1)
    facts = [*stories.planned(), *stories.sliced(S01), *stories.claimed(1, "execute-task", first), *stories.failed(1)]
    grow(opened.store, [*facts, *stories.task_done(2, first, attempt=2)])
    out = walkaway("units").out
    assert "execute-task M001/S01/T01            1  failed" in out
    assert "execute-task M001/S01/T01            2  completed" in out
    assert "1/1 checks" in out
    rows = json.loads(walkaway("units", "--json").out)["milestones"]["M001"]
    assert [(r["attempt"], r["status"]) for r in rows] == [(1, "failed"), (2, "completed")]
    assert rows[1]["checks"] == {"passed": 1, "run": 1}


def test_the_cost_of_each_run_is_what_its_calls_cost(opened, walkaway):
    from walkaway.core.brief import ModelCall
    from walkaway.core.ids import DispatchId

    first = task_id(S01, 1)
    grow(opened.store, [*stories.planned(), *stories.sliced(S01), *stories.task_done(1, first)])
    for usd in (0.25, 0.5):
        call = ModelCall(model="m", input_tokens=10, output_tokens=2, usd=usd)
        opened.store.spend(Scope("M001"), DispatchId("M001-D001"), call)
    (row,) = json.loads(walkaway("units", "--json").out)["milestones"]["M001"]
    assert row["cost"] == {"usd": 0.75, "input_tokens": 20, "output_tokens": 4}
    opened.store.spend(Scope("M001"), DispatchId("M001-D001"), ModelCall(model="m", input_tokens=1, output_tokens=0))
    (row,) = json.loads(walkaway("units", "--json").out)["milestones"]["M001"]
    assert row["cost"]["usd"] is None


def test_units_outside_a_project_tells_the_kinds(walkaway):
    ran = walkaway("units")
    assert ran.code == 0
    assert "execute-task" in ran.out
    kinds = json.loads(walkaway("units", "--json").out)["units"]
    assert [k["kind"] for k in kinds] == [unit.kind for unit in UNITS]


def test_a_kind_is_told_with_its_grant_tools_schema_and_sample(walkaway):
    kinds = {k["kind"]: k for k in json.loads(walkaway("units", "--json").out)["units"]}
    planning, task = kinds["plan-slice"], kinds["execute-task"]
    assert planning["grant"]["effects"] == ["read"]
    assert {t["name"] for t in planning["tools"]} == {
        "read", "grep", "find", "ls", "decide", "require", "remember", "recall", "ask", "report",
    }  # fmt: skip
    assert {t["name"] for t in task["tools"]} == {
        "read", "write", "edit", "bash", "grep", "find", "ls", "decide", "remember", "recall", "ask", "report",
    }  # fmt: skip
    assert all(t["schema"]["type"] == "object" for t in task["tools"])
    assert set(task["report"]["sample"]) == set(task["report"]["schema"]["properties"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.kind)
def test_every_sample_is_accepted_by_its_schema_and_its_check(unit):
    from walkaway.engine.desk import ReportDesk
    from walkaway.views.units import plain

    said = Note(id="M001-N1", kind="capture", target="M001", verdict="0", summary="s", report=TextHash("5" * 64))
    pinned, planned = stories.planned()
    facts = [*stories.created(), pinned, planned, *stories.sliced(S01), NoteTaken(note=said)]
    if unit.kind == "research-slices":
        assert isinstance(planned, MilestonePlanned)
        apart = replace(planned, slices=tuple(replace(each, depends=()) for each in planned.slices))
        facts = [*stories.created(), pinned, apart, PolicyChanged(policy=Policy(steps=("research-slice",)))]
    target = {"plan-slice": S01, "complete-slice": S01, "execute-task": f"{S01}/T01"}.get(unit.kind, stories.M)
    desk = ReportDesk(unit, stories.told(facts), target)
    assert desk.submit(json.dumps(plain(SAMPLES[unit.kind]))) == ""
    assert desk.accepted
    assert sections.blank(x="") != ""


# ---- help, version, playback


def test_help_lists_every_command_and_imports_none_of_them():
    program = (
        "import sys\nfrom walkaway.entry import main\nsys.argv = ['walkaway', '--help']\nmain()\n"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    for name, (_, _, words) in COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert words in done.stdout
    assert "\n    walkaway new --spec FILE      hand in what you want\n" in done.stdout, "one command a line"
    assert set(done.stderr.split()) & {"pydantic", "pydantic_ai", "psycopg", "rich", "walkaway.app", "sqlite3"} == set()


def test_status_imports_no_model_library(opened, empty):
    grow(opened.store, stories.planned())
    program = (
        "import sys\nfrom walkaway.entry import main\nsys.argv = ['walkaway', 'status']\nmain()\n"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=empty, capture_output=True, text=True, check=True)
    assert set(done.stderr.split()) & {"pydantic_ai", "psycopg", "textual", "starlette", "openai", "anthropic"} == set()


def test_every_command_has_help(walkaway):
    for name in COMMANDS:
        if name != "demo":
            ran = walkaway(name, "--help")
            assert (ran.code, ran.out.startswith("Usage: walkaway")) == (0, True), name
    assert cli.get_command(None, "nonsense") is None


def test_the_version_is_the_packages(walkaway):
    for words in (("--version",), ("--set", "a=b", "--version")):
        assert walkaway(*words).out == f"walkaway {__version__}\n"


def test_no_command_at_all_shows_the_help(walkaway):
    ran = walkaway()
    assert ran.code == 2
    assert "Commands:" in ran.err + ran.out


def test_playback_serves_until_it_is_told_to_end(empty):
    (empty / "script.yaml").write_text("units:\n  - unit: execute-task *\n    say:\n      - {text: hello}\n")
    with subprocess.Popen([BIN, "playback", "script.yaml"], cwd=empty, stdout=subprocess.PIPE, text=True) as server:
        watchdog = threading.Timer(30, server.kill)
        watchdog.start()
        assert server.stdout is not None
        assert server.stdout.readline().startswith("http://127.0.0.1:")
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        watchdog.cancel()


@pytest.mark.parametrize("text", ["units: 3\n", ": : :\n", None])
def test_playback_of_a_script_that_is_none_is_an_error_of_usage(empty, walkaway, text):
    if text is not None:
        (empty / "script.yaml").write_text(text)
    ran = walkaway("playback", "script.yaml")
    assert ran.code == 2
    assert "script" in ran.err


def test_output_into_a_pipe_that_is_closed_is_no_error(opened, empty):
    for _ in range(3):
        grow(opened.store, [], title="x" * 90)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([BIN, "log"], cwd=empty, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert "Traceback" not in done.stderr
    assert app.App is not None


# ---- workflow


def test_a_workflow_is_begun_as_a_milestone_that_is_planned_from_the_start(place, opened, walkaway):
    ran = walkaway("workflow", "run", "bugfix", "what=It fails.")
    assert (ran.code, ran.out) == (0, "M001\n")
    s = opened.store.snapshot(Scope("M001"))
    assert [x.title for x in s.slices.values()] == ["Reproduce the fault", "Mend it, with a test", "Look at the change"]
    assert "It fails." in next(iter(s.tasks.values())).description
    assert walkaway("workflow", "run", "bugfix").code == 2, "nothing says what"
    assert walkaway("workflow", "run", "bugfix", "what").code == 2
    assert walkaway("workflow", "run", "nothing").code == 2


def test_workflows_are_listed_with_what_is_wrong_with_them(place, walkaway):
    folder = Path(place.state) / "workflows"
    folder.mkdir()
    (folder / "broken.yaml").write_text("version: 9\nname: broken\nsteps: []\n")
    ran = walkaway("workflow", "list")
    assert "version is 1, not 9" in ran.out
    listed = {row["name"]: row for row in json.loads(walkaway("workflow", "list", "--json").out)["workflows"]}
    assert listed["broken"]["origin"] == "project"
    assert (listed["docs"]["origin"], listed["docs"]["params"]) == ("bundled", "where=docs")
    assert "version: 1" in walkaway("workflow", "show", "docs").out
    assert walkaway("workflow", "check", "docs").out == "docs can be run: list, mend, tidy.\n"
