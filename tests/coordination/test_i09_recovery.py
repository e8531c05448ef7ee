"""I9, I10, I14: the dead are settled whole and once, the living never, and an order is done once."""

import pytest

from tests.coordination.actor import race
from tests.coordination.conftest import Crew
from tests.tiers import tier
from walkaway.core.errors import Refused
from walkaway.core.fleet.order import CommandStatus
from walkaway.core.ids import Scope, WorkerId
from walkaway.identity import Identity, me
from walkaway.store import Store
from walkaway.testing.moments import claimed, fence, pinned, started
from walkaway.testing.store_bench import TTL, W1, milestone


def begun(store: Store, worker: str) -> Scope:
    """A milestone with a running dispatch of an actor."""
    scope = milestone(store)
    lease = store.acquire(scope, WorkerId(worker), TTL)
    assert lease is not None
    store.commit(lease, [pinned(), claimed(fence(lease), "plan-milestone", scope, "d1"), started("d1")])
    return scope


@pytest.mark.parametrize("where", ["before", "inside", "after"])
@pytest.mark.parametrize("deed", ["claim", "end"])
def test_i09_a_worker_that_died_anywhere_is_settled_whole_and_once(
    store: Store, crew: Crew, where: str, deed: str
) -> None:
    dies, *recoverers = crew(4)
    scope = milestone(store)
    dies.do("acquire", scope, TTL)
    dies.do("pin", scope)
    seq = store.commands.send("wake", "{}", who="ann")
    assert dies.do("order", TTL) == seq
    if deed == "claim":
        dies.dies("claim", scope, "d1", fate=f"{where} commit:DispatchClaimed")
    else:
        dies.do("claim", scope, "d1")
        dies.dies("end", scope, "d1", "started", fate=f"{where} commit:DispatchStarted")
    found = race(recoverers, "recover", dies.me)
    assert sorted(each["changed"] for each in found) == [False, False, True]
    assert store.holder(scope) is None
    assert store.snapshot(scope).live is None
    assert store.commands.find([seq])[0].status is CommandStatus.WAITING
    rev = store.snapshot(scope).rev
    assert recoverers[0].do("recover", dies.me) == {"freed": [], "changed": False}
    assert store.snapshot(scope).rev == rev


@pytest.mark.parametrize("where", ["before", "inside", "after"])
def test_i09_a_recoverer_that_is_killed_has_settled_all_or_nothing(store: Store, crew: Crew, where: str) -> None:
    dead, dies, heir = crew(3)
    scope = begun(store, dead.me)
    dead.kill()
    dies.dies("recover", dead.me, fate=f"{where} recover")
    live, holder = store.snapshot(scope).live, store.holder(scope)
    assert (live is None) == (holder is None) == (where == "after")
    assert heir.do("recover", dead.me)["changed"] is (where != "after")
    assert store.snapshot(scope).live is None


def test_i10_a_worker_that_may_be_alive_is_never_recovered(store: Store, crew: Crew) -> None:
    stopped, heir = crew(2)
    scope = begun(store, stopped.me)
    stopped.stop()
    assert heir.do("recover", stopped.me) == "Refused"
    assert heir.do("acquire", scope, TTL) == 0
    stopped.goes_on()
    assert stopped.do("recover", heir.me) == "Refused"
    here = me()
    store.register(W1, Identity("elsewhere", here.boot_id, here.pid, here.started))
    with pytest.raises(Refused):
        store.recover(W1, WorkerId("heir"))
    another = WorkerId("pid-used-again")
    store.register(another, Identity(here.host, here.boot_id, here.pid, here.started - 100))
    assert store.recover(another, W1).changed, "the number is somebody else's by now"


def test_i14_eight_that_take_orders_do_each_once(store: Store, crew: Crew) -> None:
    count = tier(120, 10_000)
    for n in range(count):
        store.commands.send("wake", str(n), who="ann")
    done = [seq for each in race(crew(8), "orders", TTL) for seq in each]
    assert sorted(done) == list(range(1, count + 1))
    assert {c.status for c in store.commands.listed()} == {CommandStatus.DONE}


@pytest.mark.parametrize("where", ["before", "inside", "after"])
def test_i14_an_order_whose_claimer_died_is_done_by_another_once(store: Store, crew: Crew, where: str) -> None:
    dies, heir = crew(2)
    seq = store.commands.send("wake", "{}", who="ann")
    assert dies.do("order", TTL) == seq
    dies.dies("complete", seq, fate=f"{where} complete")
    assert heir.do("recover", dies.me)["changed"]
    assert heir.do("orders", TTL) == ([] if where == "after" else [seq])
    (kept,) = store.commands.find([seq])
    assert (kept.status, kept.claimed_by) == (CommandStatus.DONE, dies.me if where == "after" else heir.me)
