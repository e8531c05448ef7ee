"""What is seen while it goes on: every tip that a ref was ever at, and when which worker was killed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from walkaway.chaos.database import Database
from walkaway.chaos.stage import Stage
from walkaway.core.errors import StoreUnavailable
from walkaway.core.fleet.overview import Overview
from walkaway.core.fleet.pause import Pause
from walkaway.core.ids import Scope
from walkaway.core.model import FailureKind, MilestoneStatus, Question, Snapshot

KEPT = ("refs/heads/main", "refs/walkaway/")
"""The refs that may only ever go forward: one by name, and all below one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The project at one instant."""

    overview: Overview
    questions: Sequence[Question]
    paused: Sequence[Pause]

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return all(row.status is MilestoneStatus.COMPLETE for row in self.overview.milestones)

    @property
    def held(self) -> Sequence[str]:
        """The milestones that somebody works on."""
        return [row.id for row in self.overview.milestones if row.holder]


@dataclass(slots=True)
class Watch:
    """Looks at the project from outside, as often as it is told to."""

    stage: Stage
    database: Database
    tips: dict[str, set[str]] = field(default_factory=dict)
    """Every commit that a ref was seen at, by ref."""
    killed: dict[str, float] = field(default_factory=dict)
    """When a worker was killed, by the store's clock."""

    def look(self) -> View | None:
        """Note where the refs are and return how the project stands; None while its database cannot be read."""
        for line in self.stage.git("for-each-ref", "--format=%(refname) %(objectname)", *KEPT).splitlines():
            ref, _, sha = line.partition(" ")
            self.tips.setdefault(ref, set()).add(sha)
        try:
            store = self.database.store
            overview = store.overview()
            asked = [store.snapshot(Scope(row.id)) for row in overview.milestones if row.open_questions]
            paused = store.controls.read().in_force
        except StoreUnavailable:
            return None
        questions = [question for s in asked for question in s.questions.values() if question.open]
        return View(overview=overview, questions=questions, paused=paused)

    def kill(self, pids: Iterable[int]) -> None:
        """Note that the workers with these processes are killed now."""
        gone = frozenset(pids)
        try:
            overview = self.database.store.overview()
        except StoreUnavailable:
            return
        self.killed.update({str(worker.id): overview.now for worker in overview.workers if worker.pid in gone})


def recoveries(snapshots: Iterable[Snapshot], killed: Mapping[str, float]) -> Iterator[float]:
    """Yield for each unit that a kill cut off how many seconds later it ran again."""
    for s in snapshots:
        runs = list(s.dispatches.values())
        for run in runs:
            again = next((other for other in runs if other.key == run.key and other.seq > run.seq), None)
            if run.failure == FailureKind.LEASE_LOST and run.worker_id in killed and again is not None:
                yield again.claimed_at - killed[run.worker_id]
