"""Let a storm pass over a project, let it calm down, and see what survived."""

import json
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import FrameType

from walkaway.chaos.crew import SINGLE, Crew
from walkaway.chaos.database import Database, is_empty
from walkaway.chaos.disk import Disk
from walkaway.chaos.facts import diagnosed, gather
from walkaway.chaos.faults import FAULTS, schedule
from walkaway.chaos.model import Model
from walkaway.chaos.people import People
from walkaway.chaos.plan import CHECK, Plan
from walkaway.chaos.report import Report
from walkaway.chaos.stage import Stage
from walkaway.chaos.verdict import judge
from walkaway.chaos.watch import Watch, recoveries
from walkaway.chaos.world import LOOK_S, World
from walkaway.core.errors import CannotRun, Usage
from walkaway.core.ids import Scope
from walkaway.core.model import DispatchStatus

MINUTE_S = 60.0
LONGEST_FAULT_S = 3.0
"""How long the storm may take for each fault that was asked for, where no time was named."""
CALM_S = 150.0
"""How long everything may take to become complete once nothing is broken any more."""
LEAVE_S = 20.0
"""How long workers may take to leave when nothing is left to do."""
MOST_MILESTONES = 99
DELAY_S = 0.15
TTL_S = 2.0
POOLS = 0.5
"""Share of the seeds in which two of the workers are a pool's."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a person asked for. None: no bound, or as many as are needed."""

    seed: int
    minutes: float | None = None
    faults: int | None = None
    workers: int = 4
    milestones: int | None = None
    database: str = ""
    keep: str | None = None

    @property
    def seconds(self) -> float:
        """How long things are broken at most."""
        if self.minutes is None and self.faults is not None:
            return self.faults * LONGEST_FAULT_S
        return (1.0 if self.minutes is None else self.minutes) * MINUTE_S

    @property
    def again(self) -> str:
        """The command that does the same once more."""
        words = [f"walkaway chaos --seed {self.seed}"]
        given = {"minutes": self.minutes, "faults": self.faults, "milestones": self.milestones}
        words += [f"--{name} {value:g}" for name, value in given.items() if value is not None]
        if self.workers != Options(seed=0).workers:
            words.append(f"--workers {self.workers}")
        return " ".join([*words, *(["--database URL"] if self.database else [])])


def run(options: Options, say: Say) -> Report:
    """Break what can be broken and return what came of it; the folder is removed if all is well, unless it is named.

    Call it from the main thread. Raises `WalkawayError` where it cannot begin.
    """
    if options.database and not is_empty(options.database):
        raise Usage("--database has to name an empty database: this one is in use by walkaway.")
    root = Path(options.keep or tempfile.mkdtemp(prefix="walkaway-chaos-")).resolve()
    if (root / "project").exists():
        raise Usage(f"{root} has a project already: name another folder with --keep.")
    root.mkdir(parents=True, exist_ok=True)
    disk = Disk(root / "project")
    report: Report | None = None
    with _ended_by_sigterm():
        try:
            report = _pass(options, root, disk, say)
        finally:
            if report is not None and report.survived and options.keep is None:
                disk.close()
                shutil.rmtree(root)
            else:
                disk.keep()
                say(f"The folder {root} is kept.")
    return report if report.survived and options.keep is None else replace(report, kept=str(root))


def _pass(options: Options, root: Path, disk: Disk, say: Say) -> Report:
    begun = time.monotonic()
    luck = random.Random(options.seed)  # noqa: S311 - to be repeated, not to be secret
    stage = Stage(root, Plan(milestones=min(options.milestones or options.workers, MOST_MILESTONES)), options.database)
    try:
        world = _world(options, stage, disk, luck)
        say(f"seed {options.seed}, {options.workers} workers on {world.database.dialect}, in {stage.root}")
        struck = _storm(world, options, luck, say)
        say(f"{sum(struck.values())} faults; now nothing is broken any more")
        _calm(world)
        report = _reported(world, options, struck)
    finally:
        stage.end()
    return replace(report, seconds=time.monotonic() - begun)


