"""What a fact about the plan, its slices and its tasks does to a milestone: a part of `evolve`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from walkaway.core import events as e
from walkaway.core import lifecycle
from walkaway.core.errors import IllegalTransition
from walkaway.core.ids import NO_SHA, natural_order, short, slice_of
from walkaway.core.model import (
    Dispatch,
    DispatchStatus,
    Milestone,
    MilestoneStatus,
    Slice,
    SliceStatus,
    Snapshot,
    Task,
    TaskStatus,
)

V = TypeVar("V")


def milestone_moved(s: Snapshot, event: object) -> Milestone:
    """Return the milestone in the status that follows from ``event``."""
    status = lifecycle.after(lifecycle.MILESTONE, event, s.milestone.status, s.milestone.id)
    return replace(s.milestone, status=status)


def with_parts(old: Mapping[str, V], new: Mapping[str, V]) -> Mapping[str, V]:
    """Return ``old`` with ``new`` in it, in natural order, as a load returns it."""
    both = {**old, **new}
    if len(both) == len(old):
        return both
    return dict(sorted(both.items(), key=lambda pair: natural_order(pair[0])))


def milestone_planned(s: Snapshot, event: e.MilestonePlanned) -> Snapshot:
    """The specification is cut into slices."""
    lifecycle.require_slices(s.milestone.id, event.slices)
    slices = _new_slices(event.slices)
    planned = replace(
        milestone_moved(s, event),
        title=event.title or s.milestone.title,
        vision=event.vision,
        criteria=event.criteria,
    )
    return replace(s, milestone=planned, slices=with_parts({}, slices))


def _new_slices(plans: Sequence[e.SlicePlan]) -> dict[str, Slice]:
    return {
        p.id: Slice(
            id=p.id,
            title=p.title,
            goal=p.goal,
            demo=p.demo,
            risk=p.risk,
            depends=p.depends,
            sketch=p.sketch,
            step=p.step,
        )
        for p in plans
    }


def slice_planned(s: Snapshot, event: e.SlicePlanned) -> Snapshot:
    """A slice is cut into tasks, and no sketch any more."""
    old = _find_slice(s, event.slice)
    lifecycle.require_tasks(old.id, event.tasks)
    status = lifecycle.after(lifecycle.SLICE, event, old.status, old.id)
    _require_active(old)
    new = replace(old, status=status, goal=event.goal or old.goal, must_haves=event.must_haves, sketch=False)
    return replace(s, slices=with_parts(s.slices, {new.id: new}), tasks=with_parts(s.tasks, _new_tasks(event.tasks)))


def _new_tasks(plans: Sequence[e.TaskPlan]) -> dict[str, Task]:
    return {
        p.id: Task(id=p.id, title=p.title, description=p.description, files=p.files, verify=p.verify, no_code=p.no_code)
        for p in plans
    }


def roadmap_changed(s: Snapshot, event: e.RoadmapChanged) -> Snapshot:
    """Slices come, change or go; what is begun stays."""
    milestone = milestone_moved(s, event)
    if event.added:
        lifecycle.require_slices(s.milestone.id, event.added, [*s.slices])
    slices: dict[str, Slice] = _new_slices(event.added)
    for plan in event.changed:
        old = _planned_only(s, plan.id)
        slices[plan.id] = replace(old, title=plan.title, goal=plan.goal, demo=plan.demo)
    for dropped in event.dropped:
        slices[dropped] = replace(_planned_only(s, dropped), aside="skipped", aside_why=event.why)
    return replace(s, milestone=milestone, slices=with_parts(s.slices, slices))


def _planned_only(s: Snapshot, wanted: str) -> Slice:
    found = _find_slice(s, wanted)
    if found.status is not SliceStatus.PENDING or found.aside:
        raise IllegalTransition(f"{wanted} is {found.aside or found.status}; the roadmap changes only what is ahead.")
    return found


def blocker_found(s: Snapshot, event: e.BlockerFound) -> Snapshot:
    """A slice waits for a new plan."""
    task = _find_task(s, event.task)
    slice_ = _find_slice(s, slice_of(task.id))
    if task.inactive or slice_.inactive:
        raise IllegalTransition(f"{task.id} is over; nothing stands in its way.")
    blocked = replace(slice_, blocker=f"{short(task.id)}: {event.why}")
    return replace(s, slices=with_parts(s.slices, {blocked.id: blocked}))


def slice_replanned(s: Snapshot, event: e.SliceReplanned) -> Snapshot:
    """The open tasks of a slice give way to others."""
    old = _find_slice(s, event.slice)
    _require_active(old)
    status = lifecycle.after(lifecycle.SLICE, event, old.status, old.id)
    lifecycle.require_tasks(old.id, event.tasks)
    tasks = _new_tasks(event.tasks)
    if twice := sorted(tasks.keys() & s.tasks.keys()):
        raise IllegalTransition(f"{', '.join(twice)} is there already; numbers are never used again.")
    for task in s.tasks_of(old.id):
        if not task.inactive:
            tasks[task.id] = replace(task, aside="replaced", aside_why=event.why)
    planned = replace(old, status=status, blocker="")
    return replace(s, slices=with_parts(s.slices, {planned.id: planned}), tasks=with_parts(s.tasks, tasks))


def queued(s: Snapshot, event: e.Queued) -> Snapshot:
    """The milestone has another place in the queue; whether the others allow it is the scheduler's to say."""
    moved = milestone_moved(s, event)
    if moved.id in event.depends:
        raise IllegalTransition(f"{moved.id} cannot come after itself.")
    return replace(s, milestone=replace(moved, place=event.place, depends=event.depends))


