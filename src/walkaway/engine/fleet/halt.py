"""The ways to end running work: all of it under one lease, or one dispatch only.

Called from any thread; the loop looks at `event` between steps, the verifier while a check runs, and the conversation
is interrupted at once.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Halt:
    """Whether the work under one lease has to end now."""

    def __init__(self, interrupt: Callable[[], None]) -> None:
        """``interrupt`` ends the running conversation; harmless when there is none."""
        self.event = threading.Event()
        """Set while the running work has to end."""
        self._interrupt = interrupt
        self._lock = threading.Lock()
        self._dispatch = ""
        self._why = ""
        self._for_good = False
        self._settled = threading.Event()

    def end(self) -> None:
        """End everything under this lease; there is no way back."""
        with self._lock:
            self._for_good = True
            self.event.set()
        self._interrupt()

    def cancel(self, dispatch: str, why: str) -> bool:
        """End one dispatch, if it is the one that an agent works on now."""
        with self._lock:
            if not dispatch or self._dispatch != dispatch or self._for_good:
                return False
            self._why = why
            self._settled.clear()
            self.event.set()
        self._interrupt()
        return True

    @property
    def running(self) -> str:
        """The dispatch that an agent works on now; "" while there is none."""
        return self._dispatch

    @contextmanager
    def over(self, dispatch: str) -> Iterator[None]:
        """Let one dispatch be cancelled until the end of the block; it has been settled then."""
        with self._lock:
            self._dispatch, self._why = dispatch, ""
        try:
            yield
        finally:
            with self._lock:
                self._dispatch, self._why = "", ""
                if not self._for_good:
                    self.event.clear()
                self._settled.set()

    def why_cancelled(self) -> str:
        """Return why the running dispatch alone was cancelled; "" where it was not, or everything has to end."""
        with self._lock:
            return "" if self._for_good else self._why

    def wait_settled(self, seconds: float) -> None:
        """Return when the dispatch that was cancelled is settled, or after ``seconds``."""
        self._settled.wait(seconds)
