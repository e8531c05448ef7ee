"""A demonstration as a process of its own, and what has to stand at its end whatever happened on the way."""

import contextlib
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import yaml

from walkaway.demo import stage
from walkaway.identity import stat

PATIENCE_S = 120.0
TICK_S = 0.005

LINE = "refs/walkaway/M001"
UNITS = [
    "plan-milestone M001",
    "plan-slice M001/S01",
    "execute-task M001/S01/T01",
    "execute-task M001/S01/T02",
    "complete-slice M001/S01",
    "plan-slice M001/S02",
    "execute-task M001/S02/T01",
    "execute-task M001/S02/T02",
    "complete-slice M001/S02",
    "validate-milestone M001",
    "complete-milestone M001",
]
REPLIES = 36
"""Requests to the model in a run that nothing disturbs."""

FACTS = 73
"""Events in the journal after such a run, at least."""


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


class Demo:
    """One folder of the demo, and the processes that work in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.project = root / "project"
        self.process: subprocess.Popen[str] | None = None

    def start(self, *, keep: bool = True) -> "subprocess.Popen[str]":
        args = ["--keep", str(self.root)] if keep else []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "walkaway", "demo", *args],
            cwd=self.root.parent,
            env={**os.environ, "TMPDIR": str(self.root.parent)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self.process

    def end(self) -> tuple[int, str]:
        assert self.process is not None
        out, _ = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out

    def run(self, *, keep: bool = True) -> tuple[int, str]:
        self.start(keep=keep)
        return self.end()

    # ---- moments -------------------------------------------------------------------------------------------------

    def until(self, come: Callable[[], object]) -> bool:
        """Wait for a moment; False where the demo has ended before it came."""
        assert self.process is not None
        deadline = time.monotonic() + PATIENCE_S
        while not come():
            if self.process.poll() is not None:
                return False
            assert time.monotonic() < deadline, "the moment never came"
            pause(TICK_S)
        return True

    def auto(self) -> int:
        """Return the number of the `walkaway auto` of this run, 0 before it is known."""
        path = self.root / "auto.pid"
        return int(path.read_text()) if path.is_file() else 0

    def requests(self) -> list[dict[str, object]]:
        path = self.root / "playback.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []

    def facts(self) -> int:
        """Return how long the journal is."""
        path = self.project / ".walkaway" / "state.db"
        if not path.is_file():
            return 0
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            try:
                return int(db.execute("SELECT count(*) FROM events").fetchone()[0])
            except sqlite3.OperationalError:  # it is being made, or somebody writes
                return 0

    def kill_auto(self) -> None:
        pid = self.auto()
        if pid <= 0:  # not started yet: 0 would be our own process group
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    # ---- what stands ---------------------------------------------------------------------------------------------

    def git(self, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=self.project, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def walkaway(self, *args: str) -> str:
        """Run another command on the demo's project and return what it printed."""
        command = [sys.executable, "-m", "walkaway", *args]
        done = subprocess.run(command, cwd=self.project, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def doctor(self) -> str:
        """Return what the doctor says, who must find no error; that the script's key is not ours is none."""
        return self.walkaway("doctor", "--set", "model.api_key_env=PATH")

    def judge(self) -> None:
        """Fail unless everything is done, once, and as in a run that nothing disturbed."""
        self.doctor()
        assert tree(self) == expected_tree()
        assert self.git("status", "--porcelain", "--ignored=no") == ""
        assert self.git("symbolic-ref", "--short", "HEAD") == "main"
        begin, *integrations = self.git("rev-list", "--reverse", "--first-parent", "main").splitlines()
        assert len(integrations) == 1
        assert self.git("rev-list", "--count", "main") == "2"
        trailer = "--format=%(trailers:key=Walkaway-Unit,valueonly,separator=)"
        assert self.git("log", "--reverse", trailer, f"{begin}..{LINE}").splitlines() == UNITS
        assert self.git("rev-parse", f"{LINE}^{{tree}}") == self.git("rev-parse", "main^{tree}")
        statuses = [(run["unit"], run["attempt"]) for run in self.runs() if run["status"] == "failed"]
        assert statuses == [("execute-task M001/S02/T01", 1)]
        assert sorted(str(run["unit"]) for run in self.runs() if run["status"] == "completed") == sorted(UNITS)

    def runs(self) -> list[dict[str, object]]:
        command = [sys.executable, "-m", "walkaway", "units", "--json"]
        done = subprocess.run(command, cwd=self.project, capture_output=True, text=True, check=True)
        return list(json.loads(done.stdout)["milestones"]["M001"])


def tree(demo: Demo) -> dict[str, str]:
    """Return the blob of every file on main."""
    lines = (line.split("\t") for line in demo.git("ls-tree", "-r", "main").splitlines())
    return {path: words.split()[2] for words, path in lines}


def expected_tree() -> dict[str, str]:
    """Return the same as the script has it: what it writes last, on top of what the demo begins with."""
    files = {"README.md": stage.SHORT.readme, ".gitignore": "__pycache__/\n"}
    script = yaml.safe_load(resources.files("walkaway.demo").joinpath("script.yaml").read_text(encoding="utf-8"))
    calls = [call for unit in script["units"] for said in unit["say"] for call in said.get("tools", [])]
    files.update({c["args"]["path"]: c["args"]["content"] for c in calls if c["name"] == "write"})
    blobs = {path: text.encode() for path, text in files.items()}
    return {
        path: hashlib.sha1(b"blob %d\0" % len(b) + b, usedforsecurity=False).hexdigest() for path, b in blobs.items()
    }


def gone(pid: int) -> bool:
    seen = stat(pid)
    return seen is None or seen.zombie
