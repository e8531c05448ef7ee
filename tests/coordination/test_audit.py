"""The auditor sees what it is for: each of its questions has a violation planted for it."""

from collections.abc import Callable

import pytest

from tests.coordination.audit import EMPTY, Audit, watching
from walkaway.core.fleet.pause import Pause
from walkaway.core.ids import PROJECT_SCOPE, Scope
from walkaway.core.model import Lease
from walkaway.store import Store
from walkaway.testing.moments import claimed, completed, fence, pinned, reported, started
from walkaway.testing.store_bench import TTL, W1, W2, milestone, taken
from walkaway.testing.store_pauses import present

UNDER_WAY = (
    "INSERT INTO unit_dispatches SELECT project_id, scope, 'other', 9, unit, target, 1, status, worker_id, epoch, "
)
REST = "fencing_token, base_sha, '', '', '', '', '', 0, claimed_at, 0, '' FROM unit_dispatches WHERE id = 'd1'"
FACT = (
    "INSERT INTO events SELECT project_id, scope, rev + 1, {i}, at, by_whom, epoch, {token}, {type}, body FROM events "
)
CLAIM = "WHERE type = 'DispatchClaimed'"
ORDER = (
    "INSERT INTO command_queue (project_id, seq, name, body, worker, sent_by, sent_at, status, deliveries, claimed_by) "
)

ASKED = (
    "INSERT INTO questions (project_id, scope, id, unit, reason, text, remedies, options, answer, answered_by, after, "
    "asked_at, answered_at, gate) VALUES ('p', 'M001', {id}, 'u', 'depth', 't', '[\"x\"]', '[]', {said}, 0, 0, 0, "
    "'depth:M001')"
)
PENDING = """'{"question": {"id": "M001-Q1", "gate": "depth:M001"}}'"""

PLANTS: list[tuple[str, tuple[str, ...]]] = [
    (
        "two live dispatches of a unit",
        ("DROP INDEX one_live_dispatch_per_unit", "DROP INDEX one_live_dispatch_per_milestone", UNDER_WAY + REST),
    ),
    (
        "two live dispatches of a milestone",
        ("DROP INDEX one_live_dispatch_per_milestone", (UNDER_WAY + REST).replace("target,", "'M001/S01',")),
    ),
    ("under a fence that is not its lease's", ("UPDATE unit_dispatches SET fencing_token = 7",)),
    ("under a fence that is not its lease's", ("UPDATE milestone_leases SET fencing_token = 2 WHERE scope = 'M001'",)),
    (
        "two open leases",
        (
            "DROP INDEX one_open_lease_per_scope",
            "INSERT INTO lease_history SELECT project_id, scope, epoch, 0, worker_id, 1, 0, '' FROM lease_history",
        ),
    ),
    ("a held lease without its open line", ("UPDATE lease_history SET ended_how = 'released', ended_at = 9e12",)),
    ("an open line of history without", ("UPDATE milestone_leases SET status = 'released'",)),
    ("a lease older than one in its history", ("UPDATE lease_history SET fencing_token = 9",)),
    ("ended before it began", ("UPDATE lease_history SET ended_how = 'revoked', ended_at = 1",)),
    ("a worker that is entered as ended", ("UPDATE workers SET status = 'crashed'",)),
    (
        "a dispatch that ended without a time",
        ("UPDATE unit_dispatches SET status = 'canceled', failure = 'cancelled'",),
    ),
    ("a live dispatch with an end", ("UPDATE unit_dispatches SET ended_at = 9e12",)),
    ("a gap in the facts", ("UPDATE events SET i = i + 5",)),
    ("a fact of a revision that is not reached", ("UPDATE events SET rev = rev + 90",)),
    ("an order that was done by nobody", (ORDER + "VALUES ('p', 1, 'x', '', '', '', 0, 'done', 0, 'w1')",)),
    ("an order that waits and has a claimer", (ORDER + "VALUES ('p', 1, 'x', '', '', '', 0, 'waiting', 1, 'w1')",)),
    (
        "two askings of one gate that wait",
        (
            "DROP INDEX one_pending_gate",
            *(ASKED.format(id=f"'M001-Q{n}'", said="'', ''") for n in (1, 2)),
        ),
    ),
    (
        "a gate that was answered by no person",
        (ASKED.format(id="'M001-Q1'", said="'confirm', 'the policy'"),),
    ),
    (
        "it was claimed while M001-Q1 waits at a gate",
        (
            "UPDATE milestone_leases SET rev = rev + 2 WHERE scope = 'M001'",
            FACT.format(i=0, token="fencing_token", type="type").replace("rev + 1", "rev + 2") + CLAIM,
            FACT.format(i=0, token="fencing_token", type="'QuestionRaised'").replace("body FROM", PENDING + " FROM")
            + CLAIM
            + " AND rev < 5",
        ),
    ),
    (
        "DispatchClaimed by w1: d1 was claimed",
        (
            "UPDATE milestone_leases SET rev = rev + 1 WHERE scope = 'M001'",
            FACT.format(i=0, token="fencing_token", type="type") + CLAIM,
        ),
    ),
    (
        "written under fence (1, -1) after one under (1, 1)",
        (
            "UPDATE milestone_leases SET rev = rev + 1 WHERE scope = 'M001'",
            FACT.format(i=0, token=-1, type="'PolicyChanged'").replace("epoch,", "1,") + CLAIM,
        ),
    ),
    ("is running, and by the journal claimed", ("UPDATE unit_dispatches SET status = 'running'",)),
    ("in the journal and nowhere else", ("DELETE FROM unit_dispatches",)),
    ("the pauses kept", ("DELETE FROM pause_records",)),
    ("its fence fell", ("UPDATE milestone_leases SET fencing_token = 0 WHERE scope = 'M001'",)),
    ("its clock or revision went back", ("UPDATE milestone_leases SET clock = 1 WHERE scope = 'M001'",)),
]


