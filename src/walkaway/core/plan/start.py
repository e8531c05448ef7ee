"""How a project begins where it is planned in depth: what it is, what it has to do, what is known of its field.

Rule: what a unit wrote is a draft until a person confirms its gate. Only then it is *settled*: a note of a kind of its
own in the milestone that wrote it. It stands for every milestone of the project until a later one is settled.
"""

from collections.abc import Iterator, Mapping

from walkaway.core.asking import gates
from walkaway.core.asking.question import DEPTH, OF_PROJECT
from walkaway.core.errors import IllegalTransition
from walkaway.core.ids import TextHash
from walkaway.core.model import MilestoneStatus, Note, Question, Snapshot
from walkaway.core.plan.policy import PLANNING

_LIGHT, DEEP = PLANNING

PROJECT, REQUIREMENTS = OF_PROJECT
"""What a person confirms; also the kinds of the notes that are settled."""

DRAFTS: Mapping[str, str] = {"discuss-project": PROJECT, "discuss-requirements": REQUIREMENTS}
"""Unit type -> what it drafts, in the order of their turns."""

DECISION, RESEARCH = "research-decision", "research-project"
SKIP, LOOK = "skip", "research"
"""What is decided about research: the first unless something speaks for the second."""

SETTLED = (PROJECT, REQUIREMENTS, DECISION, RESEARCH)
"""The kinds of the notes that stand for the whole project."""

NO_RESEARCH = "no-research"
"""The reason of the question whether to go on though nothing was found out."""

PARTS = ("stack", "features", "architecture", "pitfalls")
"""What research of a project looks into."""


def gate(held: str) -> str:
    """Return the id of the gate that PROJECT or REQUIREMENTS waits for."""
    return f"{DEPTH}:{held}"


def begins(s: Snapshot) -> bool:
    """Whether the project's start is asked of this milestone: before it is planned, unless a person wrote its plan."""
    return s.policy.planning == DEEP and not s.scripted and s.milestone.status is MilestoneStatus.QUEUED


def settled(s: Snapshot, kind: str) -> Note | None:
    """Return what stands for the project: the latest, whichever milestone settled it."""
    found = [note for note in (s.elsewhere.get(kind), s.note(kind, s.milestone.id)) if note]
    return max(found, key=lambda note: note.at, default=None)


def own(s: Snapshot, kind: str) -> Note | None:
    """Return what stands for the project where this milestone settled it."""
    note = s.note(kind, s.milestone.id)
    return note if note == settled(s, kind) else None


def drafted(s: Snapshot, unit: str) -> bool:
    """Whether a draft of ``unit`` is wanted: there is none yet, or a person did not confirm the last one."""
    held = DRAFTS[unit]
    if s.policy.planning != DEEP or s.scripted:
        return False
    if s.note(unit, s.milestone.id) is None:
        return begins(s) and settled(s, held) is None
    return gates.last(s, gate(held)) is not None and not _confirmed(s, held)


def due(s: Snapshot) -> Note | None:
    """Return what was confirmed and is still to be settled, as the note that settles it; the first where it is two."""
    if s.policy.planning != DEEP or s.scripted:
        return None
    return next(_due(s), None)


def require(s: Snapshot, note: Note) -> None:
    """Raise `IllegalTransition` for a note that settles what no person confirmed in this milestone."""
    if note.kind in OF_PROJECT and not _confirmed(s, note.kind):
        raise IllegalTransition(f"{gate(note.kind)} is not confirmed; {note.kind} cannot be settled.")


def _confirmed(s: Snapshot, held: str) -> bool:
    asked = gates.last(s, gate(held))
    return asked is not None and gates.status(s, asked) is gates.GateStatus.CONFIRMED


def _due(s: Snapshot) -> Iterator[Note]:
    for unit, held in DRAFTS.items():
        draft, before = s.note(unit, s.milestone.id), s.note(held, s.milestone.id)
        if draft and _confirmed(s, held) and (before is None or before.report != draft.report):
            yield _note(s, held, "", draft.summary, draft.report)


def spared(s: Snapshot, question: Question, who: str) -> Note:
    """Return that a person goes on without research, as the decision that it is."""
    decided = settled(s, DECISION)
    report = decided.report if decided else s.milestone.context
    return _note(s, DECISION, SKIP, f"{who} said so when asked by {question.id}.", report)


def _note(s: Snapshot, kind: str, verdict: str, summary: str, report: TextHash) -> Note:
    return Note(
        id=f"{s.milestone.id}-N{len(s.notes) + 1}",
        kind=kind,
        target=s.milestone.id,
        verdict=verdict,
        summary=summary,
        report=report,
    )
