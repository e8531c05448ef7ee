"""A milestone that does not fit onto its target: recorded, given to a unit, and looked at before its checks run.

Rule: a conflict is resolved on the milestone's own line, in its own checkout, as a merge of the very commit that was
recorded; so that whoever does it again, under whichever fence, does the same.
"""

from walkaway.core.derive import Start
from walkaway.core.errors import Conflict
from walkaway.core.events import IntegrationConflicted
from walkaway.core.ids import NO_SHA, NO_TEXT, Sha
from walkaway.core.model import Dispatch, FailureKind, Snapshot
from walkaway.core.retry import GiveUp, conflict
from walkaway.core.verdict import Rejected
from walkaway.engine.result import Progress
from walkaway.engine.run import Run
from walkaway.store.blobs import clean, text_hash
from walkaway.units.resolve_conflict import KIND

MOST_ROUNDS = 3
"""So often a conflict is given to a unit before a person is asked: a target may move faster than it can be followed."""


def found(run: Run, d: Dispatch, onto: Sha, error: Conflict) -> None:
    """Record what ``d`` met on its way to the target's tip ``onto``; after so many of them a person is asked."""
    s = run.store.snapshot(run.scope)
    text = f"{d.key} cannot be integrated: {error}"
    if _rounds(s) >= MOST_ROUNDS:
        run.ask(s, d.key, _too_often(s, text))
        return
    log = clean(run.workspace.told(s.milestone.head, onto))
    met = IntegrationConflicted(dispatch=d.id, onto=onto, files=error.files, why=text, log=text_hash(log))
    after = run.commit([met], texts=[log])
    run.workspace.rescue(run.lease, d.id, d.commit_sha)
    run.project(after)
    run.tell(Progress(kind="unit-failed", text=text, unit=str(d.key), attempt=d.attempt))


def _rounds(s: Snapshot) -> int:
    """Return how many conflicts were met since a person was last asked about one."""
    asked = max((q.after for q in s.questions.values() if q.reason == FailureKind.CONFLICT), default=0)
    return sum(d.failure == FailureKind.CONFLICT and d.seq > asked for d in s.dispatches.values())


def _too_often(s: Snapshot, text: str) -> GiveUp:
    return conflict(s, f"{text}. Conflicts with {s.milestone.target_branch} were resolved {MOST_ROUNDS} times before.")


def onto(s: Snapshot, start: Start) -> Sha:
    """Return the commit that this unit merges; NO_SHA for one that merges nothing."""
    return s.milestone.conflict_onto if start.key.kind == KIND else NO_SHA


def carried(run: Run, s: Snapshot, start: Start) -> Sha:
    """Return the commit whose files the agent finds: its refused work, or what git could merge, with its markers."""
    other = onto(s, start)
    if not other or (start.carry and _made_of(s, start.carry)):
        return start.carry
    return run.workspace.merged(s.milestone.head, other)


def _made_of(s: Snapshot, carry: Sha) -> bool:
    """Whether refused work was made of this conflict: of an earlier one, it lacks what the target became since."""
    met = max((d.seq for d in s.dispatches.values() if d.failure == FailureKind.CONFLICT), default=0)
    return any(d.seq > met for d in s.dispatches.values() if d.commit_sha == carry)


def unresolved(run: Run, s: Snapshot, d: Dispatch) -> Rejected | None:
    """Return why the sealed work of ``d`` is no resolution; None where it is one, or none was asked for."""
    marked = run.workspace.marked(d.commit_sha, s.milestone.conflict_files) if d.unit == KIND else ()
    if not marked:
        return None
    return Rejected(why=f"There are conflict markers still in {', '.join(marked)}.", output=NO_TEXT)
