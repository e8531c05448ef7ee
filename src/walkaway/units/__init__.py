"""Every kind of work, in the order in which `derive` tries them: what was begun is finished first."""

from typing import cast

from walkaway.core.unit import Units
from walkaway.units import (
    complete_milestone,
    complete_slice,
    discuss_milestone,
    discuss_project,
    discuss_requirements,
    evaluate_gate,
    execute_task,
    plan_milestone,
    plan_slice,
    reassess_roadmap,
    refine_slice,
    replan_slice,
    research_decision,
    research_milestone,
    research_project,
    research_slice,
    research_slices,
    resolve_conflict,
    review_step,
    rewrite_docs,
    run_uat,
    triage_captures,
    validate_milestone,
)

UNITS = cast(
    "Units",  # a tuple of UnitType[R] with different R; each R only ever meets its own functions (the desk)
    (
        resolve_conflict.UNIT,
        discuss_project.UNIT,
        discuss_requirements.UNIT,
        research_decision.UNIT,
        research_project.UNIT,
        discuss_milestone.UNIT,
        research_milestone.UNIT,
        plan_milestone.UNIT,
        triage_captures.UNIT,
        rewrite_docs.UNIT,
        replan_slice.UNIT,
        complete_slice.UNIT,
        run_uat.UNIT,
        review_step.UNIT,
        evaluate_gate.UNIT,
        execute_task.UNIT,
        reassess_roadmap.UNIT,
        research_slices.UNIT,
        research_slice.UNIT,
        refine_slice.UNIT,
        plan_slice.UNIT,
        validate_milestone.UNIT,
        complete_milestone.UNIT,
    ),
)
