"""What the tests of the invariants 23 to 40 share: drivers that break, small disks, and what a project has come to."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import cast

import pytest

from tests.coordination.stand import Stand
from tests.tiers import tier
from walkaway.chaos.plan import Json, Plan
from walkaway.chaos.stage import Stage
from walkaway.core.brief import Brief
from walkaway.core.ids import ProjectId, Scope
from walkaway.store import Store
from walkaway.store.driver import Cell, Driver, Row, Tx
from walkaway.testing.fakes import Turn
from walkaway.testing.world import good_report, one_slice

PROJECT = ProjectId("p")
EITHER = tier(["sqlite"], ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
"""For what no database makes different: in the check on the faster one only."""
TASK = "execute-task M001/S01/T01"
TABLES = tuple(re.findall(r"CREATE TABLE (\w+)", (files("walkaway.store") / "schema.sql").read_text(encoding="utf-8")))


def done(unit: str = TASK, **how: object) -> Turn:
    """A turn that ends well."""
    kind, target = unit.split(" ")
    return Turn(reports=[good_report(kind, target)], files={f"{target}.py": "x\n"}, **how)


def small(turns: Mapping[str, Sequence[Turn]]) -> Callable[[Brief], Turn]:
    """A script of few units: one slice; what ``turns`` says of a unit comes first, one turn for each of its runs."""
    left = {unit: list(some) for unit, some in turns.items()}
    return lambda brief: left[brief.unit].pop(0) if left.get(brief.unit) else one_slice(brief)


def rows(driver: Driver, sql: str, **params: Cell) -> Sequence[Row]:
    with driver.read() as tx:
        return tx.all(sql, **params)


def content(driver: Driver) -> dict[str, list[str]]:
    """Everything that the database holds, by table, at one instant."""
    with driver.read() as tx:
        return {table: sorted(map(str, tx.all(f"SELECT * FROM {table}"))) for table in TABLES}  # noqa: S608


# ---- databases that break ------------------------------------------------------------------------------------------


class Thrown(Exception):
    """What a test throws into a transaction; no code of ours catches it."""


class BrittleTx:
    """A transaction that counts its statements."""

    def __init__(self, tx: Tx, step: Callable[[str], None]) -> None:
        self._tx = tx
        self._step = step

    def all(self, sql: str, **params: Cell) -> Sequence[Row]:
        self._step(sql)
        return self._tx.all(sql, **params)

    def one(self, sql: str, **params: Cell) -> Row | None:
        self._step(sql)
        return self._tx.one(sql, **params)

    def run(self, sql: str, **params: Cell) -> int:
        self._step(sql)
        return self._tx.run(sql, **params)

    def many(self, sql: str, rows: Sequence[dict[str, Cell]]) -> None:
        self._step(sql)
        self._tx.many(sql, rows)


class Brittle:
    """A driver whose write transactions raise ``error`` before their nth statement (0 is the first); commit counts."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.dialect = driver.dialect
        self.left: int | None = None
        self.error: BaseException = Thrown("at a statement")
        self.sql: list[str] = []

    @property
    def skew(self) -> float:
        return self._driver.skew

    @skew.setter
    def skew(self, seconds: float) -> None:
        self._driver.skew = seconds

    def __getattr__(self, name: str) -> object:
        return getattr(self._driver, name)

    def _step(self, sql: str) -> None:
        self.sql.append(sql)
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            raise self.error

    @contextmanager
    def write(self) -> Iterator[Tx]:
        with self._driver.write() as tx:
            yield BrittleTx(tx, self._step)
            self._step("COMMIT")


def brittle(store: Store) -> tuple[Store, Brittle]:
    """The same project through a driver that breaks where it is told to."""
    driver = Brittle(store.driver)
    return Store(cast("Driver", driver), store.project), driver


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own; the test is skipped where none may be mounted."""
    folder.mkdir(parents=True)
    if not remounted(folder, "tmpfs", f"size={megabytes}m"):
        pytest.skip("no file system may be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remounted(folder: Path, *how: str) -> bool:
    """Mount a tmpfs (``tmpfs``, options), or change the options of one that is there."""
    words = ["-t", "tmpfs", "-o", how[1], "tmpfs"] if how[0] == "tmpfs" else ["-o", f"remount,{how[0]}"]
    return subprocess.run(["mount", *words, str(folder)], check=False, capture_output=True).returncode == 0


# ---- what a stage has come to --------------------------------------------------------------------------------------


@contextmanager
def staged(
    root: Path, url: str, *, before: Mapping[str, Sequence[Json]] | None = None, ttl_s: float = 2.0, **plan: float
) -> Iterator[Stand]:
    """A stage whose scripted model says something else ``before`` it does what is right, by unit."""
    stage = Stand(root=root, plan=Plan(**plan), url=url, ttl_s=ttl_s)
    stage.root.mkdir()
    try:
        stage.set_up()
        with stage.playing(before):
            yield stage
    finally:
        stage.close()


def requests(stage: Stage) -> int:
    """How often the model was asked."""
    return stage.requests.read_text().count("\n") if stage.requests.exists() else 0


def result(said: str) -> Mapping[str, object]:
    """The last line of a run."""
    found: Mapping[str, object] = json.loads(said.splitlines()[-1])
    return found


def assert_done_as_planned(stage: Stand, *, retried: Sequence[str] = ()) -> None:
    """Every milestone is what the plan says, each unit done once; those ``retried`` may have been begun more often."""
    for name in stage.plan.names():
        s = stage.store.snapshot(Scope(name))
        assert (s.milestone.status, s.live, s.blocked_by) == ("complete", None, None), name
        units = [str(d.key) for d in s.dispatches.values() if d.status == "completed"]
        assert units == list(stage.plan.units(name))
        others = {str(d.key) for d in s.dispatches.values() if d.status != "completed"}
        assert others <= set(retried), f"{others} was begun more than once"
        for file, text in stage.plan.contents(name).items():
            assert f"{stage.git('show', f'main:{file}')}" == text
