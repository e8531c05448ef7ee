"""Which process is which: a number, its start, the boot it counts in and the host.

Rule: a process is called dead only where that is proven from here. Imports nothing heavy: `query` pays for it.
"""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"


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
        line = (_PROC / str(pid) / "stat").read_text(errors="replace")
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
        return f"{_BOOT_ID.read_text().strip()}:{(_PROC / 'self/ns/pid').stat().st_ino}"
    import psutil  # noqa: PLC0415 - as above

    return f"{psutil.boot_time():.0f}"


def descendants(pid: int) -> dict[int, float]:
    """Return every process below ``pid`` by number, with its start."""
    seen = {other: stat for other in _pids() if (stat := stat(other)) is not None}
    found: dict[int, float] = {}
    edge = {pid}
    while edge:
        edge = {other for other, stat in seen.items() if stat.parent in edge and other not in found}
        found.update({other: seen[other].started for other in edge})
    return found


def _pids() -> Iterable[int]:
    if sys.platform == "linux":
        return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    import psutil  # noqa: PLC0415 - as above

    return psutil.pids()
