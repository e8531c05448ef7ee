"""A project that can fall ill: a real repository, its state, and a store on either database."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from walkaway import doctor, proc
from walkaway.core import events as e
from walkaway.core.ids import MilestoneId, ProjectId, Scope, WorkerId
from walkaway.core.model import Lease, Policy
from walkaway.doctor import Finding, Patient
from walkaway.doctor.check import ModelAccess
from walkaway.git import init_repository
from walkaway.store import Store, create
from walkaway.testing.world import dead_identity

PROJECT = ProjectId("p")
TTL_S = 60.0


@dataclass
class Ward:
    """A patient, and how things happen to it."""

    patient: Patient

    @property
    def root(self) -> Path:
        return Path(self.patient.root)

    @property
    def state(self) -> Path:
        return Path(self.patient.state)

    @property
    def store(self) -> Store:
        return self.patient.opened

    def git(self, *words: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
        done = proc.run(("git", *words), cwd or self.root, {**proc.environment(), **(env or {})})
        assert done.exit_code == 0, f"git {' '.join(words)}: {done.output}{done.stderr}"
        return done.output.strip()

    def commit(self, name: str, text: str) -> str:
        (self.root / name).write_text(text)
        self.git("add", "--", name)
        self.git("commit", "--quiet", "-m", f"Write {name}")
        return self.git("rev-parse", "HEAD")

    def milestone(self) -> MilestoneId:
        return self.store.new_milestone("Ledger export", "# Ledger export\n", Policy(), "tester")

    def hold(self, milestone: MilestoneId, name: str = "w1", identity: proc.Identity | None = None) -> Lease:
        self.store.register(WorkerId(name), identity or proc.me())
        lease = self.store.acquire(Scope(milestone), WorkerId(name), TTL_S)
        assert lease is not None
        return lease

    def hold_and_die(self, milestone: MilestoneId, name: str = "w1") -> Lease:
        return self.hold(milestone, name, dead_identity())

    def grow(self, milestone: MilestoneId, *facts: e.Event, name: str = "grower") -> None:
        """Make facts true, each in a revision of its own, by a worker that then says goodbye."""
        lease = self.hold(milestone, name)
        for fact in facts:
            self.store.commit(lease, [fact])
        self.store.release(lease)
        self.store.end_worker(lease.worker_id)

    def sql(self, text: str, **params: str | float) -> int:
        with self.store.driver.write() as tx:
            return tx.run(text, **params)

    def findings(self, *codes: str) -> list[Finding]:
        """Return what is found; with codes only those."""
        found = [f for f in doctor.examine(self.patient) if f.severity is not doctor.Severity.OK]
        return [f for f in found if not codes or f.code in codes]

    def codes(self) -> set[str]:
        return {f.code for f in self.findings()}

    def mend(self) -> list[doctor.Mended]:
        return list(doctor.mend(self.patient, doctor.examine(self.patient)))

    def mended(self, code: str) -> str:
        """Have a finding of this code mended, see that it is gone, and that doing so again does nothing; what was said."""
        (finding,) = self.findings(code)
        (first,) = doctor.mend(self.patient, [finding])
        assert first.done, first.why
        assert self.findings(code) == []
        (again,) = doctor.mend(self.patient, [finding])
        assert again.done != first.done
        return first.done


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    init_repository(folder)
    (folder / ".walkaway").mkdir()
    return folder


@pytest.fixture
def ward(root: Path) -> Iterator[Ward]:
    """A healthy project on SQLite."""
    yield from _ward(root, f"sqlite:///{root}/.walkaway/state.db")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_ward(request: pytest.FixtureRequest, root: Path) -> Iterator[Ward]:
    """A healthy project on either database."""
    if request.param == "sqlite":
        yield from _ward(root, f"sqlite:///{root}/.walkaway/state.db")
    else:
        yield from _ward(root, request.getfixturevalue("postgres_database"))


def _ward(root: Path, url: str) -> Iterator[Ward]:
    store = create(url, PROJECT)
    model = ModelAccess(name="a:b", base_url="", key_variable="", has_key=True)
    made = Ward(Patient(root=str(root), state=str(root / ".walkaway"), url=url, model=model, store=store))
    made.git("config", "user.name", "t")
    made.git("config", "user.email", "t@t")
    yield made
    store.close()


@pytest.fixture
def without_room(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the disk have only so many free blocks."""
    import os

    seen = os.statvfs

    def plant(blocks: int) -> None:
        def statvfs(path: str) -> object:
            found = seen(path)
            room = {
                "f_bavail": blocks,
                "f_frsize": found.f_frsize,
                "f_files": found.f_files,
                "f_favail": found.f_favail,
            }
            return type("Room", (), room)

        monkeypatch.setattr(os, "statvfs", statvfs)

    return plant


def blinded(ward: Ward) -> Ward:
    """The same project without its database."""
    return Ward(replace(ward.patient, store=None, database="There is no database."))
