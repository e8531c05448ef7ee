"""Hypothesis strategies that draw what can happen next: random events are nearly all illegal and test nothing.

`moves` draws a list of events that is legal for a snapshot, `strays` one event that is not. Walk: draw a move, commit
it, read the snapshot, draw again.
"""

from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from walkaway.core import events as e
from walkaway.core.errors import DispatchOver, IllegalTransition
from walkaway.core.evolve import evolve
from walkaway.core.ids import NO_SHA, DispatchId, MilestoneId, Sha, SliceId, TaskId, TextHash, slice_id, task_id
from walkaway.core.model import (
    Dispatch,
    DispatchStatus,
    Evidence,
    FailureKind,
    MilestoneStatus,
    Note,
    Phase,
    Policy,
    Question,
    Result,
    SliceStatus,
    Snapshot,
)
from walkaway.core.plan.policy import PLANNING
from walkaway.testing.moments import Fence, run_of
from walkaway.testing.strategies_gates import gate_move
from walkaway.testing.strategies_plan import plan_changes
from walkaway.testing.strategies_strays import candidates, claim_of

Draw = st.DrawFn
Events = list[e.Event]
Maker = Callable[[Draw, Snapshot, Fence], Events]

texts = st.text(st.characters(exclude_categories=()), max_size=12)
"""All that Python calls text, NUL and lone surrogates included."""

words = st.text("abcdefghijklmnopqrstuvwxyz -/%:'\"\\{}\n", min_size=1, max_size=12)
hashes = st.integers(1, 2**256 - 1).map(lambda n: TextHash(f"{n:064x}"))
shas = st.integers(1, 2**160 - 1).map(lambda n: Sha(f"{n:040x}"))
times = st.floats(0, 4e9, allow_nan=False)
failures = st.sampled_from([str(kind) for kind in FailureKind])
policies = st.builds(
    Policy,
    checks=st.none() | st.lists(texts, max_size=2).map(tuple),
    setup=st.none() | st.lists(texts, max_size=2).map(tuple),
    attempts=st.integers(1, 5),
    usd=st.none() | st.floats(0, 100),
    planning=st.sampled_from(PLANNING),
)


@st.composite
def moves(draw: Draw, s: Snapshot, by: Fence) -> Events:
    """Draw a list of events that may happen to ``s`` now, in the name of ``by``; one commit's worth."""
    makers: list[Maker] = [_policy, _question, gate_move, _note]
    if s.milestone.status in {MilestoneStatus.ACTIVE, MilestoneStatus.VALIDATED}:
        makers.append(_steered)
    if not s.dispatches:
        makers.append(_pin)
    if s.milestone.target_sha:
        makers.append(_baseline)
    if s.blocked_by:
        makers.append(_answer)
    if s.live:
        makers.extend(_OF_LIVE[s.live.status])
    elif not s.blocked_by and not s.milestone.aside and s.milestone.status is not MilestoneStatus.COMPLETE:
        makers.extend([_claim, _whole_run, _whole_run, _whole_run])
    return draw(st.sampled_from(makers))(draw, s, by)


def _pin(draw: Draw, _s: Snapshot, _by: Fence) -> Events:
    return [e.TargetPinned(branch=draw(words), sha=draw(shas))]


def _baseline(_draw: Draw, s: Snapshot, _by: Fence) -> Events:
    return [e.BaselineAccepted(sha=s.milestone.target_sha)]


def _policy(draw: Draw, _s: Snapshot, _by: Fence) -> Events:
    return [e.PolicyChanged(policy=draw(policies))]


def _question(draw: Draw, s: Snapshot, _by: Fence) -> Events:
    asked = Question(
        id=f"{s.milestone.id}-Q{len(s.questions) + 1}",
        unit=draw(texts),
        reason=draw(st.sampled_from(["attempts", "stuck", "target-moves"])),
        text=draw(texts),
        remedies=(draw(texts),),
        options=("retry", "leave"),
    )
    return [e.QuestionRaised(question=asked)]


def _answer(draw: Draw, s: Snapshot, _by: Fence) -> Events:
    asked = draw(st.sampled_from([q for q in s.questions.values() if q.open]))
    return [e.QuestionAnswered(question=asked.id, answer=draw(st.sampled_from(asked.options)), who=draw(texts))]


