"""Orders to workers that were never carried out."""

from collections.abc import Sequence

from walkaway.core.fleet.order import CommandStatus
from walkaway.doctor.check import PROJECT, Check, Fault, Finding, Patient, Severity

DEAD = Fault(
    code="dead-command",
    severity=Severity.NOTE,
    means="Orders to workers were put aside: their worker was gone, or nobody completed them.",
)
SHOWN = 5


def finds(patient: Patient) -> Sequence[Finding]:
    """Return the orders that were put aside, the latest by name."""
    dead = [order for order in patient.opened.commands.listed() if order.status is CommandStatus.DEAD]
    if not dead:
        return []
    named = "; ".join(f"#{order.seq} {order.name} by {order.sent_by}: {order.result}" for order in dead[-SHOWN:])
    told = f"{len(dead)} order{'s were' if len(dead) > 1 else ' was'} never carried out. The latest: {named}."
    return [DEAD.found(PROJECT, told, "Nothing to do, unless you still want it: then say it again.")]


CHECK = Check(
    id="commands", healthy="Every order was carried out, or waits.", faults=(DEAD,), finds=finds, needs=("database",)
)
