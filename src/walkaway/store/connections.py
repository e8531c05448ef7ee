"""A connection for each thread, and the rule that a thread has one transaction at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """A connection, as far as it matters here."""

    def close(self) -> None:
        """Give it back."""
        ...


C = TypeVar("C", bound=Closable)


class Connections(Generic[C]):
    """The connections of one driver. Those of threads that ended are closed when another thread needs one."""

    def __init__(self) -> None:
        """Begin without any."""
        self._own = threading.local()
        self._kept: list[tuple[threading.Thread, C]] = []
        self._guard = threading.Lock()

    def mine(self) -> C | None:
        """Return this thread's connection, if it has one."""
        found: C | None = getattr(self._own, "connection", None)
        return found

    def keep(self, made: C) -> C:
        """Make ``made`` this thread's connection and return it; one that it had before is closed."""
        self._own.connection = made
        self._own.seen = None
        here = threading.current_thread()
        with self._guard:
            stale = [c for thread, c in self._kept if thread is here or not thread.is_alive()]
            self._kept = [pair for pair in self._kept if pair[0] is not here and pair[0].is_alive()]
            self._kept.append((here, made))
        for connection in stale:
            connection.close()
        return made

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold off a second transaction of this thread: the end of the inner would be the end of the outer."""
        if getattr(self._own, "busy", False):
            raise RuntimeError("A transaction is open in this thread; transactions do not nest.")
        self._own.busy = True
        try:
            yield
        finally:
            self._own.busy = False

    def noted(self, version: int) -> bool:
        """Whether this thread's connection did not show ``version`` the last time; it is remembered."""
        before = getattr(self._own, "seen", None)
        self._own.seen = version
        return before != version

    def close(self) -> None:
        """Close them all; a thread that goes on gets a new one."""
        with self._guard:
            for _, connection in self._kept:
                connection.close()
            self._kept.clear()
            self._own = threading.local()
