"""What an event does to the state: (Snapshot, Event, time) -> Snapshot.

Rule: this is the only module that changes a milestone's state. The fold of the journal equals the tables.
"""

from dataclasses import replace
from typing import assert_never

from walkaway.core import events as e
from walkaway.core import lifecycle
from walkaway.core.errors import IllegalTransition
from walkaway.core.ids import NO_SHA
from walkaway.core.model import (
    Dispatch,
    DispatchStatus,
    Evidence,
    Milestone,
    Question,
    Slice,
    Snapshot,
    Task,
    TaskStatus,
)


def evolve(s: Snapshot, event: e.Event, at: float) -> Snapshot:  # noqa: C901, PLR0911, PLR0912 - one match, one case a fact
    """Return the state after ``event`` happened at ``at`` (seconds); raise `IllegalTransition` if it cannot."""
    match event:
        case e.MilestoneCreated():
            return _created(s, event, at)
        case e.PolicyChanged():
            return replace(s, policy=event.policy)
        case e.TargetPinned():
            return _pinned(s, event)
        case e.BaselineAccepted():
            return _milestone(s, baseline_sha=event.sha)
        case e.MilestonePlanned():
            return _milestone_planned(s, event)
        case e.SlicePlanned():
            return _slice_planned(s, event)
        case e.TaskDone():
            return _task_done(s, event, at)
        case e.SliceDone():
            return _slice_done(s, event, at)
        case e.MilestoneValidated():
            return _milestone_moved(s, event, verdict=event.verdict)
        case e.MilestoneDone():
            return _milestone_moved(
                s, event, summary=event.summary, commit_sha=event.commit, completed_at=at
            )
        case e.DispatchClaimed():
            return _claimed(s, event, at)
        case e.DispatchStarted():
            return _dispatch(s, event, event.dispatch)
        case e.DispatchReported():
            return _dispatch(s, event, event.dispatch, report=event.report, commit_sha=event.commit)
        case e.DispatchAdopted():
            return _dispatch(
                s,
                event,
                event.dispatch,
                worker_id=event.worker,
                epoch=event.epoch,
                fencing_token=event.token,
            )
        case e.EvidenceRecorded():
            return _evidence(s, event.evidence, at)
        case e.IntegrationPrepared():
            return _prepared(s, event)
        case e.IntegrationStale():
            return _stale(s, event)
        case e.DispatchCompleted():
            return _milestone(_ended(s, event, event.dispatch, at), head=event.head)
        case e.DispatchFailed():
            return _ended(
                s,
                event,
                event.dispatch,
                at,
                failure=event.failure,
                why=event.why,
                output=event.output,
                next_run_at=event.next_run_at,
            )
        case e.DispatchStuck():
            return _ended(s, event, event.dispatch, at, failure="stuck", why=event.why)
        case e.DispatchCanceled():
            return _ended(s, event, event.dispatch, at, failure=event.failure, why=event.why)
        case e.DispatchPaused():
            return _ended(s, event, event.dispatch, at, failure="cancelled", why=event.why)
        case e.QuestionRaised():
            return _raised(s, event.question, at)
        case e.QuestionAnswered():
            return _answered(s, event, at)
        case _:
            assert_never(event)


def _milestone(s: Snapshot, **changes: object) -> Snapshot:
    return replace(s, milestone=replace(s.milestone, **changes))


def _milestone_moved(s: Snapshot, event: object, **changes: object) -> Snapshot:
    status = lifecycle.after(lifecycle.MILESTONE, event, s.milestone.status, s.milestone.id)
    return _milestone(s, status=status, **changes)


def _created(s: Snapshot, event: e.MilestoneCreated, at: float) -> Snapshot:
    if s.milestone.created_at:
        raise IllegalTransition(f"Milestone {event.milestone} exists already.")
    made = Milestone(id=event.milestone, title=event.title, context=event.context, created_at=at)
    return replace(s, milestone=made)


def _pinned(s: Snapshot, event: e.TargetPinned) -> Snapshot:
    if s.dispatches:
        raise IllegalTransition(f"The target of {s.milestone.id} is pinned since its first unit started.")
    return _milestone(
        s, target_branch=event.branch, target_sha=event.sha, head=event.sha, baseline_sha=NO_SHA
    )


def _milestone_planned(s: Snapshot, event: e.MilestonePlanned) -> Snapshot:
    slices = {
        p.id: Slice(id=p.id, title=p.title, goal=p.goal, demo=p.demo, risk=p.risk, depends=p.depends)
        for p in event.slices
    }
    moved = _milestone_moved(
        s, event, title=event.title or s.milestone.title, vision=event.vision, criteria=event.criteria
    )
    return replace(moved, slices=slices)


def _slice_planned(s: Snapshot, event: e.SlicePlanned) -> Snapshot:
    old = _find_slice(s, event.slice)
    status = lifecycle.after(lifecycle.SLICE, event, old.status, old.id)
    new = replace(old, status=status, goal=event.goal or old.goal, must_haves=event.must_haves)
    tasks = {
        p.id: Task(id=p.id, title=p.title, description=p.description, files=p.files, verify=p.verify)
        for p in event.tasks
    }
    return replace(
        s, slices={**s.slices, new.id: new}, tasks=dict(sorted({**s.tasks, **tasks}.items()))
    )


