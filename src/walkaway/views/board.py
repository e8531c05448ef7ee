"""The whole project at a glance: milestones, what is in hand, what waits for a person, what it cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from walkaway.core.derive import Ask, Decision
from walkaway.core.fleet.overview import MilestoneRow, Overview
from walkaway.core.fleet.pause import Pause
from walkaway.core.ids import WorkerId, short
from walkaway.core.model import MilestoneStatus, Question, Slice, SliceStatus, Snapshot, Task, TaskStatus, Usage
from walkaway.core.plan.quality import flags
from walkaway.core.plan.scope import scope_of
from walkaway.core.schedule import waiting
from walkaway.views.phase import where
from walkaway.views.query import next_action


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One slice or task. ``state``: done, running, open, aside; ``note`` says more where there is more to say."""

    id: str
    title: str
    depth: int
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One milestone: how far it is, and its slices and tasks where it is in hand."""

    row: MilestoneRow
    state: str
    lines: tuple[Line, ...] = ()
    note: str = ""
    scope: str = ""
    """How much there is to the milestone in hand, with its reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtWork:
    """One worker, as far as is known; ``silent_s`` seconds since its last sign of life."""

    id: str
    where: str
    status: str
    unit: str
    silent_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All of it."""

    phase: str
    lanes: tuple[Lane, ...]
    next: str
    pauses: tuple[Pause, ...]
    """Those in force."""
    questions: tuple[Question, ...]
    workers: tuple[AtWork, ...]
    spent: Usage
    milestone_spent: Usage | None
    limit_usd: float | None


def board(
    overview: Overview,
    active: Snapshot | None,
    others: Sequence[Snapshot],
    decision: Decision | None,
    dead: frozenset[WorkerId],
    pauses: Sequence[Pause] = (),
) -> Board:
    """Return the board; ``active``: the milestone in hand, if any, which ``decision`` is about.

    ``others``: those that have open questions.
    """
    snapshots = [*([active] if active else []), *others]
    by_id = {s.milestone.id: s for s in snapshots}
    questions = [q for s in snapshots for q in s.questions.values() if q.open]
    if isinstance(decision, Ask):
        questions.append(decision.question)
    at = where(overview, active, decision)
    held = waiting(overview)
    return Board(
        phase=at.phase,
        lanes=tuple(
            lane_of(row, by_id.get(row.id), active, held.get(row.id, row.aside)) for row in overview.milestones
        ),
        next=pauses[0].remedy if pauses else next_action(at, decision),
        pauses=tuple(pauses),
        questions=tuple(questions),
        workers=tuple(
            AtWork(
                id=w.id,
                where=f"{w.host}, pid {w.pid}",
                status="crashed" if w.id in dead else w.status,
                unit=w.unit,
                silent_s=max(overview.now - w.beat_at, 0.0),
            )
            for w in overview.workers
        ),
        spent=overview.usage,
        milestone_spent=active.usage if active else None,
        limit_usd=active.policy.usd if active else None,
    )


def lane_of(row: MilestoneRow, s: Snapshot | None, active: Snapshot | None = None, held: str = "") -> Lane:
    """Return a milestone as the board shows it, with its parts where ``s`` is given; ``held``: why it waits."""
    if row.status is MilestoneStatus.COMPLETE:
        return Lane(row=row, state="done", lines=_lines(s) if s else ())
    if row.aside:
        return Lane(row=row, state="aside", lines=_lines(s) if s else (), note=held)
    in_hand = active is not None and row.id == active.milestone.id
    found = scope_of(s) if s and s.slices else None
    scope = f"{found.kind}: {found.why}" if found else ""
    return Lane(row=row, state="running" if in_hand else "open", lines=_lines(s) if s else (), note=held, scope=scope)


def _lines(s: Snapshot) -> tuple[Line, ...]:
    lines: list[Line] = []
    for slice_ in s.slices.values():
        done = slice_.status is SliceStatus.COMPLETE
        after = f"after {', '.join(short(d) for d in slice_.depends)}" if slice_.depends and not done else ""
        running, note = _live(s, slice_.id)
        flagged = "; ".join(f"{each.kind} flagged: {each.summary}" for each in flags(s, slice_.id)) if not done else ""
        blocked = f"to be planned anew: {slice_.blocker}" if slice_.blocker else ""
        note = _aside(slice_) or blocked or note or after or flagged
        state = "aside" if slice_.aside else "done" if done else "running" if running else "open"
        lines.append(Line(id=short(slice_.id), title=slice_.title, depth=1, state=state, note=note))
        for task in s.tasks_of(slice_.id):
            done = task.status is TaskStatus.COMPLETE
            running, note = _live(s, task.id)
            unverified = "unverified: the project has no check" if task.verified == "unverified" else ""
            state = "aside" if task.aside else "done" if done else "running" if running else "open"
            note = _aside(task) or note or unverified
            lines.append(Line(id=short(task.id), title=task.title, depth=2, state=state, note=note))
    return tuple(lines)


def _aside(part: Slice | Task) -> str:
    """Return that it is not to be done, and why; "" where it is."""
    return f"{part.aside}: {part.aside_why}" if part.aside_why else part.aside


def _live(s: Snapshot, target: str) -> tuple[bool, str]:
    """Return whether a unit about ``target`` is under way, and how its last run stands."""
    live = s.live
    if live is not None and live.target == target:
        return True, f"{live.unit} is {live.status}, attempt {live.attempt}, {s.now - live.claimed_at:.0f} s"
    runs = [d for d in s.dispatches.values() if d.target == target]
    last = runs[-1] if runs else None
    if last is not None and last.failure:
        return False, f"{last.unit} attempt {last.attempt}: {last.status}, {last.why}"
    return False, ""