def tasks_added(s: Snapshot, event: e.TasksAdded) -> Snapshot:
    """A slice in progress has more tasks."""
    old = _find_slice(s, event.slice)
    _require_active(old)
    lifecycle.after(lifecycle.SLICE, event, old.status, old.id)
    lifecycle.require_tasks(old.id, event.tasks)
    tasks = _new_tasks(event.tasks)
    if twice := sorted(tasks.keys() & s.tasks.keys()):
        raise IllegalTransition(f"{', '.join(twice)} is there already; numbers are never used again.")
    return replace(s, tasks=with_parts(s.tasks, tasks))


def set_aside(s: Snapshot, event: e.SetAside) -> Snapshot:
    """A part is not to be done."""
    _require_idle(s, event.target)
    if event.target == s.milestone.id:
        _require_not_discarded(s)
        return replace(s, milestone=replace(milestone_moved(s, event), aside=event.how, aside_why=event.why))
    _require_open(s, event.target)
    if event.target in s.tasks:
        task = _find_task(s, event.target)
        _require_to_do(task)
        return replace(s, tasks=with_parts(s.tasks, {task.id: replace(task, aside=event.how, aside_why=event.why)}))
    slice_ = _find_slice(s, event.target)
    _require_to_do(slice_)
    new = replace(slice_, aside=event.how, aside_why=event.why, blocker="")
    return replace(s, slices=with_parts(s.slices, {new.id: new}))


def reopened(s: Snapshot, event: e.Reopened) -> Snapshot:
    """A part is to be done; a slice or task may be one that was done already."""
    if event.target == s.milestone.id:
        return _taken_up(s)
    milestone = milestone_moved(s, event)
    _require_idle(s, event.target)
    if event.target in s.tasks:
        task = _find_task(s, event.target)
        if _find_slice(s, slice_of(task.id)).inactive:
            raise IllegalTransition(f"{slice_of(task.id)} is over; reopen it first.")
        tasks: dict[str, Task] = {task.id: _again(task, event)}
        return replace(s, milestone=milestone, tasks=with_parts(s.tasks, tasks))
    slice_ = _find_slice(s, event.target)
    if not slice_.inactive:
        raise IllegalTransition(f"{slice_.id} is open.")
    status = lifecycle.after(lifecycle.SLICE, event, slice_.status, slice_.id)
    again = replace(slice_, status=status, aside="", aside_why="", summary="", completed_at=0.0)
    tasks = {}
    if slice_.status is SliceStatus.COMPLETE:
        tasks = {t.id: _again(t, event) for t in s.tasks_of(slice_.id) if not t.aside}
    return replace(
        s, milestone=milestone, slices=with_parts(s.slices, {again.id: again}), tasks=with_parts(s.tasks, tasks)
    )


def _taken_up(s: Snapshot) -> Snapshot:
    _require_not_discarded(s)
    if not s.milestone.aside:
        raise IllegalTransition(f"{s.milestone.id} is {s.milestone.status}, not parked.")
    return replace(s, milestone=replace(s.milestone, aside="", aside_why=""))


