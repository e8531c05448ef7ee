"""What an event does to the state: (Snapshot, Event, time) -> Snapshot.

Rule: this is the only module that changes a milestone's state. The fold of the journal equals the tables. Whatever
`store/schema.sql` refuses of one milestone is refused here first, so that a simulation needs no database.
"""

from dataclasses import replace
from typing import assert_never

from walkaway.core import events as e
from walkaway.core import lifecycle
from walkaway.core.asking import gates
from walkaway.core.asking.question import BY_POLICY
from walkaway.core.errors import DispatchOver, IllegalTransition
from walkaway.core.ids import NO_SHA, milestone_of
from walkaway.core.model import (
    Dispatch,
    DispatchStatus,
    Evidence,
    FailureKind,
    Milestone,
    MilestoneStatus,
    Note,
    Question,
    Snapshot,
)
from walkaway.core.plan import change, start


def evolve(s: Snapshot, event: e.Event, at: float) -> Snapshot:  # noqa: C901, PLR0911, PLR0912 - one match, one case a fact
    """Return the state after ``event`` happened at ``at`` (seconds); raise `IllegalTransition` if it cannot.

    A fact about a dispatch that is over raises `DispatchOver` instead: somebody else ended it.
    """
    lifecycle.require(event)
    if not s.milestone.created_at and not isinstance(event, e.MilestoneCreated):
        raise IllegalTransition(f"There is no milestone {s.scope} yet; {type(event).__name__} cannot happen to it.")
    match event:
        case e.MilestoneCreated():
            return _created(s, event, at)
        case e.PolicyChanged():
            return replace(s, policy=event.policy)
        case e.TargetPinned():
            return _pinned(s, event)
        case e.BaselineAccepted():
            return _baseline(s, event)
        case e.MilestonePlanned():
            return change.milestone_planned(s, event)
        case e.SlicePlanned():
            return change.slice_planned(s, event)
        case e.RoadmapChanged():
            return change.roadmap_changed(s, event)
        case e.BlockerFound():
            return change.blocker_found(s, event)
        case e.SliceReplanned():
            return change.slice_replanned(s, event)
        case e.TasksAdded():
            return change.tasks_added(s, event)
        case e.NoteTaken():
            return _noted(s, event.note, at)
        case e.SetAside():
            return change.set_aside(s, event)
        case e.Reopened():
            return change.reopened(s, event)
        case e.Undone():
            return change.undone(s, event)
        case e.Queued():
            return change.queued(s, event)
        case e.TaskDone():
            return change.task_done(s, event, at)
        case e.SliceDone():
            return change.slice_done(s, event, at)
        case e.MilestoneValidated():
            return _validated(s, event)
        case e.MilestoneDone():
            return _done(s, event, at)
        case e.DispatchClaimed():
            return _claimed(s, event, at)
        case e.DispatchStarted():
            return _put(s, _moved(s, event, event.dispatch))
        case e.DispatchReported():
            moved = _moved(s, event, event.dispatch)
            return _put(s, replace(moved, report=event.report, held=event.held, commit_sha=event.commit))
        case e.DispatchAdopted():
            return _adopted(s, event)
        case e.EvidenceRecorded():
            return _evidence(s, event.evidence, at)
        case e.IntegrationPrepared():
            return _prepared(s, event)
        case e.IntegrationStale():
            return _stale(s, event)
        case e.IntegrationConflicted():
            return _conflicted(s, event, at)
        case e.ConflictResolved():
            return _resolved(s, event)
        case e.DispatchCompleted():
            ended = _put(s, replace(_moved(s, event, event.dispatch), ended_at=at))
            return replace(ended, milestone=replace(s.milestone, head=event.head))
        case e.DispatchFailed():
            failed = _failed(s, event, event.failure, event.why, at)
            commit = event.commit or failed.commit_sha
            return _put(s, replace(failed, output=event.output, next_run_at=event.next_run_at, commit_sha=commit))
        case e.DispatchStuck():
            return _put(s, _failed(s, event, FailureKind.STUCK, event.why, at))
        case e.DispatchCanceled():
            return _put(s, _failed(s, event, event.failure, event.why, at))
        case e.DispatchPaused():
            return _put(s, _failed(s, event, FailureKind.CANCELLED, event.why, at))
        case e.QuestionRaised():
            return _raised(s, event.question, at)
        case e.QuestionAnswered():
            return _answered(s, event, at)
        case _:
            assert_never(event)


