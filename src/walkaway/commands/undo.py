"""Take back the newest task that was done: its work leaves the milestone's line, and stays in git."""

from dataclasses import dataclass

from walkaway.commands.command import Command, Project, changeable, record
from walkaway.core.errors import Usage
from walkaway.core.events import Undone
from walkaway.core.ids import TaskId, is_target, milestone_of
from walkaway.core.plan.change import newest


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A task (as in ``M001/S02/T01``) or its milestone (``M001``: whatever was done last there), and why."""

    target: str
    reason: str = ""


def run(project: Project, form: Form) -> str:
    """Open the task again; the line's old end is under a rescue ref before anything changes."""
    if not is_target(form.target):
        raise Usage(f"'{form.target}' is no task and no milestone: write its id, as in M001/S02/T01 or M001.")
    s = changeable(project, milestone_of(form.target))
    last = newest(s)
    if last is None:
        raise Usage(f"No task of {s.scope} is done; there is nothing to take back.")
    if form.target not in (s.scope, last.target):
        raise Usage(f"{form.target} was not done last in {s.scope}; {last.target} was. Undo that first.")
    head = s.milestone.head
    fact = Undone(task=TaskId(last.target), head=last.base_sha, why=form.reason)
    project.keep(s.milestone.id, head)
    record(project, s, fact)
    return (
        f"{last.target} is open again, and its work is off the line of {s.scope}. "
        f"What was there is kept in git: {head[:12]}. Go on with: walkaway auto"
    )


COMMAND = Command(name="undo", help="Take back the newest task that was done.", form=Form, run=run)
