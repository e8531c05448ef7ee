"""Progress on stderr: one line that moves and one for each unit that ended; nothing where nobody looks."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from walkaway.cli.live import ERASE, Live, one_line
from walkaway.cli.session import Session
from walkaway.core.model import Usage
from walkaway.engine.result import Progress


@pytest.fixture
def drawn(monkeypatch, capsys) -> Callable[[], str]:
    """Return what was drawn on a terminal of 60 columns."""
    monkeypatch.setenv("COLUMNS", "60")
    return lambda: capsys.readouterr().err


def used(tokens: int, usd: float | None = 0.1) -> Usage:
    return Usage(calls=1, input_tokens=tokens, output_tokens=0, usd=usd)


def test_where_nobody_looks_nothing_is_drawn(drawn):
    with Live(Session(["auto"]), show=False) as live:
        live.tell(Progress(kind="unit", text="u", unit="u", attempt=1))
        live.tell(Progress(kind="unit-done", text="", unit="u", attempt=1, usage=used(5)))
    assert drawn() == ""


def test_a_unit_that_ended_leaves_a_line_with_what_it_used_itself(drawn):
    with Live(Session(["auto"]), show=True) as live:
        live.tell(Progress(kind="unit", text="a", unit="a", attempt=1))
        live.tell(Progress(kind="unit-done", text="", unit="a", attempt=1, seconds=65.0, usage=used(100, 0.25)))
        live.tell(Progress(kind="unit", text="b", unit="b", attempt=2))
        live.tell(Progress(kind="usage", text="", unit="b", usage=used(150, 0.75)))
        live.tell(Progress(kind="unit-failed", text="the check\nfailed", unit="b", attempt=2, seconds=1.0))
    said = drawn()
    lines = [line for line in said.replace(ERASE, "\n").splitlines() if line]
    assert any(line.endswith("a  1:05  100 tokens  $0.2500") for line in lines)
    assert any(line.endswith("b (attempt 2)  1.0 s  50 tokens  $0.5000") for line in lines)
    assert "  the check failed" in lines
    assert said.endswith(ERASE)


def test_the_moving_line_fits_the_terminal_and_says_what_is_being_done(drawn):
    with Live(Session(["auto"]), show=True) as live:
        live.tell(Progress(kind="unit", text="execute-task M001/S01/T01", unit="execute-task M001/S01/T01", attempt=1))
        live.tell(Progress(kind="agent", text="write " + "a" * 200, unit="execute-task M001/S01/T01"))
    moving = next(line for line in drawn().split(ERASE) if "write" in line)
    assert len(moving) == 59
    assert moving.endswith("…")
    assert "\n" not in moving


def test_what_an_agent_says_cannot_move_the_cursor():
    assert one_line("a\x1b[2Jb\r\nc\x07\u2028d") == "a [2Jb c d"


def test_a_price_that_is_unknown_is_said_to_be(drawn):
    with Live(Session(["auto"]), show=True) as live:
        live.tell(Progress(kind="unit", text="a", unit="a", attempt=1))
        live.tell(Progress(kind="unit-done", text="", unit="a", attempt=1, usage=used(5, None)))
    assert "cost unknown" in drawn()


STUBBORN = """
import sys, threading
from walkaway import app
from walkaway.cli import main, signals
signals.PATIENCE_S = 0.2

class Stubborn:
    def run(self, options):
        print("READY", file=sys.stderr, flush=True)
        threading.Event().wait(60)
    def drain(self, why): ...
    def cancel(self, why): ...

app.App.runner = lambda self, tell, target=None: Stubborn()
sys.exit(main.run(["auto", "--json"]))
"""


def test_a_run_that_does_not_stop_is_ended_with_its_result_line(place, empty):
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN], cwd=empty, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        assert run.stderr.readline() == "READY\n"
        begun = time.monotonic()
        os.kill(run.pid, signal.SIGTERM)
        out, err = run.communicate(timeout=30)
    assert time.monotonic() - begun < 8
    assert run.returncode == 11
    assert out.count("\n") == 1
    assert '"type":"result","status":"cancelled","exit_code":11' in out
    assert "did not stop in time" in err
