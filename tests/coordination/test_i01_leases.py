"""I1 to I4: one holder, tokens that only rise, one live dispatch of a unit, and no claim without the lease."""

import random
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from tests.coordination.actor import race
from tests.coordination.audit import Audit
from tests.coordination.conftest import Crew
from tests.coordination.stand import soon
from tests.tiers import tier
from walkaway.core.errors import IllegalTransition, LeaseLost
from walkaway.core.ids import Scope, WorkerId
from walkaway.core.model import Lease
from walkaway.store import Store
from walkaway.testing.moments import claimed, fence, pinned
from walkaway.testing.store_bench import TTL, W1, W2, W3, milestone, taken

ROUNDS = tier(25, 1000)
EIGHT = 8


def lapse(store: Store, scope: Scope) -> None:
    """Let the clock that decides reach the end of a lease."""
    with store.driver.read() as tx:
        row = tx.one("SELECT expires_at FROM milestone_leases WHERE scope = :s", s=scope)
    assert row is not None
    store.driver.skew += float(row[0] or 0) - store.now() + 1


# ---- I1 ------------------------------------------------------------------------------------------------------------


def test_i01_of_eight_processes_that_take_a_milestone_exactly_one_gets_it(store: Store, crew: Crew) -> None:
    scope = milestone(store)
    takers = crew(EIGHT)
    tokens = []
    for _ in range(ROUNDS):
        got = race(takers, "acquire", scope, TTL)
        (token,) = [token for token in got if token]
        winner = takers[got.index(token)]
        assert store.holder(scope) == winner.me
        tokens.append(token)
        assert winner.do("release", scope) is True
    assert tokens == list(range(1, ROUNDS + 1)), "and no token was used twice (I2)"


def test_i01_a_holder_stopped_past_its_ttl_and_replaced_renews_no_more(store: Store, crew: Crew) -> None:
    scope = milestone(store)
    old, heir = crew(2)
    assert old.do("acquire", scope, 0.2) == 1
    old.stops("renew", scope, TTL, fate="before renew")
    soon(lambda: heir.do("acquire", scope, TTL), "the lease lapses", 10)
    old.goes_on()
    assert old.said() == "LeaseLost"
    assert old.do("release", scope) is False
    assert store.holder(scope) == heir.me


@pytest.mark.parametrize(("where", "token"), [("before", 1), ("inside", 1), ("after", 2)])
def test_i01_a_taker_killed_on_its_way_has_the_lease_or_nothing(
    store: Store, crew: Crew, where: str, token: int
) -> None:
    scope = milestone(store)
    dies, heir = crew(2)
    dies.dies("acquire", scope, TTL, fate=f"{where} acquire")
    assert (store.holder(scope) is None) == (where != "after")
    assert heir.do("acquire", scope, TTL) == token, "gaps are allowed, none is needed"


def test_i01_a_taker_whose_own_clock_jumped_takes_what_the_deciding_clock_says(
    store: Store, crew: Crew, database: str
) -> None:
    scope = milestone(store)
    holder, jumps = crew(2)
    assert holder.do("acquire", scope, TTL) == 1
    jumps.do("jump", -3600)
    assert jumps.do("acquire", scope, TTL) == 0
    jumps.do("jump", 7200)
    if database == "postgres":
        assert jumps.do("acquire", scope, TTL) == 0, "the server's clock did not move"
        assert holder.do("renew", scope, TTL)
    else:
        assert jumps.do("acquire", scope, TTL) == 2, "the host's clock is the one that decides"
        assert holder.do("renew", scope, TTL) == "LeaseLost"
    assert len([h for h in store.lease_history(scope) if not h.ended_how]) == 1


# ---- I2 ------------------------------------------------------------------------------------------------------------


