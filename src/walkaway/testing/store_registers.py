"""Conformance of the registers: numbers, facts from several milestones, journal and tables. Wants ``store``."""

import pytest

from walkaway.core.errors import IllegalTransition, LeaseLost, StaleSnapshot
from walkaway.core.ids import PROJECT_SCOPE
from walkaway.core.model import Seen
from walkaway.core.registers.facts import (
    DecisionMade,
    MemoriesUsed,
    MemoryForgotten,
    MemoryKept,
    RegisterEvent,
    RequirementAdded,
    RequirementChanged,
)
from walkaway.core.registers.model import Decision, Glance, Memory, RegisterKind, Requirement
from walkaway.store import Store
from walkaway.store.replay import registers as told
from walkaway.testing.moments import claimed, fence, pinned
from walkaway.testing.store_bench import W1, W2, assert_consistent, begun, milestone, taken, together


def made(name: str = "D001", supersedes: str = "") -> DecisionMade:
    return DecisionMade(decision=Decision(id=name, topic="t", decision="Format", choice="CSV", supersedes=supersedes))


def required(name: str = "R001") -> RequirementAdded:
    return RequirementAdded(requirement=Requirement(id=name, kind="constraint", description="Be fast.", source="user"))


def kept(name: str = "MEM001") -> MemoryKept:
    return MemoryKept(memory=Memory(id=name, category="gotcha", content="Mind the gap.", source="ann"))


EACH: tuple[RegisterEvent, ...] = (
    made(),
    made("D002", supersedes="D001"),
    required(),
    RequirementChanged(id="R001", owner="M001/S01", supporting=("M001/S02",)),
    kept(),
    MemoriesUsed(memories=("MEM001", "MEM001")),
    MemoryForgotten(memory="MEM001", why="It is mended."),
)


def assert_told(store: Store) -> None:
    """The journal of the whole project tells of the registers that the tables hold."""
    present, journal = store.registers(), told(store.journal({}))
    assert (journal.facts, journal.decisions, journal.requirements, journal.memories) == (
        present.facts,
        present.decisions,
        present.requirements,
        present.memories,
    )


class TestRegisters:
    def test_numbers_are_never_given_twice(self, store: Store) -> None:
        milestone(store)
        given: list[str] = []
        together(8, lambda: given.append(store.reserve(RegisterKind.DECISION)))
        assert sorted(given) == [f"D{n:03}" for n in range(1, 9)]
        assert store.reserve(RegisterKind.MEMORY) == "MEM001"

    def test_each_fact_is_in_the_tables_as_in_the_journal(self, store: Store) -> None:
        scope, lease = begun(store)
        for event in EACH:
            store.commit(lease, [event])
            assert_told(store)
        r = store.registers()
        assert [d.id for d in r.current()] == ["D002"]
        assert r.decisions["D001"].superseded_by == "D002"
        assert r.requirements["R001"].owner == "M001/S01"
        assert (r.memories["MEM001"].hits, r.memories["MEM001"].forgotten) == (1, "It is mended.")
        assert_consistent(store, scope)

    def test_in_short_they_are_what_they_are_at_length(self, store: Store) -> None:
        lease = taken(store, milestone(store))
        assert store.registers_at_a_glance() == Glance(requirements={}, decisions=())
        store.commit(lease, [made(), *(made(f"D{n:03}") for n in range(998, 1003)), made("D1003", supersedes="D1002")])
        changed = RequirementChanged(id="R002", status="validated", validation="Seen.")
        store.commit(lease, [required(), required("R002"), required("R003"), changed])
        glance, whole = store.registers_at_a_glance(), store.registers()
        assert glance.requirements == {"active": 2, "validated": 1}
        assert [d.id for d in glance.decisions] == ["D1003", "D1001", "D1000", "D999", "D998"]
        assert all(whole.decisions[d.id] == d for d in glance.decisions)

    def test_they_are_written_with_the_facts_of_a_milestone_or_not_at_all(self, store: Store) -> None:
        scope = milestone(store)
        lease = taken(store, scope)
        with pytest.raises(IllegalTransition):
            store.commit(lease, [made(), claimed(fence(lease), "plan-milestone", "M999", "d1")])
        assert store.registers().decisions == {}
        store.commit(lease, [made(), pinned()])
        assert [*store.registers().decisions] == ["D001"]
        assert_consistent(store, scope)

    def test_who_lost_the_lease_writes_nothing(self, store: Store) -> None:
        scope = milestone(store)
        old = taken(store, scope)
        store.driver.skew += 61
        taken(store, scope, W2)
        with pytest.raises(LeaseLost):
            store.commit(old, [kept()])
        assert store.registers().memories == {}

    def test_a_person_writes_without_any_milestone_what_was_on_the_screen(self, store: Store) -> None:
        seen = Seen(project=store.project, scope=PROJECT_SCOPE, rev=store.registers().rev, who="ann")
        store.commit(seen, [required()])
        with pytest.raises(StaleSnapshot):
            store.commit(seen, [required("R002")])
        assert [*store.registers().requirements] == ["R001"]
        assert [e.by for e in store.journal({}) if e.type == "RequirementAdded"] == ["ann"]
        assert_told(store)

    def test_a_fact_of_a_milestone_cannot_be_written_to_the_project(self, store: Store) -> None:
        seen = Seen(project=store.project, scope=PROJECT_SCOPE, rev=store.registers().rev, who="ann")
        with pytest.raises(IllegalTransition):
            store.commit(seen, [required(), pinned()])
        assert store.registers().requirements == {}

    def test_milestones_that_write_at_once_lose_nothing_of_each_other(self, store: Store) -> None:
        first, second = taken(store, milestone(store), W1), taken(store, milestone(store), W2)
        store.commit(first, [required()])
        changes = [
            (first, RequirementChanged(id="R001", owner="M001/S01")),
            (second, RequirementChanged(id="R001", validation="A test shows it.")),
        ]

        def write() -> None:
            lease, event = changes.pop()
            store.commit(lease, [event])

        together(2, write)
        r = store.registers().requirements["R001"]
        assert (r.owner, r.validation) == ("M001/S01", "A test shows it.")
        assert_told(store)

    def test_the_same_number_twice_is_refused(self, store: Store) -> None:
        lease = taken(store, milestone(store))
        store.commit(lease, [made()])
        with pytest.raises(IllegalTransition):
            store.commit(lease, [made()])
