"""I23, I24: without its database nothing begins, nothing is guessed from files, and no agent runs without a claim."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.coordination.bench import (
    PROJECT,
    TASK,
    Brittle,
    Thrown,
    brittle,
    done,
    remounted,
    requests,
    result,
    small,
    small_disk,
)
from tests.tiers import tier
from walkaway.chaos.plan import Plan
from walkaway.chaos.stage import Stage
from walkaway.core.brief import Brief
from walkaway.core.errors import StoreUnavailable, WalkawayError
from walkaway.core.events import DispatchClaimed, Event
from walkaway.core.model import Authority, DispatchStatus, Snapshot
from walkaway.engine.result import RunOptions, Status
from walkaway.store import Store, create, sqlite
from walkaway.store.sqlite import SqliteDriver
from walkaway.testing.fakes import Turn
from walkaway.testing.world import World, one_slice

LIES = "# STATE\n\nM001 is complete. Every task is done. Next: nothing.\n"


def refused(stage: Stage, what: str) -> None:
    """No unit begins, it is said in a sentence, and nothing is told of a state that nobody can read."""
    asked = requests(stage)
    ran = stage.run("auto", "--json")
    assert ran.exit_code == 10, (what, ran)
    told = result(ran.output)
    assert (told["status"], told["exit_code"], told["units"], told["commits"]) == ("blocked", 10, 0, []), what
    lines = ran.stderr.splitlines()
    assert any(line.startswith("walkaway: The") for line in lines), (what, lines)
    assert all(line.startswith("walkaway: ") and line.endswith(".") for line in lines), (what, lines)
    assert requests(stage) == asked, what
    assert not Path(stage.place.worktrees).exists() or os.listdir(stage.place.worktrees) == [], what
    for look in tier(["query"], ["query", "status", "units", "log"]):
        seen = stage.run(look)
        assert (seen.exit_code, seen.output) == (10, ""), (what, look)


def goes_on(stage: Stage, before: str) -> None:
    assert stage.walkaway("query") == before, "nothing was changed, and nothing was inferred"
    assert stage.run("auto", "--json").exit_code == 0
    assert "M001" in stage.git("log", "-1", "--format=%s", "main")


@pytest.fixture
def lying(tmp_path: Path) -> Callable[..., Stage]:
    """A stage whose printed files say that everything is done."""

    def make(url: str) -> Stage:
        stage = Stage(root=tmp_path / "stage", plan=Plan(slices=1, tasks=1), url=url)
        stage.root.mkdir()
        stage.set_up()
        view = Path(stage.place.view)
        view.mkdir(exist_ok=True)
        for name in ("STATE.md", "M001.md", "state.json"):
            (view / name).write_text(LIES)
        return stage

    return make


# ---- I23 -----------------------------------------------------------------------------------------------------------


@contextmanager
def fouled(path: Path, text: bytes | None) -> Iterator[None]:
    """The file is other than it was (None: away) for a while."""
    whole = path.read_bytes()
    path.unlink()
    if text is not None:
        path.write_bytes(text)
    yield
    path.write_bytes(whole)


def fill(disk: Path) -> Path:
    """Write until nothing more fits."""
    filler = disk / "filler"
    with closing(os.fdopen(os.open(filler, os.O_CREAT | os.O_WRONLY), "wb", buffering=0)) as sink:
        for size in (65536, 512):
            try:
                while True:
                    sink.write(b"x" * size)
            except OSError:
                continue
    return filler


def test_i23_a_sqlite_file_that_is_missing_damaged_read_only_or_full_starts_no_unit(
    lying: Callable[..., Stage], tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        path = disk / "state.db"
        stage = lying(f"sqlite:///{path}")
        try:
            with stage.playing():
                before = stage.walkaway("query")
                whole = path.read_bytes()
                fouls = {
                    "missing": None,
                    "empty": b"",
                    "its header is damaged": b"not a database.." + whole[16:],
                    "damaged in the middle": whole[:4096] + os.urandom(len(whole) - 4096),
                }
                for what, text in fouls.items():
                    with fouled(path, text):
                        refused(stage, what)
                assert remounted(disk, "ro")
                refused(stage, "read-only")
                assert remounted(disk, "rw")
                filler = fill(disk)
                ran = stage.run("auto", "--json")
                assert (ran.exit_code, requests(stage)) == (10, 0)
                assert "cannot be used" in ran.stderr
                filler.unlink()
                goes_on(stage, before)
        finally:
            stage.end()


def test_i23_a_postgres_database_that_is_gone_read_only_or_locked_starts_no_unit(
    lying: Callable[..., Stage], postgres_database: str
) -> None:
    url = postgres_database
    name = url.partition("?")[0].rpartition("/")[2]
    server = url.replace(f"/{name}?", "/postgres?")
    stage = lying(url)
    try:
        with stage.playing(), psycopg.connect(server, autocommit=True) as admin:

            def say(words: str) -> None:
                admin.execute(words.format(name).encode())

            before = stage.walkaway("query")
            say("ALTER DATABASE {} RENAME TO elsewhere")
            refused(stage, "gone")
            say("ALTER DATABASE elsewhere RENAME TO {}")

            say("ALTER DATABASE {} SET default_transaction_read_only = on")
            ran = stage.run("auto", "--json")
            assert (ran.exit_code, requests(stage)) == (10, 0)
            assert "read-only" in ran.stderr
            say("ALTER DATABASE {} RESET default_transaction_read_only")

            say("ALTER DATABASE {} SET lock_timeout = '200ms'")
            with psycopg.connect(url) as holder:
                holder.execute("LOCK TABLE milestone_leases, workers, events IN ACCESS EXCLUSIVE MODE")
                refused(stage, "locked")
            say("ALTER DATABASE {} RESET lock_timeout")
            goes_on(stage, before)
    finally:
        stage.end()


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[World]:
    """A world on SQLite whose writers wait a fifth of a second for others."""
    path = tmp_path / "db" / "state.db"
    create(f"sqlite://{path}", PROJECT).close()
    store = Store(SqliteDriver(str(path), busy_s=0.2), PROJECT)
    yield World(store, tmp_path / "state", script=small({}))
    store.close()


def locked(world: World) -> "sqlite.sqlite3.Connection":
    """Another process's transaction, which does not end."""
    path = world.store.driver._path
    holder = sqlite.sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN EXCLUSIVE")
    return holder


