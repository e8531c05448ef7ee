"""The gates of a project and how each asking of them stands."""

from collections.abc import Iterable
from dataclasses import dataclass

from walkaway.core.asking import gates
from walkaway.core.asking.question import held_by
from walkaway.core.model import Snapshot
from walkaway.views.query import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class GateShown:
    """One asking of a gate. ``holds``: what it is about; ``by``: who answered."""

    gate: str
    holds: str
    status: str
    question: str
    text: str
    by: str


def gates_of(snapshots: Iterable[Snapshot]) -> tuple[GateShown, ...]:
    """Return every asking of every gate, the oldest first."""
    asked = [(s, q) for s in snapshots for q in s.questions.values() if q.gate]
    return tuple(
        GateShown(
            gate=q.gate,
            holds=held_by(q.gate),
            status=str(gates.status(s, q)),
            question=q.id,
            text=q.text,
            by=q.answered_by,
        )
        for s, q in sorted(asked, key=lambda pair: pair[1].asked_at)
    )


def gate_json(shown: GateShown) -> Json:
    """Return one asking for programs."""
    return {
        "gate": shown.gate,
        "holds": shown.holds,
        "status": shown.status,
        "question": shown.question,
        "text": shown.text,
        "by": shown.by or None,
    }
