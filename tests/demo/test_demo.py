"""The demo, with real processes: from nothing, again on what is complete, and killed at any moment."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.demo.stand import FACTS, PATIENCE_S, REPLIES, TICK_S, Demo, gone, pause
from tests.tiers import tier
from walkaway.identity import descendants, stat

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

MOST_BYTES = 25_000
"""Of a request to the model, tools included."""


@pytest.fixture
def demo(tmp_path: Path):
    """Return a demo in a folder of its own; whatever still runs at the end is killed."""
    made = Demo(tmp_path / "kept")
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
    if made.process is not None:
        made.process.communicate()


def test_from_nothing_it_ends_with_one_commit_on_main_and_once_more_changes_nothing(demo):
    code, out = demo.run()
    assert code == 0, out
    demo.judge()
    assert len(demo.requests()) == REPLIES
    assert demo.facts() >= FACTS
    assert {request["status"] for request in demo.requests()} == {200}
    assert max(request["bytes"] for request in demo.requests()) <= MOST_BYTES
    assert all(len(line) <= 80 for line in out.splitlines() if str(demo.root) not in line), out
    assert out.index("replies in this demo are a script") < out.index("plan-milestone M001")
    assert re.search(r"✗ execute-task M001/S02/T01 .*\n.*The agent said that it was done\.", out)
    assert "execute-task M001/S02/T01, attempt 2" in out
    assert re.search(r"✗ execute-task M001/S02/T01 .*exit 1", out)
    assert "Ran 22 tests" in out
    assert "garden    5:00  ##########" in out
    for command in ("walkaway init", "export ANTHROPIC_API_KEY=", "walkaway new --spec spec.md", "walkaway auto"):
        assert f"\n  {command}" in out, command
    tests = [sys.executable, "-m", "unittest", "discover", "-s", "tests"]
    subprocess.run(tests, cwd=demo.project, check=True, capture_output=True)

    way = demo.walkaway("why", "tally/report.py:5")
    assert way.startswith("tally/report.py:5 ("), "the line is traced to its task, not to the merge"
    assert ", execute-task M001/S0" in way.splitlines()[0]
    assert "complete-milestone M001" in demo.walkaway("why", "HEAD").splitlines()[0]

    before = demo.git("for-each-ref")
    code, again = demo.run()
    assert code == 0, again
    assert "It was complete already" in again
    assert again.count("✓ execute-task M001/S02/T01, attempt 2") == 4  # what was done, and what three checks said
    assert len(demo.requests()) == REPLIES
    assert demo.git("for-each-ref") == before
    demo.judge()


def test_without_a_folder_to_keep_nothing_stays(demo):
    code, out = demo.run(keep=False)
    assert code == 0, out
    assert "Ran 22 tests" in out
    assert [path.name for path in demo.root.parent.iterdir() if path.name.startswith("walkaway-demo")] == []


@pytest.mark.parametrize("seed", range(tier(2, 50)))
def test_auto_killed_at_any_moment_and_run_again_ends_as_if_nothing_had_happened(demo, seed):
    moment = random.Random(seed)
    demo.start()
    if seed % 2:
        count = moment.randrange(3, FACTS)  # the milestone and the settings are there before auto is
        came = demo.until(lambda: demo.auto() and demo.facts() >= count)
    else:
        count = moment.randrange(REPLIES)
        came = demo.until(lambda: demo.auto() and len(demo.requests()) >= count)
        late = time.monotonic() + moment.random() * 0.4  # but not after the last reply: little comes behind it
        demo.until(lambda: time.monotonic() > late or len(demo.requests()) >= REPLIES)
    assert came, "the demo ended before it could be killed"
    demo.kill_auto()
    code, out = demo.end()
    assert code == 128 + signal.SIGKILL, out
    assert "killed by signal 9" in out
    code, out = demo.run()
    assert code == 0, out
    demo.judge()


def test_killing_the_demo_ends_its_children_and_it_can_go_on(demo):
    process = demo.start()
    assert demo.until(lambda: len(demo.requests()) >= 8)
    children = {pid: stat(pid) for pid in descendants(process.pid)}
    assert demo.auto() in children
    assert len([s for s in children.values() if s is not None and s.parent == process.pid]) == 2  # auto and playback
    process.kill()
    process.communicate()
    deadline = time.monotonic() + PATIENCE_S
    while not all(gone(pid) for pid in children):
        assert time.monotonic() < deadline, "something outlived the demo"
        pause(TICK_S)
    code, out = demo.run()
    assert code == 0, out
    demo.judge()


def test_ctrl_c_ends_the_demo_and_its_children_in_order(demo):
    process = demo.start()
    assert demo.until(lambda: len(demo.requests()) >= 3)
    children = [*descendants(process.pid)]
    os.kill(process.pid, signal.SIGINT)
    code, out = demo.end()
    assert code == 11, out
    assert all(gone(pid) for pid in children)
