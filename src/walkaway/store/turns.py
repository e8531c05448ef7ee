"""Whose turn it is to write: a queue before SQLite's own lock, so that nobody waits long while others write often.

SQLite's wait for its lock sleeps longer each time, so that under contention those who waited longest are served last.
Here every writer asks again after a short random time, cheaply, and has the same chance each time. Fair, not truth:
the transaction that follows takes SQLite's lock like any other, whoever else writes.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from walkaway.core.errors import StoreUnavailable

PAUSE_S = 0.0003
SPREAD_NS = 900_000


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
        end = time.monotonic() + seconds
        while not _taken(self._file):
            if time.monotonic() > end:
                raise StoreUnavailable(f"The database is busy: another process has been writing for {seconds:g} s.")
            time.sleep(PAUSE_S + time.monotonic_ns() % SPREAD_NS * 1e-9)  # random enough, and costs no import
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
