"""What Hypothesis draws of gates: those that may be asked now, of any state."""

from hypothesis import strategies as st

from walkaway.core import events as e
from walkaway.core.asking import gates
from walkaway.core.asking.question import DEPTH, GATE_OPTIONS, OF_PROJECT, Question
from walkaway.core.model import Snapshot
from walkaway.testing.moments import Fence


def gate_move(draw: st.DrawFn, s: Snapshot, _by: Fence) -> list[e.Event]:
    """Draw the asking of a gate that may be asked now; nothing new where each of them waits already."""
    ids = [f"{DEPTH}:{held}" for held in (s.milestone.id, *OF_PROJECT)]
    free = [gate for gate in ids if not ((last := gates.last(s, gate)) and last.open)]
    return [_asked(s, draw(st.sampled_from(free)))] if free else [e.PolicyChanged(policy=s.policy)]


def _asked(s: Snapshot, gate: str) -> e.QuestionRaised:
    asked = Question(
        id=f"{s.milestone.id}-Q{len(s.questions) + 1}",
        unit=f"discuss-milestone {s.milestone.id}",
        reason=DEPTH,
        text="Is it so?",
        remedies=("answer it",),
        options=GATE_OPTIONS,
        gate=gate,
    )
    return e.QuestionRaised(question=asked)