def _require_not_discarded(s: Snapshot) -> None:
    if s.milestone.aside == "discarded":
        raise IllegalTransition(f"{s.milestone.id} was discarded; hand it in anew with walkaway new.")


def newest(s: Snapshot) -> Dispatch | None:
    """Return the run of the task that was done last on the milestone's line; None where none can be taken back."""
    for run in reversed([*s.dispatches.values()]):
        task = s.tasks.get(run.target) if run.status is DispatchStatus.COMPLETED else None
        if task and task.status is TaskStatus.COMPLETE and task.commit_sha == run.commit_sha:
            return run
    return None


def undone(s: Snapshot, event: e.Undone) -> Snapshot:
    """The newest task is open again, and its slice; what was done with its work since then is gone with it."""
    run = newest(s)
    if run is None or (run.target, run.base_sha) != (event.task, event.head):
        raise IllegalTransition(f"{event.task} is not what was done last in {s.milestone.id}.")
    if s.live:
        raise IllegalTransition(f"Dispatch {s.live.id} is at work on {s.live.target}; cancel it first.")
    slice_ = _find_slice(s, slice_of(event.task))
    _require_active(slice_)
    status = lifecycle.after(lifecycle.SLICE, event, slice_.status, slice_.id)
    again = replace(slice_, status=status, summary="", completed_at=0.0)
    moved = milestone_moved(s, event)
    milestone = replace(moved, head=event.head, prepared_base=NO_SHA, prepared_sha=NO_SHA, verified=False)
    tasks: dict[str, Task] = {event.task: _again(_find_task(s, event.task), event)}
    return replace(
        s, milestone=milestone, slices=with_parts(s.slices, {again.id: again}), tasks=with_parts(s.tasks, tasks)
    )


def _again(task: Task, event: e.Reopened | e.Undone) -> Task:
    """Return a task as it is before it is done: not its plan, which stays."""
    if not task.inactive or task.aside == "replaced":
        raise IllegalTransition(f"{task.id} is {task.aside or 'open'}.")
    status = lifecycle.after(lifecycle.TASK, event, task.status, task.id)
    return Task(
        id=task.id,
        title=task.title,
        description=task.description,
        files=task.files,
        verify=task.verify,
        no_code=task.no_code,
        status=status,
    )


def task_done(s: Snapshot, event: e.TaskDone, at: float) -> Snapshot:
    """The work of a task landed."""
    old = _find_task(s, event.task)
    _require_active(old)
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
    return replace(s, tasks=with_parts(s.tasks, {new.id: new}))


def slice_done(s: Snapshot, event: e.SliceDone, at: float) -> Snapshot:
    """A slice is done and summed up."""
    old = _find_slice(s, event.slice)
    status = lifecycle.after(lifecycle.SLICE, event, old.status, old.id)
    _require_active(old)
    if unfinished := [t.id for t in s.tasks_of(old.id) if not t.inactive]:
        raise IllegalTransition(f"Slice {old.id} cannot be done: {', '.join(unfinished)} is open.")
    new = replace(old, status=status, summary=event.summary, completed_at=at)
    return replace(s, slices=with_parts(s.slices, {new.id: new}))


def _find_slice(s: Snapshot, wanted: str) -> Slice:
    if (found := s.slices.get(wanted)) is None:
        raise IllegalTransition(f"There is no slice {wanted}.")
    return found


def _find_task(s: Snapshot, wanted: str) -> Task:
    if (found := s.tasks.get(wanted)) is None:
        raise IllegalTransition(f"There is no task {wanted}.")
    return found


def _require_active(part: Slice | Task) -> None:
    if part.aside:
        raise IllegalTransition(f"{part.id} was {part.aside}.")


def _require_to_do(part: Slice | Task) -> None:
    if part.inactive:
        raise IllegalTransition(f"{part.id} is {part.aside or part.status} already.")


def _require_open(s: Snapshot, target: str) -> None:
    if s.milestone.status is not MilestoneStatus.ACTIVE and s.milestone.status is not MilestoneStatus.VALIDATED:
        raise IllegalTransition(f"{s.milestone.id} is {s.milestone.status}; {target} stays as it is.")


def _require_idle(s: Snapshot, target: str) -> None:
    """Refuse to change under a dispatch what it is about."""
    if s.live and (s.live.target == target or s.live.target.startswith(f"{target}/")):
        raise IllegalTransition(f"Dispatch {s.live.id} is at work on {s.live.target}; cancel it first.")