def _world(options: Options, stage: Stage, disk: Disk, luck: random.Random) -> World:
    """Set everything up; what was started ends with the stage, or with this process."""
    stage.ttl_s, stage.checks = TTL_S, json.dumps([CHECK])
    stage.set_up()
    plan = Plan(milestones=options.milestones or MOST_MILESTONES, delay_s=DELAY_S)
    model = Model(stage, plan, luck)
    database = Database(stage.place.resolved().url, stage.place.project())
    watch = Watch(stage, database)
    view = watch.look()
    if view is None:
        raise CannotRun("The database cannot be read before anything is broken.")
    return World(
        stage=stage,
        crew=Crew(stage, options.workers, pool=luck.random() < POOLS),
        people=People(stage, plan, ahead=options.workers + 1),
        model=model,
        disk=disk,
        database=database,
        watch=watch,
        view=view,
    )


def _storm(world: World, options: Options, luck: random.Random, say: Say) -> Counter[str]:
    """Break one thing after the other until the time is over or it was enough; return how many of each kind."""
    struck: Counter[str] = Counter()
    begun = time.monotonic()
    blows = schedule(luck)
    blow = next(blows)
    due = begun + blow.gap_s
    with (world.stage.root / "faults.jsonl").open("a", encoding="utf-8") as log:
        while (now := time.monotonic()) < begun + options.seconds:
            if options.faults is not None and sum(struck.values()) >= options.faults:
                break
            if options.milestones is not None and world.view.complete:
                break  # there is nothing left that could break
            if now >= due:
                if not FAULTS[blow.kind].impossible(world) and FAULTS[blow.kind].strike(world, blow):
                    struck[blow.kind] += 1
                    say(f"{now - begun:6.1f} s  {FAULTS[blow.kind].means}")
                    log.write(json.dumps({"t": round(now - begun, 2), **asdict(blow)}) + "\n")
                    log.flush()
                blow = next(blows)
                due = time.monotonic() + blow.gap_s
            world.turn(work=True, more=True)
    return struck


def _calm(world: World) -> None:
    """Mend everything and let the work be done, as long as that may take; then see everybody leave."""
    world.settle()
    until = time.monotonic() + CALM_S
    while not world.view.complete and time.monotonic() < until:
        world.turn(work=True, more=False)
    if world.view.complete and _left(world, LEAVE_S):
        done = world.stage.run(*SINGLE)  # buries those who died last, and clears what they held
        if done.exit_code != 0:
            world.crew.wrong.append(f"the last auto ended with {done.exit_code}: {done.stderr[-500:]}")
        return
    if world.view.complete:
        world.crew.wrong.append(f"workers or commands had not left after {LEAVE_S:.0f} s")
    world.crew.everybody(signal.SIGTERM)
    _left(world, LEAVE_S)


def _left(world: World, seconds: float) -> bool:
    """Wait until nobody is at work, nobody waits for an answer and nothing is paused; False where that takes longer."""
    busy_at = begun = time.monotonic()
    while (now := time.monotonic()) < begun + seconds:
        if not world.crew.idle or world.people.busy or world.view.paused:
            busy_at = now
        elif now > busy_at + 2 * LOOK_S:  # seen twice
            return True
        world.turn(work=False, more=False)
    return False


def _reported(world: World, options: Options, struck: Mapping[str, int]) -> Report:
    store = world.database.store
    snapshots = [store.snapshot(Scope(row.id)) for row in store.overview().milestones]
    findings = diagnosed(world)
    runs = [d for s in snapshots for d in s.dispatches.values()]
    leases = [lease for s in snapshots for lease in store.lease_history(s.scope)]
    return Report(
        seed=options.seed,
        database=world.database.dialect,
        faults=struck,
        skipped={kind: why for kind, fault in FAULTS.items() if (why := fault.impossible(world))},
        refusals=world.model.refusals(),
        milestones=len(snapshots),
        workers=world.crew.started,
        ends=world.crew.ends,
        units=sum(1 for d in runs if d.status is DispatchStatus.COMPLETED),
        runs=len(runs),
        recoveries=tuple(recoveries(snapshots, world.watch.killed)),
        taken=sum(1 for lease in leases if lease.ended_how == "taken"),
        questions=Counter(q.reason for s in snapshots for q in s.questions.values()),
        unlocked=world.people.unlocked,
        remarks=Counter(str(f["code"]) for f in findings if f["severity"] != "ok"),
        verdict=judge(gather(world, snapshots, findings)),
        again=options.again,
    )


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end us as Ctrl-C does: in order."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