@dataclass
class Life:
    """A milestone through a random history; what is given out is written down."""

    store: Store
    scope: Scope
    fences: list[tuple[int, int]] = field(default_factory=list)
    held: list[Lease] = field(default_factory=list)

    def acquire(self, chance: random.Random) -> None:
        lease = self.store.acquire(self.scope, chance.choice((W1, W2, W3)), TTL)
        if lease is not None:
            self.fences.append((lease.epoch, lease.fencing_token))
            self.held.append(lease)

    def release(self, chance: random.Random) -> None:
        if self.held:
            self.store.release(chance.choice(self.held))

    def renew(self, chance: random.Random) -> None:
        for lease in self.held:
            try:
                self.store.renew(lease, TTL)
            except LeaseLost:
                continue
            assert lease is self.held[-1], "only the last one that was given out is ever renewed"

    def revoke(self, chance: random.Random) -> None:
        if self.held:
            lease = chance.choice(self.held)
            self.store.revoke(self.scope, lease.worker_id, lease.fencing_token)

    def jump(self, chance: random.Random) -> None:
        self.store.driver.skew += chance.choice((-3600.0, -61.0, 1.0, 61.0, 3600.0))

    def delete(self, chance: random.Random) -> None:
        with self.store.driver.write() as tx:
            tx.run("DELETE FROM policies")
            tx.run("DELETE FROM milestones")

    def restore(self, chance: random.Random) -> None:
        """As after an older copy of the database was put back: its tokens are older, and the epoch is raised."""
        with self.store.driver.write() as tx:
            tx.run("UPDATE projects SET fence_epoch = fence_epoch + 1")
            tx.run(
                "UPDATE milestone_leases SET fencing_token = :n WHERE scope = :s", n=chance.randrange(3), s=self.scope
            )


