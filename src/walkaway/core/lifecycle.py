"""Which status may follow which; an illegal move is a missing key.

Rule: no other module names a successor status. Diagrams in the docs are drawn from these tables.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

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
    MilestoneDone,
    MilestonePlanned,
    MilestoneValidated,
    SliceDone,
    SlicePlanned,
    TaskDone,
)
from walkaway.core.model import LIVE, DispatchStatus, MilestoneStatus, SliceStatus, TaskStatus

S = TypeVar("S", bound=StrEnum)
Table = Mapping[type[object], Mapping[S, S]]

_M, _S, _T, _D = MilestoneStatus, SliceStatus, TaskStatus, DispatchStatus

MILESTONE: Table[MilestoneStatus] = {
    MilestonePlanned: {_M.QUEUED: _M.ACTIVE},
    MilestoneValidated: {_M.ACTIVE: _M.VALIDATED},
    MilestoneDone: {_M.VALIDATED: _M.COMPLETE},
}

SLICE: Table[SliceStatus] = {
    SlicePlanned: {_S.PENDING: _S.IN_PROGRESS},
    SliceDone: {_S.IN_PROGRESS: _S.COMPLETE},
}

TASK: Table[TaskStatus] = {TaskDone: {_T.PENDING: _T.COMPLETE}}

DISPATCH: Table[DispatchStatus] = {
    DispatchStarted: {_D.CLAIMED: _D.RUNNING},
    DispatchReported: {_D.RUNNING: _D.REPORTED},
    DispatchAdopted: {_D.REPORTED: _D.REPORTED},
    DispatchCompleted: {_D.REPORTED: _D.COMPLETED},
    DispatchFailed: dict.fromkeys(LIVE, _D.FAILED),
    DispatchStuck: {_D.RUNNING: _D.STUCK},
    DispatchCanceled: {_D.CLAIMED: _D.CANCELED, _D.RUNNING: _D.CANCELED},
    DispatchPaused: {_D.CLAIMED: _D.PAUSED, _D.RUNNING: _D.PAUSED},
}


def after(table: Table[S], event: object, status: S, what: str) -> S:
    """Return the status that follows; raise `IllegalTransition`, or `DispatchOver` for an ended dispatch."""
    try:
        return table[type(event)][status]
    except KeyError:
        fact = type(event).__name__
        if isinstance(status, DispatchStatus) and status not in LIVE:
            raise DispatchOver(f"Dispatch {what} is already {status}; {fact} comes too late.") from None
        raise IllegalTransition(f"{fact} cannot happen to {what}, which is {status}.") from None
