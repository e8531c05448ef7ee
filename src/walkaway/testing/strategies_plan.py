"""What people and planning units may want to change of a plan: candidates for `strategies`, legal or not."""

from dataclasses import replace

from walkaway.core import events as e
from walkaway.core.ids import MilestoneId, Sha, TaskId, slice_id, slice_of, task_id
from walkaway.core.model import Snapshot
from walkaway.core.plan.change import newest


def plan_changes(s: Snapshot) -> list[e.Event]:
    """Return a change of every kind for each slice and task there is."""
    slices, tasks = list(s.slices.values()), list(s.tasks.values())
    own = slice_id(s.milestone.id, len(slices) + 1)
    new = e.SlicePlan(id=own, title="t", demo="d", goal="g", risk="low", depends=(), sketch=True)
    found: list[e.Event] = [e.RoadmapChanged(added=(new,), changed=(), dropped=(), why="")]
    found += [e.SetAside(target=x.id, how=how, why="w") for x in slices for how in ("skipped", "deferred")]
    found += [e.SetAside(target=t.id, how="skipped", why="w") for t in tasks]
    found += [e.Reopened(target=x.id, why="w") for x in [*slices, *tasks]]
    found += [e.BlockerFound(task=t.id, why="w") for t in tasks]
    for slice_ in slices:
        number = len(s.tasks_of(slice_.id)) + 1
        cut = e.TaskPlan(id=task_id(slice_.id, number), title="t", description="d", files=(), verify="")
        found.append(e.SliceReplanned(slice=slice_.id, tasks=(cut,), why="w"))
        found.append(e.TasksAdded(slice=slice_.id, tasks=(cut,), why="w"))
        found.append(e.RoadmapChanged(added=(), changed=(replace(new, id=slice_.id),), dropped=(), why="w"))
        found.append(e.RoadmapChanged(added=(), changed=(), dropped=(slice_.id,), why="w"))
    return [*found, *of_milestone(s)]


def of_milestone(s: Snapshot) -> list[e.Event]:
    """Return what a person may say of the milestone itself, and some of what nobody may."""
    m, last = s.milestone, newest(s)
    none = task_id(slice_id(m.id, 97), 1)
    run = last or next(iter(s.dispatches.values()), None)
    back = [e.Undone(task=TaskId(t), head=run.base_sha, why="w") for t in [*s.tasks][-2:] if run]
    return [
        e.SetAside(target=m.id, how="parked", why="w"),
        e.Reopened(target=m.id, why="w"),
        e.Reopened(target=m.id, why="w"),
        e.Queued(place=1.5, depends=(MilestoneId("M998"),)),
        e.Queued(place=2.0, depends=(m.id,)),
        e.Queued(place=0.0, depends=()),
        e.Undone(task=none, head=Sha("6" * 40), why="w"),
        e.Undone(task=none, head=Sha(""), why="w"),
        e.TasksAdded(slice=slice_of(none), tasks=(), why="w"),
        *back,
    ]
