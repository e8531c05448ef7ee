"""Stop the runs under way; a run that is begun later is a new one."""

from dataclasses import dataclass

from walkaway.commands import orders
from walkaway.commands.command import Command, Project
from walkaway.core.fleet.order import Order
from walkaway.core.fleet.pause import Stop
from walkaway.core.ids import PROJECT_SCOPE, MilestoneId


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What to stop (None: everything), why, and whether the running unit is ended too."""

    milestone: MilestoneId | None = None
    reason: str = ""
    now: bool = False


def run(project: Project, form: Form) -> str:
    """Record the stop, wake those whom it concerns, and say what they still do."""
    scope = orders.restriction(form.milestone)
    project.store.controls.stop(Stop(id=scope, reason=form.reason, who=project.who))
    workers = orders.at_work(project, scope)
    seqs = orders.tell(project, Order.HALT if form.now else Order.WAKE, "{}", workers)
    said = orders.answers(project, seqs, orders.ANSWER_S if form.now else 0.0)
    busy = orders.finishing(workers, seqs, said)
    what = "Every run" if scope == PROJECT_SCOPE else f"Work on {scope}"
    first = f"{what} is stopped." if workers else f"{what} is stopped; no worker was at it."
    return "\n".join([f"{first} Begin anew with: walkaway auto", *busy])


COMMAND = Command(name="stop", help="End the runs under way.", form=Form, run=run)
