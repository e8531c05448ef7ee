"""What it costs to ask for the state: `walkaway query` on a tiny and on a large project."""

from contextlib import closing
from pathlib import Path

from benchmarks import facts
from benchmarks.measure import BARE, Sample, project, sample, script
from benchmarks.postgres import database
from benchmarks.table import Baseline, Row
from walkaway import layout, store
from walkaway.core.ids import WorkerId
from walkaway.core.model import Policy
from walkaway.identity import me

LIMIT_S = 0.10
LIMIT_MB = 35.0
POSTGRES_LIMIT_S = 0.35
MILESTONES, SLICES, TASKS = 50, 8, 5
DONE = 18
"""Tasks of the first milestone that were done already: its dispatches are loaded with it."""
TINY = "one milestone"
LARGE = f"{MILESTONES} x {SLICES} x {TASKS}"


def measure() -> list[Row]:
    """Return the rows of both sizes."""
    rows: list[Row] = []
    for size in (TINY, LARGE):
        with project() as root:
            fill(root, size)
            bare = sample(BARE, root)
            rows.extend(_rows(f"query, {size}", sample([script(), "query"], root), bare))
    return rows


def fill(root: Path, size: str) -> None:
    """Give the project at ``root`` its milestones, by the store's own door."""
    place = layout.find(str(root))
    resolved = place.resolved()
    worker = WorkerId("benchmark")
    with closing(store.connect(resolved.url, place.project(), synchronous=resolved.synchronous)) as state:
        state.register(worker, me())
        for number in range(1 if size == TINY else MILESTONES):
            made = state.new_milestone(f"Milestone {number}", "A specification.\n" * 50, Policy(), "benchmark")
            if size == TINY:
                continue
            lease = facts.taken(state, made, worker)
            state.commit(lease, facts.plan(made, SLICES, TASKS))
            for count, task in enumerate(facts.tasks_of(made, SLICES, TASKS)[: 0 if number else DONE], 1):
                facts.do(state, lease, task, count, lambda _s: None)
            state.release(lease)
        state.end_worker(worker)


def _rows(
    name: str, seen: Sample, bare: Sample, limit_s: float = LIMIT_S, limit_mb: float | None = LIMIT_MB
) -> list[Row]:
    return [
        Row(
            name=f"{name}: time",
            value=seen.least,
            unit="s",
            limit=limit_s,
            baseline=Baseline(name="python -c pass", value=bare.least),
            how=seen.how(),
        ),
        Row(
            name=f"{name}: memory",
            value=seen.peak_mb,
            unit="MB",
            limit=limit_mb,
            baseline=Baseline(name="python -c pass", value=bare.peak_mb),
        ),
    ]


def measure_postgres() -> list[Row]:
    """Return the rows of the large project in a PostgreSQL database."""
    with database() as url, project({"WALKAWAY_DATABASE__URL": url}) as root:
        fill(root, LARGE)
        bare = sample(BARE, root)
        seen = sample([script(), "query"], root)
    return _rows(f"query, {LARGE}, PostgreSQL", seen, bare, POSTGRES_LIMIT_S, None)
