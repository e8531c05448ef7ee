"""Everything that two workers, a person, a janitor and time can do to leases, dispatches, orders and pauses.

`walkaway.testing.explorer` goes through it with the production's own transitions; here it is held to what it says: the
code as it is breaks no promise, every planted bug is found, and states that are visited once for many go on alike.
"""

import sys

import pytest

from tests.tiers import SOAK, tier
from walkaway.core.errors import IllegalTransition
from walkaway.core.evolve import evolve
from walkaway.store import leases
from walkaway.testing.explorer import World, explore, hunt, unlike
from walkaway.testing.explorer_cast import CASTS, Cast
from walkaway.testing.explorer_faults import FAULTS, Edit, Fault
from walkaway.testing.explorer_memory import Memory

LEAST = {
    "leases": tier(1_500, 20_000),
    "people": tier(1_000, 6_500),
    "orders": tier(800, 22_000),
    "everybody": tier(1_800, 65_000),
}
"""States at least: a change that takes the workers' moves away would find nothing either."""

casts = pytest.mark.parametrize("cast", CASTS, ids=lambda cast: cast.name)


@pytest.mark.timeout(tier(300, 1200))
@casts
def test_no_promise_is_broken_by_anything_that_can_happen(cast: Cast, record_property, capsys) -> None:
    found = explore(cast, tier(cast.check, cast.soak))
    assert found.broken is None, str(found.broken)
    assert found.states >= LEAST[cast.name]
    record_property("explored", str(found))
    if SOAK:
        with capsys.disabled():
            sys.stdout.write(f"\nexplored {found}\n")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.words)
def test_a_planted_bug_is_found(fault: Fault) -> None:
    found = hunt(fault)
    assert found.broken is not None
    assert 0 < len(found.broken.trace) <= found.depth


@casts
def test_states_that_are_visited_as_one_go_on_alike(cast: Cast) -> None:
    assert unlike(cast, tier(3, 5)) == []


def test_a_planted_bug_is_gone_when_its_hunt_is_over() -> None:
    before = leases.ACQUIRE, leases.take, evolve
    for fault in FAULTS:
        with fault.planted():
            pass
    assert (leases.ACQUIRE, leases.take, evolve) == before


def test_a_bug_whose_code_is_no_more_is_an_error() -> None:
    with pytest.raises(LookupError), Edit(leases, "ACQUIRE", "never said", "").made():
        pass


def test_the_database_in_memory_takes_everything_back() -> None:
    memory = Memory()
    memory.run("CREATE TABLE workers (id TEXT PRIMARY KEY)")
    with memory.taken_back():
        memory.clock += 1
        memory.run("INSERT INTO workers VALUES ('a')")
        with pytest.raises(IllegalTransition):
            memory.run("INSERT INTO workers VALUES ('a')")
    with memory.read() as tx:
        assert tx.all("SELECT * FROM workers") == []
    assert memory.now() == Memory().now()


def test_exploring_leaves_the_first_state_as_it_was() -> None:
    world = World()
    first = world.first(CASTS[-1])
    for _, after, wrong in world.after(first):
        assert wrong == []
        assert after.tables is first.tables or after.tables != first.tables
    world.memory.touched.update(first.tables)
    assert world.memory.tables(first.tables) is first.tables
