"""Checks of checkouts, projections, the disk and what piles up; what is removed is proven to be nobody's."""

import os
from pathlib import Path

import pytest

from tests.doctor.conftest import Ward
from tests.doctor.test_repository import everything
from tests.surfaces import stories
from walkaway import doctor
from walkaway.core.fleet.pause import Pause
from walkaway.core.ids import PROJECT_SCOPE, Scope, Sha, slice_id
from walkaway.doctor import Severity, bloat, disk, filesystem, projections, sqlite, worktrees
from walkaway.doctor.check import Patient
from walkaway.git import GitWorkspace
from walkaway.testing.world import dead_identity

S01 = slice_id(stories.M, 1)
ORPHANS = ("worktree-orphan", "worktree-left", "worktree-kept", "worktree-unregistered")


def planned(ward: Ward) -> None:
    ward.grow(ward.milestone(), *stories.planned(), *stories.sliced(S01))


def left(ward: Ward, name: str = "w1") -> Path:
    """Leave the checkout of a worker that is gone and settled."""
    lease = ward.hold(stories.M, name, dead_identity())
    tip = Sha(ward.git("rev-parse", "main"))
    made = GitWorkspace(ward.root, ward.state).prepare(lease, tip, Sha(""))
    ward.store.recover(lease.worker_id, lease.worker_id)
    return Path(made.path)


@pytest.fixture
def building(ward: Ward) -> Ward:
    """A project with a planned milestone and a file."""
    ward.commit("a.py", "a = 1\n")
    ward.commit(".gitignore", "*.log\n")
    planned(ward)
    return ward


# ---- checkouts ----------------------------------------------------------------------------------------------------


def test_a_checkout_that_nobody_needs_is_found_and_removed_with_its_branch(building):
    path = left(building)
    (finding,) = building.findings(*ORPHANS)
    assert (finding.code, finding.severity, finding.scope) == ("worktree-orphan", Severity.NOTE, "M001.f2")
    said = building.mended("worktree-orphan")
    assert f"Removed {path}" in said
    assert said.endswith("and its branch wip/M001/f2.")
    assert not path.exists()
    assert building.git("branch", "--list", "wip/*") == ""
    assert str(path) not in building.git("worktree", "list")


def test_the_checkout_of_a_living_worker_is_not_looked_at(building):
    lease = building.hold(stories.M)
    GitWorkspace(building.root, building.state).prepare(lease, Sha(building.git("rev-parse", "main")), Sha(""))
    (building.state / "worktrees/M001.f1").mkdir()
    assert building.findings(*ORPHANS) == []


def test_the_checkout_of_a_dead_worker_and_what_it_held_are_mended_together(building):
    lease = building.hold_and_die(stories.M)
    GitWorkspace(building.root, building.state).prepare(lease, Sha(building.git("rev-parse", "main")), Sha(""))
    done = {m.finding.code for m in building.mend() if m.done}
    assert done >= {"stale-worker", "worktree-orphan"}
    assert building.findings("stale-worker", *ORPHANS) == []


