"""Facts to fill a store with: a plan, and what doing one task of it records."""

import time
from collections.abc import Callable

from walkaway.core import events as e
from walkaway.core.errors import WalkawayError
from walkaway.core.ids import (
    DispatchId,
    MilestoneId,
    Scope,
    Sha,
    SliceId,
    TaskId,
    TextHash,
    WorkerId,
    slice_id,
    task_id,
)
from walkaway.core.model import Lease
from walkaway.store import Store

SHA = Sha("1" * 40)
TTL_S = 60.0
_REPORT = TextHash("2" * 64)


def taken(state: Store, milestone: str, worker: WorkerId) -> Lease:
    """Take a milestone that nobody holds."""
    lease = state.acquire(Scope(milestone), worker, TTL_S)
    if lease is None:
        raise WalkawayError(f"{milestone} is held by somebody else.")
    return lease


def tasks_of(milestone: str, slices: int, tasks: int) -> list[TaskId]:
    """Return the tasks of a milestone of this size, in order."""
    return [task_id(slice_, n) for slice_ in _slices(milestone, slices) for n in range(1, tasks + 1)]


def plan(milestone: str, slices: int, tasks: int) -> list[e.Event]:
    """Return the facts that pin a milestone and plan it down to its tasks."""
    ids = _slices(milestone, slices)
    plans = tuple(
        e.SlicePlan(id=i, title=f"Slice {i}", demo="It can be shown.", goal="It works.", risk="low", depends=())
        for i in ids
    )
    planned = e.MilestonePlanned(title="", vision="It is possible.", criteria=("It works",), slices=plans)
    return [e.TargetPinned(branch="main", sha=SHA), planned, *(_planned(slice_, tasks) for slice_ in ids)]


def _slices(milestone: str, slices: int) -> list[SliceId]:
    return [slice_id(MilestoneId(milestone), n) for n in range(1, slices + 1)]


def _planned(slice_: SliceId, tasks: int) -> e.SlicePlanned:
    plans = tuple(
        e.TaskPlan(
            id=task_id(slice_, n),
            title=f"Task {n}",
            description="Write it, with its tests. " * 8,
            files=("src/a.py", "tests/test_a.py"),
            verify="python -m unittest",
        )
        for n in range(1, tasks + 1)
    )
    return e.SlicePlanned(slice=slice_, goal="It works.", must_haves=("It works",), tasks=plans)


def do(state: Store, lease: Lease, task: TaskId, number: int, seen: Callable[[float], object]) -> None:
    """Carry one task from claimed to completed in four commits, as the engine does; tell how long each took."""
    dispatch = DispatchId(f"{lease.scope}-D{number:03}")
    claimed = e.DispatchClaimed(
        dispatch=dispatch,
        unit="execute-task",
        target=task,
        attempt=1,
        worker=lease.worker_id,
        epoch=lease.epoch,
        token=lease.fencing_token,
        base=SHA,
    )
    done = e.TaskDone(
        task=task,
        summary="It is written.",
        narrative="First the tests, then the code. " * 8,
        key_files=("src/a.py",),
        verified="passed",
        commit=SHA,
    )
    steps: tuple[list[e.Event], ...] = (
        [claimed],
        [e.DispatchStarted(dispatch=dispatch)],
        [e.DispatchReported(dispatch=dispatch, report=_REPORT, commit=SHA)],
        [done, e.DispatchCompleted(dispatch=dispatch, head=SHA)],
    )
    for facts in steps:
        begun = time.monotonic()
        state.commit(lease, facts)
        seen(time.monotonic() - begun)
