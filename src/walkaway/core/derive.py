"""What to do next.

Rule: this is the only place that chooses. It reads a snapshot and returns a decision; it never looks at the disk,
the clock or the environment, and asking twice gives the same answer.
"""

from dataclasses import dataclass

from walkaway.core.asking import gates
from walkaway.core.budget import left_usd
from walkaway.core.ids import Sha, SliceId, TextHash, UnitKey
from walkaway.core.model import Dispatch, MilestoneStatus, Note, Question, SliceStatus, Snapshot
from walkaway.core.plan import start
from walkaway.core.plan.profile import left_out
from walkaway.core.retry import Again, GiveUp, Later, next_run
from walkaway.core.unit import Units


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Begin this unit. ``why``, ``output`` and ``carry``: what was wrong with the last attempt, and its work.

    ``diagnose``: why this attempt is to find the cause of what all others failed at; "" where it is as any other.
    """

    key: UnitKey
    attempt: int
    why: str
    output: TextHash
    carry: Sha
    diagnose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Go on with a dispatch whose report is in, at verification."""

    dispatch: Dispatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Expand:
    """Cut this step of a workflow into tasks, one for each item of its list."""

    slice: SliceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Take down what a person confirmed of the project's start; what it requires goes into the register."""

    note: Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing may start before ``until`` (store's seconds)."""

    key: UnitKey
    until: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Raise this question; it is not in the snapshot yet."""

    question: Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A question waits for a person."""

    question: Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """The milestone's money is gone; ``key`` is what would come next."""

    key: UnitKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Nothing is left to do: the milestone is complete, or a person put it aside."""


Decision = Start | Resume | Expand | Settle | Wait | Ask | Blocked | Spent | Finished


def derive(s: Snapshot, units: Units) -> Decision:
    """Choose the next step of a milestone."""
    if s.milestone.status is MilestoneStatus.COMPLETE or s.milestone.aside:
        return Finished()
    if question := s.blocked_by:
        return Blocked(question=question)
    if live := s.live:
        return Resume(dispatch=live)
    if own := _own(s):
        return own
    for unit in units:
        if s.scripted and not unit.scripted:
            continue
        for target in unit.targets(s):
            key = UnitKey(unit.kind, target)
            if not left_out(s, key):
                return _begin(s, key)
    return Ask(
        question=ask(
            s,
            UnitKey("plan", s.milestone.id),
            GiveUp(
                reason="no-unit",
                text=f"No unit of {s.milestone.id} can start, though it is not complete.{_waiting(s)}",
                remedies=("walkaway skip or walkaway reopen what it waits for, then answer retry",),
            ),
        )
    )


def _own(s: Snapshot) -> Expand | Settle | None:
    """Return what walkaway does by itself, without an agent, before any unit."""
    if s.scripted and (listed := _listed(s)):
        return Expand(slice=listed)
    confirmed = start.due(s)
    return Settle(note=confirmed) if confirmed else None


def _listed(s: Snapshot) -> SliceId | None:
    """Return the first step whose list may be read: the others were cut into tasks when the workflow began."""
    return next((x.id for x in s.slices.values() if x.status is SliceStatus.PENDING and s.free(x)), None)


def _waiting(s: Snapshot) -> str:
    """Return which slices wait for which."""
    told = ""
    for slice_ in s.slices.values():
        wanted = [s.slices[d] for d in slice_.depends if not s.slices[d].satisfies]
        if wanted and not slice_.inactive:
            told += f" {slice_.id} waits for " + ", ".join(f"{x.id} ({x.aside or x.status})" for x in wanted) + "."
    return told


def ask(s: Snapshot, key: UnitKey, why: GiveUp) -> Question:
    """Return the question that says ``why``; its id follows from the snapshot, so that it is asked once."""
    return Question(
        id=f"{s.milestone.id}-Q{len(s.questions) + 1}",
        unit=str(key),
        reason=why.reason,
        text=why.text,
        remedies=why.remedies,
        options=why.options,
        gate=why.gate,
    )


def _begin(s: Snapshot, key: UnitKey) -> Decision:
    if talk := gates.before(s, key):
        return Ask(question=ask(s, UnitKey(gates.DISCUSS_SLICE, key.target), talk))
    match next_run(s, key):
        case GiveUp() as why:
            return Ask(question=ask(s, key, why))
        case Later(until=until, why=reason):
            return Wait(key=key, until=until, why=reason)
        case Again() as go:
            if left_usd(s.policy, s.usage) == 0:
                return Spent(key=key)
            return Start(
                key=key, attempt=go.attempt, why=go.why, output=go.output, carry=go.carry, diagnose=go.diagnose
            )
