"""What a person or a signal said to this process about ending: finish the unit first, or end it now."""

import threading

from walkaway.engine.result import Left, Status


class Stopping:
    """Whether and how the whole run has to end; the first word counts, but for whether it is at once."""

    def __init__(self) -> None:
        """Begin without a word."""
        self.draining = threading.Event()
        """Set when no further unit may begin."""
        self.cancelled = threading.Event()
        """Set when the running unit has to end, too."""
        self._lock = threading.Lock()
        self._why = ""
        self._as = Status.CANCELLED

    def drain(self, why: str, status: Status = Status.CANCELLED) -> None:
        """Let no further unit begin."""
        with self._lock:
            if not self.draining.is_set():
                self._why, self._as = why, status
                self.draining.set()

    def cancel(self, why: str, status: Status = Status.CANCELLED) -> None:
        """Let the running unit end, too."""
        self.drain(why, status)
        self.cancelled.set()

    def left(self, otherwise: str = "") -> Left:
        """Return how the run ends by it; ``otherwise`` says why where nobody said a word."""
        return Left(status=self._as, detail=self._why or otherwise)
