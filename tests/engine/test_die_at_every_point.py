"""A worker dies before and after every call of every port; the next one ends in the same state."""

import itertools
import random
from collections import Counter
from pathlib import Path
from uuid import uuid4

import pytest

from tests.engine.conftest import NewStore, NewWorld
from tests.tiers import tier
from walkaway.core.brief import Brief
from walkaway.core.errors import LimitReached
from walkaway.core.model import Policy, Result
from walkaway.engine.result import Progress
from walkaway.testing.fakes import Files, Turn
from walkaway.testing.repository import GitRepository
from walkaway.testing.world import Died, Facts, Fate, World, good_report, good_turn, one_slice
from walkaway.verify import ProjectChecks

SHARDS = 4
"""So that several processes can share the points of one story."""


def smooth(new_world: NewWorld) -> World:
    """Everything goes well, with a set-up command."""
    return new_world(script=tier(one_slice, good_turn), policy=Policy(setup=("install",)))


def bumpy(new_world: NewWorld) -> World:
    """One task reaches a limit first, one fails its check, and the target moves while it is checked on top of it."""
    world = new_world(script=_first_attempts_are_refused)
    moved = []

    def test(files: Files) -> Result:
        integrating = any(".integration" in path for path in world.workspace.directories)
        if integrating and not moved:
            moved.append(world.workspace.move("main", {"OTHER": "theirs\n"}))
        return Result.FAIL if "wrong\n" in files.values() else Result.PASS

    world.verifier.known["test"] = test
    return world


def _first_attempts_are_refused(brief: Brief) -> Turn:
    if brief.unit.startswith("execute-task M001/S01/T01") and brief.attempt == 1:
        return Turn(files={"M001/S01/T01.py": "half\n"}, raises=LimitReached("no report"))
    if not brief.unit.startswith("execute-task M001/S01/T02"):
        return one_slice(brief)
    text = "wrong\n" if brief.attempt == 1 else "right\n"
    return Turn(reports=[good_report(*brief.unit.split(" "))], files={"M001/S01/T02.py": text})


def torn(new_world: NewWorld) -> World:
    """Somebody else changes a file of the milestone before it is integrated."""
    world = new_world(script=one_slice)
    moved = []

    def told(progress: Progress) -> None:
        if progress.kind == "unit" and progress.text == "complete-milestone M001" and not moved:
            moved.append(world.workspace.move("main", {"M001/S01/T01.py": "theirs\n", "OTHER": "theirs\n"}))

    world.on_told = told
    return world


STORIES = {"smooth": smooth, "bumpy": bumpy, "torn": torn}


def died_at(point: int, world: World) -> str:
    """Let a worker die at a point, then another one finish; return where it died, "" if it survived."""
    try:
        world.run(fate=Fate(point))
    except Died as death:
        world.run()
        return str(death)
    return ""


def calm(world: World) -> tuple[Facts, Counter[str]]:
    """Return what a world comes to in which nobody dies, and how often each unit is run there."""
    world.run()
    assert world.facts().status == "complete"
    return world.facts(), Counter(world.runs)


def holds(world: World, expected: Facts, usual: Counter[str], where: str, deaths: int = 1) -> None:
    """Assert that a world has come to what was expected, with at most one unit repeated per death."""
    assert world.facts() == expected, where
    twice = Counter(world.runs) - usual
    assert sum(twice.values()) <= deaths, f"{where}: {twice}"
    assert not usual - Counter(world.runs), where
    assert world.store.holder(world.scope) is None, where


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("story", STORIES)
def test_whoever_dies_wherever_the_project_ends_in_the_same_state(new_world: NewWorld, story: str, shard: int) -> None:
    expected, usual = calm(STORIES[story](new_world))
    step = tier((2 if story == "smooth" else 6) * SHARDS, SHARDS)

    for point in itertools.count(shard, step):
        world = STORIES[story](new_world)
        where = died_at(point, world)
        holds(world, expected, usual, where)
        if not where:
            break
        world.store.close()


@pytest.mark.postgres
@pytest.mark.parametrize("shard", range(tier(1, SHARDS)))
@pytest.mark.parametrize("story", STORIES)
def test_on_postgresql_too(new_postgres_world: NewWorld, story: str, shard: int) -> None:
    expected, usual = calm(STORIES[story](new_postgres_world))
    step = tier(37 if story == "smooth" else 71, SHARDS)

    for point in itertools.count(shard, step):
        world = STORIES[story](new_postgres_world)
        where = died_at(point, world)
        holds(world, expected, usual, where)
        if not where:
            break
        world.store.close()


@pytest.mark.parametrize("seed", range(tier(12, 200)))
def test_deaths_one_after_the_other_change_nothing_either(new_world: NewWorld, seed: int) -> None:
    expected, usual = calm(smooth(new_world))
    chance = random.Random(seed)
    world = smooth(new_world)
    deaths = []
    for _ in range(4):
        try:
            world.run(fate=Fate(chance.randrange(0, 200)))
        except Died as death:
            deaths.append(str(death))
    world.run()
    if world.facts().open_questions == ("kills-its-worker",):  # three deaths in a row hit the same unit
        world.answer("retry")
        world.run()

    holds(world, expected, usual, f"seed {seed}: {deaths}", deaths=len(deaths))


def on_git(new_store: NewStore, folder: Path) -> World:
    """A world with a real repository and real checks."""
    site = GitRepository(folder / "project", folder / "state", {"README": "A project.\n"})
    policy = Policy(checks=("test -f README",), setup=("true",))
    return World(new_store(), folder / "state", policy=policy, script=one_slice, site=site, verifier=ProjectChecks())


@pytest.mark.parametrize("shard", range(tier(2, 24)))
def test_in_a_real_repository_too(new_store: NewStore, tmp_path: Path, shard: int) -> None:
    expected, usual = calm(on_git(new_store, tmp_path / "calm"))

    for point in itertools.count(tier(20 * shard + 7, shard), tier(40, 24)):
        world = on_git(new_store, tmp_path / uuid4().hex)
        where = died_at(point, world)
        holds(world, expected, usual, where)
        if not where:
            break