def _note(draw: Draw, s: Snapshot, _by: Fence) -> Events:
    number = len(s.notes) + 1
    found = Note(
        id=f"{s.milestone.id}-N{number}",
        kind=draw(words),
        target=s.milestone.id,
        verdict=draw(words),
        summary=draw(texts),
        report=TextHash("5" * 64),
    )
    return [e.NoteTaken(note=found)]


def _steered(draw: Draw, s: Snapshot, by: Fence) -> Events:
    event = draw(st.sampled_from(plan_changes(s)))
    return _note(draw, s, by) if _is_illegal(s, event) else [event]


def possible_units(s: Snapshot) -> list[tuple[str, str]]:
    """Return what could be worked on: the kinds and targets that today's unit types would offer, roughly."""
    found: list[tuple[str, str]] = []
    if s.milestone.status is MilestoneStatus.QUEUED:
        found.append(("plan-milestone", s.milestone.id))
    for slice_ in s.slices.values():
        if slice_.aside:
            continue
        if slice_.status is SliceStatus.PENDING:
            found.append(("plan-slice", slice_.id))
        elif slice_.status is SliceStatus.IN_PROGRESS:
            pending = [t for t in s.tasks_of(slice_.id) if not t.inactive]
            found.extend(("execute-task", t.id) for t in pending[:1])
            if not pending:
                found.append(("complete-slice", slice_.id))
    if s.milestone.status is MilestoneStatus.ACTIVE and not found:
        found.append(("validate-milestone", s.milestone.id))
    if s.milestone.status is MilestoneStatus.VALIDATED:
        found.append(("complete-milestone", s.milestone.id))
    return found


def _claim(draw: Draw, s: Snapshot, by: Fence) -> Events:
    unit, target = draw(st.sampled_from(possible_units(s)))
    return [claim_of(s, by, unit, target, draw(st.integers(1, 4)))]


def _whole_run(draw: Draw, s: Snapshot, by: Fence) -> Events:
    unit, target = draw(st.sampled_from(possible_units(s)))
    name = f"{s.milestone.id}-d{len(s.dispatches) + 1}"
    return run_of(s, by, unit, target, _landing(draw, s, unit, target, DispatchId(name)), name)


def _landing(draw: Draw, s: Snapshot, unit: str, target: str, dispatch: DispatchId) -> Events:
    if unit == "plan-milestone":
        return [_plan(draw, MilestoneId(target))]
    if unit == "plan-slice":
        return [_cut(draw, SliceId(target))]
    if unit == "execute-task":
        return [_task_done(draw, TaskId(target))]
    if unit == "complete-slice":
        return [e.SliceDone(slice=SliceId(target), summary=draw(texts))]
    if unit == "validate-milestone":
        return [e.MilestoneValidated(verdict=draw(texts))]
    commit = draw(shas)
    return [
        e.IntegrationPrepared(dispatch=dispatch, base=draw(shas), commit=commit, verified=draw(st.booleans())),
        e.MilestoneDone(summary=draw(texts), commit=commit),
    ]


def _plan(draw: Draw, milestone: MilestoneId) -> e.MilestonePlanned:
    ids = [slice_id(milestone, n) for n in range(1, draw(st.integers(1, 3)) + 1)]
    return e.MilestonePlanned(
        title=draw(texts),
        vision=draw(texts),
        criteria=tuple(draw(st.lists(texts, max_size=2))),
        slices=tuple(
            e.SlicePlan(
                id=own,
                title=draw(texts),
                demo=draw(texts),
                goal=draw(texts),
                risk=draw(st.sampled_from(["high", "medium", "low"])),
                depends=tuple(draw(st.lists(st.sampled_from(ids[:n]), unique=True))) if n else (),
            )
            for n, own in enumerate(ids)
        ),
    )


def _cut(draw: Draw, slice_: SliceId) -> e.SlicePlanned:
    plans = tuple(
        e.TaskPlan(
            id=task_id(slice_, n),
            title=draw(texts),
            description=draw(texts),
            files=tuple(draw(st.lists(texts, max_size=2))),
            verify=draw(texts),
        )
        for n in range(1, draw(st.integers(1, 3)) + 1)
    )
    return e.SlicePlanned(slice=slice_, goal=draw(texts), must_haves=(draw(texts),), tasks=plans)


