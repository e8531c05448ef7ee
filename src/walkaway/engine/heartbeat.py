"""Keep a lease from a thread that does nothing else, bounded by the trust window.

Local time may make a worker stop early, never go on late (ADR 0007): a lease is trusted until the moment the last
granted renewal was *sent*, plus its TTL, less a margin. Past that no model call, tool call or write begins; the next
renewal decides. Granted: go on. Refused, or no answer for one more TTL: the work is lost.
"""

import threading
from collections.abc import Callable
from typing import Self

from walkaway.clock import Clock
from walkaway.core.errors import Cancelled, LeaseLost, StoreUnavailable
from walkaway.core.model import Lease
from walkaway.store import Store

MARGIN = 0.1
"""Share of the TTL by which trust ends early: clock rates and the time a request takes."""
RETRY_SHARE = 0.05


class Heartbeat:
    """A thread with a connection of its own that renews one lease every third of its TTL."""

    def __init__(
        self, store: Store, lease: Lease, *, ttl_s: float, clock: Clock, since: float, on_lost: Callable[[str], None]
    ) -> None:
        """Keep ``lease``, asked for at ``since`` (monotonic); ``on_lost`` is called once, from the thread."""
        self._store = store
        self._lease = lease
        self._ttl_s = ttl_s
        self._clock = clock
        self._on_lost = on_lost
        self._stop = threading.Event()
        self._poke = threading.Event()
        self._answered = threading.Condition()
        self._trusted_until = since + ttl_s * (1 - MARGIN)
        self._unit = ""
        self.lost = ""
        """Why the lease is gone; empty while it is held."""
        self._thread = threading.Thread(target=self._run, name=f"heartbeat {lease.scope}", daemon=True)

    def __enter__(self) -> Self:
        """Start beating."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop beating; the lease itself is released by its holder."""
        self._stop.set()
        self._poke.set()
        self._thread.join(timeout=self._ttl_s)

    def doing(self, unit: str) -> None:
        """Set what the register of workers shows, from the next beat on."""
        self._unit = unit
        self._poke.set()

    def gate(self) -> None:
        """Return when the lease is trusted; wait while it is in doubt; raise `Cancelled` when it is lost."""
        with self._answered:
            while not self.lost:
                if self._clock.monotonic() < self._trusted_until:
                    return
                self._poke.set()
                self._answered.wait(timeout=self._ttl_s)
        raise Cancelled(f"The lease of {self._lease.scope} is lost: {self.lost}")

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._poke.wait(timeout=self._pause_s())
                self._poke.clear()
                if not self._stop.is_set() and not self._renewed():
                    return
        finally:
            if not self._stop.is_set() and not self.lost:  # a bug of ours: nobody may wait for it for ever
                self._lose("its heartbeat ended by an error")

    def _pause_s(self) -> float:
        in_doubt = self._clock.monotonic() >= self._trusted_until - self._ttl_s / 2
        return self._ttl_s * RETRY_SHARE if in_doubt else self._ttl_s / 3

    def _renewed(self) -> bool:
        """Renew once; False when the lease is gone."""
        sent = self._clock.monotonic()
        why = ""
        try:
            self._store.renew(self._lease, self._ttl_s)
            self._store.beat(self._lease.worker_id, self._unit)
        except LeaseLost as error:
            why = str(error)
        except StoreUnavailable as error:
            if sent < self._trusted_until + self._ttl_s:
                return True
            why = f"No renewal was answered for {2 * self._ttl_s:.0f} s. {error}"
        if why:
            self._lose(why)
            return False
        with self._answered:
            self._trusted_until = sent + self._ttl_s * (1 - MARGIN)
            self._answered.notify_all()
        return True

    def _lose(self, why: str) -> None:
        with self._answered:
            self.lost = why
            self._answered.notify_all()
        self._on_lost(why)