def _created(s: Snapshot, event: e.MilestoneCreated, at: float) -> Snapshot:
    if s.milestone.created_at:
        raise IllegalTransition(f"Milestone {event.milestone} exists already.")
    if event.milestone != s.scope:
        raise IllegalTransition(f"Milestone {event.milestone} cannot be created in the journal of {s.scope}.")
    made = Milestone(id=event.milestone, title=event.title, context=event.context, created_at=at)
    return replace(s, milestone=made)


def _pinned(s: Snapshot, event: e.TargetPinned) -> Snapshot:
    if s.dispatches:
        raise IllegalTransition(f"The target of {s.milestone.id} is pinned since its first unit started.")
    pinned = replace(s.milestone, target_branch=event.branch, target_sha=event.sha, head=event.sha, baseline_sha=NO_SHA)
    return replace(s, milestone=pinned)


def _baseline(s: Snapshot, event: e.BaselineAccepted) -> Snapshot:
    if event.sha != s.milestone.target_sha:
        raise IllegalTransition(f"{event.sha} is not the commit that {s.milestone.id} is pinned to.")
    return replace(s, milestone=replace(s.milestone, baseline_sha=event.sha))


def _noted(s: Snapshot, note: Note, at: float) -> Snapshot:
    if note.id in s.notes:
        raise IllegalTransition(f"Note {note.id} was taken already.")
    start.require(s, note)
    return replace(s, notes=change.with_parts(s.notes, {note.id: replace(note, at=at)}))


def _validated(s: Snapshot, event: e.MilestoneValidated) -> Snapshot:
    moved = replace(change.milestone_moved(s, event), verdict=event.verdict)
    if unfinished := [x.id for x in s.slices.values() if not x.inactive]:
        raise IllegalTransition(f"{s.milestone.id} cannot be validated: {', '.join(unfinished)} is open.")
    return replace(s, milestone=moved)


def _done(s: Snapshot, event: e.MilestoneDone, at: float) -> Snapshot:
    moved = replace(change.milestone_moved(s, event), summary=event.summary, commit_sha=event.commit, completed_at=at)
    if event.commit != s.milestone.prepared_sha:
        raise IllegalTransition(f"{event.commit} is not the integration commit prepared for {s.milestone.id}.")
    return replace(s, milestone=moved)


def _claimed(s: Snapshot, event: e.DispatchClaimed, at: float) -> Snapshot:
    if s.live is not None:
        raise IllegalTransition(f"Dispatch {s.live.id} is live; {event.dispatch} cannot be claimed.")
    if event.dispatch in s.dispatches:
        raise IllegalTransition(f"Dispatch {event.dispatch} exists already.")
    if milestone_of(event.target) != s.scope:
        raise IllegalTransition(f"{event.target} is no part of {s.scope}; {event.dispatch} cannot be claimed.")
    if s.blocked_by is not None:
        raise IllegalTransition(f"{s.blocked_by.id} waits for an answer; {event.dispatch} cannot be claimed.")
    if s.milestone.status is MilestoneStatus.COMPLETE or s.milestone.aside:
        how = s.milestone.aside or s.milestone.status
        raise IllegalTransition(f"{s.milestone.id} is {how}; {event.dispatch} cannot be claimed.")
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
    return _put(s, made)


def _moved(s: Snapshot, event: object, dispatch: str) -> Dispatch:
    old = _find_dispatch(s, dispatch)
    return replace(old, status=lifecycle.after(lifecycle.DISPATCH, event, old.status, old.id))


def _failed(
    s: Snapshot,
    event: e.DispatchFailed | e.DispatchStuck | e.DispatchCanceled | e.DispatchPaused,
    failure: str,
    why: str,
    at: float,
) -> Dispatch:
    return replace(_moved(s, event, event.dispatch), failure=failure, why=why, ended_at=at)


def _put(s: Snapshot, dispatch: Dispatch) -> Snapshot:
    return replace(s, dispatches={**s.dispatches, dispatch.id: dispatch})


def _find_dispatch(s: Snapshot, wanted: str) -> Dispatch:
    if (found := s.dispatches.get(wanted)) is None:
        raise IllegalTransition(f"There is no dispatch {wanted}.")
    return found