def test_i23_a_database_that_stays_locked_starts_no_unit(impatient: World) -> None:
    holder = locked(impatient)
    with pytest.raises(StoreUnavailable, match=r"locked.*\."):
        impatient.run()
    assert impatient.briefs == []
    holder.execute("ROLLBACK")
    holder.close()
    assert impatient.run().status is Status.COMPLETE


def test_i23_a_database_whose_queue_does_not_move_starts_no_unit(impatient: World) -> None:
    with open(f"{impatient.store.driver._path}-turns") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        with pytest.raises(StoreUnavailable, match=r"busy.*\."):
            impatient.run()
    assert impatient.briefs == []
    assert impatient.run().status is Status.COMPLETE


def test_i23_a_database_that_fails_in_the_middle_of_a_run_starts_no_further_unit(impatient: World) -> None:
    holders: list[sqlite.sqlite3.Connection] = []
    impatient.script = small({TASK: [done(meanwhile=lambda: holders.append(locked(impatient)))]})
    with pytest.raises(StoreUnavailable):
        impatient.run()
    assert [brief.unit for brief in impatient.briefs][-1] == TASK
    begun = len(impatient.briefs)
    with pytest.raises(StoreUnavailable):
        impatient.run()
    assert len(impatient.briefs) == begun
    holders[0].execute("ROLLBACK")
    holders[0].close()
    again = impatient.worker()
    impatient.store.driver.skew += impatient.ttl_s + 1  # the first one is of this very process: no proof of its death
    assert again.run(RunOptions()).status is Status.COMPLETE


