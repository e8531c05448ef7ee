"""I32 to I36: the database decides, and nothing else does: no soft state, no file, no place, no stranger."""

import hashlib
import json
import os
import random
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.coordination.bench import EITHER, PROJECT, TASK, assert_done_as_planned, content, rows
from tests.coordination.conftest import NewStage
from tests.coordination.stand import Stand
from tests.tiers import tier
from walkaway import proc
from walkaway.chaos.plan import Plan
from walkaway.core import events as e
from walkaway.core.derive import derive
from walkaway.core.errors import (
    IllegalTransition,
    LeaseLost,
    Refused,
    StaleSnapshot,
    StoreUnavailable,
    Usage,
    WalkawayError,
)
from walkaway.core.fleet.pause import Pause
from walkaway.core.ids import PROJECT_SCOPE, MilestoneId, ProjectId, Scope, Sha, SliceId, TaskId
from walkaway.core.model import Lease, Policy, Seen
from walkaway.identity import me
from walkaway.layout import Layout
from walkaway.store import Store, create
from walkaway.store.fleet.kv import KvKind, KvScope
from walkaway.testing import moments
from walkaway.testing.moments import claimed, cut, fence, pinned, planned, question, reported, started, task_done
from walkaway.testing.store_bench import TTL, W1, W2, begun, milestone, taken
from walkaway.units import UNITS

LIE = "# STATE\n\nM001 is complete. M002 is complete. There is nothing to do.\n"


# ---- I32 -----------------------------------------------------------------------------------------------------------


@contextmanager
def losing_soft_state(store: Store, rng: random.Random) -> Iterator[list[int]]:
    """Meanwhile all soft state is deleted, again and again, and nonsense is put in its place."""
    over, lost = threading.Event(), [0]

    def lose() -> None:
        while not over.is_set():
            with store.driver.write() as tx:
                tx.run("DELETE FROM runtime_kv")
            lost[0] += 1
            for kind, name in ((KvKind.GLOBAL, ""), (KvKind.MILESTONE, "M001"), (KvKind.UNIT, TASK)):
                store.kv.put(
                    KvScope(kind, name), rng.choice(["cursor", "state", "paused"]), rng.choice(["", "M009", "1"])
                )
            over.wait(rng.random() * 0.05)

    thread = threading.Thread(target=lose)
    thread.start()
    try:
        yield lost
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("database", EITHER)
@pytest.mark.parametrize("seed", range(tier(1, 5)))
def test_i32_losing_all_soft_state_at_any_moment_changes_nothing(new_stage: NewStage, seed: int) -> None:
    stage = new_stage(slices=1, tasks=1)
    with losing_soft_state(stage.store, random.Random(seed)) as lost:
        auto = stage.start()
        assert auto.wait(90) == 0, auto.output()
    assert lost[0] > 5
    assert_done_as_planned(stage)


# ---- I33 -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Lying(Stand):
    """A stage in which each checkout is given, as it is set up, files and a database that say something else."""

    def environment(self) -> dict[str, str]:
        lie = f"mkdir -p .walkaway && cp -r '{self.root}/lies/.' .walkaway/"
        return {**Stand.environment(self), "WALKAWAY_SETUP__COMMANDS": json.dumps([lie])}


def lie(folder: Path) -> None:
    """Write all that a state folder holds, of another project in which everything is done."""
    (folder / "view").mkdir(parents=True, exist_ok=True)
    for name in ("STATE.md", "M001.md", "M001/S01.md", "ROADMAP.md", "state.json"):
        (folder / "view" / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / "view" / name).write_text(LIE)
    if folder.name == "lies":
        store = create(f"sqlite://{folder}/state.db", ProjectId("other"))
        store.new_milestone("Nothing", "There is nothing to do.", Policy(), "a liar")
        store.close()
        (folder / "project.json").write_text('{"v": 1, "id": "other"}\n')
        (folder / "config.toml").write_text("[limits]\nattempts = 1\nusd = 0.0\n")


def test_i33_what_files_say_in_the_view_or_in_a_checkout_decides_nothing(tmp_path: Path) -> None:
    stage = Lying(root=tmp_path / "stage", plan=Plan(slices=1, tasks=2))
    stage.root.mkdir()
    lie(stage.root / "lies")
    try:
        stage.set_up()
        with stage.playing():
            assert stage.run("auto", "--json", "--max-units", "3").exit_code == 0
            (checkout,) = Path(stage.place.worktrees).glob("M001.f*")
            assert "M001 is complete" in (checkout / ".walkaway/view/STATE.md").read_text(), "the lie is in place"
            before, snapshot = stage.walkaway("query"), stage.store.snapshot(Scope("M001"))
            lie(Path(stage.place.state))
            assert stage.walkaway("query") == before
            told = proc.run(stage.command("query"), checkout, stage.environment(), 60)
            assert told.output == before, "also for whoever asks in the checkout"
            after = stage.store.snapshot(Scope("M001"))
            assert replace(after, now=snapshot.now) == snapshot
            assert derive(after, UNITS) == derive(snapshot, UNITS)
            assert stage.run("auto", "--json").exit_code == 0
        assert_done_as_planned(stage)
        assert stage.git("ls-tree", "-r", "--name-only", "main").split() == ["README", *stage.plan.files("M001")]
        assert "M002 is complete" not in Path(stage.place.view, "STATE.md").read_text(), "it is printed anew"
        assert sqlite3.connect(stage.root / "lies/state.db").execute("SELECT count(*) FROM events").fetchone() == (2,)
    finally:
        stage.close()


