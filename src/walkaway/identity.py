"""Which process is which: a number, its start, the boot it counts in and the host.

Rule: a process is called dead only where that is proven from here. Imports nothing heavy: `query` pays for it.
"""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_NAMESPACE = "/proc/self/ns/pid"


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, never mistaken for another: a number is used again, all four together are not."""

    host: str
    boot_id: str
    """The boot and, on Linux, the pid namespace that the number counts in."""
    pid: int
    started: float
    """When it started, by the kernel's own count; only good for comparing."""


def me() -> Identity:
    """Return the identity of this process."""
    pid = os.getpid()
    seen = stat(pid)
    if seen is None:
        message = "this process cannot see itself in the process table: mount /proc"
        raise OSError(message)
    return Identity(os.uname().nodename, _boot_id(), pid, seen.started)


def alive(identity: Identity) -> bool | None:
    """Whether that process runs; None where that cannot be proven from here (another host, boot or pid namespace).

    A zombie is dead, and so is one whose number another process has now.
    """
    if identity.host != os.uname().nodename or identity.boot_id != _boot_id():
        return None
    seen = stat(identity.pid)
    if seen is not None:
        return not seen.zombie and abs(seen.started - identity.started) < 0.001  # noqa: PLR2004 - less than a tick
    try:
        os.kill(identity.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return None
    return None  # it answers, but /proc hides it


@dataclass(frozen=True, slots=True)
class Stat:
    """One line of the process table."""

    parent: int
    started: float
    zombie: bool


def stat(pid: int) -> Stat | None:
    """Return what the process table says of a process; None where it has no such line."""
    if sys.platform != "linux":
        return _stat_elsewhere(pid)
    try:
        with open(f"/proc/{pid}/stat", errors="replace") as source:
            line = source.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent, *rest = line.rpartition(")")[2].split()
    return Stat(int(parent), int(rest[17]) / os.sysconf("SC_CLK_TCK"), state in "ZX")


def _stat_elsewhere(pid: int) -> Stat | None:
    """Return the same where there is no ``/proc``."""
    import psutil  # noqa: PLC0415 - 35 ms that Linux need not pay

    try:
        process = psutil.Process(pid)
        return Stat(process.ppid(), process.create_time(), process.status() == psutil.STATUS_ZOMBIE)
    except psutil.ZombieProcess:
        return Stat(0, 0.0, zombie=True)
    except psutil.NoSuchProcess:
        return None


def _boot_id() -> str:
    """Return what changes at each boot and differs between pid namespaces."""
    if sys.platform == "linux":
        with open(_BOOT_ID) as source:
            return f"{source.read().strip()}:{os.stat(_NAMESPACE).st_ino}"
    import psutil  # noqa: PLC0415 - as above

    return f"{psutil.boot_time():.0f}"


def descendants(pid: int) -> dict[int, float]:
    """Return every process below ``pid`` by number, with its start."""
    seen = {other: line for other in _pids() if (line := stat(other)) is not None}
    found: dict[int, float] = {}
    edge = {pid}
    while edge:
        edge = {other for other, line in seen.items() if line.parent in edge and other not in found}
        found.update({other: seen[other].started for other in edge})
    return found


def _pids() -> Iterable[int]:
    if sys.platform == "linux":
        return (int(entry) for entry in os.listdir("/proc") if entry.isdigit())
    import psutil  # noqa: PLC0415 - as above

    return psutil.pids()