def planted(store: Store) -> Lease:
    """A milestone that is held, a unit of it claimed, and all of it paused."""
    scope = milestone(store)
    present(store, W1, W2)
    lease = taken(store, scope)
    store.commit(lease, [pinned()])
    store.commit(lease, [claimed(fence(lease), "plan-milestone", scope)])
    store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
    return lease


def found(audit: Audit, what: str) -> list[str]:
    return [wrong for wrong in audit.look() if what in wrong]


@pytest.mark.parametrize(("what", "how"), PLANTS, ids=[f"{n}-{what}" for n, (what, _) in enumerate(PLANTS)])
def test_what_must_never_be_so_is_seen(store: Store, what: str, how: tuple[str, ...]) -> None:
    planted(store)
    audit = Audit(store.driver)
    assert audit.look() == []
    with store.driver.write() as tx:
        for statement in how:
            tx.run(statement)
    assert found(audit, what)


def test_there_is_a_plant_for_every_query() -> None:
    assert [query for query in EMPTY if not any(what in query for what, _ in PLANTS)] == []


CHANGES: list[tuple[str, str, Callable[[Store, Lease], object]]] = [
    (
        "dispatch d1 was",
        "UPDATE unit_dispatches SET ended_at = ended_at + 1",
        lambda s, lease: s.commit(lease, [started(), reported(), completed()]),
    ),
    (
        "order 1 was",
        "UPDATE command_queue SET result = 'otherwise'",
        lambda s, _: s.commands.claim(W1, TTL) and s.commands.complete(1, W1, "so"),
    ),
    (
        "order 1 was w1's and w2 completed it",
        "UPDATE command_queue SET status = 'done', claimed_by = 'w2'",
        lambda s, _: s.commands.claim(W1, TTL),
    ),
    (
        "order 1 was delivered 1 times, and now 0",
        "UPDATE command_queue SET deliveries = 0",
        lambda s, _: s.commands.claim(W1, TTL),
    ),
]


@pytest.mark.parametrize(("what", "how", "first"), CHANGES, ids=[what for what, _, _ in CHANGES])
def test_what_was_final_and_changes_is_seen(
    store: Store, what: str, how: str, first: Callable[[Store, Lease], object]
) -> None:
    lease = planted(store)
    store.commands.send("wake", "{}", who="ann")
    first(store, lease)
    audit = Audit(store.driver)
    assert audit.look() == []
    with store.driver.write() as tx:
        tx.run(how)
    assert found(audit, what)


def test_the_process_tells_what_it_saw_even_if_it_is_so_no_more(store: Store, store_url: str) -> None:
    planted(store)
    with watching(store_url) as seen, watching(store_url) as calm:
        with store.driver.write() as tx:
            tx.run("UPDATE unit_dispatches SET fencing_token = 7")
        seen.until_told()
        with store.driver.write() as tx:
            tx.run("UPDATE unit_dispatches SET fencing_token = 1")
    assert any("under a fence" in wrong for wrong in seen.wrong)
    assert seen.looks
    assert calm.looks


def test_a_calm_life_of_a_milestone_has_nothing_wrong(store: Store, store_url: str) -> None:
    with watching(store_url) as seen:
        lease = planted(store)
        store.commit(lease, [started(), reported()])
        store.driver.skew += TTL + 1
        heir = taken(store, Scope(lease.scope), W2)
        store.commit(heir, [completed()])
        store.release(heir)
    assert (seen.wrong, seen.looks > 0) == ([], True)
