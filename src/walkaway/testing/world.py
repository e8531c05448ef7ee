"""A project in which workers can die: the nth call of a port ends its worker, before or after it happened.

No hook in production code: the ports are wrapped. A dead worker touches nothing any more, its ``finally`` blocks
included, and its process is provably gone, so that the next one need not wait for its lease to lapse.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import cast

from walkaway import proc
from walkaway.clock import Clock
from walkaway.core.answer import answer
from walkaway.core.brief import Brief
from walkaway.core.errors import StoreUnavailable
from walkaway.core.ids import MilestoneId, Scope, WorkerId
from walkaway.core.model import Policy, Result, Seen, Snapshot
from walkaway.engine.ports import Hooks, Verifier
from walkaway.engine.result import Ended, Progress, RunOptions
from walkaway.engine.run import Trouble
from walkaway.engine.worker import Worker, WorkerSettings
from walkaway.store import Store
from walkaway.testing.fake_verifier import FakeVerifier
from walkaway.testing.fakes import FakeAgent, FakeWorkspace, Files, Turn
from walkaway.testing.reports import REPORTS
from walkaway.testing.repository import Site

SPECIFICATION = "Build a command-line tool that adds numbers."
TTL_S = 60.0
COUNTED = frozenset(
    {
        *("acquire", "release", "commit", "spend", "register", "end_worker", "recover", "pause", "note"),  # store
        *("pin", "merged", "prepare", "seal", "salvage", "rescue", "advance_line"),  # workspace
        *("clean_checkout", "integrate", "publish"),
        *("set_up", "run"),  # verifier, agent
    }
)
"""Calls at which a worker may die; those that only read leave nothing behind and need no point of their own."""


PARTS = frozenset({"commands", "controls", "kv"})
"""Parts of the store whose calls are calls of it."""


class Died(BaseException):
    """The process is no more: nothing catches it."""


class Fate:
    """When one worker dies: at point ``dies_at`` (2n = before the nth call, 2n+1 = after it), or when told to."""

    def __init__(self, dies_at: int | None = None, *, before: Callable[[str], None] = lambda _name: None) -> None:
        """Count calls of the thread that makes this; ``before`` sees the name of each."""
        self.cause = ""
        """Where it died; empty while it lives."""
        self.points: list[str] = []
        """What was called, in order."""
        self._before = before
        self._dies_at = dies_at
        self._thread = threading.get_ident()

    def call(self, name: str, done: Callable[[], object]) -> object:
        """Do it, unless the worker dies before; die after it if that is its fate."""
        if threading.get_ident() != self._thread:
            if self.cause:
                raise StoreUnavailable("This thread's process is dead.")
            return done()
        if self.cause:
            raise Died(self.cause)
        self._before(name)
        if name not in COUNTED:
            return done()
        call = len(self.points)
        self.points.append(name)
        self._maybe(2 * call, f"before {name}")
        try:
            return done()
        finally:
            self._maybe(2 * call + 1, f"after {name}")

    def strike(self) -> None:
        """Kill the worker now."""
        self.cause = "struck"
        raise Died(self.cause)

    def _maybe(self, point: int, where: str) -> None:
        if point == self._dies_at and not self.cause:
            self.cause = f"point {point}, {where}"
            raise Died(self.cause)


class Mortal:
    """A port of a worker that may die in any of its calls."""

    def __init__(self, port: object, fate: Fate) -> None:
        """Wrap ``port``."""
        self._port = port
        self._fate = fate

    def __getattr__(self, name: str) -> object:
        """Return the port's own, with its fate around it."""
        found = getattr(self._port, name)
        if name in PARTS:
            return Mortal(found, self._fate)
        if not callable(found):
            return found

        def called(*args: object, **kwargs: object) -> object:
            return self._called(name, lambda: found(*args, **kwargs))

        return called

    def _called(self, name: str, done: Callable[[], object]) -> object:
        if name == "clean_checkout":
            return MortalContext(cast("AbstractContextManager[object]", done()), self._fate)
        return self._fate.call(name, done)


