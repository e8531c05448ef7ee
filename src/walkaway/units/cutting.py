"""Slices and tasks as a model proposes them: what is wrong with them, in words for it, and what becomes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.ids import SliceId, slice_id, task_id
from walkaway.core.model import RISKS, Snapshot
from walkaway.units import sections

if TYPE_CHECKING:
    from walkaway.core.events import SlicePlan, TaskPlan

MOST_SLICES = 20
MOST_TASKS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSlice:
    """One slice as the model proposes it; it has no id yet. ``depends``: numbers of slices, counted from 1."""

    title: str
    goal: str
    demo: str
    risk: str = "medium"
    depends: tuple[int, ...] = ()
    sketch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    """One task as the model proposes it; it has no id yet."""

    title: str
    description: str
    files: tuple[str, ...] = ()
    verify: str = ""
    no_code: bool = False


def wrong_slices(planned: Sequence[PlannedSlice], there: int = 0) -> str:
    """Return what is wrong with slices that come after ``there`` others, or ""."""
    for number, each in enumerate(planned, there + 1):
        if wrong := _wrong(number, each):
            return f"Slice {number}: {wrong}"
    return ""


def _wrong(number: int, planned: PlannedSlice) -> str:
    if wrong := sections.blank(title=planned.title, goal=planned.goal, demo=planned.demo):
        return wrong
    if planned.risk not in RISKS:
        return f"risk is {', '.join(RISKS)}, not '{planned.risk}'."
    if any(not 1 <= d < number for d in planned.depends):
        earlier = f"earlier ones (1 to {number - 1})" if number > 1 else "earlier ones, and there is none"
        return f"it depends on {list(planned.depends)}; a slice may only depend on {earlier}."
    if planned.sketch and number == 1:
        return "the first slice is no sketch: it is where the work begins."
    return ""


def slices_from(s: Snapshot, planned: Sequence[PlannedSlice], more: int = 0) -> "tuple[SlicePlan, ...]":
    """Return them with ids that go on after the slices that there are, and ``more`` that come with the same commit."""
    from walkaway.core.events import SlicePlan  # noqa: PLC0415 - kept off the query path

    there = len(s.slices) + more
    ids: list[SliceId] = [slice_id(s.milestone.id, n) for n in range(1, there + len(planned) + 1)]
    return tuple(
        SlicePlan(
            id=ids[there + n],
            title=p.title,
            demo=p.demo,
            goal=p.goal,
            risk=p.risk,
            depends=tuple(ids[d - 1] for d in p.depends),
            sketch=p.sketch,
        )
        for n, p in enumerate(planned)
    )


def wrong_tasks(planned: Sequence[PlannedTask]) -> str:
    """Return what is wrong with the tasks of a slice, or ""."""
    from walkaway.core.plan import command  # noqa: PLC0415 - kept off the query path

    if not 1 <= len(planned) <= MOST_TASKS:
        return f"A slice has 1 to {MOST_TASKS} tasks, not {len(planned)}."
    for number, each in enumerate(planned, 1):
        if wrong := sections.blank(title=each.title, description=each.description):
            return f"Task {number}: {wrong}"
        if each.verify.strip() and (wrong := command.wrong(each.verify)):
            wanted = "one command that exits with 0 when the task is done, or nothing"
            return f"Task {number}: `verify` {wrong}; write {wanted}."
    return ""


def tasks_from(s: Snapshot, slice_: SliceId, planned: Sequence[PlannedTask], more: int = 0) -> "tuple[TaskPlan, ...]":
    """Return them with ids that go on after the tasks that the slice has: numbers are never used again.

    ``more``: how many tasks of the slice come with the same commit before them.
    """
    from walkaway.core.events import TaskPlan  # noqa: PLC0415 - kept off the query path

    there = len(s.tasks_of(slice_)) + more
    return tuple(
        TaskPlan(
            id=task_id(slice_, n),
            title=p.title,
            description=p.description,
            files=p.files,
            verify=p.verify,
            no_code=p.no_code,
        )
        for n, p in enumerate(planned, there + 1)
    )
