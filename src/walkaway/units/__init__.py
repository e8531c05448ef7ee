"""Every kind of work, in the order in which `derive` tries them: what was begun is finished first."""

from typing import cast

from walkaway.core.unit import Units
from walkaway.units import (
    complete_milestone,
    complete_slice,
    execute_task,
    plan_milestone,
    plan_slice,
    validate_milestone,
)

UNITS = cast(
    "Units",  # a tuple of UnitType[R] with different R; each R only ever meets its own functions (the desk)
    (
        plan_milestone.UNIT,
        complete_slice.UNIT,
        execute_task.UNIT,
        plan_slice.UNIT,
        validate_milestone.UNIT,
        complete_milestone.UNIT,
    ),
)
