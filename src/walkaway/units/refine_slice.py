"""Make a plan of a sketch, with what the slices before it have shown."""

from collections.abc import Iterable

from walkaway.core.grant import PLANNING
from walkaway.core.model import MilestoneStatus, SliceStatus, Snapshot
from walkaway.core.unit import PLANS, Judged, UnitType
from walkaway.units import plan_slice
from walkaway.units.plan_slice import Report

INSTRUCTIONS = """\
This slice is a sketch: when the milestone was planned, too little was known. Now the slices before it are done. Read
what they delivered and the code as it is, say what this slice is to reach, then cut it into tasks.

A task fits one context window: two to five steps, up to eight files; split what is larger. Whoever does a task sees
its plan, the slice's goal and short summaries of what came before, nothing else. Tests belong to the task whose code
they test. Do not plan what is there already, and nothing beyond the milestone's success criteria.

Report: `goal` (what will be true), `must_haves` (observable facts that hold when the slice is done), `tasks` in order,
each with `title` (an action), `description`, `files` (paths to be written) and `verify` (one command that shows it
works)."""


def targets(s: Snapshot) -> Iterable[str]:
    """Each sketch whose turn it is."""
    if s.milestone.status is not MilestoneStatus.ACTIVE:
        return
    for slice_ in s.slices.values():
        if slice_.sketch and slice_.status is SliceStatus.PENDING and s.free(slice_):
            yield slice_.id


UNIT = UnitType(
    kind="refine-slice",
    purpose="Make a plan of a slice that was only sketched.",
    instructions=INSTRUCTIONS,
    grant=PLANNING,
    report=Report,
    judged=Judged.NOTHING,
    targets=targets,
    needs=plan_slice.needs,
    brief=plan_slice.brief,
    check=plan_slice.check,
    accept=plan_slice.accept,
    side=PLANS,
)
