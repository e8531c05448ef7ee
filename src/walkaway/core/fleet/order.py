"""Orders to workers: the states of a command and which may follow which.

Rule: no other module names a successor status of a command. Delivery is at least once (a claimer may die); completion
is once, by the claimer alone. The queue only wakes and cancels: what must hold is a fact of its own (`pause.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from walkaway.core.ids import WorkerId

DELIVERIES_MOST = 3
"""A command that its claimers never completed is put aside after this many deliveries."""


class CommandStatus(StrEnum):
    """Life of a command; the last two are final."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    DONE = "done"
    DEAD = "dead"


class Move(StrEnum):
    """What can happen to a command."""

    CLAIM = "claim"
    COMPLETE = "complete"
    RETURN = "return"
    """Its claimer died or let the claim lapse: to be delivered again."""
    BURY = "bury"
    """Nobody can do it any more: its worker is gone, or it was delivered too often."""


COMMAND: Mapping[Move, Mapping[CommandStatus, CommandStatus]] = {
    Move.CLAIM: {CommandStatus.WAITING: CommandStatus.CLAIMED},
    Move.COMPLETE: {CommandStatus.CLAIMED: CommandStatus.DONE},
    Move.RETURN: {CommandStatus.CLAIMED: CommandStatus.WAITING},
    Move.BURY: {CommandStatus.WAITING: CommandStatus.DEAD, CommandStatus.CLAIMED: CommandStatus.DEAD},
}


class Order(StrEnum):
    """What a worker can be told."""

    WAKE = "wake"
    """Look at the project's pauses and stops now."""
    CANCEL = "cancel"
    """End the running unit (of ``milestone``, where one is named) now; it is run again."""
    HALT = "halt"
    """Like `WAKE`, and end the running unit now."""
    STEER = "steer"
    """Say ``text`` to the agent before its next model call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """An order in the queue. ``worker``: whom it is for, "" = whoever takes it first; ``body`` is JSON."""

    seq: int
    name: str
    body: str
    worker: WorkerId
    sent_by: str
    sent_at: float
    status: CommandStatus
    deliveries: int
    claimed_by: WorkerId
    claimed_at: float
    claim_expires_at: float
    ended_at: float
    result: str
