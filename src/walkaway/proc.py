"""The only place that starts, watches and kills processes.

Rule: a child belongs to a process group of its own, reads nothing unless it is given something, says only so much,
lives only so long, and is reaped with all its descendants that can still be found.
"""

import os
import re
import select
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from walkaway.identity import Identity, alive, descendants, me, stat

__all__ = ["Background", "Done", "Identity", "alive", "environment", "me", "run", "scrub"]

LIMIT_BYTES = 256 * 1024
GRACE_S = 2.0
_TICK_S = 0.05
_DRAIN_S = 0.2
_MOST_CHUNKS = 64
_PR_SET_PDEATHSIG = 1

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
_MODEL_NAME = re.compile(r"(OPENAI|ANTHROPIC|GEMINI|MISTRAL|OPENROUTER|GROQ|AZURE_OPENAI|WALKAWAY_(MODEL|DATABASE)_)_?")
_GIT_CONFIG = re.compile(r"GIT_CONFIG_KEY_\d+")
_GIT_PLACE = re.compile(
    r"GIT_(ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|CONFIG|CONFIG_PARAMETERS|DIR|GRAFT_FILE|IMPLICIT_WORK_TREE|INDEX_FILE"
    r"|NAMESPACE|NO_REPLACE_OBJECTS|OBJECT_DIRECTORY|PREFIX|QUARANTINE_PATH|REPLACE_REF_BASE|SHALLOW_FILE|WORK_TREE)"
)
"""What a hook or an alias of git sets to point its children at a repository: never meant for ours."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a process did. ``exit_code`` is None where we ended it; minus the signal where another did."""

    exit_code: int | None
    output: str
    stderr: str
    timed_out: bool
    truncated: bool
    duration_ms: int
    cancelled: bool = False


def environment() -> dict[str, str]:
    """Return a copy of this process's environment; the one reader outside `config`, for the children's sake."""
    return dict(os.environ)


