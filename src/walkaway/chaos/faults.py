"""Everything that can be broken, one small function each, and in which order a seed breaks it.

A fault says whether it could happen at all just now; only then does it count. What it breaks it mends later by itself.
"""

import random
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from walkaway.chaos.crew import kill_all_below, send
from walkaway.chaos.world import World, chosen
from walkaway.core.errors import StoreUnavailable

GAP_S = 0.75
"""The mean time from one fault to the next."""
LEAST_GAP_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """One entry of a schedule. ``pick`` and ``share``, from 0 to 1, choose whom it meets and how hard."""

    gap_s: float
    kind: str
    pick: float
    share: float

    def between(self, least: float, most: float) -> float:
        """Return what ``share`` of the way from ``least`` to ``most`` is."""
        return least + self.share * (most - least)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A kind of fault: what it is for people, how often it is chosen, and what does it.

    ``strike`` returns whether there was anything to break. ``impossible`` says why it cannot be here at all, or "".
    """

    means: str
    weight: int
    strike: Callable[[World, Blow], bool]
    impossible: Callable[[World], str] = lambda _world: ""


# ---- to workers ---------------------------------------------------------------------------------------------------


def _kill(world: World, blow: Blow) -> bool:
    pid = chosen(blow.pick, world.crew.victims())
    if pid is None:
        return False
    world.watch.kill([pid])
    send(pid, signal.SIGKILL)
    return True


def _kill_all(world: World, blow: Blow) -> bool:
    pid = chosen(blow.pick, world.crew.victims())
    if pid is None:
        return False
    world.watch.kill([pid])
    kill_all_below(pid)
    return True


def _tell(number: signal.Signals, world: World, blow: Blow) -> bool:
    pid = chosen(blow.pick, world.crew.victims())
    if pid is not None:
        send(pid, number)
    return pid is not None


def _stop(least: float, most: float, world: World, blow: Blow) -> bool:
    """Stop a worker for a time that is a share of the TTL."""
    pid = chosen(blow.pick, world.crew.victims())
    if pid is None:
        return False
    send(pid, signal.SIGSTOP)
    world.later(blow.between(least, most) * world.stage.ttl_s, lambda: _if_there(world, pid, signal.SIGCONT))
    return True


def _stutter(world: World, blow: Blow) -> bool:
    """Stop a worker and let it go on, several times, 50 to 300 ms each."""
    pid = chosen(blow.pick, world.crew.victims())
    if pid is None:
        return False
    length = blow.between(0.05, 0.3)
    for n in range(4):
        world.later(2 * n * length, lambda: _if_there(world, pid, signal.SIGSTOP))
        world.later((2 * n + 1) * length, lambda: _if_there(world, pid, signal.SIGCONT))
    return True


def _if_there(world: World, pid: int, number: signal.Signals) -> None:
    """Signal a worker, unless it ended: its number may be somebody else's by now."""
    if pid in world.crew.victims():
        send(pid, number)


# ---- by people ----------------------------------------------------------------------------------------------------


def _pause(world: World, blow: Blow, *more: str) -> bool:
    if world.view.paused:
        return False
    world.people.say("pause", "--reason", "chaos", *_of_one(world, blow), *more)
    return True


def _end_runs(world: World, blow: Blow) -> bool:
    world.people.say("stop", *_of_one(world, blow), *(["--now"] if blow.pick > 0.5 else []))  # noqa: PLR2004 - half
    return True


def _direct(words: Sequence[str], world: World, blow: Blow) -> bool:
    """Give an order about one of the milestones that are worked on."""
    milestone = chosen(blow.pick, world.view.held)
    if milestone is not None:
        world.people.say(*words, "--milestone", milestone)
    return milestone is not None


def _of_one(world: World, blow: Blow) -> Sequence[str]:
    """Return the words for one milestone, or none for the whole project, half of the time each."""
    milestone = chosen(blow.pick, world.view.held)
    return ["--milestone", milestone] if milestone is not None and blow.share > 0.5 else []  # noqa: PLR2004


def _commit(world: World, blow: Blow) -> bool:
    if world.disk.full:
        return False
    world.people.commit(f"somebody-{blow.pick:.12f}.txt")
    return True


# ---- to what they need --------------------------------------------------------------------------------------------


