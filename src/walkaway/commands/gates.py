"""Confirm a gate, or open it again: whoever does so, wherever, the last word counts."""

from dataclasses import dataclass

from walkaway.commands import answer
from walkaway.commands.command import Command, Project
from walkaway.core.asking import gates
from walkaway.core.asking.question import CONFIRM
from walkaway.core.derive import ask
from walkaway.core.errors import Usage
from walkaway.core.events import QuestionRaised
from walkaway.core.ids import parse_unit
from walkaway.core.model import MilestoneStatus, Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Which gate (as in ``depth:M001``), and why, where it is opened again."""

    gate: str
    reason: str = ""


def confirm(project: Project, form: Form) -> str:
    """Confirm a gate that is pending, and nothing but what it holds."""
    _, asked = answer.last_asking(project, form.gate)
    return answer.run(project, answer.Form(question=asked.id, words=CONFIRM))


def reopen(project: Project, form: Form) -> str:
    """Ask a gate again: what was confirmed before is revoked, and its milestone waits."""
    s, asked = answer.last_asking(project, form.gate)
    if asked.open:
        return f"{form.gate} is pending already, as {asked.id}."
    if s.milestone.status is MilestoneStatus.COMPLETE:
        raise Usage(f"{s.milestone.id} is complete; {form.gate} has nothing to hold any more.")
    text = f"{form.gate} was opened again by {project.who}. {form.reason}".strip()
    question = ask(s, parse_unit(asked.unit), gates.wanted(form.gate, text))
    seen = Seen(project=s.project, scope=s.scope, rev=s.rev, who=project.who)
    project.store.commit(seen, [QuestionRaised(question=question)])
    return f"{form.gate} is pending again, as {question.id}; what was confirmed before is revoked."


CONFIRMING = Command(name="gates confirm", help="Confirm a gate that is pending.", form=Form, run=confirm)
REOPENING = Command(
    name="gates reopen", help="Open a gate again; what was confirmed is revoked.", form=Form, run=reopen
)
