"""Cancel the running unit: it is ended now, no attempt is consumed, and it is begun again."""

import json
from dataclasses import dataclass

from walkaway.commands import orders
from walkaway.commands.command import Command, Project
from walkaway.core.errors import Usage
from walkaway.core.fleet.order import Order
from walkaway.core.ids import MilestoneId


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Whose unit (None: of the only milestone that is worked on)."""

    milestone: MilestoneId | None = None


def run(project: Project, form: Form) -> str:
    """Order the worker to end its unit, and say what came of it."""
    worker, scope = orders.one_at_work(project, form.milestone)
    live = project.store.snapshot(scope).live
    if live is None:
        raise Usage(f"No unit of {scope} is running.")
    seqs = orders.tell(project, Order.CANCEL, json.dumps({"dispatch": live.id}), [worker])
    (said,) = orders.answers(project, seqs)
    return said or f"Worker {worker.id} has not answered yet; {live.key} is cancelled when it does."


COMMAND = Command(name="cancel", help="End the running unit; it is begun again.", form=Form, run=run)
