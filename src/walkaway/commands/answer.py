"""Answer a question that the work waits for."""

from dataclasses import dataclass

from walkaway.commands.command import Command, Project
from walkaway.core.answer import answer
from walkaway.core.errors import Usage
from walkaway.core.ids import Scope, is_target
from walkaway.core.model import Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Which question, and one of the answers that it takes."""

    question: str
    words: str


def run(project: Project, form: Form) -> str:
    """Record the answer and return what follows from it."""
    scope, _, number = form.question.rpartition("-Q")
    if not number.isdigit() or not is_target(scope):
        raise Usage(f"'{form.question}' is no question: write its id, as in M001-Q1; walkaway status lists them.")
    s = project.store.snapshot(Scope(scope))
    facts = answer(s, form.question, form.words, project.who)
    seen = Seen(project=s.project, scope=s.scope, rev=s.rev, who=project.who)
    project.store.commit(seen, facts)
    return f"{form.question} is answered with '{form.words}'. Go on with: walkaway auto"


COMMAND = Command(name="answer", help="Answer a question that the work waits for.", form=Form, run=run)
