"""What one worker holds while it turns on one milestone: the ports, the lease, and the ways to stop."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import walkaway
from walkaway import projection
from walkaway.core.brief import Limits, ModelCall
from walkaway.core.derive import ask, derive
from walkaway.core.errors import Cancelled
from walkaway.core.events import Event, QuestionRaised
from walkaway.core.ids import DispatchId, Scope, Sha, UnitKey
from walkaway.core.model import Lease, Policy, Snapshot, Usage
from walkaway.core.registers.facts import RegisterEvent
from walkaway.core.retry import GiveUp
from walkaway.engine.asking.answers import Answers
from walkaway.engine.fleet.halt import Halt
from walkaway.engine.heartbeat import Heartbeat
from walkaway.engine.ports import Agent, Hooks, Verifier, Workspace
from walkaway.engine.result import Progress, Tell
from walkaway.store import Store
from walkaway.units import UNITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that keeps the work from being done: a stable word, what it is, and what a person can do."""

    code: str
    text: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What a worker is told once. Times in seconds."""

    policy: Policy
    ttl_s: float
    state_dir: str
    limits: Limits = field(default_factory=Limits)
    setup_timeout_s: float = 1800.0
    model: str = ""
    """The model that does the work, for the record of a pause."""
    health: Callable[[], Sequence[Trouble]] = lambda: ()
    """What keeps any unit from being begun here; asked before each dispatch, so it is fast."""
    hooks: Hooks | None = None
    """The user's own commands around units; None where there are none."""
    package: str = walkaway.__file__
    """The file whose replacement means that walkaway was upgraded."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a run has done so far."""

    units: int = 0
    """Dispatches completed."""
    turns: int = 0
    """Dispatches begun or taken up again, whatever became of them."""
    commits: list[Sha] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    worktree: str = ""
    """The directory in which the last unit was worked on."""

    def add(self, call: ModelCall) -> None:
        """Count one model call."""
        self.usage = plus(self.usage, call)


def plus(usage: Usage, call: ModelCall) -> Usage:
    """Return the usage with one more call; an unknown price makes the sum unknown."""
    known = usage.usd is not None and call.usd is not None
    return Usage(
        calls=usage.calls + 1,
        input_tokens=usage.input_tokens + call.input_tokens,
        output_tokens=usage.output_tokens + call.output_tokens,
        usd=(usage.usd or 0.0) + (call.usd or 0.0) if known else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One lease, held: everything that a turn needs."""

    store: Store
    agent: Agent
    workspace: Workspace
    verifier: Verifier
    settings: WorkerSettings
    lease: Lease
    beat: Heartbeat
    halt: Halt
    """Whether the running work has to end now."""
    tally: Tally
    tell: Tell
    usd: float | None = None
    """What this run may spend in all."""
    heard: Callable[[], Sequence[str]] = lambda: ()
    """What people said to the agent since it was last asked."""
    answers: Answers = field(default_factory=lambda: Answers({}))
    """What was written down before the run began."""

    @property
    def scope(self) -> Scope:
        """The milestone."""
        return self.lease.scope

    @property
    def cancel(self) -> threading.Event:
        """Set while the running work has to end."""
        return self.halt.event

    def gate(self) -> None:
        """Return when going on is allowed; raise `Cancelled` when the work has to end."""
        if self.cancel.is_set():
            raise Cancelled("The run was told to stop.")
        self.beat.gate()

    def commit(
        self, events: Sequence[Event | RegisterEvent], *, expect: int | None = None, texts: Iterable[str] = ()
    ) -> Snapshot:
        """Record facts under this lease, once it is trusted."""
        self.beat.gate()
        return self.store.commit(self.lease, events, expect=expect, texts=texts)

    def ask(self, s: Snapshot, key: UnitKey, why: GiveUp) -> None:
        """Raise a question for a person."""
        self.project(self.commit([QuestionRaised(question=ask(s, key, why))]))

    def spent(self, dispatch: DispatchId, call: ModelCall) -> None:
        """Record a paid model call."""
        self.store.spend(self.scope, dispatch, call)
        self.tally.add(call)

    def project(self, s: Snapshot) -> None:
        """Print the projections of the milestone and of the project."""
        view = f"{self.settings.state_dir}/view"
        texts = self.store.texts(projection.needed(s))
        projection.write(view, projection.render(s, texts), s.rev)
        registers = self.store.registers()
        state = projection.render_state(self.store.overview(), s, derive(s, UNITS), registers)
        projection.write(view, state, s.rev)
        projection.write(view, projection.render_registers(registers), registers.facts)

    def step(self, text: str, unit: str = "") -> None:
        """Say what is being done now."""
        self.tell(Progress(kind="step", text=text, unit=unit))