def _task_done(draw: Draw, task: TaskId) -> e.TaskDone:
    return e.TaskDone(
        task=task,
        summary=draw(texts),
        narrative=draw(texts),
        key_files=(draw(texts),),
        verified=draw(st.sampled_from(["passed", "unverified"])),
        commit=draw(shas),
    )


def _live(s: Snapshot) -> Dispatch:
    assert s.live is not None
    return s.live


def _start(_draw: Draw, s: Snapshot, _by: Fence) -> Events:
    return [e.DispatchStarted(dispatch=_live(s).id)]


def _report(draw: Draw, s: Snapshot, _by: Fence) -> Events:
    return [e.DispatchReported(dispatch=_live(s).id, report=draw(hashes), commit=draw(shas))]


def _record(draw: Draw, s: Snapshot, _by: Fence) -> Events:
    found = Evidence(
        id=f"{s.milestone.id}-e{len(s.evidence) + 1}",
        dispatch_id=draw(st.sampled_from(["", _live(s).id])),
        phase=draw(st.sampled_from(list(Phase))),
        tree=draw(shas),
        command=draw(texts),
        result=draw(st.sampled_from(list(Result))),
        exit_code=draw(st.none() | st.integers(-15, 255)),
        duration_ms=draw(st.integers(0, 10**9)),
        output=draw(hashes),
        failing=draw(st.integers(0, 10**6)),
        known=draw(st.integers(0, 10**6)),
    )
    return [e.EvidenceRecorded(evidence=found)]


def _fail(draw: Draw, s: Snapshot, _by: Fence) -> Events:
    return [
        e.DispatchFailed(
            dispatch=_live(s).id,
            failure=draw(failures),
            why=draw(texts),
            output=draw(hashes),
            next_run_at=draw(times),
            commit=draw(st.just(NO_SHA) | shas),
        )
    ]


def _stick(draw: Draw, s: Snapshot, _by: Fence) -> Events:
    return [e.DispatchStuck(dispatch=_live(s).id, why=draw(texts))]


def _cancel(draw: Draw, s: Snapshot, _by: Fence) -> Events:
    return [e.DispatchCanceled(dispatch=_live(s).id, failure=draw(failures), why=draw(texts))]


def _pause(draw: Draw, s: Snapshot, _by: Fence) -> Events:
    return [e.DispatchPaused(dispatch=_live(s).id, why=draw(texts))]


def _prepare(draw: Draw, s: Snapshot, _by: Fence) -> Events:
    prepared = e.IntegrationPrepared(
        dispatch=_live(s).id, base=draw(shas), commit=draw(shas), verified=draw(st.booleans())
    )
    stale = e.IntegrationStale(dispatch=_live(s).id, tip=draw(shas))
    met = e.IntegrationConflicted(dispatch=_live(s).id, onto=draw(shas), files=("a",), why="", log=draw(hashes))
    resolved = e.ConflictResolved(onto=met.onto)
    return draw(st.sampled_from([[prepared], [stale], [prepared, stale], [met], [met, resolved]]))


def _land(draw: Draw, s: Snapshot, _by: Fence) -> Events:
    live = _live(s)
    landing: Events = []
    if (live.unit, live.target) in possible_units(s):  # a person may have changed what it was about
        landing = _landing(draw, s, live.unit, live.target, live.id)
    return [*landing, e.DispatchCompleted(dispatch=live.id, head=draw(shas))]


_OF_LIVE: dict[DispatchStatus, Sequence[Maker]] = {
    DispatchStatus.CLAIMED: (_start, _start, _start, _fail, _cancel, _pause, _record),
    DispatchStatus.RUNNING: (_report, _report, _report, _stick, _fail, _cancel, _pause, _record),
    DispatchStatus.REPORTED: (_land, _land, _land, _fail, _prepare, _record),
}


@st.composite
def strays(draw: Draw, s: Snapshot, by: Fence) -> e.Event:
    """Draw an event that cannot happen to ``s``."""
    return draw(st.sampled_from([event for event in candidates(s, by) if _is_illegal(s, event)]))


def _is_illegal(s: Snapshot, event: e.Event) -> bool:
    try:
        evolve(s, event, s.now)
    except (IllegalTransition, DispatchOver):
        return True
    return False