def scrub(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` without secrets, the model's and database's settings, and git's pointers to a repository."""
    return {name: value for name, value in env.items() if not _withheld(name)}


def _withheld(name: str) -> bool:
    """Whether a child has no business with this variable."""
    if _GIT_PLACE.fullmatch(name) or _MODEL_NAME.match(name):
        return True
    return bool(_SECRET_NAME.search(name)) and not _GIT_CONFIG.fullmatch(name)


def run(
    command: str | Sequence[str],
    cwd: Path | str,
    env: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
    *,
    input: bytes | None = None,  # noqa: A002 - subprocess's own word
    limit_bytes: int | None = LIMIT_BYTES,
    cancel: threading.Event | None = None,
    merge: bool = False,
    errors: str = "replace",
    die_with_parent: bool = False,
) -> Done:
    """Run ``command`` (a string: by ``/bin/sh -c``) to its end, its time-out or ``cancel``, whichever is first.

    Returns with every process of its group dead. Output above ``limit_bytes`` per stream keeps its head and its tail
    and says how much is missing; ``merge`` puts stderr into ``output`` in the order written. Without ``env`` the child
    gets our own environment, scrubbed. Raises `OSError` where the program cannot be started.
    """
    began = time.monotonic()
    child = _start(
        command,
        cwd,
        env,
        stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merge else subprocess.PIPE,
        die_with_parent=die_with_parent,
    )
    out, err = _Kept(limit_bytes), _Kept(limit_bytes)
    with ExitStack() as pipes:
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                pipes.enter_context(closing(pipe))
        watch = _Watch(child, None if timeout_s is None else began + timeout_s, cancel)
        try:
            ended = watch.pump({child.stdout: out, child.stderr: err}, input)
        finally:
            watch.finish()
        for pipe, kept in ((child.stdout, out), (child.stderr, err)):
            _drain(pipe, kept)
    ours = watch.timed_out or watch.cancelled
    return Done(
        exit_code=None if ours or not ended else child.returncode,
        output=out.text(errors),
        stderr=err.text(errors),
        timed_out=watch.timed_out,
        truncated=out.left_out > 0 or err.left_out > 0,
        duration_ms=round((time.monotonic() - began) * 1000),
        cancelled=watch.cancelled,
    )


class Background:
    """A process that goes on while we do something else; both its streams go to a file."""

    def __init__(
        self,
        command: str | Sequence[str],
        cwd: Path | str,
        log: Path,
        env: Mapping[str, str] | None = None,
        *,
        die_with_parent: bool = True,
    ) -> None:
        """Start it in a group of its own; ``log`` is appended to. Raises `OSError` where it cannot be started.

        With ``die_with_parent`` (Linux) the kernel kills it when the *thread* that called this ends.
        """
        self.log = log
        with log.open("ab") as sink:
            self._from = sink.tell()
            self._child = _start(
                command,
                cwd,
                env,
                stdin=subprocess.DEVNULL,
                stdout=sink.fileno(),
                stderr=subprocess.STDOUT,
                die_with_parent=die_with_parent,
            )

    @property
    def pid(self) -> int:
        """The number of the process, and of its group."""
        return self._child.pid

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""
        return self._child.poll()

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait for its end; None if it still runs after ``timeout_s``."""
        with suppress(subprocess.TimeoutExpired):
            return self._child.wait(timeout_s)
        return None

    def output(self, limit_bytes: int = LIMIT_BYTES) -> str:
        """Return what it has said so far: the head and the tail of it."""
        kept = _Kept(limit_bytes)
        with self.log.open("rb") as source:
            source.seek(self._from)
            while chunk := source.read(1 << 16):
                kept.add(chunk)
        return kept.text("replace")

    def signal(self, number: int) -> None:
        """Send it a signal; nothing where it has ended."""
        self._child.send_signal(number)

    def kill(self, grace_s: float = GRACE_S) -> int:
        """End it and all its descendants, politely first; harmless twice. Returns its exit code."""
        if self._child.returncode is None:
            _end(self._child, grace_s)
        return self._child.wait()


def _start(
    command: str | Sequence[str],
    cwd: Path | str,
    env: Mapping[str, str] | None,
    *,
    stdin: int,
    stdout: int,
    stderr: int,
    die_with_parent: bool,
) -> "subprocess.Popen[bytes]":
    """Start one child in a session of its own."""
    argv = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
    return subprocess.Popen(
        argv,
        cwd=cwd,
        env=scrub(environment()) if env is None else dict(env),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
        preexec_fn=_mortal() if die_with_parent else None,  # noqa: PLW1509 - it calls prctl and nothing else
    )


def _mortal() -> Callable[[], None] | None:
    """Return what a new child must do so that the kernel kills it when we die; None where there is no such thing."""
    if sys.platform != "linux":
        return None
    import ctypes  # noqa: PLC0415 - rarely wanted, and not free

    prctl, parent, kill = ctypes.CDLL(None).prctl, os.getpid(), int(signal.SIGKILL)

    def preexec() -> None:
        prctl(_PR_SET_PDEATHSIG, kill)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)

    return preexec


# ---- watching ----------------------------------------------------------------------------------------------------


class _Kept:
    """The head and the tail of a stream, and how much lay between."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._head = bytearray()
        self._tail = bytearray()
        self.left_out = 0

    def add(self, chunk: bytes) -> None:
        """Take the next bytes of the stream."""
        if self._limit is None:
            self._head += chunk
            return
        room = self._limit // 2 - len(self._head)
        self._head += chunk[: max(room, 0)]
        self._tail += chunk[max(room, 0) :]
        surplus = len(self._tail) - (self._limit - self._limit // 2)
        if surplus > 0:
            del self._tail[:surplus]
            self.left_out += surplus

    def text(self, errors: str) -> str:
        """Return what was kept, with a line where something is missing."""
        if not self.left_out:
            return bytes(self._head + self._tail).decode(errors=errors)
        gap = f"\n[... {self.left_out} bytes left out ...]\n"
        return self._head.decode(errors=errors) + gap + self._tail.decode(errors=errors)


def _drain(pipe: IO[bytes] | None, kept: _Kept) -> None:
    """Take what lies in a pipe whose writers are dead; one that still has a living writer is not waited for."""
    if pipe is None:
        return
    os.set_blocking(pipe.fileno(), False)
    with suppress(BlockingIOError):
        for _ in range(_MOST_CHUNKS):
            chunk = os.read(pipe.fileno(), 1 << 16)
            kept.add(chunk)
            if not chunk:
                return


class _Watch:
    """One running child: moves its bytes, and ends it when it must end."""

    def __init__(
        self, child: "subprocess.Popen[bytes]", deadline: float | None, cancel: threading.Event | None
    ) -> None:
        self._child = child
        self._deadline = deadline
        self._cancel = cancel
        self.timed_out = False
        self.cancelled = False

    def pump(self, streams: Mapping[IO[bytes] | None, _Kept], given: bytes | None) -> bool:
        """Move bytes until the child has ended; False where it must be ended instead."""
        with selectors.DefaultSelector() as selector:
            for stream, kept in streams.items():
                if stream is not None:
                    selector.register(stream, selectors.EVENT_READ, kept)
            if self._child.stdin is not None:
                os.set_blocking(self._child.stdin.fileno(), False)
                selector.register(self._child.stdin, selectors.EVENT_WRITE, memoryview(given or b""))
            drained = float("inf")
            while selector.get_map() and time.monotonic() < drained:
                if self._must_end():
                    return False
                for key, _ in selector.select(_TICK_S):
                    _move(selector, key)
                if drained == float("inf") and _exited(self._child):
                    # A grandchild may hold the pipes for ever: what is in them now is all we wait for.
                    drained = time.monotonic() + _DRAIN_S
        while not _exited(self._child):
            if self._must_end():
                return False
            self._idle()
        return True

    def finish(self) -> None:
        """Leave nothing of the group behind, and reap the child."""
        if _exited(self._child):
            _signal_group(self._child.pid, signal.SIGKILL)
        else:
            _end(self._child, GRACE_S)
        self._child.wait()

    def _must_end(self) -> bool:
        self.cancelled = self._cancel is not None and self._cancel.is_set()
        self.timed_out = not self.cancelled and self._deadline is not None and time.monotonic() >= self._deadline
        return self.cancelled or self.timed_out

    def _idle(self) -> None:
        """Wait a moment, or until the child, which closed its streams and still runs, has ended."""
        if not hasattr(os, "pidfd_open"):
            (self._cancel or threading.Event()).wait(_TICK_S / 5)
            return
        ended = os.pidfd_open(self._child.pid)
        try:
            poll = select.poll()
            poll.register(ended, select.POLLIN)
            poll.poll(_TICK_S / 5 * 1000)
        finally:
            os.close(ended)


def _move(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    """Read from or write to one pipe that is ready; forget it at its end."""
    pipe = cast("IO[bytes]", key.fileobj)
    if isinstance(key.data, _Kept):
        chunk = os.read(key.fd, 1 << 16)
        key.data.add(chunk)
        if not chunk:
            selector.unregister(pipe)
        return
    rest: memoryview = key.data
    try:
        rest = rest[os.write(key.fd, rest[: 1 << 16]) :] if rest else rest
    except BrokenPipeError:  # it does not want to read: that is its affair, its exit code tells
        rest = rest[:0]
    if rest:
        selector.modify(pipe, selectors.EVENT_WRITE, rest)
    else:
        selector.unregister(pipe)
        pipe.close()


# ---- ending ------------------------------------------------------------------------------------------------------


def _exited(child: "subprocess.Popen[bytes]") -> bool:
    """Whether it has ended, where possible without reaping: its number then still names its group and nobody else."""
    if child.returncode is not None:
        return True
    if not hasattr(os, "waitid"):
        return child.poll() is not None
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(child: "subprocess.Popen[bytes]", grace_s: float) -> None:
    """Ask the group and every descendant outside it to end; after the grace, make them."""
    family = descendants(child.pid)
    _signal(child.pid, family, signal.SIGTERM)
    until = time.monotonic() + grace_s
    while time.monotonic() < until and not (_exited(child) and not any(_runs(*who) for who in family.items())):
        threading.Event().wait(_TICK_S / 5)
    _signal(child.pid, {**descendants(child.pid), **family}, signal.SIGKILL)


def _signal(group: int, family: Mapping[int, float], number: signal.Signals) -> None:
    """Signal a group, and those of a family that are still who they were."""
    _signal_group(group, number)
    for pid, started in family.items():
        if _runs(pid, started):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


def _signal_group(group: int, number: signal.Signals) -> None:
    """Signal a group; one that is empty, or left only with zombies, needs none."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _runs(pid: int, started: float) -> bool:
    seen = stat(pid)
    return seen is not None and not seen.zombie and seen.started == started
