"""The whole run: from a specification to the merged milestone in 12 units and 32 requests, without a model's delay."""

import json
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import psutil

from benchmarks import play
from benchmarks.measure import BenchmarkError, Sample, environment, project, sample, script, walkaway_do
from benchmarks.table import Baseline, Row

TIMED = 3
POLL_S = 0.02
BARE_IMPORT = (
    sys.executable,
    "-c",
    "import pydantic_ai; from pydantic_ai.models.openai import OpenAIChatModel",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One run that nothing disturbed."""

    begun: float
    """UNIX seconds."""
    seen: Sample
    requests: Sequence[play.Request]

    @property
    def span(self) -> float:
        """Seconds from the first to the last request."""
        return self.requests[-1].t - self.requests[0].t


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One run that was looked at, which slows it: peak memory of all its processes, its git processes."""

    peak_mb: float
    gits: int
    nested: int
    verbs: str


def measure() -> list[Row]:
    """Return the rows of the run: the least of three that were timed, and one that was watched."""
    runs = [_timed() for _ in range(TIMED)]
    watched = _watched()
    with project() as root:
        bare = sample(BARE_IMPORT, root, times=3)
    return [*_time_rows(runs, bare), *_size_rows(runs[0], watched, bare)]


def _time_rows(runs: Sequence[Timed], bare: Sample) -> list[Row]:
    run = min(runs, key=lambda each: each.seen.least)
    walls = ", ".join(f"{each.seen.least:.2f}" for each in runs)
    spans = ", ".join(f"{each.span:.2f}" for each in runs)
    span = min(each.span for each in runs)
    cpu, bare_cpu = min(run.seen.cpus), min(bare.cpus)
    name = "import pydantic_ai + OpenAI"
    return [
        Row(
            name="run: wall",
            value=run.seen.least,
            unit="s",
            limit=5,
            baseline=Baseline(name=name, value=bare.least),
            how=f"runs: {walls}",
        ),
        Row(
            name="run: start to first request",
            value=run.requests[0].t - run.begun,
            unit="s",
            baseline=Baseline(name=name, value=bare.least),
        ),
        Row(name="run: last request to end", value=run.begun + run.seen.least - run.requests[-1].t, unit="s"),
        Row(name="run: CPU", value=cpu, unit="s", baseline=Baseline(name=name, value=bare_cpu)),
        Row(
            name="run: first to last request",
            value=span,
            unit="s",
            limit=1.5,
            how=f"{len(run.requests)} requests; runs: {spans}",
        ),
        Row(
            name="run: overhead per unit",
            value=span / play.UNITS,
            unit="s",
            limit=0.12,
            how=f"first to last request / {play.UNITS}",
        ),
    ]


def _size_rows(run: Timed, watched: Watched, bare: Sample) -> list[Row]:
    sizes = [request.size for request in run.requests]
    largest = max(run.requests, key=lambda request: request.size)
    return [
        Row(
            name="run: peak memory of all processes",
            value=watched.peak_mb,
            unit="MB",
            limit=160,
            baseline=Baseline(name="import pydantic_ai + OpenAI", value=bare.peak_mb),
            how=f"sum of RSS, looked at every {POLL_S * 1000:.0f} ms",
        ),
        Row(name="run: largest request", value=max(sizes) / 1e3, unit="KB", limit=25, how=largest.unit),
        Row(name="run: mean request", value=sum(sizes) / len(sizes) / 1e3, unit="KB", limit=25),
        Row(name="run: bytes to the model", value=sum(sizes) / 1e6, unit="MB", limit=0.8),
        Row(
            name="run: git processes",
            value=watched.gits,
            unit="",
            limit=60,
            how=f"{watched.nested} of them started by git itself; {watched.verbs}",
        ),
    ]


def _timed() -> Timed:
    with project() as root, play.playback(root.parent, play.script()) as model:
        hand_in(root)
        seen = sample([script(), "auto", "--json"], root, times=1, warm=0, extra=model.settings())
        begun = time.time() - seen.least
        complete(seen.output)
        requests = model.requests()
    if len(requests) != play.REQUESTS:
        raise BenchmarkError(f"The run made {len(requests)} requests; the script has {play.REQUESTS}.")
    return Timed(begun=begun, seen=seen, requests=requests)


def hand_in(root: Path) -> None:
    """Make the milestone of the script."""
    path = root.parent / "specification.md"
    path.write_text(play.SPECIFICATION, encoding="utf-8")
    walkaway_do(root, "new", "--title", "Five files", "--spec", str(path))


def complete(output: str) -> None:
    """Raise `BenchmarkError` unless the last line of ``--json`` tells of a complete run of twelve units."""
    lines = output.splitlines()
    result = json.loads(lines[-1]) if lines else {}
    if result.get("status") != "complete" or result.get("units") != play.UNITS or len(result.get("commits", ())) != 1:
        raise BenchmarkError(f"The run did not do its {play.UNITS} units: {lines[-1] if lines else 'nothing said'}")


def _watched() -> Watched:
    with project() as root, play.playback(root.parent, play.script()) as model:
        hand_in(root)
        traces = root.parent / "traces"
        traces.mkdir()
        env = environment({**model.settings(), "GIT_TRACE2_EVENT": str(traces)})
        command = [script(), "auto", "--json"]
        with Popen(command, cwd=root, env=env, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, text=True) as run:
            peak = Peak(run.pid)
            output, _ = run.communicate()
            peak_mb = peak.end()
        complete(output)
        return _counted(traces, peak_mb)


def _counted(traces: Path, peak_mb: float) -> Watched:
    """Count the git processes, by the file that each of them left."""
    verbs: dict[str, int] = {}
    nested = 0
    for trace in traces.iterdir():
        events = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
        start = next(event for event in events if event["event"] == "start")
        nested += "/" in start["sid"]
        verb = next((event["name"] for event in events if event["event"] == "cmd_name"), "other")
        verbs[verb] = verbs.get(verb, 0) + 1
    told = ", ".join(f"{verb} {count}" for verb, count in sorted(verbs.items(), key=lambda pair: -pair[1]))
    return Watched(peak_mb=peak_mb, gits=sum(verbs.values()), nested=nested, verbs=told)


class Peak:
    """The largest memory that a process and all below it had at one moment, watched from a thread.

    A child that was made a moment ago and has not started its program yet shares all memory with its parent: the
    kernel lists the same pages twice, and it is not counted. It is known by its parent's command line.
    """

    def __init__(self, pid: int) -> None:
        """Begin to look."""
        self._process = psutil.Process(pid)
        self._most = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> float:
        """Stop and return the peak in MB."""
        self._ended.set()
        self._thread.join()
        return self._most / 1e6

    def _look(self) -> None:
        while not self._ended.wait(POLL_S):
            with suppress(psutil.Error):
                own = self._process.cmdline()
                below = sum(_resident(each, own) for each in self._process.children(recursive=True))
                self._most = max(self._most, int(self._process.memory_info().rss) + below)


def _resident(process: psutil.Process, twin: Sequence[str]) -> int:
    try:
        size = int(process.memory_info().rss)
        return 0 if process.cmdline() == twin else size
    except psutil.Error:  # it ended meanwhile
        return 0
