"""The table of exit codes: whole, and one by one through the command line with a worker that ends as told."""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field

import pytest

from walkaway import app
from walkaway.cli import exits
from walkaway.core import errors
from walkaway.core.ids import Sha
from walkaway.core.model import Usage
from walkaway.engine.fleet.pool import SILENT
from walkaway.engine.result import Ended, Progress, RunOptions, Status

PROMISED = {
    "complete": 0, "unit_done": 0, "limit": 0, "error": 1, "usage": 2, "blocked": 10, "cancelled": 11, "paused": 11,
    "budget": 12, "stuck": 13, "waiting": 14, "time_limit": 15,
}  # fmt: skip

KEYS = [
    "v", "type", "status", "exit_code", "milestones", "units", "commits", "cost", "duration_s", "blocked",
]  # fmt: skip


def test_what_a_silent_worker_s_exit_code_says_is_what_every_run_promises():
    assert set(SILENT) == set(PROMISED.values()) - {1, 2}
    assert all(PROMISED[status] == code for code, status in SILENT.items())


@dataclass
class Scripted:
    """A worker that tells and ends as it was made to."""

    ends: Status | BaseException = Status.COMPLETE
    tells: tuple[Progress, ...] = ()
    asked: list[RunOptions] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    signals: tuple[int, ...] = ()
    heard: threading.Event = field(default_factory=threading.Event)

    def run(self, options: RunOptions) -> Ended:
        self.asked.append(options)
        for progress in self.tells:
            self.tell(progress)
        for number in self.signals:
            os.kill(os.getpid(), number)
            assert self.heard.wait(5.0)
            self.heard.clear()
        if isinstance(self.ends, BaseException):
            raise self.ends
        return Ended(
            status=self.ends, detail=f"It ended: {self.ends}.", units=2, commits=(Sha("c" * 40),),
            usage=Usage(calls=3, input_tokens=100, output_tokens=20, usd=0.5), duration_s=1.23456,
        )  # fmt: skip

    def drain(self, why: str) -> None:
        self.orders.append(f"drain {why}")
        self.heard.set()

    def cancel(self, why: str) -> None:
        self.orders.append(f"cancel {why}")
        self.heard.set()


@pytest.fixture
def worker(monkeypatch) -> Scripted:
    made = Scripted()

    def runner(self, tell, target=None):
        made.tell = tell
        return made

    monkeypatch.setattr(app.App, "runner", runner)
    return made


def last(ran) -> dict[str, object]:
    """Return the result line; there is exactly one, and it is the last."""
    lines = ran.json()
    assert [line["type"] for line in lines].count("result") == 1
    assert lines[-1]["type"] == "result"
    assert list(lines[-1]) == KEYS
    assert all(line["v"] == 1 for line in lines)
    return lines[-1]


def test_the_table_is_the_promised_one():
    assert dict(exits.OF_STATUS) == PROMISED
    assert {str(status) for status in Status} == set(PROMISED)


def test_every_error_has_an_exit():
    def tree(kind: type) -> list[type]:
        return [kind, *(each for sub in kind.__subclasses__() for each in tree(sub))]

    codes = {kind.code for kind in tree(errors.WalkawayError) if kind.__module__ == errors.__name__}
    assert codes == set(exits.OF_ERROR)
    assert set(exits.OF_ERROR.values()) <= set(PROMISED)


@pytest.mark.parametrize("status", list(Status), ids=str)
@pytest.mark.parametrize("command", ["auto", "next"])
def test_each_end_of_a_run_has_its_exit_code_and_result_line(place, walkaway, worker, status, command):
    worker.ends = status
    ran = walkaway(command, "--json")
    assert ran.code == PROMISED[str(status)]
    told = last(ran)
    assert (told["status"], told["exit_code"]) == (str(status), ran.code)
    assert (told["units"], told["commits"], told["duration_s"]) == (2, ["c" * 40], 1.235)
    assert told["cost"] == {"usd": 0.5, "input_tokens": 100, "output_tokens": 20}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.Usage("no such branch"), "usage"),
        (errors.IllegalTransition("x"), "error"),
        (errors.NewerSchema("x"), "blocked"),
        (errors.LeaseLost("x"), "blocked"),
        (errors.StoreUnavailable("x"), "blocked"),
        (errors.ProviderDown("x"), "waiting"),
        (errors.ProviderRefused("x"), "blocked"),
        (errors.GitFailed("x"), "blocked"),
        (errors.CannotRun("x"), "blocked"),
        (errors.BudgetSpent("x"), "budget"),
        (errors.LimitReached("x"), "blocked"),
        (errors.AgentStuck("x"), "stuck"),
        (errors.Cancelled("x"), "cancelled"),
        (RuntimeError("boom"), "error"),
        (KeyboardInterrupt(), "cancelled"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, BaseException) else each,
)
def test_each_error_of_a_run_has_its_exit_code_and_result_line(place, walkaway, worker, error, status):
    worker.ends = error
    ran = walkaway("auto", "--json")
    assert ran.code == PROMISED[status]
    told = last(ran)
    assert (told["status"], told["exit_code"]) == (status, ran.code)
    assert "Traceback" not in ran.err
    if str(error):
        assert str(error) in ran.err


