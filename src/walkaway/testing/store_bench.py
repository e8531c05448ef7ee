"""What the conformance suites of a store share: a milestone, a lease, a living process, the journal's word."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from walkaway.core.brief import ModelCall
from walkaway.core.ids import Scope, SliceId, WorkerId
from walkaway.core.model import Lease, Policy, Snapshot
from walkaway.identity import Identity
from walkaway.store import Store
from walkaway.store.replay import fold
from walkaway.testing.moments import (
    cut,
    fence,
    pinned,
    planned,
    run_of,
)

TTL = 60.0


W1, W2, W3 = WorkerId("w1"), WorkerId("w2"), WorkerId("w3")


def milestone(store: Store, title: str = "A tool") -> Scope:
    return Scope(store.new_milestone(title, "Make a tool.", Policy(), "ann"))


def taken(store: Store, scope: Scope, worker: WorkerId = W1) -> Lease:
    found = store.acquire(scope, worker, TTL)
    assert found is not None
    return found


def lease_row(store: Store, scope: Scope) -> dict[str, object]:
    names = ("rev", "worker_id", "epoch", "fencing_token", "status", "acquired_at", "renewed_at", "expires_at", "clock")
    with store.driver.read() as tx:
        row = tx.one(
            f"SELECT {', '.join(names)} FROM milestone_leases WHERE project_id = :p AND scope = :s",  # noqa: S608
            p=store.project,
            s=scope,
        )
    assert row is not None
    return dict(zip(names, row, strict=True))


@contextmanager
def living_process() -> Iterator[tuple[subprocess.Popen[str], Identity]]:
    """A child that tells who it is and lives until it is killed."""
    code = (
        "from walkaway.identity import me; i = me(); print(i.host, i.boot_id, i.pid, i.started, sep='\\n', flush=True);"
        "import sys; sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        host, boot_id, pid, started_at = (child.stdout.readline().strip() for _ in range(4))
        try:
            yield child, Identity(host, boot_id, int(pid), float(started_at))
        finally:
            child.kill()


CALL = ModelCall(model="m", input_tokens=1000, output_tokens=50, usd=0.25)


def told(store: Store, scope: Scope) -> Snapshot:
    """What the journal says."""
    return fold(store.project, scope, store.journal({}))


def assert_consistent(store: Store, scope: Scope) -> None:
    """The fold of the journal equals the tables, order included."""
    kept, journal = store.snapshot(scope).aggregate, told(store, scope).aggregate
    assert kept == journal
    for name in ("slices", "tasks", "dispatches", "questions", "evidence"):
        assert list(getattr(kept, name)) == list(getattr(journal, name)), name


def begun(store: Store) -> tuple[Scope, Lease]:
    """A milestone with one slice of two tasks, and its lease."""
    scope = milestone(store)
    lease = taken(store, scope)
    s = store.commit(lease, [pinned()])
    s = store.commit(lease, run_of(s, fence(lease), "plan-milestone", scope, [planned(s.milestone.id)]))
    slice_ = SliceId(f"{scope}/S01")
    store.commit(lease, run_of(s, fence(lease), "plan-slice", slice_, [cut(slice_, 2)]))
    return scope, lease


def together(count: int, work: Callable[[], object]) -> None:
    """Do the work in threads that begin at the same moment; raise what went wrong in any of them."""
    barrier = threading.Barrier(count)
    wrong: list[BaseException] = []

    def body() -> None:
        barrier.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            wrong.append(error)

    threads = [threading.Thread(target=body) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
