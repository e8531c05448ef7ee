"""A process that stops or dies at a named point: ``python -m tests.coordination.fated LOG FATE walkaway's words…``.

Code of ours is wrapped in that process, never replaced. Points are where something outside the process changes:
``before`` and ``after`` each write of the store and each call of git, and ``inside`` a write, all done but its commit. A
fate is ``SIDE NAME NTH SIGNAL`` (``before commit:DispatchReported 1 9``; ``at any 17 9`` counts every point but those of
renewals, which come when the clock says), or empty. Each point that is reached is a line of the log.
"""

import os
import runpy
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from itertools import pairwise
from typing import Any

from walkaway import proc, store
from walkaway.core.errors import WalkawayError
from walkaway.store import Store
from walkaway.store.driver import Driver, Tx
from walkaway.store.fleet.commands import CommandQueue
from walkaway.store.fleet.controls import Controls

STORE = ("acquire", "renew", "release", "revoke", "recover", "register", "end_worker", "spend")
CHANGING = frozenset({"add", "commit", "commit-tree", "merge", "merge-tree", "update-ref", "worktree"})
CONTROLS = ("pause", "stop", "note", "drop")


@dataclass
class Fate:
    """Counts points and strikes at one of them."""

    log: str = ""
    side: str = ""
    name: str = ""
    nth: int = 0
    signal: int = 0
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    now: threading.local = field(default_factory=threading.local)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, text: str) -> None:
        """Take a fate from words; an empty text is none."""
        if text:
            self.side, rest = text.split(" ", 1)
            self.name, nth, signal = rest.rsplit(" ", 2)
            self.nth, self.signal = int(nth), int(signal)
            self.seen.clear()

    def reach(self, side: str, name: str) -> None:
        """Come to a point: enter it in the log, and strike if this is the one."""
        here = [(side, name), *([] if name == "renew" else [("at", "any")])]
        with self.lock:
            for point in here:
                self.seen[point] = self.seen.get(point, 0) + 1
            strikes = (self.side, self.name) in here and self.seen[self.side, self.name] == self.nth
            if self.log:
                with open(self.log, "a", encoding="utf-8") as log:
                    log.write(f"{side} {name} {self.seen[side, name]}\n")
        if strikes:
            os.kill(os.getpid(), self.signal)

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        """Come to the points before and after something."""
        self.reach("before", name)
        self.now.name = name
        try:
            yield
        except WalkawayError:
            self.reach("refused", name)
            raise
        finally:
            self.now.name = ""
        self.reach("after", name)


FATE = Fate()


def install() -> None:
    """Wrap what changes something outside the process."""
    for cls, names in ((Store, STORE), (Controls, CONTROLS), (CommandQueue, ("complete",))):
        for name in names:
            _wrap(cls, name, lambda _args, name=name: name)
    _wrap(Store, "commit", _facts)
    _open(store.open_driver)


def _wrap(where: Any, name: str, label: Callable[[Sequence[Any]], str]) -> None:
    real = getattr(where, name)

    @wraps(real)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        named = label(args)
        if not named:
            return real(*args, **kwargs)
        with FATE.around(named):
            return real(*args, **kwargs)

    setattr(where, name, wrapped)


def _facts(args: Sequence[Any]) -> str:
    return "commit:" + (type(args[2][-1]).__name__ if args[2] else "nothing")


def _git(args: Sequence[Any]) -> str:
    """Return the verb of a call of git that changes something."""
    words = args[0]
    if isinstance(words, str) or words[0] != "git":
        return ""
    verb = next((word for last, word in pairwise(words) if word[0] != "-" and last != "-c"), "")
    return f"git {verb}" if verb in CHANGING else ""


def _open(real: Callable[..., Driver]) -> None:
    """Wrap the transactions of every driver that is opened."""

    def opened(url: str, **how: Any) -> Driver:
        driver = real(url, **how)
        driver.write = _written(driver.write)  # type: ignore[method-assign]
        return driver

    store.open_driver = opened


def _written(real: Callable[[], AbstractContextManager[Tx]]) -> Callable[[], AbstractContextManager[Tx]]:
    @contextmanager
    def write() -> Iterator[Tx]:
        with real() as tx:
            yield tx
            if name := getattr(FATE.now, "name", ""):
                FATE.reach("inside", name)

    return write


def main(log: str, fate: str, words: Sequence[str]) -> None:
    from walkaway.engine.run import Run

    FATE.log = log
    FATE.read(fate)
    install()
    _wrap(Run, "project", lambda _args: "project")
    _wrap(proc, "run", _git)
    sys.argv = ["walkaway", *words]
    runpy.run_module("walkaway", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
