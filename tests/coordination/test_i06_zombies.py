"""I6, I7, I8, I15: a worker that was replaced does nothing that counts, one that was not goes on; real processes."""

import json
import signal

import pytest

from tests.coordination.conftest import NewStage
from tests.coordination.stand import TASK, Stand, lives, soon
from tests.tiers import tier
from walkaway.core.fleet.order import Order
from walkaway.core.ids import WorkerId

TTL_S = 1.0


def stopped_at_work(new_stage: NewStage) -> tuple[Stand, object]:
    """A worker stopped while its agent waits in a command."""
    stage = new_stage(TASK, ttl_s=TTL_S, tasks=1)
    old = stage.start()
    stage.at_work()
    stage.waits()
    old.signal(signal.SIGSTOP)
    stage.stopped(old)
    return stage, old


def test_i06_a_worker_stopped_for_three_ttls_and_replaced_writes_no_row_and_no_ref(new_stage: NewStage) -> None:
    stage, old = stopped_at_work(new_stage)
    (holder,) = [w.id for w in stage.store.overview().workers]
    until = stage.store.now() + 3 * TTL_S
    stage.until(lambda: stage.store.now() > until, "three TTLs have passed")
    stage.open()
    stage.completes()
    heir_took = max(h.acquired_at for h in stage.store.lease_history(stage.snapshot().scope))
    refs = stage.refs()

    old.signal(signal.SIGCONT)
    assert old.wait(30) is not None

    late = [e for e in stage.journal() if e.by == holder and e.at > heir_took]
    assert late == []
    assert stage.refs() == refs
    stage.all_is_well()


def test_i06_a_worker_stopped_that_nobody_replaced_renews_and_ends_the_same_dispatch(new_stage: NewStage) -> None:
    stage, old = stopped_at_work(new_stage)
    (run,) = stage.runs()
    stage.lapsed()
    stage.set_free()
    old.signal(signal.SIGCONT)
    assert old.wait(60) == 0
    assert [(d.id, d.status) for d in stage.runs()] == [(run.id, "completed")]
    stage.all_is_well()


@pytest.mark.parametrize(
    "point", tier(["git update-ref"], ["git update-ref", "commit:DispatchReported", "commit:DispatchCompleted"])
)
def test_i06_whatever_a_replaced_worker_was_about_to_write_is_refused_or_its_own(
    new_stage: NewStage, point: str
) -> None:
    stage = new_stage(ttl_s=TTL_S, tasks=1)
    nth = 3 if point.startswith("commit") else 2
    old = stage.fated(f"before {point} {nth} {int(signal.SIGSTOP)}")
    stage.stopped(old)
    stage.lapsed()
    stage.completes()
    line, tip = stage.refs()["refs/walkaway/M001"], stage.refs()["refs/heads/main"]
    old.signal(signal.SIGCONT)
    assert old.wait(30) is not None
    assert stage.refs()["refs/walkaway/M001"] == line
    assert stage.refs()["refs/heads/main"] == tip
    stage.all_is_well()


def test_i07_a_unit_of_ten_ttls_keeps_its_lease_under_load(new_stage: NewStage) -> None:
    stage = new_stage(TASK, ttl_s=0.5, tasks=1)
    begun = stage.start()
    stage.at_work()
    stage.waits()
    load = stage.start("query", log="load")
    since, renewed = stage.store.now(), set()

    def ten() -> bool:
        renewed.add(stage.lease()["renewed_at"])
        return stage.store.now() - since > 10 * 0.5

    stage.until(ten, "ten TTLs have passed")
    load.wait(10)
    assert len(renewed) >= 20
    assert stage.lease()["fencing_token"] == 1
    assert stage.run("auto", "--json").exit_code == 10, "nobody takes it over"
    stage.set_free()
    assert begun.wait(60) == 0
    stage.all_is_well()


def test_i08_a_worker_that_lost_its_lease_ends_its_unit_and_its_processes(new_stage: NewStage) -> None:
    stage = new_stage(TASK, ttl_s=TTL_S, tasks=1)
    old = stage.start()
    run = stage.at_work()
    command = stage.waits()
    lease = stage.lease()
    assert stage.store.revoke(stage.snapshot().scope, WorkerId(run.worker_id), int(lease["fencing_token"]))
    took = soon(lambda: not lives(command), "the agent's command is ended", TTL_S / 3 + 3)
    assert took < TTL_S / 3 + 2, "within one renewal interval, and the time to end a process"
    stage.open()
    assert old.wait(60) == 0, "it looks at the project anew, and takes the milestone again"
    assert stage.statuses() == ["canceled", "completed"]
    assert stage.runs()[0].failure == "lease-lost"


def test_i15_a_cancellation_is_answered_and_its_dispatch_ends_canceled(new_stage: NewStage) -> None:
    stage = new_stage(TASK, ttl_s=TTL_S, tasks=1)
    begun = stage.start()
    run = stage.at_work()
    command = stage.waits()
    stage.open()
    assert "was cancelled" in stage.walkaway("cancel")
    assert stage.runs()[0].status == "canceled"
    assert not lives(command)
    assert begun.wait(60) == 0
    assert [(d.status, d.attempt) for d in stage.runs()] == [("canceled", 1), ("completed", 1)]
    assert run.id == stage.runs()[0].id


def test_i15_a_cancellation_whose_worker_dies_is_settled_by_the_next(new_stage: NewStage) -> None:
    stage = new_stage(TASK, ttl_s=TTL_S, tasks=1)
    begun = stage.start()
    run = stage.at_work()
    stage.waits()
    begun.signal(signal.SIGSTOP)
    stage.stopped(begun)
    seq = stage.store.commands.send(
        Order.CANCEL, json.dumps({"dispatch": run.id}), who="ann", worker=WorkerId(run.worker_id)
    )
    stage.kill(begun)
    stage.open()
    stage.completes()
    assert stage.store.commands.find([seq])[0].status == "dead"
    assert stage.statuses() == ["canceled", "completed"]
    stage.all_is_well()