@pytest.mark.parametrize(
    "args",
    [
        ("auto", "--json", "--bogus"),
        ("--set", "nonsense", "auto", "--json"),
        ("auto", "--json", "--max-units", "0"),
        ("auto", "--json", "--max-units", "many"),
        ("auto", "--json", "--max-cost", "-1"),
        ("auto", "--json", "--max-cost", "nan"),
        ("auto", "--json", "--time-limit", "soon"),
        ("auto", "--json", "--time-limit", "0"),
        ("auto", "--json", "--time-limit", ""),
        ("auto", "--json", "--milestone", "M1"),
        ("auto", "--json", "--milestone", "M001/S01"),
        ("auto", "--json", "superfluous"),
        ("auto", "--json", "--set", "limits.atempts=3"),
        ("next", "--json", "--max-units", "3"),
        ("next", "--json", "--target"),
    ],
)
def test_a_usage_error_has_a_result_line_too(place, walkaway, worker, args):
    ran = walkaway(*args)
    assert ran.code == 2
    assert last(ran)["status"] == "usage"
    assert ran.err.startswith("walkaway: ")
    assert worker.asked == []


@pytest.mark.parametrize("group", ["config", "plan", "workflow"])
def test_a_group_without_a_command_shows_its_help(place, walkaway, group):
    ran = walkaway(group)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"Usage: walkaway {group} ")
    assert "Commands:" in ran.err


def test_outside_a_project_a_run_ends_as_usage_with_its_result_line(walkaway, worker):
    ran = walkaway("auto", "--json")
    assert ran.code == 2
    assert last(ran)["milestones"] == []


def test_a_word_after_an_option_is_no_command(walkaway):
    ran = walkaway("--set", "auto=3", "--json")
    assert (ran.code, ran.out) == (2, "")


def test_an_unknown_command_exits_2(walkaway):
    ran = walkaway("bogus")
    assert ran.code == 2
    assert "bogus" in ran.err


def test_without_json_nothing_is_said_on_stdout_but_the_ending(place, walkaway, worker):
    worker.tells = (Progress(kind="unit", text="u", unit="u", attempt=1),)
    ran = walkaway("auto")
    assert ran.code == 0
    assert ran.err == ""
    assert ran.out.startswith("Complete. It ended: complete.")
    assert "2 units in 1.2 s, 120 tokens, $0.5000, integrated as cccccccccccc" in ran.out


def test_progress_lines_come_before_the_result_and_carry_what_is_known(place, walkaway, worker):
    worker.tells = (
        Progress(kind="unit", text="execute-task M001/S01/T01", unit="execute-task M001/S01/T01", attempt=2),
        Progress(kind="usage", text="", unit="x", usage=Usage(calls=1, input_tokens=7, output_tokens=3, usd=None)),
    )
    lines = walkaway("auto", "--json").json()
    assert lines[0] == {
        "v": 1, "type": "progress", "kind": "unit", "text": "execute-task M001/S01/T01",
        "unit": "execute-task M001/S01/T01", "attempt": 2,
    }  # fmt: skip
    assert lines[1]["usage"] == {"usd": None, "input_tokens": 7, "output_tokens": 3}
    assert len(lines) == 3


def test_a_run_that_breaks_still_says_what_it_did(place, walkaway, worker):
    worker.ends = RuntimeError("boom")
    used = Usage(calls=1, input_tokens=7, output_tokens=3, usd=0.25)
    worker.tells = (Progress(kind="unit-done", text="", unit="u", usage=used),)
    told = last(walkaway("auto", "--json"))
    assert told["units"] == 1
    assert told["cost"] == {"usd": 0.25, "input_tokens": 7, "output_tokens": 3}


def test_an_internal_error_is_one_sentence_and_its_traceback_a_file(place, walkaway, worker):
    worker.ends = RuntimeError("boom sk-ant-abcdefghijklmnopqrstuv")
    ran = walkaway("auto")
    assert ran.code == 1
    path = ran.err.rpartition(" is in ")[2].strip().rstrip(".")
    assert path.startswith(place.crashes)
    with open(path, encoding="utf-8") as crash:
        text = crash.read()
    assert "RuntimeError: boom" in text
    assert "sk-ant" not in text