@pytest.mark.soak
def test_i23_a_process_that_waits_for_the_lock_longer_than_it_may_says_so_and_starts_nothing(
    lying: Callable[..., Stage],
) -> None:
    stage = lying("")
    try:
        with stage.playing():
            before = stage.walkaway("query")
            holder = sqlite.sqlite3.connect(stage.place.database, isolation_level=None)
            holder.execute("BEGIN EXCLUSIVE")
            ran = stage.run("auto", "--json")
            assert (ran.exit_code, requests(stage)) == (10, 0)
            assert "locked" in ran.stderr
            holder.execute("ROLLBACK")
            holder.close()
            goes_on(stage, before)
    finally:
        stage.end()


# ---- I24 -----------------------------------------------------------------------------------------------------------


class Claims(Store):
    """A store whose driver breaks at the nth statement of a claim of a task."""

    brittle: Brittle
    at: int | None = None
    before: Callable[[], object] = staticmethod(lambda: None)
    claims = 0

    def commit(self, by: Authority, events: Sequence[Event], **how: object) -> Snapshot:
        claim = next((e for e in events if isinstance(e, DispatchClaimed)), None)
        if claim is None or f"{claim.unit} {claim.target}" != TASK:
            return super().commit(by, events, **how)
        self.claims += 1
        self.before()
        self.brittle.left, self.at = self.at, None
        try:
            return super().commit(by, events, **how)
        finally:
            self.brittle.left = None


def in_the_ledger(world: World) -> Callable[[Brief], Turn]:
    """An agent that looks whether its run stands in the ledger, in its worker's name, before it does anything."""

    def script(brief: Brief) -> Turn:
        live = world.snapshot().live
        assert live is not None, f"{brief.unit} runs without a row"
        assert (str(live.key), live.status) == (brief.unit, DispatchStatus.RUNNING)
        assert live.worker_id == world.store.holder(world.scope)
        return one_slice(brief)

    return script


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def claims(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world whose claims break."""
    url = f"sqlite://{tmp_path}/db/state.db" if request.param == "sqlite" else ""
    made = create(url or request.getfixturevalue("postgres_database"), PROJECT, synchronous="NORMAL")
    _, driver = brittle(made)
    store = Claims(driver, PROJECT)
    store.brittle = driver
    world = World(store, tmp_path / "state")
    world.script = in_the_ledger(world)
    yield world
    made.close()


def test_i24_whatever_breaks_in_a_claim_the_agent_is_not_begun_without_a_row(claims: World) -> None:
    store = claims.store
    claims.run(RunOptions(units=2))
    errors = (StoreUnavailable("It broke."), Thrown("A defect."), KeyboardInterrupt())
    steps = 0
    while not claims.runs.get(TASK):
        store.at, store.brittle.error = steps, errors[steps % len(errors)]
        before = claims.snapshot().dispatches
        try:
            claims.run(RunOptions(units=1))
        except (WalkawayError, Thrown, KeyboardInterrupt):
            assert claims.snapshot().dispatches == before, f"a claim broken at statement {steps} left a row"
            assert claims.runs.get(TASK, 0) == 0, f"a claim broken at statement {steps} let the agent begin"
            steps += 1
    assert steps == store.claims - 1 > 4, "each statement was broken once, and then none"
    assert [d.status for d in claims.snapshot().dispatches.values() if str(d.key) == TASK] == ["completed"]
    assert claims.run().status is Status.COMPLETE


def test_i24_a_claim_that_is_refused_begins_no_agent(claims: World) -> None:
    claims.run(RunOptions(units=2))
    claims.store.before = claims.take_over
    assert claims.run().status is Status.BLOCKED
    assert claims.store.claims == 1
    assert claims.runs.get(TASK, 0) == 0
    assert TASK not in [str(d.key) for d in claims.snapshot().dispatches.values()]
