"""Eight processes, each with milestones of its own, claim, run and complete tasks through one SQLite file."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path

from benchmarks import facts
from benchmarks.measure import percentile, scratch
from benchmarks.table import Baseline, Row
from walkaway import store
from walkaway.core.errors import WalkawayError
from walkaway.core.ids import ProjectId, WorkerId
from walkaway.core.model import Policy
from walkaway.identity import me
from walkaway.store.sqlite import BUSY_S, sqlite3

PROCESSES = 8
MILESTONES = 16
"""Of each process, one after the other."""
TASKS = 5
LONG_CYCLES = 10_000
RAW_ROUNDS = 5
"""The bare loop is so fast that it needs more work to be measured."""
ROUNDS = 3
"""Each durability is measured so often, ours and the bare loop in turns; the fastest run of each counts."""
PROJECT = ProjectId("benchmark")
LIMITS = {"NORMAL": 400.0, "FULL": 150.0}
COMMIT_LIMIT_MS = 250.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one process did: its times by the monotonic clock, each transaction's length, and what went wrong."""

    begun: float
    ended: float
    seconds: tuple[float, ...]
    cycles: int
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Race:
    """What all processes did together."""

    outcomes: tuple[Outcome, ...]

    @property
    def rate(self) -> float:
        """Cycles per second of all processes, from the first one's start to the last one's end."""
        spent = max(one.ended for one in self.outcomes) - min(one.begun for one in self.outcomes)
        return sum(one.cycles for one in self.outcomes) / spent

    def ms(self, percent: int) -> float:
        """Return the length in milliseconds that ``percent`` of the transactions do not exceed."""
        return percentile([second * 1000 for one in self.outcomes for second in one.seconds], percent)

    @property
    def errors(self) -> list[str]:
        """Every error that reached a caller."""
        return [error for one in self.outcomes for error in one.errors]


Job = Callable[[Path, str, Sequence[str], "Barrier"], Outcome]


def measure() -> list[Row]:
    """Return the rows of both durabilities."""
    return [row for synchronous in LIMITS for row in _rows(synchronous)]


def _rows(synchronous: str) -> list[Row]:
    ours: list[Race] = []
    raws: list[Race] = []
    for _ in range(ROUNDS):
        with scratch() as folder:
            shares = _prepare(folder / "state.db", synchronous)
            ours.append(_race(work, folder / "state.db", synchronous, shares))
            _prepare_raw(folder / "raw.db", synchronous)
            raws.append(_race(work_raw, folder / "raw.db", synchronous, shares))
    name = f"contention, {synchronous}"
    errors = [error for race in ours for error in race.errors]
    best, raw = _fastest(ours), _fastest(raws)
    rates = ", ".join(f"{race.rate:.0f}" for race in ours)
    return [
        Row(name=f"{name}: errors", value=len(errors), unit="", limit=0, how="; ".join(sorted(set(errors)))),
        Row(
            name=f"{name}: rate",
            value=best.rate,
            unit="cycles/s",
            limit=LIMITS[synchronous],
            at_least=True,
            baseline=Baseline(name="bare loop of 3 transactions", value=raw.rate),
            how=f"{PROCESSES} processes, {MILESTONES} milestones of {TASKS} tasks each; runs: {rates}",
        ),
        Row(
            name=f"{name}: commit p99",
            value=best.ms(99),
            unit="ms",
            limit=COMMIT_LIMIT_MS,
            baseline=Baseline(name="bare transaction p99", value=raw.ms(99)),
            how=f"median {best.ms(50):.1f}, worst {best.ms(100):.0f} ms",
        ),
    ]


def _fastest(races: Sequence[Race]) -> Race:
    """Return the run that was disturbed least: nothing else on the machine ever makes one faster."""
    return max(races, key=lambda race: race.rate)


