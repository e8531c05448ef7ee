"""Several workers as processes, each on a milestone of its own; this process only starts, counts and ends them.

A worker that dies without a word is replaced: the next one goes on from what it left. All of them end when this
process does, whatever ends it.
"""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from walkaway import proc
from walkaway.clock import Clock, SystemClock
from walkaway.core.fleet.overview import MilestoneRow, Overview
from walkaway.core.ids import PROJECT_SCOPE, MilestoneId, Sha
from walkaway.core.model import Usage
from walkaway.core.schedule import eligible
from walkaway.engine.fleet import recover
from walkaway.engine.fleet.stopping import Stopping
from walkaway.engine.result import Ended, Left, Progress, RunOptions, Status, Tell, nothing_to_do
from walkaway.store import Store

TICK_S = 0.05
CRASHES_MOST = 5
"""Deaths in a row, with no unit finished in between, after which no worker is started any more."""
END_S = 10.0
LEFT = "left"
"""The kind of progress by which one of several workers says, last of all, why it ended."""

SILENT = {
    0: Status.LIMIT,
    10: Status.BLOCKED,
    11: Status.CANCELLED,
    12: Status.BUDGET,
    13: Status.STUCK,
    14: Status.WAITING,
    15: Status.TIME_LIMIT,
}
"""How a worker ended that could write nothing (its disk was full), by the exit code that every run promises."""

_WORST = (
    Status.ERROR,
    Status.USAGE,
    Status.CANCELLED,
    Status.PAUSED,
    Status.BUDGET,
    Status.TIME_LIMIT,
    Status.STUCK,
    Status.BLOCKED,
    Status.WAITING,
)
"""Of several workers' ends, which one's is the whole run's: the first of these."""

Start = Callable[[Sequence[str], Path], proc.Background]


@dataclass(slots=True)
class Member:
    """One worker's process, and what it has told so far."""

    number: int
    process: proc.Background
    log: Path
    position: int = 0
    usage: Usage = field(default_factory=Usage)
    units: int = 0
    said: str = ""
    """Why it left, in its own words."""
    left: Left | None = None
    died: bool = False
    """Whether it ended without a word: another one takes its place, so that alone is not how the whole run ends."""

    @property
    def found_nothing(self) -> bool:
        """Whether it ended well without having finished a unit: another one would do no better."""
        return self.left is not None and self.left.status is not Status.ERROR and not self.units

    def lines(self) -> Iterator[Mapping[str, object]]:
        """Yield what it has said since the last call, line by line; what is no JSON is something for people."""
        with self.log.open("rb") as source:
            source.seek(self.position)
            for raw in source:
                if not raw.endswith(b"\n"):
                    return
                self.position += len(raw)
                yield _object(raw.decode(errors="replace"))


