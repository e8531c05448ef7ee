"""Hand in a specification as the next milestone."""

from dataclasses import dataclass

from walkaway.commands.command import Command, Project
from walkaway.core.errors import Usage
from walkaway.core.events import Queued
from walkaway.core.ids import MilestoneId, milestone_number

TITLE_MOST = 100
UNTITLED = "Untitled"
_MARKS = "#=-*_ "


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A specification; its title is its first heading or line unless one is given."""

    spec: str
    title: str = ""
    after: tuple[str, ...] = ()
    """The milestones that are to be complete before it is worked on."""


def run(project: Project, form: Form) -> str:
    """Make the milestone and return its id."""
    if not form.spec.strip():
        raise Usage("The specification is empty: write what you want, in your own words.")
    title = _short(form.title) or title_of(form.spec)
    there = {row.id for row in project.store.overview().milestones} if form.after else set()
    if unknown := [m for m in form.after if m not in there]:
        raise Usage(f"There is no milestone {', '.join(unknown)}; walkaway queue shows those that there are.")
    depends = tuple(MilestoneId(m) for m in dict.fromkeys(form.after))
    return project.store.new_milestone(
        title,
        form.spec,
        project.policy,
        project.who,
        lambda made: [Queued(place=float(milestone_number(made)), depends=depends)] if depends else [],
    )


def title_of(spec: str) -> str:
    """Return the first heading of a specification, else its first line."""
    lines = [line.strip() for line in spec.splitlines() if line.strip().strip(_MARKS)]
    heading = next((line for line in lines if line.startswith("#")), lines[0] if lines else UNTITLED)
    return _short(heading.lstrip("#").strip().rstrip("#"))


def _short(text: str) -> str:
    one = " ".join(text.split())
    return one if len(one) <= TITLE_MOST else one[: TITLE_MOST - 1] + "…"


COMMAND = Command(name="new", help="Hand in a specification; prints the milestone's id.", form=Form, run=run)