def _race(job: Job, path: Path, synchronous: str, shares: Sequence[Sequence[str]]) -> Race:
    """Run ``job`` in a process per share, all begun at the same moment."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(PROCESSES) as pool:
        barrier = manager.Barrier(PROCESSES)
        return Race(tuple(pool.starmap(job, [(path, synchronous, share, barrier) for share in shares], chunksize=1)))


def measure_long() -> list[Row]:
    """Return the rows of `LONG_CYCLES` cycles in one go, at full durability, beside those of the short races."""
    with scratch() as folder:
        shares = _prepare(folder / "state.db", "FULL", LONG_CYCLES // (PROCESSES * TASKS))
        race = _race(work, folder / "state.db", "FULL", shares)
    done = sum(one.cycles for one in race.outcomes)
    name = f"{LONG_CYCLES:,} cycles, FULL"
    return [
        Row(name=f"{name}: errors", value=len(race.errors), unit="", limit=0, how="; ".join(sorted(set(race.errors)))),
        Row(name=f"{name}: missing", value=LONG_CYCLES - done, unit="cycles", limit=0),
        Row(name=f"{name}: rate", value=race.rate, unit="cycles/s", limit=LIMITS["FULL"], at_least=True),
        Row(
            name=f"{name}: commit p99",
            value=race.ms(99),
            unit="ms",
            limit=COMMIT_LIMIT_MS,
            how=f"median {race.ms(50):.1f}, worst {race.ms(100):.0f} ms",
        ),
    ]


def _prepare(path: Path, synchronous: str, milestones: int = MILESTONES) -> list[list[str]]:
    """Make the milestones, planned down to their tasks; return each process's share."""
    planner = WorkerId("planner")
    shares: list[list[str]] = [[] for _ in range(PROCESSES)]
    with closing(store.create(f"sqlite:///{path}", PROJECT, synchronous=synchronous)) as state:
        state.register(planner, me())
        for number in range(PROCESSES * milestones):
            made = state.new_milestone(f"Milestone {number}", "A specification.", Policy(), "benchmark")
            lease = facts.taken(state, made, planner)
            state.commit(lease, facts.plan(made, 1, TASKS))
            state.release(lease)
            shares[number % PROCESSES].append(made)
    return shares


def work(path: Path, synchronous: str, share: Sequence[str], start: Barrier) -> Outcome:
    """Do the tasks of the milestones in ``share`` through the store."""
    worker = WorkerId(f"worker-{share[0]}")
    seconds: list[float] = []
    errors: list[str] = []
    done = 0
    with closing(store.connect(f"sqlite:///{path}", PROJECT, synchronous=synchronous)) as state:
        state.register(worker, me())
        start.wait()
        begun = time.monotonic()
        for milestone in share:
            try:
                lease = facts.taken(state, milestone, worker)
                for number, task in enumerate(facts.tasks_of(milestone, 1, TASKS), 1):
                    facts.do(state, lease, task, number, seconds.append)
                    done += 1
                state.release(lease)
            except WalkawayError as error:
                errors.append(f"{type(error).__name__}: {error}")
        ended = time.monotonic()
    return Outcome(begun, ended, tuple(seconds), done, tuple(errors))


# ---- the baseline: what the same file system and the same SQLite do without any rule -----------------------------


def _prepare_raw(path: Path, synchronous: str) -> None:
    with closing(_connected(path, synchronous)) as connection:
        connection.execute("CREATE TABLE work (id TEXT PRIMARY KEY, status TEXT, rev INTEGER)")
        connection.execute("CREATE TABLE journal (id INTEGER PRIMARY KEY, work TEXT, body TEXT)")


def _connected(path: Path, synchronous: str) -> "sqlite3.Connection":
    connection = sqlite3.connect(str(path), timeout=BUSY_S, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    return connection


def work_raw(path: Path, synchronous: str, share: Sequence[str], start: Barrier) -> Outcome:
    """Do more cycles with three bare transactions each: one row changed, one line appended, SQLite's own waiting."""
    names = [f"{milestone}/{number}" for milestone in share for number in range(TASKS * RAW_ROUNDS)]
    seconds: list[float] = []
    with closing(_connected(path, synchronous)) as connection:
        start.wait()
        begun = time.monotonic()
        for name in names:
            for status in ("claimed", "running", "completed"):
                before = time.monotonic()
                _bare(connection, name, status)
                seconds.append(time.monotonic() - before)
        ended = time.monotonic()
    return Outcome(begun, ended, tuple(seconds), len(names), ())


def _bare(connection: "sqlite3.Connection", name: str, status: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        "INSERT INTO work VALUES (?, ?, 1) ON CONFLICT (id) DO UPDATE SET status = excluded.status, rev = rev + 1",
        (name, status),
    )
    connection.execute("INSERT INTO journal (work, body) VALUES (?, ?)", (name, status * 20))
    connection.execute("COMMIT")