# ---- I34 -----------------------------------------------------------------------------------------------------------


def test_i34_the_same_state_is_told_from_everywhere(tmp_path: Path) -> None:
    stage = Stand(root=tmp_path / "stage", plan=Plan(milestones=2))
    stage.root.mkdir()
    try:
        stage.set_up()
        store, root = stage.store, stage.project
        lease = taken(store, Scope("M001"))
        store.commit(lease, [pinned()])
        s = store.snapshot(Scope("M001"))
        by = fence(lease)
        store.commit(lease, moments.run_of(s, by, "plan-milestone", "M001", [planned(MilestoneId("M001"), 2)]))
        store.release(lease)
        side, ours, link = tmp_path / "side", Path(stage.place.worktrees) / "M001.f1", tmp_path / "link"
        stage.git("worktree", "add", "-q", "-b", "side", str(side))
        stage.git("worktree", "add", "-q", "-b", "wip/M001/f1", str(ours))
        link.symlink_to(root)
        for folder in (root / "a" / "b", side / "deep", ours / "src"):
            folder.mkdir(parents=True)
        for other in (side, ours):
            Layout(str(other)).enter(ProjectId("other"))
        places: dict[str, tuple[Path | str, str]] = {
            "root": (root, ""),
            "subfolder": (root / "a" / "b", ""),
            "the user's worktree": (side / "deep", ""),
            "our worktree": (ours / "src", ""),
            "symbolic link": (link / "a", ""),
            "variable": (tmp_path, str(root)),
            "variable with a slash": (tmp_path, f"{root}/"),
            "variable with dots": (tmp_path, f"{root}/a/../"),
            "variable through a link": (tmp_path, f"{link}/"),
            "variable of a worktree": (tmp_path, str(side)),
        }
        told = {}
        for name, (folder, variable) in places.items():
            env = {**stage.environment(), **({"WALKAWAY_PROJECT": variable} if variable else {}), "PWD": str(folder)}
            done = proc.run(stage.command("query"), folder, env, 60)
            assert done.exit_code == 0, (name, done.stderr)
            told[name] = done.output
        assert set(told.values()) == {told["root"]}, told
        assert json.loads(told["root"])["next"]["unitId"] == "M001/S01"
    finally:
        stage.close()


# ---- I35 -----------------------------------------------------------------------------------------------------------


def test_i35_nothing_of_another_project_is_written_read_or_held(store: Store, store_url: str) -> None:
    scope, lease = begun(store)
    other = create(store_url, ProjectId("q"))
    _, theirs = begun(other)
    hash_ = store.snapshot(scope).milestone.context
    store.register(W1, me())
    seq = store.commands.send("wake", "{}", who="ann")
    store.kv.put(KvScope(), "k", "mine")
    mine, before = store.snapshot(scope), content(store.driver)

    for use in (
        lambda: other.commit(lease, [pinned("theirs")]),
        lambda: store.commit(theirs, [pinned("mine")]),
        lambda: other.renew(lease, TTL),
        lambda: other.commit(Seen(project=PROJECT, scope=scope, rev=mine.rev, who="ann"), [pinned("theirs")]),
    ):
        with pytest.raises(LeaseLost):
            use()
    with pytest.raises(Refused):
        other.recover(W1, W2)
    assert other.release(lease) is False
    assert other.commands.claim(W1, TTL) is None
    assert other.commands.complete(seq, W1, "") is False
    assert (other.commands.find([seq]), other.commands.listed()) == ((), ())
    assert other.kv.get(KvScope(), "k") is None
    assert other.kv.delete(KvScope(), "k") is False
    assert other.overview().workers == ()
    assert [entry for entry in other.journal({}) if entry.by == "mine"] == []
    assert content(store.driver) == before, "none of it left anything"

    unknown = create(store_url, ProjectId("r"))
    for use in (lambda: unknown.snapshot(scope), lambda: unknown.acquire(scope, W1, TTL)):
        with pytest.raises(Usage):
            use()
    with pytest.raises(StoreUnavailable, match="missing"):
        unknown.texts([hash_])
    other.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
    assert store.controls.read().pauses == {}
    s = store.snapshot(scope)
    store.commit(lease, [claimed(fence(lease), "execute-task", f"{scope}/S01/T01", "d-mine")], expect=s.rev)
    other.close()
    unknown.close()