def test_the_options_reach_the_worker(place, walkaway, worker):
    walkaway(
        "auto", "--milestone", "M007", "--target", "dev", "--max-units", "3", "--max-cost", "1.5", "--time-limit",
        "1h30m", "--no-wait",
    )  # fmt: skip
    assert worker.asked == [RunOptions(milestone="M007", target="dev", units=3, usd=1.5, seconds=5400.0, wait=False)]
    walkaway("next")
    assert worker.asked[1] == RunOptions(step=True)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5s", 1.5), ("30m", 1800), ("2h", 7200), ("1d2h3m4s", 93784)]
)
def test_a_time_limit_is_read_as_people_write_it(place, walkaway, worker, text, seconds):
    walkaway("auto", "--time-limit", text)
    assert worker.asked[0].seconds == seconds


def test_ctrl_c_once_drains_and_twice_cancels(place, walkaway, worker):
    worker.ends = Status.CANCELLED
    worker.signals = (signal.SIGINT, signal.SIGINT)
    ran = walkaway("auto", "--json")
    assert worker.orders == ["drain A person pressed Ctrl-C.", "cancel Stopped by SIGINT."]
    assert "Ctrl-C once more" in ran.err
    assert ran.code == 11
    assert last(ran)["status"] == "cancelled"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_being_told_to_end_cancels_at_once(place, walkaway, worker, number):
    worker.ends = Status.CANCELLED
    worker.signals = (number,)
    assert walkaway("auto").code == 11
    assert worker.orders == [f"cancel Stopped by {number.name}."]


def test_a_signal_before_there_is_a_worker_ends_the_run_with_its_line(place, walkaway, monkeypatch):
    def runner(self, tell, target=None):
        os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("the signal was not taken")

    monkeypatch.setattr(app.App, "runner", runner)
    ran = walkaway("auto", "--json")
    assert ran.code == 11
    assert last(ran)["status"] == "cancelled"


def test_after_a_run_signals_are_what_they_were(place, walkaway, worker):
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    walkaway("auto")
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_a_listener_that_went_away_does_not_stop_the_work(place, walkaway, worker, monkeypatch):
    class Gone:
        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None: ...

    worker.tells = (Progress(kind="note", text="x"),)
    monkeypatch.setattr("sys.stdout", Gone())
    from walkaway.cli import main

    assert main.run(["auto", "--json"]) == 0
    monkeypatch.undo()


def test_the_milestones_and_what_blocks_them_are_in_the_result(opened, walkaway, worker):
    from tests.surfaces import stories
    from tests.surfaces.conftest import grow
    from walkaway.core.ids import slice_id

    facts = [*stories.planned(), *stories.sliced(slice_id(stories.M, 1)), stories.question()]
    grow(opened.store, facts)
    worker.ends = Status.BLOCKED
    ran = walkaway("auto", "--json")
    told = last(ran)
    assert told["milestones"] == [{"id": "M001", "title": "Ledger export", "status": "active"}]
    assert [(b["unit"], b["reason"], b["remedies"]) for b in told["blocked"]] == [
        ("execute-task M001/S01/T01", "attempts", ["answer retry"])
    ]
    people = walkaway("auto")
    assert "walkaway answer M001-Q1 retry" in people.out
    assert "answer retry" in people.out


def test_a_run_that_is_blocked_without_a_question_says_why(place, walkaway, worker):
    worker.ends = Status.BLOCKED
    told = last(walkaway("auto", "--json"))
    assert told["blocked"] == [{"unit": None, "reason": "blocked", "detail": "It ended: blocked.", "remedies": []}]
    json.dumps(told)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a file that is always full is needed")
def test_where_nothing_can_be_said_the_exit_code_still_tells(empty):
    for command, code in ((["status"], 2), (["no-such-command"], 2), (["auto", "--json"], 2)):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "walkaway", *command], stderr=full, stdout=subprocess.PIPE, check=False
            )
        assert done.returncode == code, command
        if "--json" in command:
            assert json.loads(done.stdout.splitlines()[-1])["exit_code"] == code


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a file that is always full is needed")
@pytest.mark.parametrize("both", [False, True], ids=["stdout is full", "stderr is too"])
def test_where_the_result_cannot_be_written_the_exit_code_still_tells(empty, both):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "walkaway", "auto", "--json"],
            stdout=full,
            stderr=full if both else subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 2, done.stderr
    if not both:
        assert b"the result could not be written" in done.stderr
        assert b"Traceback" not in done.stderr
