"""Processes that use one store as a worker does: each does one deed at a time, when it is told, and says what came of it.

``python -m tests.coordination.actor URL PROJECT``: one line of JSON in (a deed, its arguments, a fate), one line out
(what it returned, or the error's name). Its fate (`fated`) may stop or kill it at a point of the deed.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.coordination.fated import FATE, install
from walkaway.core.errors import WalkawayError
from walkaway.core.fleet.pause import Pause, Stop
from walkaway.core.ids import PROJECT_SCOPE, DispatchId, ProjectId, Scope, WorkerId
from walkaway.core.model import Lease
from walkaway.identity import me
from walkaway.store import Store, connect
from walkaway.testing.moments import canceled, claimed, completed, failed, fence, pinned, reported, started

ROOT = Path(__file__).parents[2]
WAYS = {"reported": reported, "canceled": canceled, "completed": completed, "failed": failed, "started": started}


class Deeds:
    """What an actor can do; what it holds is remembered by scope, as a worker remembers it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.me = WorkerId(f"a-{os.getpid()}")
        self.leases: dict[str, Lease] = {}

    def register(self) -> str:
        self.store.register(self.me, me())
        return self.me

    def acquire(self, scope: str, ttl_s: float, resume: str = "") -> int:
        """Return the token; 0 where somebody else has it."""
        lease = self.store.acquire(Scope(scope), self.me, ttl_s, resume=Scope(resume) if resume else None)
        if lease is None:
            return 0
        self.leases[scope] = lease
        return lease.fencing_token

    def share(self, scope: str, worker: str, token: int) -> None:
        """Be the very holder of a lease that another process took: its copy."""
        self.leases[scope] = Lease(
            project=self.store.project,
            scope=Scope(scope),
            worker_id=WorkerId(worker),
            epoch=1,
            fencing_token=token,
            expires_at=0.0,
        )

    def renew(self, scope: str, ttl_s: float) -> int:
        return self.store.renew(self.leases[scope], ttl_s)

    def release(self, scope: str) -> bool:
        return self.store.release(self.leases[scope])

    def revoke(self, scope: str, worker: str, token: int) -> bool:
        return self.store.revoke(Scope(scope), WorkerId(worker), token)

    def pin(self, scope: str) -> None:
        self.store.commit(self.leases[scope], [pinned()])

    def claim(self, scope: str, dispatch: str, rev: int | None = None) -> str:
        """Claim the planning of a milestone, as of a revision."""
        claim = claimed(fence(self.leases[scope]), "plan-milestone", scope, dispatch)
        self.store.commit(self.leases[scope], [claim], expect=rev)
        return dispatch

    def end(self, scope: str, dispatch: str, *ways: str) -> str:
        """Record what a dispatch has come to."""
        self.store.commit(self.leases[scope], [WAYS[way](DispatchId(dispatch)) for way in ways])
        return ways[-1]

    def recover(self, worker: str) -> Mapping[str, object]:
        found = self.store.recover(WorkerId(worker), self.me)
        return {"freed": sorted(found.freed), "changed": found.changed}

    def pause(self, why: str) -> str:
        return self.store.controls.pause(Pause(id=PROJECT_SCOPE, who=self.me, reason=why)).reason

    def stop(self) -> None:
        self.store.controls.stop(Stop(id=PROJECT_SCOPE, who=self.me))

    def order(self, seconds: float) -> int:
        """Take one order; 0 where there is none."""
        found = self.store.commands.claim(self.me, seconds)
        return found.seq if found else 0

    def complete(self, seq: int) -> bool:
        return self.store.commands.complete(seq, self.me, self.me)

    def orders(self, seconds: float) -> Sequence[int]:
        """Take and complete orders until there is none."""
        done = []
        while seq := self.order(seconds):
            if self.complete(seq):
                done.append(seq)
        return done

    def skew(self, seconds: float) -> float:
        """Set the clock by which the database decides, as this process sees it."""
        self.store.driver.skew = seconds
        return self.store.now()

    def jump(self, seconds: float) -> None:
        """Set this process's own clock."""
        real = time.time
        time.time = lambda: real() + seconds


class Actor:
    """One such process, from outside."""

    def __init__(self, url: str, project: ProjectId, before: Sequence[str] = ()) -> None:
        command = [*before, sys.executable, "-m", "tests.coordination.actor", url, project]
        pipe, env = subprocess.PIPE, {**os.environ, "PYTHONPATH": str(ROOT)}
        self._child = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1, cwd=ROOT, env=env)
        self.pid = self._child.pid
        self.me = ""

    def tell(self, deed: str, *args: object, fate: str = "") -> None:
        """Let it begin a deed."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps([deed, args, fate]) + "\n")
        self._child.stdin.flush()

    def said(self) -> Any:
        """Return what came of the deed: what it returned, or the name of its error."""
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        assert line, "the actor died"
        return json.loads(line)

    def do(self, deed: str, *args: object) -> Any:
        """Let it do something, and return what came of it."""
        self.tell(deed, *args)
        return self.said()

    def register(self) -> str:
        self.me = str(self.do("register"))
        return self.me

    def dies(self, deed: str, *args: object, fate: str) -> None:
        """Let it be killed at a point of a deed."""
        self.tell(deed, *args, fate=f"{fate} 1 {int(signal.SIGKILL)}")
        assert self._child.wait() == -signal.SIGKILL

    def stops(self, deed: str, *args: object, fate: str) -> None:
        """Let it be stopped at a point of a deed; `goes_on` lets it end that."""
        self.tell(deed, *args, fate=f"{fate} 1 {int(signal.SIGSTOP)}")
        self.is_stopped()

    def stop(self) -> None:
        """Stop it now."""
        os.kill(self.pid, signal.SIGSTOP)
        self.is_stopped()

    def is_stopped(self) -> None:
        """Wait until it is stopped; the kernel tells its parent."""
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), status

    def goes_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it."""
        self._child.kill()
        self._child.wait()

    def close(self) -> None:
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                stream.close()
        self.kill()


@contextmanager
def actors(url: str, project: ProjectId, count: int) -> Iterator[list[Actor]]:
    """Let so many of them live for a while, each registered as a worker."""
    with ExitStack() as ends:
        made = []
        for _ in range(count):
            made.append(Actor(url, project))
            ends.callback(made[-1].close)
        for each in made:
            each.tell("register")
        for each in made:
            each.me = str(each.said())
        yield made


def race(some: Sequence[Actor], deed: str, *args: object) -> list[Any]:
    """Let them all do the same at once, and return what came of it, by actor."""
    for each in some:
        each.tell(deed, *args)
    return [each.said() for each in some]


def main(url: str, project: str) -> None:
    install()
    deeds = Deeds(connect(url, ProjectId(project), synchronous="NORMAL"))
    for line in sys.stdin:
        deed, args, fate = json.loads(line)
        FATE.read(fate)
        try:
            said = getattr(deeds, deed)(*args)
        except WalkawayError as error:
            said = type(error).__name__
        print(json.dumps(said), flush=True)  # noqa: T201 - what the test waits for
    deeds.store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
