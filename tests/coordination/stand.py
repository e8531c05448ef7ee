"""A stage whose workers can be killed or stopped at a named point, and what can be read off it."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from walkaway import proc
from walkaway.chaos.stage import Stage
from walkaway.core.ids import Scope
from walkaway.core.model import Dispatch, Snapshot
from walkaway.identity import descendants, stat
from walkaway.store import Store, connect
from walkaway.store.journal import Entry

ROOT = Path(__file__).parents[2]
M1 = Scope("M001")
TASK = "execute-task M001/S01/T01"
SOON_S = 30.0


@dataclass(slots=True)
class Stand(Stage):
    """A stage with its store at hand."""

    opened: list[Store] = field(default_factory=list)
    gate_pid: int = 0

    @property
    def database(self) -> str:
        """The URL of the database."""
        return self.url or f"sqlite://{self.place.database}"

    @property
    def store(self) -> Store:
        """The project's store, opened once."""
        if not self.opened:
            self.opened.append(connect(self.database, self.place.project()))
        return self.opened[0]

    def close(self) -> None:
        """End its processes and close its store."""
        self.end()
        for store in self.opened:
            store.close()

    # ---- an agent that waits ---------------------------------------------------------------------------------------

    @property
    def gate(self) -> Path:
        """While this does not exist, the agent of the unit that is gated waits in a command of its own."""
        return self.root / "gate"

    def gated(self, *units: str) -> Mapping[str, Sequence[Mapping[str, object]]]:
        """Return what the model says first of these units."""
        command = f"echo $$ > {self.gate}.part; mv {self.gate}.part {self.gate}.pid; exec sleep 300"
        say = {"name": "bash", "args": {"command": f"[ -e {self.gate} ] || {{ {command}; }}", "timeout_s": 300}}
        return {unit: [{"tools": [say]}] for unit in units}

    def waits(self) -> dict[int, float]:
        """Wait until an agent waits at the gate, and return its command's process."""
        said = Path(f"{self.gate}.pid")
        self.until(said.exists, "an agent waits at the gate", SOON_S)
        pid = int(said.read_text())
        said.unlink()
        self.gate_pid = pid
        found = stat(pid)
        assert found is not None
        return {pid: found.started}

    def set_free(self) -> None:
        """Let no agent wait from now on, and the one that waits go on."""
        self.open()
        with suppress(ProcessLookupError):
            os.kill(self.gate_pid, signal.SIGTERM)

    def open(self) -> None:
        """Let no agent wait from now on; one that waits still does."""
        self.gate.touch()

    # ---- workers ---------------------------------------------------------------------------------------------------

    def fated(self, fate: str, *words: str) -> proc.Background:
        """Start a command of walkaway's (default: ``auto --json``) that meets its fate at a point."""
        number = len(self.started) + 1
        args = ["-m", "tests.coordination.fated", str(self.points(number)), fate, *(words or ("auto", "--json"))]
        command = [self.command()[0], *args]
        env = {**self.environment(), "PYTHONPATH": str(ROOT)}
        begun = proc.Background(command, self.project, self.root / f"fated-{number}.jsonl", env)
        self.started.append(begun)
        return begun

    def points(self, number: int) -> Path:
        """Return the log of the points that the nth process that was started has reached."""
        return self.root / f"points-{number}.log"

    def stopped(self, begun: proc.Background) -> None:
        """Wait until a process has been stopped by a signal."""
        self.until(lambda: state_of(begun.pid) == "T", "the process is stopped", SOON_S)

    def dead(self, begun: proc.Background) -> None:
        """Wait until a process has been killed."""
        assert begun.wait(SOON_S) == -signal.SIGKILL, begun.output()

    def kill(self, begun: proc.Background) -> None:
        """Kill a worker and nobody else: what it started is left to its fate."""
        os.kill(begun.pid, signal.SIGKILL)
        self.dead(begun)

    def lapsed(self, scope: Scope = M1) -> None:
        """Wait until the lease of a milestone has lapsed."""
        self.until(lambda: self.lease(scope)["expires_at"] < self.store.now(), f"the lease of {scope} lapses", SOON_S)

    def completes(self, *words: str) -> proc.Background:
        """Let a new worker run to the end of everything."""
        begun = self.start(*(words or ("auto", "--json")))
        assert begun.wait(90) == 0, begun.output()
        return begun

    # ---- what is so ------------------------------------------------------------------------------------------------

    def snapshot(self, scope: Scope = M1) -> Snapshot:
        """Return a milestone."""
        return self.store.snapshot(scope)

    def runs(self, unit: str = TASK) -> list[Dispatch]:
        """Return each run of a unit."""
        scope = Scope(unit.partition(" ")[2].partition("/")[0])
        return [d for d in self.snapshot(scope).dispatches.values() if str(d.key) == unit]

    def statuses(self, unit: str = TASK) -> list[str]:
        """Return how each run of a unit stands."""
        return [str(d.status) for d in self.runs(unit)]

    def at_work(self, unit: str = TASK, since: int = 0) -> Dispatch:
        """Wait until a unit is with an agent, by a dispatch later than ``since``, and return that."""

        def running() -> list[Dispatch]:
            return [d for d in self.runs(unit) if d.status == "running" and d.seq > since]

        self.until(lambda: bool(running()), f"{unit} runs", SOON_S)
        return running()[0]

    def journal(self) -> list[Entry]:
        """Return every fact."""
        return self.store.journal({})

    def lease(self, scope: Scope = M1) -> Mapping[str, float]:
        """Return when a lease was renewed and when it lapses, and its token."""
        names = ("renewed_at", "expires_at", "fencing_token")
        sql = f"SELECT {', '.join(names)} FROM milestone_leases WHERE project_id = :p AND scope = :s"  # noqa: S608
        with self.store.driver.read() as tx:
            row = tx.one(sql, p=self.store.project, s=scope)
        assert row is not None
        return {name: float(cell or 0) for name, cell in zip(names, row, strict=True)}

    def refs(self) -> dict[str, str]:
        """Return where every ref points."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ") for line in lines)

    def line(self) -> list[str]:
        """Return the subjects on the target, the latest first; there is no merge among them."""
        assert self.git("log", "--format=%h", "--min-parents=2", "main") == ""
        return self.git("log", "--format=%s", "main").splitlines()

    def all_is_well(self) -> None:
        """Assert that everything is complete and on the target, and that nobody holds anything."""
        overview = self.store.overview()
        assert [row.status for row in overview.milestones] == ["complete"] * self.plan.milestones
        files = [name for milestone in self.plan.names() for name in self.plan.files(milestone)]
        assert sorted(self.git("ls-tree", "--name-only", "main").split()) == sorted(["README", *files])
        assert len(self.line()) == 1 + self.plan.milestones
        self.nothing_is_left()

    def nothing_is_left(self) -> None:
        """Assert that no dispatch is claimed or running and that no lease is held."""
        overview = self.store.overview()
        assert [row.holder for row in overview.milestones if row.holder] == []
        assert [w.id for w in overview.workers] == []
        live = [self.snapshot(Scope(row.id)).live for row in overview.milestones]
        assert [d for d in live if d is not None and d.status != "reported"] == []


def state_of(pid: int) -> str:
    """Return the state of a process as the kernel names it, "" where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def lives(family: Mapping[int, float]) -> list[int]:
    """Return those of a family (number and start) that still run."""
    seen = {pid: stat(pid) for pid in family}
    return [pid for pid, line in seen.items() if line and not line.zombie and line.started == family[pid]]


def soon(reached: Callable[[], object], what: str, seconds: float) -> float:
    """Wait until something is so and return how long it took; fail, naming it, after ``seconds``."""
    begun = time.monotonic()
    while not reached():
        assert time.monotonic() - begun < seconds, f"{what}: not within {seconds} s"
        threading.Event().wait(0.005)
    return time.monotonic() - begun


def result(said: str) -> Mapping[str, object]:
    """Return the last line of a run."""
    return json.loads(said.splitlines()[-1])


def family(begun: proc.Background) -> dict[int, float]:
    """Return a process and all below it."""
    own = stat(begun.pid)
    return {**descendants(begun.pid), **({begun.pid: own.started} if own else {})}
