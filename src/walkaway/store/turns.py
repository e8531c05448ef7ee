"""Whose turn it is to write: a queue before SQLite's own lock, so that nobody waits long while others write often.

SQLite's wait for its lock sleeps longer each time, so that under contention those who waited longest are served last.
Here every writer asks again after a short time, cheaply, and the sooner the longer it has waited. Fair, not truth: the
transaction that follows takes SQLite's lock like any other, whoever else writes.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from walkaway.core.errors import StoreUnavailable

LONGEST_S = 0.0012
SHORTEST_S = 0.00005
AGING = 150.0
"""By how much a second of waiting shortens the pauses."""


class Turns:
    """One thread's place in the queue at a file; the kernel gives up the turn of a process that dies."""

    def __init__(self, path: str) -> None:
        """Queue at ``path``, which is made when it is first needed."""
        self._path = path
        self._file: int | None = None

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Wait for a turn and keep it; raise `StoreUnavailable` after ``seconds``."""
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        begin = time.monotonic()
        while not _taken(self._file):
            waited = time.monotonic() - begin
            if waited > seconds:
                raise StoreUnavailable(f"The database is busy: another process has been writing for {seconds:g} s.")
            time.sleep(max(SHORTEST_S, LONGEST_S / (1 + waited * AGING)))
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Leave the queue."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
