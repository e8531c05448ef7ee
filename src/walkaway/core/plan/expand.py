"""What a step of a workflow becomes once its list is there."""

import shlex
from collections.abc import Sequence

from walkaway.core.events import Event, SetAside, SlicePlanned, TaskPlan
from walkaway.core.ids import task_id
from walkaway.core.model import Slice
from walkaway.core.plan.step import ITEM, Step


def expanded(slice_: Slice, found: Sequence[str]) -> list[Event]:
    """Return one task for each item of the step's list, in order; nothing on it: the step is skipped."""
    step = slice_.step or Step(prompt="")
    if not found:
        why = f"No line of {step.source} matches {step.pattern}: there is nothing to do."
        return [SetAside(target=slice_.id, how="skipped", why=why)]
    tasks = tuple(
        TaskPlan(
            id=task_id(slice_.id, number),
            title=f"{slice_.title}: {item}",
            description=slice_.goal.replace(ITEM, item),
            files=tuple(path.replace(ITEM, item) for path in step.produces),
            verify=step.verify.replace(ITEM, shlex.quote(item)),
        )
        for number, item in enumerate(found, 1)
    )
    return [SlicePlanned(slice=slice_.id, goal=slice_.goal, must_haves=(), tasks=tasks)]
