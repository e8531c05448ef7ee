"""Pause the work: no worker, also none that comes later, begins a unit until a person resumes it."""

from dataclasses import dataclass

from walkaway.commands import orders
from walkaway.commands.command import Command, Project
from walkaway.core.fleet.order import Order
from walkaway.core.fleet.pause import Pause
from walkaway.core.ids import MilestoneId


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What to pause (None: everything), why, and whether the running unit is ended too."""

    milestone: MilestoneId | None = None
    reason: str = ""
    now: bool = False


def run(project: Project, form: Form) -> str:
    """Record the pause, wake those whom it concerns, and say what they still do."""
    scope = orders.restriction(form.milestone)
    record = project.store.controls.pause(Pause(id=scope, reason=form.reason, who=project.who))
    workers = orders.at_work(project, scope)
    seqs = orders.tell(project, Order.HALT if form.now else Order.WAKE, "{}", workers)
    said = orders.answers(project, seqs, orders.ANSWER_S if form.now else 0.0)
    busy = orders.finishing(workers, seqs, said)
    return "\n".join([record.sentence, *busy])


COMMAND = Command(name="pause", help="Let no unit begin until you resume.", form=Form, run=run)
