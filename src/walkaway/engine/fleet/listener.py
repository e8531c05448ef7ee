"""Hear the orders of the command queue from a thread that does nothing else.

The queue only wakes and cancels: what must hold is a fact that the loop reads before each claim. An order is answered
(completed) when what it asks for is so: a pause when the worker has left what is paused.
"""

import json
import threading
from collections.abc import Callable
from typing import Protocol, Self

from walkaway.core.errors import StoreUnavailable
from walkaway.core.fleet.order import Command, Order
from walkaway.core.ids import WorkerId
from walkaway.store import Store

WAIT_S = 0.25
"""How long the thread waits for a change before it looks whether it is to end."""
CLAIM_S = 60.0


class Ears(Protocol):
    """What orders are about; each method returns what came of it, "" = that is still to be told."""

    def wake(self, *, now: bool) -> str:
        """Look at what people paused or stopped; with ``now`` end the running unit for it."""
        ...

    def cancel_unit(self, dispatch: str, why: str) -> str:
        """End the running unit if it is this dispatch."""
        ...

    def steer(self, text: str) -> str:
        """Say something to the agent."""
        ...


class Listener:
    """A thread with a connection of its own that claims and answers the orders to one worker."""

    def __init__(self, store: Store, worker: WorkerId, ears: Ears, note: Callable[[str], None]) -> None:
        """Hear for ``worker``; ``note`` says what went wrong, from the thread."""
        self._store = store
        self._worker = worker
        self._ears = ears
        self._note = note
        self._owed: list[int] = []
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"listener {worker}", daemon=True)

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._stop.set()
        self._thread.join(timeout=CLAIM_S)

    def settle(self, result: str) -> None:
        """Answer the orders that waited for the worker to leave; from the loop's thread."""
        with self._lock:
            owed = tuple(self._owed)
            self._owed.clear()
        for seq in owed:
            self._store.commands.complete(seq, self._worker, result)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._store.wait(WAIT_S)
                while not self._stop.is_set() and (order := self._store.commands.claim(self._worker, CLAIM_S)):
                    self._heed(order)
            except StoreUnavailable as error:  # the heartbeat judges whether the work is lost
                self._note(f"Orders cannot be heard now: {error}")
                self._stop.wait(WAIT_S * 8)

    def _heed(self, order: Command) -> None:
        body = json.loads(order.body)
        match order.name:
            case Order.WAKE | Order.HALT:
                result = self._ears.wake(now=order.name == Order.HALT)
            case Order.CANCEL:
                result = self._ears.cancel_unit(str(body.get("dispatch", "")), f"{order.sent_by} cancelled it.")
            case Order.STEER:
                result = self._ears.steer(str(body.get("text", "")))
            case _:
                result = f"This walkaway does not know the order '{order.name}'."
        if result:
            self._store.commands.complete(order.seq, self._worker, result)
        else:
            with self._lock:
                self._owed.append(order.seq)
