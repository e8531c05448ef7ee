"""The scripted model of the benchmarks: 12 units and 32 requests, its server as a process, its log."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import BenchmarkError, environment

UNITS = 12
REQUESTS = 32
MODEL = "openai:playback"
SPECIFICATION = "# Five files\n\nA folder with five small files, each with its own text.\n"

Reply = dict[str, object]

_SERVER = """
import sys
from walkaway.playback import serve
serve(sys.argv[1], 0, sys.argv[2], lambda port: print(port, flush=True), die_with_parent=int(sys.argv[3]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One line of the server's log. ``t`` in UNIX seconds, ``size`` in bytes."""

    t: float
    unit: str
    size: int
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """A server that runs."""

    url: str
    log: Path

    def settings(self) -> Mapping[str, str]:
        """Return the variables that point walkaway at it, with checks that always pass and no set-up."""
        return {
            "WALKAWAY_MODEL__NAME": MODEL,
            "WALKAWAY_MODEL__BASE_URL": f"{self.url}/v1",
            "WALKAWAY_MODEL__API_KEY_ENV": "BENCHMARK_KEY",
            "BENCHMARK_KEY": "none",
            "WALKAWAY_CHECKS__COMMANDS": '["true"]',
            "WALKAWAY_SETUP__COMMANDS": "[]",
        }

    def requests(self) -> list[Request]:
        """Return what was asked so far, in order."""
        lines = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [
            Request(t=line["t"], unit=line["unit"] or "", size=line["bytes"], status=line["status"]) for line in lines
        ]


@contextmanager
def playback(folder: Path, script: dict[str, object]) -> Iterator[Playback]:
    """Serve ``script`` in a process of its own until the context ends."""
    source, log = folder / "script.yaml", folder / "playback.jsonl"
    source.write_text(json.dumps(script), encoding="utf-8")  # JSON is YAML
    log.touch()
    command = [sys.executable, "-c", _SERVER, str(source), str(log), str(os.getpid())]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline() if server.stdout else ""
            if not line:
                raise BenchmarkError("The playback server did not start.")
            yield Playback(url=f"http://127.0.0.1:{int(line)}", log=log)
        finally:
            server.terminate()


def script(stall: str = "", stall_s: float = 60.0) -> dict[str, object]:
    """Return the script; with ``stall``, that unit's last reply takes ``stall_s`` seconds to come."""
    return {
        "units": [
            {"unit": unit, "say": [*say[:-1], {**say[-1], "delay": stall_s}] if unit == stall else say}
            for unit, say in lines()
        ]
    }


def lines() -> list[tuple[str, list[Reply]]]:
    """Return the 12 units with their 32 replies."""
    tasks = ("S01/T01", "S01/T02", "S01/T03", "S02/T01", "S02/T02")
    summed = _report({"summary": "The files exist."})
    return [
        ("plan-milestone M001", [_look(), _report(_ROADMAP)]),
        *((f"plan-slice M001/S{n:02}", [_look(), _report(_tasks(n))]) for n in (1, 2)),
        *((f"execute-task M001/{t}", [_look(), _write(t), _run(t), _report(_DONE)]) for t in tasks),
        *((f"complete-slice M001/S{n:02}", [_look(), summed]) for n in (1, 2)),
        ("validate-milestone M001", [_report(_VERDICT)]),
        ("complete-milestone M001", [_report({"summary": "Five files exist, each with its own text."})]),
    ]


def _call(name: str, text: str = "", **args: object) -> Reply:
    return {"text": text, "tools": [{"name": name, "args": args}], "usage": {"input": 2000, "output": 100}}


def _look() -> Reply:
    return _call("ls", "I look at what is there.", path=".")


def _write(target: str) -> Reply:
    return _call("write", "I write the file.", path=_file_of(target), content=f"{target}\n" * 20)


def _run(target: str) -> Reply:
    return _call("bash", "I look at it.", command=f"cat {_file_of(target)}")


def _report(args: Mapping[str, object]) -> Reply:
    return _call("report", "It is done.", **args)


def _file_of(target: str) -> str:
    return f"{target.replace('/', '-').lower()}.txt"


def _tasks(number: int) -> dict[str, object]:
    planned = [
        {
            "title": f"Write file {n}",
            "description": "Write the file with twenty lines, each naming the task. Nothing else is to be changed.",
            "files": [_file_of(f"S{number:02}/T{n:02}")],
            "verify": f"cat {_file_of(f'S{number:02}/T{n:02}')}",
        }
        for n in range(1, 4 if number == 1 else 3)
    ]
    return {"goal": "The files exist.", "must_haves": ["each file has twenty lines"], "tasks": planned}


_ROADMAP: dict[str, object] = {
    "title": "Five files",
    "vision": "The folder holds five small files.",
    "criteria": ["five files exist"],
    "slices": [
        {"title": "Three files", "goal": "Three files exist.", "demo": "cat them", "risk": "low"},
        {"title": "Two files", "goal": "Two more files exist.", "demo": "cat them", "risk": "low", "depends": [1]},
    ],
}
_DONE: dict[str, object] = {
    "summary": "The file has its twenty lines.",
    "narrative": "I wrote the file as planned and looked at it; nothing deviates from the plan.",
    "key_files": [],
}
_VERDICT: dict[str, object] = {"verdict": "pass", "criteria": ["five files exist: seen"], "rationale": "I saw them."}
