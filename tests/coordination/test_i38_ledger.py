"""I38 to I40: the ledger is of one piece with the lease, the journal tells all of it, and neither holds a secret."""

import fcntl
import json
import random
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.coordination.audit import ENDS
from tests.coordination.bench import EITHER, TASK, brittle, content, rows, small
from tests.coordination.conftest import NewStage
from tests.coordination.stand import Stand
from tests.tiers import tier
from walkaway import proc
from walkaway.chaos import stage as chaos
from walkaway.chaos.plan import USAGE, Json, Plan
from walkaway.core.errors import LimitReached
from walkaway.core.fleet.order import Order
from walkaway.core.fleet.pause import Control, Pause, Stop
from walkaway.core.fleet.pause import evolve as controlled
from walkaway.core.ids import PROJECT_SCOPE, Scope, WorkerId
from walkaway.core.model import DispatchStatus
from walkaway.engine.result import Progress, RunOptions
from walkaway.identity import me
from walkaway.store import Store, connect, journal, loading
from walkaway.store.codec import event_from_entry
from walkaway.store.driver import Driver
from walkaway.store.fleet import controls
from walkaway.store.replay import fold
from walkaway.testing.fakes import Turn
from walkaway.testing.moments import claimed, fence, pinned, reported, started
from walkaway.testing.store_bench import TTL, W1, W2, milestone, taken
from walkaway.testing.world import Died, Fate, World, dead_identity

LIVE = "('claimed', 'running', 'reported')"
STALE = f"""
SELECT d.id FROM unit_dispatches d JOIN milestone_leases l ON l.project_id = d.project_id AND l.scope = d.scope
WHERE d.status IN {LIVE} AND (d.epoch < l.epoch OR d.fencing_token < l.fencing_token)
"""  # noqa: S608
"""Live rows under an older fence than their milestone's."""

PATIENCE_S = 60.0


# ---- I38 -----------------------------------------------------------------------------------------------------------


def lapse(store: Store) -> None:
    store.driver.skew += TTL + 1


def raise_epoch(store: Store) -> None:
    with store.driver.write() as tx:
        tx.run("UPDATE projects SET fence_epoch = fence_epoch + 1")


WAYS: Mapping[str, Callable[[Store, Scope], object]] = {
    "lapsed": lambda store, _scope: lapse(store),
    "dead": lambda _store, _scope: None,
    "revoked": lambda store, scope: store.revoke(scope, W1, 1),
    "older than a backup": lambda store, _scope: raise_epoch(store),
}


@pytest.mark.parametrize("status", ["claimed", "running", "reported"])
@pytest.mark.parametrize("how", WAYS)
def test_i38_a_take_over_settles_every_live_row_in_its_own_transaction(store: Store, how: str, status: str) -> None:
    scope = milestone(store)
    store.register(W1, dead_identity() if how == "dead" else me())
    lease = taken(store, scope)
    facts = [pinned(), claimed(fence(lease), "plan-milestone", scope), started(), reported()]
    store.commit(lease, facts[: 2 + ("claimed", "running", "reported").index(status)])
    WAYS[how](store, scope)
    before = content(store.driver)

    broken, driver = brittle(store)
    for at in range(1000):
        driver.left = at
        try:
            heir = broken.acquire(scope, W2, TTL)
        except type(driver.error):
            assert content(store.driver) == before, f"broken at statement {at}, half of it happened"
        else:
            break
    assert at > 3
    assert heir is not None
    assert rows(store.driver, STALE) == []
    (row,) = store.snapshot(scope).dispatches.values()
    if status == "reported":
        assert (row.status, row.worker_id, row.fencing_token) == ("reported", W2, heir.fencing_token)
    else:
        assert (row.status, row.failure) == (DispatchStatus.CANCELED, "lease-lost")
    last = store.journal({})[-1]
    assert (last.type, last.epoch, last.fencing_token) == (
        "DispatchAdopted" if status == "reported" else "DispatchCanceled",
        heir.epoch,
        heir.fencing_token,
    )


