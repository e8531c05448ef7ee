"""Slices and tasks as they are planned: parts of the facts that make or change a plan."""

from dataclasses import dataclass

from walkaway.core.ids import SliceId, TaskId
from walkaway.core.plan.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicePlan:
    """One slice as planned: a part of `MilestonePlanned`."""

    id: SliceId
    title: str
    demo: str
    goal: str
    risk: str
    depends: tuple[SliceId, ...]
    sketch: bool = False
    step: Step | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """One task as planned: a part of `SlicePlanned`."""

    id: TaskId
    title: str
    description: str
    files: tuple[str, ...]
    verify: str
    no_code: bool = False
