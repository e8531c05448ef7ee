"""A worker that was replaced wakes up: nothing of it counts."""

import threading

import pytest

from tests.engine.conftest import NewWorld
from walkaway.core.brief import ModelCall
from walkaway.core.errors import ProviderDown, StoreUnavailable
from walkaway.core.model import Result
from walkaway.engine.result import Ended, RunOptions, Status
from walkaway.testing.fakes import Files, Turn
from walkaway.testing.world import Died, Fate, Scripted, World, good_report

TASK = "execute-task M001/S01/T01"


def wakes_late(world: World, heir: list[Ended]) -> Turn:
    """A turn in the middle of which the lease lapses and another worker takes over; then the first one wakes."""
    return Turn(
        reports=[good_report(*TASK.split(" "))],
        files={"zombie.py": "boo\n"},
        meanwhile=lambda: heir.append(world.run_when_lapsed()),
    )


def test_what_a_replaced_worker_does_is_refused_and_leaves_no_trace_on_the_line(new_world: NewWorld) -> None:
    calm = new_world()
    calm.run()
    world = new_world()
    heir: list[Ended] = []
    world.script = Scripted({TASK: [wakes_late(world, heir)]})

    zombie = world.run()

    assert heir[0].status is Status.COMPLETE
    assert zombie.units == 2, "what it had done before"
    assert (zombie.status, zombie.commits) == (Status.COMPLETE, ()), "it looked anew and found everything done"
    assert world.facts() == calm.facts()
    assert world.runs[TASK] == 2
    runs = [d for d in world.snapshot().dispatches.values() if str(d.key) == TASK]
    assert [(d.status, d.failure, d.attempt) for d in runs] == [("canceled", "lease-lost", 1), ("completed", "", 1)]
    assert runs[0].fencing_token < runs[1].fencing_token
    line = world.workspace.history(world.workspace.refs["refs/walkaway/M001"])
    assert not any("zombie.py" in commit.files for commit in line)


def test_a_replaced_worker_works_in_a_directory_of_its_own(new_world: NewWorld) -> None:
    world = new_world()
    heir: list[Ended] = []
    seen: list[Files] = []
    world.script = Scripted(
        {
            TASK: [
                wakes_late(world, heir),
                Turn(
                    reports=[good_report(*TASK.split(" "))],
                    meanwhile=lambda: seen.append({p: str(sorted(f)) for p, f in world.workspace.directories.items()}),
                ),
            ]
        }
    )

    world.run()

    assert sorted(seen[0]) == ["/worktrees/M001.f2"], "the heir has its own, and has given the old one back"


def test_a_worker_that_was_replaced_names_who_replaced_it(new_world: NewWorld) -> None:
    world = new_world()
    turn = Turn(reports=[good_report(*TASK.split(" "))], meanwhile=world.take_over)
    world.script = Scripted({TASK: [turn]})

    ended = world.run()

    assert ended.status is Status.BLOCKED
    assert "worker the-heir" in ended.detail
    assert world.store.holder(world.scope) == "the-heir", "it does not give back what it does not have"


def test_work_that_is_sealed_too_late_is_a_commit_that_nobody_refers_to(new_world: NewWorld) -> None:
    world = new_world()
    taken: list[str] = []

    def before(name: str) -> None:
        if name == "seal" and world.runs.get(TASK) and not taken:
            taken.append(world.take_over())

    assert world.run(fate=Fate(before=before)).status is Status.BLOCKED

    late = next(c.sha for c in world.workspace.commits.values() if f"Walkaway-Unit: {TASK}" in c.message)
    assert not world.workspace.kept(late)
    assert [d.status for d in world.snapshot().dispatches.values() if str(d.key) == TASK] == ["canceled"]


def test_a_replaced_worker_pays_for_no_further_model_call(new_world: NewWorld) -> None:
    world = new_world(ttl_s=0.5)
    gone = threading.Event()
    world.on_told = lambda p: gone.set() if p.kind == "note" else None
    call = ModelCall(model="fake", input_tokens=1, output_tokens=1, usd=0.01)

    def replaced() -> None:
        world.take_over()
        assert gone.wait(30)

    world.script = Scripted({TASK: [Turn(calls=[call] * 5, meanwhile=replaced)]})

    assert world.run().usage.calls == 3, "two units before, and one call of this one"


def test_the_agent_of_a_replaced_worker_is_cancelled_by_the_next_beat(new_world: NewWorld) -> None:
    world = new_world(ttl_s=0.5)
    world.script = Scripted({TASK: [Turn(meanwhile=world.take_over, until_cancelled=True)]})

    ended = world.run()

    assert ended.status is Status.BLOCKED
    assert world.agents[-1].cancels == 1
    assert [d.status for d in world.snapshot().dispatches.values() if str(d.key) == TASK] == ["canceled"]


def test_a_check_of_a_replaced_worker_is_ended_by_the_next_beat(new_world: NewWorld) -> None:
    world = new_world(ttl_s=0.5)
    world.verifier.hangs = {"slow"}
    world.verifier.known["slow"] = Result.PASS
    world.verifier.discovered = ("test", "slow")
    world.policy = world.policy.__class__(checks_timeout_s=600.0)

    def test(_files: Files) -> Result:
        world.take_over()
        return Result.PASS

    world.verifier.known["test"] = test

    assert world.run().status is Status.BLOCKED
    assert [e.command for e in world.snapshot().evidence.values()] in ([], ["test"])


def test_a_wait_of_a_replaced_worker_ends(new_world: NewWorld) -> None:
    world = new_world(ttl_s=0.5, script=Scripted({TASK: [Turn(raises=ProviderDown("429", retry_after=900.0))]}))
    world.on_told = lambda p: p.kind == "wait" and world.take_over()

    assert world.run().status is Status.BLOCKED
    assert world.runs[TASK] == 1


def test_a_worker_that_vanished_without_proof_is_replaced_only_when_its_lease_lapses(new_world: NewWorld) -> None:
    world = new_world()
    fate = Fate()
    world.script = Scripted({TASK: [Turn(meanwhile=fate.strike)]})
    with pytest.raises(Died):
        world.worker(fate, proven=False).run(RunOptions())

    assert world.run().status is Status.BLOCKED

    assert world.run_when_lapsed().status is Status.COMPLETE
    assert world.runs[TASK] == 2


def test_a_database_that_stays_away_ends_the_run_and_the_next_one_goes_on(new_world: NewWorld) -> None:
    world = new_world(ttl_s=0.5)
    away = threading.Event()

    def before(name: str) -> None:
        if away.is_set() and name in {"commit", "spend", "acquire", "release", "end_worker"}:
            raise StoreUnavailable("The database is away.")

    world.script = Scripted({TASK: [Turn(reports=[good_report(*TASK.split(" "))], meanwhile=away.set)]})
    with pytest.raises(StoreUnavailable):
        world.run(fate=Fate(before=before))

    assert world.run().status is Status.COMPLETE
    assert [d.attempt for d in world.snapshot().dispatches.values() if str(d.key) == TASK] == [1, 1]