PLANTED = {
    "an untracked file": lambda w, p: (p / "new.py").write_text("mine\n"),
    "an ignored file": lambda w, p: (p / "run.log").write_text("mine\n"),
    "a changed file": lambda w, p: (p / "a.py").write_text("a = 2\n"),
    "a staged file": lambda w, p: ((p / "a.py").write_text("a = 2\n"), w.git("add", "a.py", cwd=p)),
    "a commit": lambda w, p: w.git("commit", "--quiet", "--allow-empty", "-m", "mine", cwd=p),
    "a changed file that git is told not to look at": lambda w, p: (
        w.git("update-index", "--assume-unchanged", "a.py", cwd=p),
        (p / "a.py").write_text("a = 2\n"),
    ),
    "a file that git is told to leave out": lambda w, p: w.git("update-index", "--skip-worktree", "a.py", cwd=p),
    "a repository of its own": lambda w, p: w.git("init", "--quiet", "inner", cwd=p),
    "a locked checkout": lambda w, p: w.git("worktree", "lock", str(p)),
    "a git at work": lambda w, p: (w.root / ".git/worktrees/M001.f2/index.lock").touch(),
    "a merge under way": lambda w, p: (w.root / ".git/worktrees/M001.f2/MERGE_HEAD").write_text("x\n"),
    "an index that git cannot read": lambda w, p: (w.root / ".git/worktrees/M001.f2/index").write_text("nonsense"),
    "the record of a pause": lambda w, p: w.store.controls.pause(
        Pause(id=PROJECT_SCOPE, who="ann", worktree=str(p), milestone="M001")
    ),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_checkout_with_anything_in_it_is_named_and_stays(building, what):
    path = left(building)
    PLANTED[what](building, path)
    (finding,) = building.findings(*ORPHANS)
    assert (finding.code, finding.fixable) == ("worktree-left", False)
    before = everything(path)
    building.mend()
    assert everything(path) == before
    with pytest.raises(doctor.check.GitFailed, match="changed meanwhile"):  # not even if it was found spare before
        worktrees.fixes(building.patient, worktrees.SPARE.found(path.name, "", ""))
    assert everything(path) == before


def test_a_commit_that_a_rescue_ref_keeps_may_go_with_its_checkout(building):
    path = left(building)
    building.git("commit", "--quiet", "--allow-empty", "-m", "mine", cwd=path)
    building.git("update-ref", "refs/walkaway-rescue/M001/D001", "refs/heads/wip/M001/f2")
    building.mended("worktree-orphan")
    assert not path.exists()


def test_a_branch_that_is_elsewhere_than_its_checkout_stays(building):
    path = left(building)
    building.git("commit", "--quiet", "--allow-empty", "-m", "mine", cwd=path)
    building.git("checkout", "--quiet", "--detach", "main", cwd=path)
    said = building.mended("worktree-orphan")
    assert "its branch" not in said
    assert building.git("branch", "--list", "wip/*") == "wip/M001/f2"


def test_a_checkout_of_a_milestone_that_is_no_more_waits_for_a_person(building):
    path = left(building)
    (path / "run.log").write_text("mine\n")
    path.rename(path.parent / "M777.f2")
    building.git("worktree", "repair", str(path.parent / "M777.f2"))
    (finding,) = building.findings(*ORPHANS)
    assert (finding.code, "git worktree remove --force" in finding.fix) == ("worktree-kept", True)


@pytest.mark.parametrize("name", ["M001.f9", "mine"])
@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_git_does_not_know_is_named_and_never_deleted(building, tmp_path, name, kind):
    path = building.state / "worktrees" / name
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "file":
        path.touch()
    else:
        path.symlink_to(tmp_path)
    (finding,) = building.findings(*ORPHANS)
    assert (finding.code, finding.severity, finding.scope) == ("worktree-unregistered", Severity.WARNING, name)
    building.mend()
    assert path.exists()


def test_a_checkout_that_was_taken_meanwhile_is_not_removed(building):
    path = left(building)
    (finding,) = building.findings("worktree-orphan")
    building.hold(stories.M, "heir")
    (mended,) = doctor.mend(building.patient, [finding])
    assert (mended.done, "was taken meanwhile" in mended.why) == ("", True)
    assert path.exists()


# ---- projections --------------------------------------------------------------------------------------------------


def test_what_is_not_printed_is_found_and_printed(ward):
    planned(ward)
    state, milestone = sorted(ward.findings("projection-missing"), key=lambda f: f.scope, reverse=True)
    assert (state.scope, milestone.scope, state.severity) == ("project", "M001", Severity.NOTE)
    assert "M001-ROADMAP.md" in milestone.message
    ward.mend()
    assert ward.findings("projection-missing", "projection-stale") == []
    assert "Part 1" in (ward.state / "view/M001-ROADMAP.md").read_text()
    assert "M001" in (ward.state / "view/STATE.md").read_text()


def test_a_file_that_shows_something_else_is_found_and_printed_again(ward):
    planned(ward)
    ward.mend()
    printed = (ward.state / "view/M001-ROADMAP.md").read_bytes()
    (ward.state / "view/M001-ROADMAP.md").write_text("# Mine\n")
    (finding,) = ward.findings("projection-stale")
    assert (finding.scope, "M001-ROADMAP.md" in finding.message) == ("M001", True)
    assert ward.mended("projection-stale") == "Printed M001-ROADMAP.md."
    assert (ward.state / "view/M001-ROADMAP.md").read_bytes() == printed


def test_a_page_of_the_project_that_is_out_of_date_is_found(ward):
    planned(ward)
    ward.mend()
    ward.milestone()
    (finding,) = ward.findings("projection-stale")
    assert (finding.scope, "STATE.md" in finding.message) == ("project", True)
    ward.mended("projection-stale")
    assert "M002" in (ward.state / "view/STATE.md").read_text()


def test_what_was_printed_from_a_database_that_was_lost_is_printed_again(ward):
    planned(ward)
    ward.mend()
    page = ward.state / "view/M001-ROADMAP.md"
    page.write_text(page.read_text().replace("rev ", "rev 9").replace("Part 1", "Part one"))
    ward.mended("projection-stale")
    assert "Part one" not in page.read_text()


def test_a_milestone_that_was_only_handed_in_need_not_be_printed(ward):
    ward.milestone()
    assert ward.findings("projection-missing", "projection-stale") == []


def test_what_a_worker_is_at_it_prints_itself(ward):
    planned(ward)
    ward.mend()
    (ward.state / "view/STATE.md").unlink()
    (ward.state / "view/M001-ROADMAP.md").unlink()
    findings = ward.findings("projection-missing")
    ward.hold(stories.M)
    assert ward.findings("projection-missing", "projection-stale") == []
    said = [m.done for m in doctor.mend(ward.patient, findings)]
    assert sorted(said) == ["A worker prints M001 itself.", "A worker prints project itself."]
    assert not (ward.state / "view/STATE.md").exists()


def test_the_engine_leaves_nothing_to_print(new_ward_of_world):
    world, ward = new_ward_of_world
    world.run()
    assert ward.store.snapshot(Scope("M001")).milestone.status == "complete"
    assert ward.findings("projection-missing", "projection-stale", "journal-differs", "journal-unpaired") == []


@pytest.fixture
def new_ward_of_world(ward: Ward) -> tuple[object, Ward]:
    from walkaway.testing.world import World

    return World(ward.store, ward.state), ward


# ---- room ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mib", "files", "code"),
    [(99, None, "disk-full"), (100, 1000, "disk-low"), (1023, None, "disk-low"), (5000, 999, "disk-full")],
)
def test_little_room_is_found(mib, files, code):
    (finding,) = disk.judged("/x", mib, files)
    assert (finding.code, finding.scope) == (code, "environment")
    assert disk.judged("/x", 1024, 1000) == []