def halt(stage: Stand, begun: proc.Background) -> None:
    """Stop a worker outside any transaction: others would wait for one that is stopped inside."""
    while True:
        begun.signal(signal.SIGSTOP)
        stage.stopped(begun)
        with open(f"{stage.place.database}-turns") as turns, suppress(BlockingIOError):
            fcntl.flock(turns, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        begun.signal(signal.SIGCONT)


@pytest.mark.parametrize("database", ["sqlite"])
def test_i38_a_worker_stopped_past_its_ttl_finds_its_row_settled_by_whoever_took_over(new_stage: NewStage) -> None:
    stage = new_stage(TASK, slices=1, tasks=1, ttl_s=1.0)
    first = stage.start()
    stage.waits()
    cut = stage.at_work()
    halt(stage, first)
    stage.lapsed()
    stage.open()
    second = stage.start()
    stage.until(lambda: stage.snapshot().dispatches[cut.id].status == "canceled", "it is settled")
    assert rows(stage.store.driver, STALE) == []
    assert second.wait(PATIENCE_S) == 0, second.output()
    first.signal(signal.SIGCONT)
    assert first.wait(PATIENCE_S) is not None
    ended = stage.snapshot().dispatches[cut.id]
    assert (ended.status, ended.failure) == ("canceled", "lease-lost")
    assert {row.fencing_token for row in stage.snapshot().dispatches.values()} == {1, 2}
    # the auditor looked for live rows of an older fence all the while


# ---- I39 -----------------------------------------------------------------------------------------------------------


def untold(driver: Driver, project: str) -> list[str]:
    """What the tables say and the journal does not, or the other way round, at one instant."""
    wrong: list[str] = []
    with driver.read() as tx:
        control = Control()
        for scope in journal.scopes(tx, project):
            entries = journal.entries(tx, project, scope, 0)
            if scope == PROJECT_SCOPE:
                for entry in entries:
                    control = controlled(control, event_from_entry(entry.type, entry.body), entry.at, entry.rev)
                continue
            kept, told = loading.load(tx, project, scope), fold(project, scope, entries)
            if kept.aggregate != told.aggregate:
                wrong.append(f"{scope}: the tables are not what the journal says")
            if {entry.rev for entry in entries} != set(range(1, kept.rev + 1)):
                wrong.append(f"{scope}: a revision without a fact")
        if replace(control, rev=0) != replace(controls.load(tx, project), rev=0):
            wrong.append("the pauses and stops are not what the journal says")
    return wrong


@contextmanager
def compared(url: str, project: str) -> Iterator[list[str]]:
    """Meanwhile journal and tables are compared, as often as can be."""
    over, wrong, looks = threading.Event(), [], []

    def look() -> None:
        store = connect(url, project)
        while not over.wait(0.001):
            wrong.extend(untold(store.driver, project))
            looks.append(1)
        store.close()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield wrong
    finally:
        over.set()
        thread.join()
    assert len(looks) > 3, "nobody looked"


def meddled(world: World, rng: random.Random) -> Callable[[Progress], None]:
    """Let people pause, stop, cancel and say things at random moments of a run."""

    def told(progress: Progress) -> None:
        if progress.kind != "unit" or rng.random() > 0.6:
            return
        store, restriction = world.store, rng.choice([PROJECT_SCOPE, world.scope])
        match rng.randrange(4):
            case 0:
                store.controls.pause(Pause(id=restriction, who="ann", reason="lunch"))
            case 1:
                store.controls.stop(Stop(id=restriction, who="ann"))
            case 2:
                live = world.snapshot().live
                for row in store.overview().workers:
                    body = json.dumps({"dispatch": live.id if live else ""})
                    store.commands.send(Order.CANCEL, body, who="ann", worker=row.id)
            case _:
                heir = WorkerId(f"heir-{rng.random()}")
                store.register(heir, me())
                store.driver.skew += world.ttl_s + 1
                if lease := store.acquire(world.scope, heir, TTL):
                    store.release(lease)
                store.end_worker(heir)

    return told


# a worker that is dead in the simulation has a heartbeat whose thread lives on, until it finds everything gone
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("seed", range(tier(2, 25)))
def test_i39_the_journal_tells_the_tables_at_every_moment_whatever_happens(
    store: Store, store_url: str, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    gives_up = Turn(raises=LimitReached("No report."), files={"x.py": "x"})
    world = World(store, tmp_path / "world", script=small({TASK: [gives_up]}))
    world.on_told = meddled(world, rng)
    with compared(store_url, store.project) as wrong:
        while world.snapshot().milestone.status != "complete":
            resume = next(iter(store.controls.read().pauses), None)
            fate = Fate(rng.randrange(40)) if rng.random() < 0.7 else Fate()
            with suppress(Died):
                world.worker(fate).run(RunOptions(resume=resume))
            store.driver.skew += TTL + 1
            if world.snapshot().blocked_by is not None:
                world.answer("retry")
    assert wrong == []
    assert untold(store.driver, store.project) == []
    by_type = [entry.type for entry in store.journal({}) if entry.scope == world.scope]
    ends = [kind for kind in by_type if kind in ENDS]
    assert by_type.count("DispatchClaimed") == len(ends) == len(world.snapshot().dispatches), "one fact for each move"


@pytest.mark.parametrize("database", EITHER)
def test_i39_the_journal_tells_the_tables_after_kills_pauses_and_cancels_of_real_workers(new_stage: NewStage) -> None:
    stage = new_stage(TASK, milestones=tier(1, 3), slices=1, tasks=1)
    many = tier([], ["--workers", "3"])
    with compared(stage.database, stage.store.project) as wrong:
        auto = stage.start("auto", "--json", *many)
        cancelled = stage.at_work()
        stage.waits()
        stage.walkaway("cancel", "--milestone", "M001")
        paused = stage.at_work(since=cancelled.seq)
        stage.waits()
        stage.walkaway("pause", "--now", "--reason", "lunch")
        assert auto.wait(PATIENCE_S) == 11, auto.output()
        resumed = stage.start("resume", "--json", *many)
        stage.at_work(since=paused.seq)
        resumed.signal(signal.SIGKILL)
        resumed.wait()
        stage.open()
        stage.completes("auto", "--json", *many)
    assert stage.statuses() == ["canceled", "paused", "canceled", "completed"]
    assert wrong == []
    assert untold(stage.store.driver, stage.store.project) == []


# ---- I40 -----------------------------------------------------------------------------------------------------------

KEY = "canary-model-key-0123456789"
TOKEN = "ghp_" + "Canary0123456789" * 2 + "abcd"
PROMPT = "prompt-canary-7f3a9c"
RECORDS = ("events", "runtime_kv", "command_queue", "pause_records", "stop_requests", "workers", "questions")
LEDGER = ("unit_dispatches", "usage", "lease_history", "milestone_leases", "evidence")


@dataclass(slots=True)
class Secretive(Stand):
    """A stage whose model has a key, and whose repository holds a token."""

    def environment(self) -> dict[str, str]:
        found = Stand.environment(self)
        return {**found, chaos._KEY: KEY} if self.model else found

    def specification(self, milestone: str) -> Path:
        spec = Stand.specification(self, milestone)
        spec.write_text(f"{spec.read_text()}\n{PROMPT}\n")
        return spec


def talks(text: str, *tools: Json) -> Json:
    return {"text": text, "tools": list(tools), "usage": USAGE}


def leaks() -> Mapping[str, Sequence[Json]]:
    """A model and a provider that say and show what they should not."""
    return {
        "plan-milestone M001": [{"error": {"status": 429, "message": f"slow down, {KEY}", "retry_after": 0.05}}],
        "plan-slice M001/S01": [{"error": {"status": 401, "message": f"bad key {KEY}, or {TOKEN}"}}],
        TASK: [
            talks(
                f"I was given {KEY} and found {TOKEN}.", {"name": "bash", "args": {"command": "cat secret.txt; env"}}
            ),
            talks(f"{TOKEN} {KEY}", {"name": "bash", "args": {"command": f"echo {KEY} {TOKEN} > /dev/null"}}),
            talks("", {"name": "bash", "args": {"command": f"exit 1 # {KEY} {TOKEN}"}}),
            talks("", {"name": "read", "args": {"path": "secret.txt"}}),
        ],
    }


def test_i40_no_secret_and_no_prompt_is_in_what_is_recorded(tmp_path: Path) -> None:
    checks = json.dumps(["cat secret.txt"])
    stage = Secretive(root=tmp_path / "stage", plan=Plan(slices=1, tasks=1), checks=checks)
    stage.project.mkdir(parents=True)
    (stage.project / "secret.txt").write_text(f"{TOKEN}\n")
    try:
        stage.set_up()
        with stage.playing(leaks()):
            assert stage.start().wait(PATIENCE_S) == 10, "the provider refuses its key"
            stage.walkaway("pause", "--reason", f"because of {TOKEN}")
            member = stage.start("resume", "--json", "--workers", "2")
            assert member.wait(PATIENCE_S) == 0, member.output()
        recorded = content(stage.store.driver)
        for table in (*RECORDS, *LEDGER):
            for row in recorded[table]:
                for canary in (KEY, TOKEN, PROMPT):
                    assert canary not in row, f"{table}: {row}"
        assert any("401" in row for row in recorded["events"]), "what went wrong is recorded"
        state = Path(stage.place.state)
        transcripts = [*state.glob("transcripts/**/*")]
        assert any(PROMPT in path.read_text() for path in transcripts if path.is_file()), "prompts do stand in those"
        logs = [*stage.root.glob("auto*.jsonl"), *Path(stage.place.workers).glob("*"), *state.glob("crashes/*")]
        for path in (*transcripts, *logs):
            if path.is_file():
                said = path.read_text()
                for canary in (KEY, TOKEN, *([] if path in transcripts else [PROMPT])):
                    assert canary not in said, f"{path.name} holds {canary}"
        assert len(logs) >= 2, "there are logs"
        shown = stage.walkaway("log", "--json") + stage.walkaway("status") + stage.walkaway("query")
        assert not [canary for canary in (KEY, TOKEN, PROMPT) if canary in shown]
    finally:
        stage.close()