class MortalContext:
    """A checkout for a while: made at its beginning, removed at its end, each of which may be the worker's last."""

    def __init__(self, inner: AbstractContextManager[object], fate: Fate) -> None:
        """Wrap ``inner``."""
        self._inner = inner
        self._fate = fate

    def __enter__(self) -> object:
        """Begin."""
        return self._fate.call("clean_checkout", self._inner.__enter__)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; a dead worker removes nothing."""
        if not self._fate.cause:
            self._fate.call("clean_checkout", lambda: self._inner.__exit__(kind, error, trace))


class MortalStore(Mortal):
    """The store of a worker that may die; it is registered as a process that is gone already."""

    def register(self, worker: WorkerId, _identity: proc.Identity, *, since: int | None = None) -> object:
        """Enter the worker under a dead identity."""
        store = cast("Store", self._port)
        return self._fate.call("register", lambda: store.register(worker, dead_identity(), since=since))


@cache
def dead_identity() -> proc.Identity:
    """Return the identity of a process that ran and was reaped."""
    with TemporaryDirectory() as folder:
        child = proc.Background("exit 0", folder, Path(folder) / "log")
        child.wait()
    return replace(proc.me(), pid=child.pid, started=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a project has come to, whoever died on the way."""

    status: str
    completed: tuple[str, ...]
    """Unit key and attempt of each completed dispatch, in order."""
    on_the_line: tuple[str, ...]
    """Unit of each commit on the milestone's line, the oldest first."""
    on_the_target: tuple[str, ...]
    """First line of each commit on the target."""
    files: tuple[tuple[str, str], ...]
    evidence: frozenset[tuple[str, str, str, str]]
    """Phase, unit, command, result."""
    open_questions: tuple[str, ...]
    live: str
    printed: tuple[str, ...]
    """Lines of STATE.md, but for its revision."""
    checkouts: tuple[str, ...]
    """Directories of fences that are left."""


class World:
    """One milestone in one store, a repository and a project's checks in memory, and workers that come and go."""

    def __init__(
        self,
        store: Store,
        state: Path,
        *,
        script: Callable[[Brief], Turn] | None = None,
        policy: Policy | None = None,
        clock: Clock | None = None,
        milestones: int = 1,
        package: Path | None = None,
        ttl_s: float = TTL_S,
        site: Site | None = None,
        verifier: Verifier | None = None,
    ) -> None:
        """Hand in a specification; nothing runs yet. Repository and checks are in memory where none are given."""
        self.store = store
        self.state = state
        self.policy = policy or Policy()
        self.clock = clock
        self.package = package
        self.ttl_s = ttl_s
        self.script = script or good_turn
        self.workspace = FakeWorkspace({"README": "A project.\n"})
        self.verifier = FakeVerifier(self.workspace.files, {"test": Result.PASS})
        self.site: Site = site or self.workspace
        self._verifier = verifier or self.verifier
        self.agents: list[FakeAgent] = []
        """The agent of each worker, the latest last."""
        self.briefs: list[Brief] = []
        """Every brief that an agent was given, the oldest first."""
        self.told: list[Progress] = []
        self.on_told: Callable[[Progress], None] = lambda _progress: None
        self.troubles: list[Trouble] = []
        """What keeps units from being begun here."""
        self.hooks: Hooks | None = None
        self.runs: dict[str, int] = {}
        """How often an agent began each unit, by unit key."""
        self.milestones = [
            store.new_milestone("A tool", SPECIFICATION, self.policy, "a person") for _ in range(milestones)
        ]
        self.id = MilestoneId("M001")
        self.scope = Scope(self.id)

    def worker(self, fate: Fate | None = None, *, proven: bool = True) -> Worker:
        """Return a new worker on this world; with a fate, one that may die: provably, or without a trace."""
        mortal = fate or Fate()
        self.agents.append(FakeAgent(self._turn, self.site.write))
        settings = WorkerSettings(
            policy=self.policy,
            ttl_s=self.ttl_s,
            state_dir=str(self.state),
            model="fake",
            health=lambda: self.troubles,
            hooks=self.hooks,
        )
        if self.package:
            settings = replace(settings, package=str(self.package))
        store = MortalStore(self.store, mortal) if fate and proven else Mortal(self.store, mortal)
        return Worker(
            store=cast("Store", store),
            agent=cast("FakeAgent", Mortal(self.agents[-1], mortal)),
            workspace=cast("FakeWorkspace", Mortal(self.site.workspace, mortal)),
            verifier=cast("FakeVerifier", Mortal(self._verifier, mortal)),
            tell=self.tell,
            settings=settings,
            clock=self.clock,
        )

    def run(self, options: RunOptions | None = None, fate: Fate | None = None) -> Ended:
        """Let a new worker run."""
        return self.worker(fate).run(options or RunOptions())

    def take_over(self) -> WorkerId:
        """Let the lease lapse and give it to a worker that does nothing; return who that is."""
        heir = WorkerId("the-heir")
        self.store.register(heir, proc.me())
        for _ in range(100):  # the holder's heartbeat may renew it just after the clock was moved
            self.store.driver.skew += self.ttl_s + 1
            if self.store.acquire(self.scope, heir, TTL_S):
                return heir
        raise LookupError("The lease does not lapse.")

    def run_when_lapsed(self) -> Ended:
        """Let the lease lapse and a new worker run to its end."""
        for _ in range(100):  # as above
            self.store.driver.skew += self.ttl_s + 1
            ended = self.run()
            if "is being worked on" not in ended.detail:
                return ended
        raise LookupError("The lease does not lapse.")

    def tell(self, progress: Progress) -> None:
        """Keep what a worker says."""
        self.told.append(progress)
        self.on_told(progress)

    def snapshot(self) -> Snapshot:
        """Return the first milestone."""
        return self.store.snapshot(self.scope)

    def said(self, kind: str) -> list[str]:
        """Return what was told of one kind, the oldest first."""
        return [p.text for p in self.told if p.kind == kind]

    def answer(self, words: str) -> None:
        """Answer the open question, as a person."""
        s = self.snapshot()
        question = s.blocked_by
        if question is None:
            raise LookupError("No question is open.")
        seen = Seen(project=s.project, scope=s.scope, rev=s.rev, who="ada")
        self.store.commit(seen, answer(s, question.id, words, "ada"))

    def facts(self) -> Facts:
        """Return what must be the same in the end, whoever died on the way."""
        s = self.snapshot()
        line, target = self.site.see(f"refs/walkaway/{self.id}"), self.site.see("refs/heads/main")
        units: dict[str, str] = {d.id: str(d.key) for d in s.dispatches.values()}
        return Facts(
            status=s.milestone.status,
            completed=tuple(f"{d.key} {d.attempt}" for d in s.dispatches.values() if d.status == "completed"),
            on_the_line=tuple(_trailer(c.message) for c in reversed(line) if _trailer(c.message)),
            on_the_target=tuple(c.message.splitlines()[0] for c in reversed(target)),
            files=tuple(sorted(target[0].files.items())),
            evidence=frozenset(
                (e.phase, units.get(e.dispatch_id, ""), e.command, e.result) for e in s.evidence.values()
            ),
            open_questions=tuple(q.reason for q in s.questions.values() if q.open),
            live=s.live.id if s.live else "",
            printed=tuple((self.state / "view" / "STATE.md").read_text().splitlines()[1:]),
            checkouts=(
                *self.workspace.directories,
                *(path.name for path in (self.state / "worktrees").glob("*")),
            ),
        )

    def _turn(self, brief: Brief) -> Turn:
        self.briefs.append(brief)
        self.runs[brief.unit] = self.runs.get(brief.unit, 0) + 1
        return self.script(brief)