def test_a_full_disk_is_seen(ward, without_room):
    without_room(0)
    (finding,) = ward.findings("disk-full")
    assert (finding.severity, "0 MiB are free" in finding.message) == (Severity.ERROR, True)


def test_what_piles_up_is_named_with_its_size_and_stays(ward, monkeypatch):
    monkeypatch.setattr(bloat, "MOST_FILES", 2)
    for n in range(3):
        (ward.state / "transcripts" / str(n)).mkdir(parents=True)
        (ward.state / "transcripts" / str(n) / "d.jsonl").write_text("x" * 1024)
    (finding,) = ward.findings("old-files")
    assert (finding.severity, finding.scope, "holds 3 files, 0 MiB" in finding.message) == (
        Severity.NOTE, "transcripts", True
    )  # fmt: skip
    monkeypatch.setattr(bloat, "MOST_FILES", 3)
    assert ward.findings("old-files") == []
    monkeypatch.setattr(bloat, "MOST_MIB", 0)
    assert [f.scope for f in ward.findings("old-files")] == ["transcripts"]
    ward.mend()
    assert len(os.listdir(ward.state / "transcripts")) == 3


def test_a_network_file_system_is_found(monkeypatch):
    monkeypatch.setattr(filesystem, "network_filesystem", lambda folder: "nfs4")
    (local,) = filesystem.finds(Patient(root="/", state="/s", url="sqlite:////s/state.db"))
    (remote,) = filesystem.finds(Patient(root="/", state="/s", url="postgresql://h/d"))
    assert (local.code, local.severity) == ("network-database", Severity.ERROR)
    assert (remote.code, remote.severity) == ("network-checkouts", Severity.WARNING)


def test_a_sqlite_with_the_fault_is_named(monkeypatch):
    monkeypatch.setattr(sqlite, "version", lambda: "3.45.1")
    (finding,) = sqlite.finds(Patient(root="/", state="/", url="sqlite:///x"))
    assert (finding.severity, "3.45.1" in finding.message) == (Severity.NOTE, True)
    assert sqlite.finds(Patient(root="/", state="/", url="postgresql://h/d")) == []


def test_a_finding_of_a_fault_that_is_mended_says_so():
    assert all(f.mends for f in (projections.MISSING, worktrees.SPARE))
    assert not any(f.mends for f in (worktrees.LEFT, worktrees.KEPT, worktrees.FOREIGN))
