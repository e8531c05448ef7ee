"""What a signal means to a run: once Ctrl-C finishes the unit, twice ends it; SIGTERM and SIGHUP end it at once.

A signal handler may interrupt the main thread anywhere, a lock held: so it only raises while there is no worker yet.
Afterwards a thread of its own reads which signal came from a socket that the interpreter writes to, and speaks to the
worker. A run that does not end in time is ended from that thread.
"""

import signal
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from walkaway.app import Runner

TAKEN = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
PATIENCE_S = 8.0


class Signals(AbstractContextManager["Signals"]):
    """Takes the signals of a run, from its first line to its last; only in the main thread."""

    def __init__(self, say: Callable[[str], None], overdue: Callable[[], None]) -> None:
        """Tell people with ``say``; call ``overdue`` when a cancelled run has not ended after `PATIENCE_S`."""
        self._say = say
        self._overdue = overdue
        self._lock = threading.Lock()
        self._runner: Runner | None = None
        self._early: list[int] = []
        self._interrupts = 0
        self._timer: threading.Timer | None = None
        self._ours, self._theirs = socket.socketpair()
        self._theirs.settimeout(0)
        self._thread = threading.Thread(target=self._listen, name="signals", daemon=True)

    def __enter__(self) -> Self:
        """Begin to take them; a signal that is ignored (nohup) stays ignored."""
        self._wakeup = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        self._before = {n: signal.getsignal(n) for n in TAKEN if signal.getsignal(n) is not signal.SIG_IGN}
        for number in self._before:
            signal.signal(number, self._handle)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give them back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._theirs.close()
        self._thread.join(timeout=1.0)
        self._ours.close()
        if self._timer:
            self._timer.cancel()

    def arm(self, runner: "Runner") -> None:
        """From now on signals go to ``runner``; one that came in between is not lost."""
        with self._lock:
            self._runner = runner
            early = tuple(self._early)
            self._early.clear()
        for number in early:
            self._pass_on(number)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._runner is None:
            # no Exception: it may arrive while a library is imported, and libraries catch those to try another way
            raise KeyboardInterrupt(f"Stopped by {signal.Signals(number).name} before any work began.")

    def _listen(self) -> None:
        while numbers := self._ours.recv(16):
            for number in numbers:
                self._take(number)

    def _take(self, number: int) -> None:
        if number not in self._before:
            return
        with self._lock:
            if self._runner is None:
                self._early.append(number)
                return
        self._pass_on(number)

    def _pass_on(self, number: int) -> None:
        runner = self._runner
        if runner is None:
            return
        name = signal.Signals(number).name
        if number == signal.SIGINT:
            self._interrupts += 1
            if self._interrupts == 1:
                self._say("walkaway: finishing the running unit; Ctrl-C once more ends it now.")
                runner.drain("A person pressed Ctrl-C.")
                return
        if self._timer is None:
            self._timer = threading.Timer(PATIENCE_S, self._overdue)
            self._timer.daemon = True
            self._timer.start()
        runner.cancel(f"Stopped by {name}.")
