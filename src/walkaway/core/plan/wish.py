"""What people say while the work goes on: captures (thoughts, to be sorted in) and overrides (these count at once).

Both are notes of the milestone, as is what became of them: there is no flag beside the journal.
"""

from collections.abc import Iterator

from walkaway.core.ids import TextHash
from walkaway.core.model import DispatchStatus, Note, Question, Snapshot

CAPTURE = "capture"
OVERRIDE = "override"
TRIAGE = "triage-captures"
REWRITE = "rewrite-docs"

ASKED = "asked "
"""How the verdict of a triage begins that a person was asked about; the question's id follows."""

DO = "do"
LEAVE = "leave"
CONSENT = (DO, LEAVE)
"""What a person may answer where a capture would change the plan."""

STOP_WORDS = frozenset({"stop", "halt", "pause"})
"""A capture that is one of these, and nothing else, pauses the milestone at once; no model is asked."""


def captures(s: Snapshot) -> Iterator[Note]:
    """Yield the thoughts that are still to be sorted in, oldest first; while a unit runs, those that it was told of."""
    for note in s.notes.values():
        if note.kind == CAPTURE and _is_open(s, note) and _was_told(s, note):
            yield note


def _was_told(s: Snapshot, note: Note) -> bool:
    """Whether a note was there when the unit that runs began."""
    return s.live is None or after(note) < s.live.seq


def said(s: Snapshot, kind: str, words: str, report: TextHash) -> Note:
    """Return what a person says now as a note; its verdict is how many units had begun, so that no clock decides."""
    number = len(s.notes) + 1
    return Note(
        id=f"{s.milestone.id}-N{number}",
        kind=kind,
        target=s.milestone.id,
        verdict=str(len(s.dispatches)),
        summary=words,
        report=report,
    )


def after(note: Note) -> int:
    """Return how many units had begun when a person said this."""
    return int(note.verdict)


def agreed(s: Snapshot, capture: Note) -> bool:
    """Whether a person agreed that this capture may change the plan."""
    asked = _question(s, capture)
    return asked is not None and asked.answer == DO


def _is_open(s: Snapshot, capture: Note) -> bool:
    if s.note(TRIAGE, capture.id) is None:
        return True
    asked = _question(s, capture)
    return asked is not None and (asked.open or asked.answer == DO)


def _question(s: Snapshot, capture: Note) -> Question | None:
    """Return what a person was asked about it, where that is the last that became of it."""
    last = s.note(TRIAGE, capture.id)
    return s.questions.get(last.verdict.removeprefix(ASKED)) if last and last.verdict.startswith(ASKED) else None


def sorted_in(s: Snapshot, *verdicts: str) -> Iterator[Note]:
    """Yield the captures that were sorted in as one of these."""
    for note in s.notes.values():
        if note.kind == CAPTURE and (last := s.note(TRIAGE, note.id)) and last.verdict in verdicts:
            yield note


def overrides(s: Snapshot) -> tuple[Note, ...]:
    """Return what people said that goes before the plan: all of it, as long as the milestone lives."""
    return tuple(note for note in s.notes.values() if note.kind == OVERRIDE)


def unwritten(s: Snapshot) -> tuple[Note, ...]:
    """Return the overrides that the open plans do not know yet; while a unit runs, those that it was told of."""
    return tuple(
        note
        for note in overrides(s)
        if s.note(REWRITE, note.id) is None and _was_told(s, note) and not _planned_since(s, note)
    )


def _planned_since(s: Snapshot, note: Note) -> bool:
    plans = (d for d in s.dispatches.values() if d.unit == "plan-milestone")
    return any(d.status is DispatchStatus.COMPLETED and d.seq > after(note) for d in plans)
