"""What a person is asked before the work goes on: gates, and the talk before a slice is planned.

Rule: a gate holds what it is about until the *last* time that it was asked was answered with its first option. Asking
it again revokes what was confirmed before; another answer, and no answer, confirm nothing. So its state follows from
the journal alone, whoever asked and whatever channel the answer came through.
"""

from enum import StrEnum

from walkaway.core.asking.question import CONFIRM, DEPTH, GATE_OPTIONS, OF_PROJECT, REVISE, Question, held_by
from walkaway.core.errors import IllegalTransition
from walkaway.core.ids import MilestoneId, UnitKey
from walkaway.core.model import Snapshot
from walkaway.core.retry import GiveUp

DISCUSS_SLICE = "discuss-slice"
SLICE_OPTIONS = ("plan", "skip", "defer")
_PLANNING = frozenset({"research-slice", "plan-slice", "refine-slice"})


def chosen(*, depth: bool, slices: bool) -> tuple[str, ...]:
    """Return what a policy asks a person before the work goes on."""
    return (DEPTH,) * depth + (DISCUSS_SLICE,) * slices


class GateStatus(StrEnum):
    """How one asking of a gate stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    REVOKED = "revoked"


def depth(milestone: MilestoneId) -> str:
    """Return the id of the gate before a milestone is planned."""
    return f"{DEPTH}:{milestone}"


def status(s: Snapshot, question: Question) -> GateStatus:
    """Return how this asking of a gate stands: what was confirmed is revoked once the gate is asked again."""
    if question.open:
        return GateStatus.PENDING
    if question.answer != CONFIRM:
        return GateStatus.DECLINED
    return GateStatus.CONFIRMED if last(s, question.gate) == question else GateStatus.REVOKED


def last(s: Snapshot, gate: str) -> Question | None:
    """Return the last asking of a gate; None where it was never asked."""
    return next((q for q in reversed([*s.questions.values()]) if q.gate == gate), None)


def pending(s: Snapshot) -> Question | None:
    """Return the first gate that waits for its answer."""
    return next((q for q in s.questions.values() if q.gate and q.open), None)


def holds(s: Snapshot, gate: str) -> bool:
    """Whether what a gate is about may not go on: it was asked and not confirmed, or it has to be asked yet."""
    asked = last(s, gate)
    if asked is None:
        return DEPTH in s.policy.gates
    return status(s, asked) is not GateStatus.CONFIRMED


def wanted(gate: str, text: str) -> GiveUp:
    """Return what is asked of a person at a gate."""
    return GiveUp(
        reason=gate.partition(":")[0],
        text=text,
        remedies=(f"read it, then answer {CONFIRM}", f"answer {REVISE}: the unit that wrote it is done again"),
        options=GATE_OPTIONS,
        gate=gate,
    )


def before(s: Snapshot, key: UnitKey) -> GiveUp | None:
    """Return what a person is asked before a unit begins: whether this slice is to be planned now, once."""
    if DISCUSS_SLICE not in s.policy.gates or key.kind not in _PLANNING or talked(s, key.target):
        return None
    slice_ = s.slices[key.target]
    return GiveUp(
        reason=DISCUSS_SLICE,
        text=f"{slice_.id} ({slice_.title}) is to be planned. Its goal: {slice_.goal} After it: {slice_.demo}",
        remedies=("answer plan", "answer skip: it is not done", "answer defer: it is left for later"),
        options=SLICE_OPTIONS,
    )


def talked(s: Snapshot, slice_: str) -> bool:
    """Whether a person was asked about a slice and answered."""
    about = str(UnitKey(DISCUSS_SLICE, slice_))
    return any(q.unit == about and q.reason == DISCUSS_SLICE and not q.open for q in s.questions.values())


def require(s: Snapshot, question: Question) -> None:
    """Raise `IllegalTransition` unless this milestone may ask this gate now."""
    if not question.gate:
        return
    held = held_by(question.gate)
    if held not in (s.milestone.id, *OF_PROJECT):
        raise IllegalTransition(f"{question.gate} is no gate of {s.milestone.id}; it cannot be asked there.")
    if (asked := last(s, question.gate)) and asked.open:
        raise IllegalTransition(f"{question.gate} waits for an answer already, as {asked.id}.")
