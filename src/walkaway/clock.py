"""The time, as a parameter: nobody else reads a clock."""

import time
from typing import Protocol

_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)


class Clock(Protocol):
    """Two kinds of time: one to write down, one to measure with."""

    def now(self) -> float:
        """Return seconds since the UNIX epoch; a person may set this clock back."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some instant; never goes back, and goes on while the machine sleeps."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        """Return seconds since the UNIX epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since boot, sleep included where the kernel counts it."""
        return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)
