"""What can happen: which status may follow which (an illegal move is a missing key), and what each fact must be.

Rule: no other module names a successor status. Diagrams in the docs are drawn from these tables. An event that passes
`require` and `evolve` is never refused by a constraint of the database (`store/schema.sql`).
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from walkaway.core import events as e
from walkaway.core.asking.question import GATE_OPTIONS, Question, is_gate
from walkaway.core.errors import DispatchOver, IllegalTransition
from walkaway.core.events import (
    DispatchAdopted,
    DispatchCanceled,
    DispatchCompleted,
    DispatchFailed,
    DispatchPaused,
    DispatchReported,
    DispatchStarted,
    DispatchStuck,
    IntegrationConflicted,
    MilestoneDone,
    MilestonePlanned,
    MilestoneValidated,
    Queued,
    Reopened,
    RoadmapChanged,
    SetAside,
    SliceDone,
    SlicePlanned,
    SliceReplanned,
    TaskDone,
    TasksAdded,
    Undone,
)
from walkaway.core.ids import MilestoneId, SliceId, is_target
from walkaway.core.model import (
    LIVE,
    RISKS,
    SCOPES,
    DispatchStatus,
    FailureKind,
    MilestoneStatus,
    Policy,
    SliceStatus,
    TaskStatus,
)
from walkaway.core.plan.policy import PLANNING

S = TypeVar("S", bound=StrEnum)
Table = Mapping[type[object], Mapping[S, S]]

_M, _S, _T, _D = MilestoneStatus, SliceStatus, TaskStatus, DispatchStatus

_WAITING = {_M.QUEUED: _M.QUEUED, _M.ACTIVE: _M.ACTIVE, _M.VALIDATED: _M.VALIDATED}

MILESTONE: Table[MilestoneStatus] = {
    MilestonePlanned: {_M.QUEUED: _M.ACTIVE},
    MilestoneValidated: {_M.ACTIVE: _M.VALIDATED},
    MilestoneDone: {_M.VALIDATED: _M.COMPLETE},
    RoadmapChanged: {_M.ACTIVE: _M.ACTIVE},
    Reopened: {_M.ACTIVE: _M.ACTIVE, _M.VALIDATED: _M.ACTIVE},
    Undone: {_M.ACTIVE: _M.ACTIVE, _M.VALIDATED: _M.ACTIVE},
    Queued: _WAITING,
    SetAside: _WAITING,
}

SLICE: Table[SliceStatus] = {
    SlicePlanned: {_S.PENDING: _S.IN_PROGRESS},
    SliceDone: {_S.IN_PROGRESS: _S.COMPLETE},
    SliceReplanned: {_S.IN_PROGRESS: _S.IN_PROGRESS},
    TasksAdded: {_S.IN_PROGRESS: _S.IN_PROGRESS},
    Reopened: {_S.PENDING: _S.PENDING, _S.IN_PROGRESS: _S.IN_PROGRESS, _S.COMPLETE: _S.IN_PROGRESS},
    Undone: {_S.IN_PROGRESS: _S.IN_PROGRESS, _S.COMPLETE: _S.IN_PROGRESS},
}

TASK: Table[TaskStatus] = {
    TaskDone: {_T.PENDING: _T.COMPLETE},
    Reopened: {_T.PENDING: _T.PENDING, _T.COMPLETE: _T.PENDING},
    Undone: {_T.COMPLETE: _T.PENDING},
}

DISPATCH: Table[DispatchStatus] = {
    DispatchStarted: {_D.CLAIMED: _D.RUNNING},
    DispatchReported: {_D.RUNNING: _D.REPORTED},
    DispatchAdopted: {_D.REPORTED: _D.REPORTED},
    DispatchCompleted: {_D.REPORTED: _D.COMPLETED},
    DispatchFailed: dict.fromkeys(LIVE, _D.FAILED),
    IntegrationConflicted: {_D.REPORTED: _D.FAILED},
    DispatchStuck: {_D.RUNNING: _D.STUCK},
    DispatchCanceled: {_D.CLAIMED: _D.CANCELED, _D.RUNNING: _D.CANCELED},
    DispatchPaused: {_D.CLAIMED: _D.PAUSED, _D.RUNNING: _D.PAUSED},
}

ENDS = frozenset(fact.__name__ for fact, steps in DISPATCH.items() if LIVE.isdisjoint(steps.values()))
"""The facts that end a dispatch, by name: each has exactly one."""


def after(table: Table[S], event: object, status: S, what: str) -> S:
    """Return the status that follows; raise `IllegalTransition`, or `DispatchOver` for an ended dispatch."""
    try:
        return table[type(event)][status]
    except KeyError:
        fact = type(event).__name__
        if isinstance(status, DispatchStatus) and status not in LIVE:
            raise DispatchOver(f"Dispatch {what} is already {status}; {fact} comes too late.") from None
        raise IllegalTransition(f"{fact} cannot happen to {what}, which is {status}.") from None


SET_ASIDE = (("parked", "discarded"), ("skipped", "deferred"), ("skipped",))
"""What a person may say of a milestone, a slice, a task: by the number of slashes in its identifier."""

PLACE_MOST = 1e9
"""The queue ends here; a milestone that was never moved stands where its number says."""

VERIFIED = ("passed", "unverified")
_FAILURES = frozenset(str(kind) for kind in FailureKind)


def require(event: e.Event) -> None:
    """Raise `IllegalTransition` if ``event`` can never happen."""
    if wrong := _wrong(event):
        raise IllegalTransition(f"{type(event).__name__} cannot be recorded: {wrong}.")


def _unfit(policy: Policy) -> str:
    if policy.attempts < 1:
        return "a unit has at least one attempt"
    if policy.planning not in PLANNING:
        return f"'{policy.planning}' is no way to plan"
    return "" if policy.scope in SCOPES else f"'{policy.scope}' is no scope"


def _wrong(event: e.Event) -> str:  # noqa: C901, PLR0911, PLR0912 - one match, one case a fact
    match event:
        case e.PolicyChanged(policy=policy):
            return _unfit(policy)
        case e.SetAside(target=target, how=how):
            return "" if how in SET_ASIDE[target.count("/")] else f"{target} cannot be {how or 'nothing'}"
        case e.BlockerFound():
            return _empty(why=event.why)
        case e.Undone():
            return _empty(head=event.head)
        case e.Queued(place=place):
            return "" if 0 < place < PLACE_MOST else f"a place is a number between 0 and {PLACE_MOST:.0f}"
        case e.NoteTaken(note=note):
            return _empty(id=note.id, kind=note.kind, report=note.report)
        case e.TargetPinned():
            return _empty(branch=event.branch, sha=event.sha)
        case e.TaskDone():
            wrong = "" if event.verified in VERIFIED else f"verified is one of {', '.join(VERIFIED)}"
            return _empty(commit=event.commit) or wrong
        case e.MilestoneDone():
            return _empty(commit=event.commit)
        case e.DispatchClaimed():
            numbers = event.attempt >= 1 and event.token >= 1
            return _empty(dispatch=event.dispatch) or ("" if numbers else "attempts and tokens count from 1")
        case e.DispatchReported():
            return _empty(report=event.report, commit=event.commit)
        case e.DispatchCompleted():
            return _empty(head=event.head)
        case e.IntegrationPrepared():
            return _empty(base=event.base, commit=event.commit)
        case e.IntegrationConflicted():
            return _empty(onto=event.onto) or ("" if event.files else "a conflict is about files")
        case e.DispatchFailed(failure=failure) | e.DispatchCanceled(failure=failure):
            return "" if failure in _FAILURES else f"'{failure}' is no kind of failure"
        case e.QuestionRaised(question=question):
            if question.answer or not question.options:
                return "a question has options and no answer yet"
            return _wrong_gate(question) or ("" if question.remedies else "a question names its remedies")
        case _:
            return ""


def _wrong_gate(question: Question) -> str:
    if not question.gate:
        return ""
    if not is_gate(question.gate):
        return f"'{question.gate}' is no gate"
    return "" if question.options == GATE_OPTIONS else f"a gate takes {', '.join(GATE_OPTIONS)} and nothing else"


def _empty(**cells: str) -> str:
    return ", ".join(f"{name} is empty" for name, text in cells.items() if not text)


def require_slices(milestone: MilestoneId, plans: Sequence[e.SlicePlan], there: Sequence[str] = ()) -> None:
    """Raise `IllegalTransition` unless these slices can all be done in this order, each after what it depends on.

    ``there``: the slices that were planned before.
    """
    _require_children(milestone, [p.id for p in plans])
    seen: set[str] = set(there)
    if twice := sorted(seen & {p.id for p in plans}):
        raise IllegalTransition(f"{', '.join(twice)} is there already.")
    for plan in plans:
        if late := sorted(set(plan.depends) - seen):
            raise IllegalTransition(f"{plan.id} depends on {', '.join(late)}, which is no earlier slice.")
        if plan.risk not in RISKS:
            raise IllegalTransition(f"The risk of {plan.id} is one of {', '.join(RISKS)}, not '{plan.risk}'.")
        seen.add(plan.id)


def require_tasks(slice_: SliceId, plans: Sequence[e.TaskPlan]) -> None:
    """Raise `IllegalTransition` unless these are tasks of this slice, at least one and none twice."""
    _require_children(slice_, [p.id for p in plans])


def _require_children(parent: str, children: Sequence[str]) -> None:
    if not children:
        raise IllegalTransition(f"{parent} cannot be planned as nothing: it would never be done.")
    if len(set(children)) < len(children):
        raise IllegalTransition(f"The plan of {parent} names a part twice.")
    for child in children:
        if not is_target(child) or child.rpartition("/")[0] != parent:
            raise IllegalTransition(f"{child} is no part of {parent}.")
