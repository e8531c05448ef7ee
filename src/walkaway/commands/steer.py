"""Say something to the agent at work, before its next model call."""

import json
from dataclasses import dataclass

from walkaway.commands import orders
from walkaway.commands.command import Command, Project
from walkaway.core.errors import Usage
from walkaway.core.fleet.order import Order
from walkaway.core.ids import MilestoneId


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What to say, and to whom (None: to the only agent at work)."""

    text: str
    milestone: MilestoneId | None = None


def run(project: Project, form: Form) -> str:
    """Hand the words to the worker, and say what came of it."""
    if not form.text.strip():
        raise Usage("Say what the agent should know: walkaway steer 'use the library that is there'.")
    worker, _ = orders.one_at_work(project, form.milestone)
    seqs = orders.tell(project, Order.STEER, json.dumps({"text": form.text}), [worker])
    (said,) = orders.answers(project, seqs)
    return said or f"Worker {worker.id} has not answered yet; the words wait for it."


COMMAND = Command(name="steer", help="Say something to the agent at work.", form=Form, run=run)
