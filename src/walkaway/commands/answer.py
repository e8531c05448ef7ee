"""Answer a question that the work waits for."""

from dataclasses import dataclass

from walkaway.commands.command import Command, Project
from walkaway.core.answer import answer
from walkaway.core.asking import gates
from walkaway.core.asking.question import Question, is_gate
from walkaway.core.errors import Usage
from walkaway.core.ids import Scope, is_target
from walkaway.core.model import Seen, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Which question (as in ``M001-Q1``, or a gate as in ``depth:M001``), and one of the answers that it takes."""

    question: str
    words: str


def run(project: Project, form: Form) -> str:
    """Record the answer and return what follows from it."""
    s, asked = _found(project, form.question)
    facts = answer(s, asked, form.words, project.who)
    seen = Seen(project=s.project, scope=s.scope, rev=s.rev, who=project.who)
    project.store.commit(seen, facts)
    return f"{form.question} is answered with '{form.words}'. Go on with: walkaway auto"


def _found(project: Project, named: str) -> tuple[Snapshot, str]:
    """Return the milestone of a question, and its id; a gate stands for its last asking."""
    if is_gate(named):
        s, asked = last_asking(project, named)
        return s, asked.id
    scope, _, number = named.rpartition("-Q")
    if not number.isdigit() or not is_target(scope):
        raise Usage(f"'{named}' is no question: write its id, as in M001-Q1; walkaway status lists them.")
    return project.store.snapshot(Scope(scope)), named


def last_asking(project: Project, gate: str) -> tuple[Snapshot, Question]:
    """Return the last asking of a gate and its milestone; raise `Usage` where it was never asked."""
    if not is_gate(gate):
        raise Usage(f"'{gate}' is no gate: write its id, as in depth:M001; walkaway gates lists them.")
    snapshots = (project.store.snapshot(scope) for scope in project.store.gates_asked())
    found = [(s, asked) for s in snapshots if (asked := gates.last(s, gate))]
    if not found:
        raise Usage(f"{gate} was never asked; walkaway gates lists those that were.")
    return max(found, key=lambda pair: (pair[1].open, pair[1].asked_at))


COMMAND = Command(name="answer", help="Answer a question that the work waits for.", form=Form, run=run)
