"""Begin a run of a workflow: a milestone whose plan a person wrote."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from walkaway.commands.command import Command, Project
from walkaway.core.events import Event
from walkaway.core.ids import MilestoneId


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A title, the frozen definition as it was read, and the plan that it is."""

    title: str
    definition: str
    plan: Callable[[MilestoneId], Sequence[Event]]


def run(project: Project, form: Form) -> str:
    """Make the milestone, planned from the start, and return its id."""
    return project.store.new_milestone(form.title, form.definition, project.policy, project.who, form.plan)


COMMAND = Command(name="workflow", help="Begin a run of a workflow; prints the milestone's id.", form=Form, run=run)