def _forget(world: World, _blow: Blow) -> bool:
    try:
        world.database.forget()
    except StoreUnavailable:
        return False
    return True


def _lock(world: World, blow: Blow) -> bool:
    try:
        world.later(blow.between(0.5, 2.0), world.database.lock())
    except StoreUnavailable:
        return False  # a stopped worker has the lock, or we have: it is held
    return True


def _cut(world: World, _blow: Blow) -> bool:
    try:
        return world.database.cut() > 0
    except StoreUnavailable:
        return False


def _model_down(world: World, blow: Blow) -> bool:
    world.model.down()
    world.later(blow.between(0.1, 2.0), world.model.up)
    return True


def _model_cut(world: World, blow: Blow) -> bool:
    world.model.cut()
    world.later(blow.between(1.0, 3.0), world.model.up)
    return True


def _fill(world: World, blow: Blow) -> bool:
    """Leave nothing on the disk, or less than walkaway wants to begin a unit with."""
    try:
        world.disk.fill(0 if blow.pick < 0.7 else 50)  # noqa: PLR2004 - mostly nothing
    except OSError:
        return False  # it is full
    world.later(blow.between(0.3, 2.5), world.disk.free)
    return True


def _not_on(dialect: str, why: str) -> Callable[[World], str]:
    return lambda world: why if world.database.dialect == dialect else ""


FAULTS: Mapping[str, Fault] = {
    "kill": Fault(means="a worker is killed (SIGKILL)", weight=5, strike=_kill),
    "kill-all": Fault(means="a worker is killed with all that it started", weight=3, strike=_kill_all),
    "stop-long": Fault(
        means="a worker is stopped for longer than its lease lasts", weight=3, strike=partial(_stop, 1.2, 2.5)
    ),
    "stop-short": Fault(
        means="a worker is stopped for less than its lease lasts", weight=3, strike=partial(_stop, 0.1, 0.8)
    ),
    "stutter": Fault(means="a worker is stopped four times for 50 to 300 ms", weight=3, strike=_stutter),
    "terminate": Fault(means="a worker is told to end (SIGTERM)", weight=2, strike=partial(_tell, signal.SIGTERM)),
    "interrupt": Fault(means="a worker is interrupted (SIGINT)", weight=2, strike=partial(_tell, signal.SIGINT)),
    "pause": Fault(means="a person pauses, and resumes later", weight=2, strike=_pause),
    "pause-now": Fault(
        means="a person pauses at once, and resumes later", weight=2, strike=lambda w, b: _pause(w, b, "--now")
    ),
    "stop": Fault(means="a person stops the runs; others are started", weight=1, strike=_end_runs),
    "cancel": Fault(means="a person cancels the running unit", weight=2, strike=partial(_direct, ["cancel"])),
    "steer": Fault(means="a person speaks to the agent", weight=2, strike=partial(_direct, ["steer", "Go on."])),
    "commit": Fault(means="somebody else commits to the target", weight=2, strike=_commit),
    "forget": Fault(means="all soft state is wiped", weight=2, strike=_forget),
    "lock": Fault(
        means="somebody writes to the database for 0.5 to 2 s",
        weight=3,
        strike=_lock,
        impossible=_not_on("postgres", "PostgreSQL has no lock for all of it"),
    ),
    "cut": Fault(
        means="every connection to the database is terminated",
        weight=3,
        strike=_cut,
        impossible=_not_on("sqlite", "SQLite has no connections to cut"),
    ),
    "model-down": Fault(means="the model's server is killed and away for a while", weight=2, strike=_model_down),
    "model-cut": Fault(means="the model's replies end half-way for a while", weight=1, strike=_model_cut),
    "fill": Fault(
        means="the disk of the project is full for a while",
        weight=3,
        strike=_fill,
        impossible=lambda world: world.disk.why_not,
    ),
}


def schedule(rng: random.Random) -> Iterator[Blow]:
    """Yield the faults of a seed, for ever; the same ones whether or not they are possible here."""
    weights = [fault.weight for fault in FAULTS.values()]
    while True:
        yield Blow(
            gap_s=LEAST_GAP_S + rng.expovariate(1 / GAP_S),
            kind=rng.choices(list(FAULTS), weights)[0],
            pick=rng.random(),
            share=rng.random(),
        )
