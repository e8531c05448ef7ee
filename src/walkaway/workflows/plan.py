"""A definition -> the facts of a milestone whose plan it is: a slice for each step, in an order that can be worked off.

A step without a list is cut into its one task at once; one with a list when the list is there (`engine/steps.py`).
"""

import shlex
from collections.abc import Sequence

from walkaway.core.events import Event, MilestonePlanned, SlicePlan, SlicePlanned, TaskPlan
from walkaway.core.ids import MilestoneId, SliceId, slice_id, task_id
from walkaway.core.plan.step import Step
from walkaway.workflows.definition import Definition, StepDefinition


def facts(definition: Definition, milestone: MilestoneId) -> Sequence[Event]:
    """Return the plan of a workflow as facts of ``milestone``."""
    ids = {step.id: slice_id(milestone, number) for number, step in enumerate(definition.steps, 1)}
    slices = tuple(_slice(definition, step, ids) for step in definition.steps)
    planned = MilestonePlanned(
        title=f"{definition.name}: {_params(definition)}" if definition.params else definition.name,
        vision=definition.description,
        criteria=tuple(f"{step.name} is done." for step in definition.steps),
        slices=slices,
    )
    return [planned, *(_cut(plan) for plan in slices if plan.step is not None and not plan.step.source)]


def _params(definition: Definition) -> str:
    return ", ".join(f"{key}={value}" for key, value in definition.params.items())


def _slice(definition: Definition, step: StepDefinition, ids: dict[str, SliceId]) -> SlicePlan:
    policy = step.verify.get("policy", "")
    made = Step(
        prompt=step.prompt,
        produces=step.produces,
        verify=_command(step),
        source=step.source,
        pattern=step.pattern,
        reviewer={"human-review": "person", "prompt-verify": "model"}.get(policy, ""),
        review=step.verify.get("prompt", ""),
    )
    return SlicePlan(
        id=ids[step.id],
        title=step.name,
        demo="",
        goal=_told(definition, step),
        risk="medium",
        depends=tuple(ids[name] for name in step.requires),
        step=made,
    )


def _told(definition: Definition, step: StepDefinition) -> str:
    """Return what the step's agent is told: its prompt, what to read first, what has to be there afterwards."""
    by_id = {each.id: each for each in definition.steps}
    read = [path for name in step.context_from for path in by_id[name].produces]
    parts = [step.prompt]
    if read:
        parts.append(f"Read first: {', '.join(f'`{path}`' for path in read)}.")
    if step.produces:
        parts.append(f"When it is done there is: {', '.join(f'`{path}`' for path in step.produces)}.")
    return "\n\n".join(parts)


def _command(step: StepDefinition) -> str:
    """Return the command that judges a step: the author's, or one that looks at the files which it produces."""
    match step.verify.get("policy", ""):
        case "shell-command":
            return step.verify["command"]
        case "content-heuristic":
            size, pattern = int(step.verify.get("minSize", "1")), step.verify.get("pattern", "")
            return " && ".join(_looks(path, size, pattern) for path in step.produces)
        case _:
            return " && ".join(f"test -e {shlex.quote(path)}" for path in step.produces)


def _looks(path: str, size: int, pattern: str) -> str:
    name = shlex.quote(path)
    looks = f'test "$(wc -c < {name})" -ge {size}'
    return f"{looks} && grep -Eq -e {shlex.quote(pattern)} {name}" if pattern else looks


def _cut(plan: SlicePlan) -> SlicePlanned:
    step = plan.step or Step(prompt="")
    task = TaskPlan(
        id=task_id(plan.id, 1), title=plan.title, description=plan.goal, files=step.produces, verify=step.verify
    )
    return SlicePlanned(slice=plan.id, goal=plan.goal, must_haves=(), tasks=(task,))