@pytest.mark.parametrize("seed", range(tier(6, 200)))
def test_i02_tokens_only_rise_over_any_history(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    life = Life(store, milestone(store))
    some = (
        [life.acquire] * 4 + [life.release] * 2 + [life.jump] * 2 + [life.renew, life.revoke, life.delete, life.restore]
    )
    for _ in range(60):
        chance.choice(some)(chance)
    assert len(life.fences) > 3
    assert all(one < other for one, other in pairwise(life.fences)), life.fences


def test_i02_takers_killed_and_racing_never_get_a_token_twice(store: Store, crew: Crew) -> None:
    scope = milestone(store)
    tokens: list[int] = []
    for n in range(tier(2, 40)):
        *takers, dies = crew(4)
        dies.dies("acquire", scope, TTL, fate=f"{('inside', 'after')[n % 2]} acquire")
        got = [token for token in race(takers, "acquire", scope, TTL) if token]
        assert len(got) == 1
        tokens += got
        for each in takers:
            each.kill()
    held = [h.fencing_token for h in store.lease_history(scope)]
    assert held == sorted(set(held))
    assert set(tokens) <= set(held)


# ---- I3 ------------------------------------------------------------------------------------------------------------


def test_i03_of_eight_processes_that_claim_a_unit_exactly_one_does(store: Store, crew: Crew) -> None:
    scope = milestone(store)
    claimers = crew(EIGHT)
    holder, *copies = claimers
    token = holder.do("acquire", scope, 600.0)
    holder.do("pin", scope)
    for each in copies:
        assert each.do("share", scope, holder.me, token) is None
    for n in range(ROUNDS):
        rev = store.snapshot(scope).rev if n % 2 else None
        for number, each in enumerate(claimers):
            each.tell("claim", scope, f"M001-D{n}-{number}", rev)
        said = [each.said() for each in claimers]
        (mine,) = [word for word in said if word.startswith("M001-D")]
        assert set(said) - {mine} == {"StaleSnapshot" if n % 2 else "IllegalTransition"}
        assert [d.id for d in store.snapshot(scope).dispatches.values() if d.live] == [mine]
        assert holder.do("end", scope, mine, "canceled") == "canceled"


@pytest.mark.parametrize("other", ["unit", "target"])
def test_i03_the_database_itself_refuses_a_second_one_and_without_its_indexes_the_audit_sees_it(
    store: Store, other: str
) -> None:
    scope = milestone(store)
    lease = taken(store, scope)
    store.commit(lease, [pinned()])
    store.commit(lease, [claimed(fence(lease), "plan-milestone", scope)])
    audit = Audit(store.driver)
    columns = {"unit": "unit", "target": "target", other: f"'another {other}'"}
    second = (
        f"INSERT INTO unit_dispatches SELECT project_id, scope, 'd2', 2, {columns['unit']}, {columns['target']}, 1, "  # noqa: S608
        "status, worker_id, epoch, fencing_token, base_sha, '', '', '', '', '', 0, claimed_at, 0, '' FROM unit_dispatches"
    )
    with pytest.raises(IllegalTransition), store.driver.write() as tx:
        tx.run(second)
    with pytest.raises(IllegalTransition), store.driver.write() as tx:
        tx.run(second.replace(columns[other], other))
    with store.driver.write() as tx:
        tx.run("DROP INDEX one_live_dispatch_per_unit")
        tx.run("DROP INDEX one_live_dispatch_per_milestone")
        tx.run(second.replace(columns[other], other))
    assert any("two live dispatches of a unit" in wrong for wrong in audit.look())


# ---- I4 ------------------------------------------------------------------------------------------------------------


def test_i04_a_claimer_stopped_before_its_claim_and_replaced_opens_nothing(store: Store, crew: Crew) -> None:
    scope = milestone(store)
    old, heir = crew(2)
    old.do("acquire", scope, TTL)
    old.do("pin", scope)
    old.stops("claim", scope, "M001-D001", fate="before commit:DispatchClaimed")
    store.revoke(scope, WorkerId(old.me), 1)
    assert heir.do("acquire", scope, TTL) == 2
    old.goes_on()
    assert old.said() == "LeaseLost"
    assert store.snapshot(scope).dispatches == {}
    assert heir.do("claim", scope, "M001-D001") == "M001-D001"


def test_i04_a_claimer_stopped_inside_its_claim_is_waited_for_and_then_settled(store: Store, crew: Crew) -> None:
    scope = milestone(store)
    old, heir = crew(2)
    old.do("acquire", scope, TTL)
    old.do("pin", scope)
    heir.do("skew", TTL + 1)
    old.stops("claim", scope, "M001-D001", fate="inside commit:DispatchClaimed")
    heir.tell("acquire", scope, TTL)
    assert store.snapshot(scope).dispatches == {}
    old.goes_on()
    assert (old.said(), heir.said()) == ("M001-D001", 2)
    (settled,) = store.snapshot(scope).dispatches.values()
    assert (settled.status, settled.failure, settled.fencing_token) == ("canceled", "lease-lost", 1)
    assert old.do("end", scope, "M001-D001", "started") == "LeaseLost"


def test_i04_a_lapsed_lease_that_nobody_took_claims_and_one_that_was_taken_never(store: Store) -> None:
    scope = milestone(store)
    old = taken(store, scope)
    store.commit(old, [pinned()])
    lapse(store, scope)
    store.commit(old, [claimed(fence(old), "plan-milestone", scope)])
    new = taken(store, scope, W2)
    for lease in (old, replace(old, fencing_token=2), replace(new, fencing_token=1), replace(new, worker_id=W1)):
        with pytest.raises(LeaseLost):
            store.commit(lease, [claimed(fence(lease), "plan-milestone", scope, "d2")])
    assert [d.id for d in store.snapshot(scope).dispatches.values()] == ["d1"]
    store.commit(new, [claimed(fence(new), "plan-milestone", scope, "d2")])
    store.release(new)
    with pytest.raises(LeaseLost):
        store.commit(new, [claimed(fence(new), "plan-milestone", scope, "d3")])