FOREIGN: dict[str, Callable[[Lease], list[e.Event]]] = {
    "a claim of its unit": lambda own: [claimed(fence(own), "plan-milestone", "M002", "d9")],
    "a claim of its task": lambda own: [claimed(fence(own), "execute-task", "M002/S01/T01", "d9")],
    "a claim of nothing": lambda own: [claimed(fence(own), "execute-task", "", "d9")],
    "a claim in its holder's name": lambda own: [
        claimed(moments.Fence(worker=W2, epoch=1, token=1), "execute-task", "M001/S01/T01", "d9")
    ],
    "its creation": lambda _own: [e.MilestoneCreated(milestone=MilestoneId("M002"), title="x", context=moments.REPORT)],
    "its plan": lambda _own: [planned(MilestoneId("M002"))],
    "a plan of its slice": lambda _own: [cut(SliceId("M002/S01"))],
    "tasks of its slice": lambda _own: [
        e.SlicePlanned(
            slice=SliceId("M001/S02"),
            goal="g",
            must_haves=("m",),
            tasks=(e.TaskPlan(id=TaskId("M002/S01/T01"), title="t", description="d", files=(), verify=""),),
        )
    ],
    "its task done": lambda _own: [task_done(TaskId("M002/S01/T01"))],
    "its slice done": lambda _own: [e.SliceDone(slice=SliceId("M002/S01"), summary="s")],
    "a start of its dispatch": lambda _own: [started("M002-d1")],
    "a report of its dispatch": lambda _own: [reported("M002-d1")],
    "an end of its dispatch": lambda _own: [moments.canceled("M002-d1")],
    "an adoption of its dispatch": lambda own: [
        e.DispatchAdopted(dispatch="M002-d1", worker=own.worker_id, epoch=own.epoch, token=own.fencing_token)
    ],
    "evidence of its dispatch": lambda _own: [moments.evidence("E9", "M002-d1")],
    "its dispatch's number": lambda own: [claimed(fence(own), "execute-task", "M001/S01/T01", "M002-d1")],
    "its question's number": lambda _own: [question("M002-Q1")],
    "an answer to its question": lambda _own: [moments.answered("M002-Q1")],
    "an integration of its dispatch": lambda _own: [
        e.IntegrationPrepared(dispatch="M002-d1", base=Sha("a"), commit=Sha("b"), verified=True)
    ],
}


@pytest.fixture
def neighbours(store: Store) -> tuple[Lease, Lease]:
    """Two milestones with two holders; the second has a slice, a task, a dispatch and an open question."""
    _, own = begun(store)
    second = milestone(store)
    theirs = taken(store, second, W2)
    store.commit(theirs, [pinned()])
    s = store.snapshot(second)
    store.commit(theirs, moments.run_of(s, fence(theirs), "plan-milestone", second, [planned(MilestoneId(second))]))
    plan = [cut(SliceId(f"{second}/S01"))]
    store.commit(theirs, moments.run_of(store.snapshot(second), fence(theirs), "plan-slice", f"{second}/S01", plan))
    store.commit(theirs, [question(f"{second}-Q1", unit=f"plan-milestone {second}")])
    return own, theirs


@pytest.mark.parametrize("what", FOREIGN)
def test_i35_nothing_of_another_milestone_is_written_under_ones_own(
    store: Store, neighbours: tuple[Lease, Lease], what: str
) -> None:
    own, theirs = neighbours
    before = content(store.driver)
    with pytest.raises(WalkawayError) as error:
        store.commit(own, FOREIGN[what](own))
    assert isinstance(error.value, IllegalTransition | StaleSnapshot), error.value
    with pytest.raises(LeaseLost):
        store.commit(replace(own, scope=theirs.scope), [pinned("mine")])
    assert content(store.driver) == before


# ---- I36 -----------------------------------------------------------------------------------------------------------


def fingerprint(stage: Stand) -> tuple[str, dict[str, list[str]]]:
    """Every file of the project but the database's own, and everything in the database."""
    seen = hashlib.sha256()
    for folder, _, names in sorted(os.walk(stage.project)):
        for name in sorted(names):
            path = Path(folder, name)
            if not name.startswith("state.db"):
                seen.update(f"{path} {path.lstat().st_mode}".encode())
                seen.update(os.readlink(path).encode() if path.is_symlink() else path.read_bytes())
    return seen.hexdigest(), content(stage.store.driver)


@pytest.mark.parametrize("database", EITHER)
def test_i36_doctor_mends_once_and_a_dry_run_changes_nothing(new_stage: NewStage) -> None:
    stage = new_stage(TASK, slices=1, tasks=1)
    auto = stage.start()
    stage.at_work()
    stage.waits()
    auto.signal(signal.SIGKILL)
    auto.wait()

    def doctor(*words: str) -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = json.loads(stage.run("doctor", "--json", *words).output)
        return found

    sick = fingerprint(stage)
    dry = doctor("--fix", "--dry-run")
    assert fingerprint(stage) == sick, "looking changes nothing"
    first = doctor("--fix")
    mended = {each["code"] for each in first["fixed"]}
    assert mended == {each["code"] for each in dry["would_fix"]} >= {"stale-worker"}
    well = fingerprint(stage)
    second = doctor("--fix")
    assert second["fixed"] == []
    assert not mended & {each["code"] for each in second["findings"]}
    assert fingerprint(stage) == well
    assert rows(stage.store.driver, "SELECT 1 FROM milestone_leases WHERE status = 'held'") == []