class Pool:
    """Runs several workers and looks like one."""

    def __init__(
        self, *, store: Store, start: Start, workers: int, logs: str, tell: Tell, clock: Clock | None = None
    ) -> None:
        """``start`` starts one worker with more options, its streams in a file; ``logs`` is the folder of those."""
        self._store = store
        self._start = start
        self._most = workers
        self._logs = Path(logs)
        self._tell = tell
        self._clock = clock or SystemClock()
        self._stopping = Stopping()
        self._told = threading.Event()
        self._members: list[Member] = []
        self._crashes = 0
        self._commits: list[Sha] = []

    def drain(self, why: str) -> None:
        """Let each worker finish its unit, then stop; from any thread."""
        self._stopping.drain(why)

    def cancel(self, why: str) -> None:
        """Let each worker end its unit now and settle; from any thread."""
        self._stopping.cancel(why)

    def run(self, options: RunOptions) -> Ended:
        """Keep up to so many workers at work until nothing is left for any of them, or a bound is reached."""
        begun = self._clock.monotonic()
        since = self._store.controls.read().rev
        self._logs.mkdir(parents=True, exist_ok=True)
        sent: set[int] = set()
        try:
            while True:
                self._hear(options)
                self._pass_on(sent)
                if not self._stopping.draining.is_set() and self._room(options):
                    self._begin(options, since)
                elif not self._living():
                    break
                self._told.wait(TICK_S)
        finally:
            for member in self._members:
                member.process.kill(END_S)
        left = self._left()
        return Ended(
            status=left.status,
            detail=left.detail,
            units=sum(m.units for m in self._members),
            commits=tuple(self._commits),
            usage=self._usage(),
            duration_s=self._clock.monotonic() - begun,
        )

    def _living(self) -> list[Member]:
        return [member for member in self._members if member.process.poll() is None]

    def _room(self, options: RunOptions) -> bool:
        """Whether one more worker would find something to do."""
        living = self._living()
        idle = sum(1 for m in self._members if m.found_nothing)
        if len(living) + idle >= self._most or self._crashes >= CRASHES_MOST:
            return False
        control = self._store.controls.read()
        if options.resume in control.pauses and (living or self._members):
            return False  # until the first one has taken up what was paused
        overview = self._store.overview()
        rows = _rows(overview, eligible(overview, options.milestone))
        free = [row for row in rows if _is_free(overview, row, first=not self._members)]
        quiet = sum(1 for member in living if not member.position)  # those that have not said what they took
        held = control.holds(PROJECT_SCOPE, control.rev) if options.resume is None else None
        return len(free) > quiet and held is None

    def _begin(self, options: RunOptions, since: int) -> None:
        number = len(self._members) + 1
        log = self._logs / f"{os.getpid()}-{number}.jsonl"
        log.touch()
        more = ["--since", str(since)]
        if options.resume is not None and not self._members:
            more += ["--resume", options.resume]
        if options.milestone:
            more += ["--milestone", options.milestone]
        if options.answers_file:
            more += ["--answers", options.answers_file]
        if options.target:
            more += ["--target", options.target]
        if options.usd is not None:
            more += ["--max-cost", f"{options.usd / self._most:.6f}"]
        if options.seconds is not None:
            more += ["--time-limit", f"{options.seconds:.3f}"]
        if not options.wait:
            more += ["--no-wait"]
        self._members.append(Member(number=number, process=self._start(more, log), log=log))

    def _pass_on(self, sent: set[int]) -> None:
        """Tell the workers what this process was told: a first word drains, a second one cancels."""
        for number, wanted in ((signal.SIGINT, self._stopping.draining), (signal.SIGTERM, self._stopping.cancelled)):
            if wanted.is_set() and number not in sent:
                sent.add(number)
                for member in self._living():
                    member.process.signal(number)

    # ---- what they say ----------------------------------------------------------------------------------------------

    def _hear(self, options: RunOptions) -> None:
        for member in self._members:
            code = member.process.poll()
            for line in member.lines():
                self._take(member, line)
            if code is not None and member.left is None and (status := SILENT.get(code)):
                told = f"Worker {member.number} ended as {status} and could not write why to {member.log}."
                member.left = Left(status=status, detail=f"{told} Is the disk full? See: walkaway doctor")
                self._tell(Progress(kind="note", text=member.left.detail, worker=member.number))
            if code is not None and member.left is None:
                self._crashes += 1
                member.died = True
                told = f"Worker {member.number} died without a word ({_end(code)})."
                member.left = Left(status=Status.ERROR, detail=told)
                self._tell(Progress(kind="note", text=member.left.detail, worker=member.number))
        if options.units is not None and sum(m.units for m in self._members) >= options.units:
            self._stopping.drain(f"{options.units} units are done, as many as this run was to do.", Status.LIMIT)

    def _take(self, member: Member, line: Mapping[str, object]) -> None:
        match line.get("type"):
            case "result":
                member.left = Left(status=Status(str(line["status"])), detail=member.said)
            case "progress" if line.get("kind") == LEFT:
                member.said = str(line.get("text", ""))
            case "progress":
                self._progress(member, line)
            case _:
                self._tell(Progress(kind="note", text=str(line.get("text", "")), worker=member.number))

    def _progress(self, member: Member, line: Mapping[str, object]) -> None:
        usage = line.get("usage")
        if isinstance(usage, Mapping):
            member.usage = Usage(
                input_tokens=int(usage["input_tokens"]), output_tokens=int(usage["output_tokens"]), usd=usage["usd"]
            )
        if line.get("kind") == "unit-done":
            member.units += 1
            self._crashes = 0
        commit = line.get("commit")
        if isinstance(commit, str):
            self._commits.append(Sha(commit))
        self._tell(
            Progress(
                kind=str(line.get("kind", "")),
                text=str(line.get("text", "")),
                unit=str(line.get("unit", "")),
                attempt=_int(line.get("attempt")),
                seconds=_float(line.get("seconds")),
                usage=self._usage() if usage else None,
                commit=Sha(commit) if isinstance(commit, str) else None,
                worker=member.number,
            )
        )

    def _usage(self) -> Usage:
        spent = [member.usage for member in self._members]
        known = all(usage.usd is not None for usage in spent)
        return Usage(
            calls=sum(u.calls for u in spent),
            input_tokens=sum(u.input_tokens for u in spent),
            output_tokens=sum(u.output_tokens for u in spent),
            usd=sum(u.usd or 0.0 for u in spent) if known else None,
        )

    def _left(self) -> Left:
        """Return how all of it ended: by what the project is now, and by the worst that a worker said."""
        overview = self._store.overview()
        if overview.milestones and (ended := nothing_to_do(overview)):
            return ended
        if self._stopping.draining.is_set():
            return self._stopping.left()
        heard = [m.left for m in self._members if m.left and (not m.died or self._crashes >= CRASHES_MOST)]
        if said := [left for left in heard if left.status in _WORST]:
            return min(said, key=lambda left: _WORST.index(left.status))
        if heard:
            return heard[-1]
        waiting = ", ".join(row.id for row in _rows(overview, eligible(overview)))
        return Left(status=Status.BLOCKED, detail=f"No worker could go on with {waiting or 'anything'}.")


def _rows(overview: Overview, wanted: Sequence[MilestoneId]) -> list[MilestoneRow]:
    return [row for row in overview.milestones if row.id in wanted]


def _is_free(overview: Overview, row: MilestoneRow, *, first: bool) -> bool:
    """Whether a worker could take a milestone now and do something with it.

    The ``first`` one of a run also looks at what waits for a person: starting a run answers some questions.
    """
    held = row.holder is not None and row.expires_at > overview.now
    return (first or not row.open_questions) and (not held or recover.dead_holder(overview, row.id) is not None)


def _object(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return {"text": text.strip()}
    return found if isinstance(found, dict) else {"text": text.strip()}


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _end(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