def _trailer(message: str) -> str:
    found = [line for line in message.splitlines() if line.startswith("Walkaway-Unit: ")]
    return found[0].removeprefix("Walkaway-Unit: ") if found else ""


class Scripted:
    """A script that says something of some units: one turn per run of a unit, then what a good agent does."""

    def __init__(self, turns: Mapping[str, Sequence[Turn]]) -> None:
        """Take turns by unit key."""
        self._left = {unit: list(some) for unit, some in turns.items()}

    def __call__(self, brief: Brief) -> Turn:
        """Return the next turn of a unit."""
        left = self._left.get(brief.unit)
        return left.pop(0) if left else good_turn(brief)


# ---- what a good agent does --------------------------------------------------------------------------------------


def good_turn(brief: Brief) -> Turn:
    """Return the turn of an agent that does everything right: two slices of two tasks each."""
    kind, target = brief.unit.split(" ")
    return Turn(reports=[good_report(kind, target)], files=good_files(kind, target))


def one_slice(brief: Brief) -> Turn:
    """Return the turn of an agent that does everything right in one slice: fewer units, all kinds of them."""
    turn = good_turn(brief)
    if not brief.unit.startswith("plan-milestone"):
        return turn
    report = dict(turn.reports[0])
    slices = report["slices"]
    assert isinstance(slices, list)
    return replace(turn, reports=[report | {"slices": slices[:1]}])


def good_files(kind: str, target: str) -> Files:
    """Return what the unit writes."""
    if kind == "resolve-conflict":
        return {f"{target}/S01/T01.py": "both\n"}
    return {f"{target}.py": f"# {target}\n"} if kind == "execute-task" else {}


def good_report(kind: str, target: str) -> Mapping[str, object]:
    """Return an acceptable report of each unit type."""
    return REPORTS["plan-slice" if kind == "refine-slice" else kind](target)
