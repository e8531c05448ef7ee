"""What can be seen of the demo without running it: setting up, reading what was said, telling it."""

import os
import sys
from pathlib import Path

import pytest

from walkaway.core.errors import CannotRun, Usage
from walkaway.demo import told
from walkaway.demo.ink import cut, ink, money
from walkaway.demo.live import Live, new_lines
from walkaway.demo.report import report
from walkaway.demo.runner import _tell_end
from walkaway.demo.stage import MODEL, Stage, put
from walkaway.playback import load


def test_setting_up_completes_what_was_begun_and_keeps_what_is_there(tmp_path):
    stage = Stage(tmp_path / "new" / "folder")
    stage.set_up()
    begin = stage.git("rev-parse", "HEAD")
    assert stage.git("symbolic-ref", "--short", "HEAD").strip() == "main"
    assert len(load(stage.script).lines) == 12
    stage.script.write_text("units: []\n")
    stage.pid.write_text("1\n")
    stage.set_up()
    assert stage.git("rev-parse", "HEAD") == begin
    assert stage.script.read_text() == "units: []\n"
    assert not stage.pid.exists()


def test_a_repository_that_was_not_finished_is_made_anew(tmp_path):
    stage = Stage(tmp_path)
    put(stage.script, "units: []\n")
    (tmp_path / ".project.new" / ".git").mkdir(parents=True)
    (tmp_path / ".project.new" / ".git" / "index.lock").touch()
    stage.set_up()
    assert stage.git("log", "--format=%s").strip() == "Begin with a name"
    assert not (tmp_path / ".project.new").exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "project").mkdir()
    with pytest.raises(Usage, match="is there already and is not the demo's"):
        Stage(tmp_path).set_up()
    assert list((tmp_path / "project").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(Usage, match="The demo cannot use"):
        Stage(tmp_path / "file").set_up()


def test_no_key_and_no_setting_of_the_machine_reaches_the_demo(tmp_path, monkeypatch):
    for name in ("ANTHROPIC_API_KEY", "WALKAWAY_CHECKS__COMMANDS", "WALKAWAY_PROJECT", "WALKAWAY_MODEL__NAME"):
        monkeypatch.setenv(name, "somebody's")
    monkeypatch.setenv("WALKAWAY_LEASE__TTL_S", "2")
    monkeypatch.setenv("WALKAWAY_DATABASE__URL", "postgresql://here/db")
    env = Stage(tmp_path).environment("http://127.0.0.1:1")
    assert "somebody's" not in env.values()
    assert env["WALKAWAY_MODEL__NAME"] == MODEL
    assert env["WALKAWAY_MODEL__BASE_URL"] == "http://127.0.0.1:1/v1"
    assert env[env["WALKAWAY_MODEL__API_KEY_ENV"]]
    assert (env["WALKAWAY_LEASE__TTL_S"], env["WALKAWAY_DATABASE__URL"]) == ("2", "postgresql://here/db")
    assert env["PATH"] == os.environ["PATH"]


def test_a_command_that_fails_is_named_with_what_it_said(tmp_path):
    stage = Stage(tmp_path)
    stage.project.mkdir()
    with pytest.raises(CannotRun, match=r"'walkaway status' ended with exit code 2: .*no walkaway project"):
        stage.walkaway("status")
    with pytest.raises(CannotRun, match="cannot be started"):
        stage.git("status", cwd=tmp_path / "nowhere")


def test_each_unit_is_told_when_it_ends_with_its_own_cost(tmp_path):
    said: list[str] = []
    live = Live(said.append)
    for line in (
        '{"v":1,"kind":"unit","unit":"plan-milestone M001","attempt":1}',
        '{"v":1,"kind":"agent","text":"not worth a line"}',
        '{"v":1,"kind":"usage","usage":{"usd":0.25,"input_tokens":1,"output_tokens":1}}',
        '{"v":1,"kind":"unit-done","unit":"plan-milestone M001","attempt":1,"seconds":2.5,"usage":{"usd":0.25}}',
        '{"v":1,"kind":"unit","unit":"execute-task M001/S01/T01","attempt":1}',
        f'{{"v":1,"kind":"unit-failed","unit":"execute-task M001/S01/T01","text":"{sys.executable} -m x failed."}}',
        '{"v":1,"kind":"unit","unit":"execute-task M001/S01/T01","attempt":2}',
        '{"v":1,"kind":"agent","text":"I see."}',
        '{"v":1,"kind":"unit-done","unit":"execute-task M001/S01/T01","attempt":2,"seconds":1,"usage":{"usd":null}}',
        '{"v":1,"kind":"recovered","text":"going on"}',
        '{"v":1,"kind":"published","text":"main is at 123"}',
        "walkaway: a word to people",
        '{"v":1,"type":"result","status":"complete"}',
    ):
        live.take(line)
    assert said[0].split() == ["✓", "plan-milestone", "M001", "2.5", "s", "$0.2500"]
    assert said[1].startswith("✗ execute-task M001/S01/T01  ")
    assert said[1].endswith("$0.0000")
    assert "python -m x failed." in said[2]
    assert said[3] == "    The agent, on being told: I see."
    assert said[4].split()[-3:] == ["1.0", "s", "unknown"]
    assert said[5:] == ["    going on", "↑ Merged: main is at 123", "  walkaway: a word to people"]
    assert live.result["status"] == "complete"


def test_how_it_ended_badly_is_said_with_what_helps(tmp_path):
    said: list[str] = []
    _tell_end(Stage(tmp_path), 10, {"blocked": [{"detail": "The target is red."}]}, said.append)
    assert "walkaway auto ended with exit code 10" in said[0]
    assert said[1:] == ["  The target is red.", f"To go on: walkaway demo --keep {tmp_path}"]


def test_lines_are_read_whole_or_not_yet(tmp_path):
    path = tmp_path / "log"
    path.write_text("one\ntwo\nthr")
    assert list(new_lines(path, 0)) == [("one", 4), ("two", 8)]
    with path.open("a") as sink:
        sink.write("ee\n")
    assert list(new_lines(path, 8)) == [("three", 14)]


def test_what_is_not_as_expected_reads_as_nothing():
    assert told.one("{broken") is None
    assert told.one("[1]") is None
    assert told.runs("") == []
    assert told.runs('{"milestones":{"M001":[{"id":"D1","attempt":true}]}}')[0].attempt == 1
    assert told.evidence('{"event":"EvidenceRecorded","body":3}\nnoise')[0].exit_code is None
    assert told.elements({"no": "list"}) == []


def test_colours_are_for_terminals_only(monkeypatch):
    assert ink("x", "red") == "x"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert ink("x", "red") == "\x1b[31mx\x1b[0m"
    assert cut(ink("x" * 80, "red")) == ink("x" * 80, "red")
    monkeypatch.setenv("NO_COLOR", "1")
    assert ink("x", "red") == "x"
    assert cut("y" * 81) == "y" * 79 + "…"
    assert money(None).strip() == "unknown"


def test_a_tool_whose_tests_fail_is_not_called_a_success(tmp_path, monkeypatch):
    stage = Stage(tmp_path)
    stage.set_up()
    stage.git("update-ref", "refs/walkaway/M001", "HEAD")
    (stage.project / "tests").mkdir()
    (stage.project / "tests" / "test_no.py").write_text(
        "import unittest\n\nclass No(unittest.TestCase):\n    def test(self): self.fail('no')\n"
    )
    stage.walkaway("init")
    said: list[str] = []
    assert report(stage, said.append, with_units=True) is False
    assert any("They do not pass: exit code 1." in line for line in said)
    assert Path(stage.project).is_dir()