def _adopted(s: Snapshot, event: e.DispatchAdopted) -> Snapshot:
    old = _find_dispatch(s, event.dispatch)
    if (event.epoch, event.token) <= (old.epoch, old.fencing_token):
        raise IllegalTransition(f"Dispatch {old.id} can only be adopted under a newer fence.")
    moved = _moved(s, event, event.dispatch)
    return _put(s, replace(moved, worker_id=event.worker, epoch=event.epoch, fencing_token=event.token))


def _reported(s: Snapshot, dispatch: str) -> None:
    found = _find_dispatch(s, dispatch)
    if not found.live:
        raise DispatchOver(f"Dispatch {dispatch} is already {found.status}; it cannot integrate.")
    if found.status is not DispatchStatus.REPORTED:
        raise IllegalTransition(f"Dispatch {dispatch} has not reported; it cannot integrate.")


def _prepared(s: Snapshot, event: e.IntegrationPrepared) -> Snapshot:
    _reported(s, event.dispatch)
    prepared = replace(s.milestone, prepared_base=event.base, prepared_sha=event.commit, verified=event.verified)
    return replace(s, milestone=prepared)


def _stale(s: Snapshot, event: e.IntegrationStale) -> Snapshot:
    _reported(s, event.dispatch)
    given_up = replace(
        s.milestone,
        prepared_base=NO_SHA,
        prepared_sha=NO_SHA,
        verified=False,
        stale_count=s.milestone.stale_count + (not event.sibling),  # each milestone lands once: that ends by itself
    )
    return replace(s, milestone=given_up)


def _conflicted(s: Snapshot, event: e.IntegrationConflicted, at: float) -> Snapshot:
    moved = replace(_moved(s, event, event.dispatch), failure=FailureKind.CONFLICT, why=event.why, output=event.log)
    milestone = replace(s.milestone, conflict_onto=event.onto, conflict_files=event.files)
    return _put(replace(s, milestone=milestone), replace(moved, ended_at=at))


def _resolved(s: Snapshot, event: e.ConflictResolved) -> Snapshot:
    if not event.onto or event.onto != s.milestone.conflict_onto:
        raise IllegalTransition(f"{s.milestone.id} is in no conflict with {event.onto}.")
    return replace(s, milestone=replace(s.milestone, conflict_onto=NO_SHA, conflict_files=()))


def _evidence(s: Snapshot, evidence: Evidence, at: float) -> Snapshot:
    if evidence.id in s.evidence:
        raise IllegalTransition(f"Evidence {evidence.id} is recorded already.")
    if evidence.dispatch_id and not _find_dispatch(s, evidence.dispatch_id).live:
        raise DispatchOver(f"Dispatch {evidence.dispatch_id} is over; its evidence comes too late.")
    return replace(s, evidence=change.with_parts(s.evidence, {evidence.id: replace(evidence, at=at)}))


def _raised(s: Snapshot, question: Question, at: float) -> Snapshot:
    if question.id in s.questions:
        raise IllegalTransition(f"Question {question.id} was asked already.")
    gates.require(s, question)
    return replace(s, questions=change.with_parts(s.questions, {question.id: replace(question, asked_at=at)}))


def _answered(s: Snapshot, event: e.QuestionAnswered, at: float) -> Snapshot:
    old = s.questions.get(event.question)
    if old is None or not old.open:
        raise IllegalTransition(f"Question {event.question} does not wait for an answer.")
    if event.answer not in old.options:
        raise IllegalTransition(
            f"'{event.answer}' is no answer to {event.question}; it takes {', '.join(old.options)}."
        )
    if old.gate and event.who == BY_POLICY:
        raise IllegalTransition(f"{old.gate} is answered by a person, never by a setting.")
    new = replace(old, answer=event.answer, answered_by=event.who, after=len(s.dispatches), answered_at=at)
    count = 0 if old.reason == "target-moves" else s.milestone.stale_count
    milestone = replace(s.milestone, stale_count=count)
    if old.reason == FailureKind.CONFLICT:  # the target may have been changed: whether it fits is looked at anew
        milestone = replace(milestone, conflict_onto=NO_SHA, conflict_files=())
    return replace(s, milestone=milestone, questions=change.with_parts(s.questions, {new.id: new}))