def _task_done(s: Snapshot, event: e.TaskDone, at: float) -> Snapshot:
    old = s.tasks.get(event.task)
    if old is None:
        raise IllegalTransition(f"There is no task {event.task}.")
    new = replace(
        old,
        status=lifecycle.after(lifecycle.TASK, event, old.status, old.id),
        summary=event.summary,
        narrative=event.narrative,
        key_files=event.key_files,
        verified=event.verified,
        commit_sha=event.commit,
        completed_at=at,
    )
    return replace(s, tasks={**s.tasks, new.id: new})


def _slice_done(s: Snapshot, event: e.SliceDone, at: float) -> Snapshot:
    old = _find_slice(s, event.slice)
    if unfinished := [t.id for t in s.tasks_of(old.id) if t.status is not TaskStatus.COMPLETE]:
        raise IllegalTransition(f"Slice {old.id} cannot be done: {', '.join(unfinished)} is open.")
    status = lifecycle.after(lifecycle.SLICE, event, old.status, old.id)
    new = replace(old, status=status, summary=event.summary, completed_at=at)
    return replace(s, slices={**s.slices, new.id: new})


def _find_slice(s: Snapshot, wanted: str) -> Slice:
    if (found := s.slices.get(wanted)) is None:
        raise IllegalTransition(f"There is no slice {wanted}.")
    return found


def _claimed(s: Snapshot, event: e.DispatchClaimed, at: float) -> Snapshot:
    if s.live is not None:
        raise IllegalTransition(f"Dispatch {s.live.id} is live; {event.dispatch} cannot be claimed.")
    if event.dispatch in s.dispatches:
        raise IllegalTransition(f"Dispatch {event.dispatch} exists already.")
    made = Dispatch(
        id=event.dispatch,
        seq=len(s.dispatches) + 1,
        unit=event.unit,
        target=event.target,
        attempt=event.attempt,
        status=DispatchStatus.CLAIMED,
        worker_id=event.worker,
        epoch=event.epoch,
        fencing_token=event.token,
        base_sha=event.base,
        claimed_at=at,
    )
    return replace(s, dispatches={**s.dispatches, made.id: made})


def _dispatch(s: Snapshot, event: object, dispatch: str, **changes: object) -> Snapshot:
    old = s.dispatches.get(dispatch)
    if old is None:
        raise IllegalTransition(f"There is no dispatch {dispatch}.")
    status = lifecycle.after(lifecycle.DISPATCH, event, old.status, old.id)
    new = replace(old, status=status, **changes)
    return replace(s, dispatches={**s.dispatches, new.id: new})


def _ended(s: Snapshot, event: object, dispatch: str, at: float, **changes: object) -> Snapshot:
    return _dispatch(s, event, dispatch, ended_at=at, **changes)


def _reported(s: Snapshot, dispatch: str) -> None:
    found = s.dispatches.get(dispatch)
    if found is None or found.status is not DispatchStatus.REPORTED:
        raise IllegalTransition(f"Dispatch {dispatch} has not reported; it cannot integrate.")


def _prepared(s: Snapshot, event: e.IntegrationPrepared) -> Snapshot:
    _reported(s, event.dispatch)
    return _milestone(
        s, prepared_base=event.base, prepared_sha=event.commit, verified=event.verified
    )


def _stale(s: Snapshot, event: e.IntegrationStale) -> Snapshot:
    _reported(s, event.dispatch)
    return _milestone(
        s,
        prepared_base=NO_SHA,
        prepared_sha=NO_SHA,
        verified=False,
        stale_count=s.milestone.stale_count + 1,
    )


def _evidence(s: Snapshot, evidence: Evidence, at: float) -> Snapshot:
    if evidence.id in s.evidence:
        raise IllegalTransition(f"Evidence {evidence.id} is recorded already.")
    if evidence.dispatch_id and not s.dispatches[evidence.dispatch_id].live:
        raise IllegalTransition(f"Dispatch {evidence.dispatch_id} is over; its evidence comes too late.")
    return replace(s, evidence={**s.evidence, evidence.id: replace(evidence, at=at)})


def _raised(s: Snapshot, question: Question, at: float) -> Snapshot:
    old = s.questions.get(question.id)
    if old is not None:
        raise IllegalTransition(f"Question {question.id} was asked already.")
    return replace(s, questions={**s.questions, question.id: replace(question, asked_at=at)})


def _answered(s: Snapshot, event: e.QuestionAnswered, at: float) -> Snapshot:
    old = s.questions.get(event.question)
    if old is None or not old.open:
        raise IllegalTransition(f"Question {event.question} does not wait for an answer.")
    if event.answer not in old.options:
        raise IllegalTransition(
            f"'{event.answer}' is no answer to {event.question}; it takes {', '.join(old.options)}."
        )
    new = replace(
        old, answer=event.answer, answered_by=event.who, after=len(s.dispatches), answered_at=at
    )
    s = replace(s, questions={**s.questions, new.id: new})
    return _milestone(s, stale_count=0) if old.reason == "target-moves" else s
