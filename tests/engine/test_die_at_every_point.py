"""A worker dies before and after every call of every port; the next one ends in the same state."""

import itertools
from collections import Counter

import pytest

from tests.engine.conftest import NewWorld
from walkaway.core.brief import Brief
from walkaway.core.model import Policy, Result
from walkaway.testing.fakes import Files, Turn
from walkaway.testing.world import Died, Facts, Fate, World, good_report, good_turn

SHARDS = 8


def smooth(new_world: NewWorld) -> World:
    """Everything goes well, with a set-up command."""
    return new_world(policy=Policy(setup=("install",)))


def bumpy(new_world: NewWorld) -> World:
    """One task fails its check first, and the target moves while the milestone is checked on top of it."""
    world = new_world(script=_first_attempt_is_wrong)
    moved = []

    def test(files: Files) -> Result:
        if "M001/S02/T02.py" in files and not moved:
            moved.append(world.workspace.move("main", {"OTHER": "theirs\n"}))
        return Result.FAIL if "wrong\n" in files.values() else Result.PASS

    world.verifier.known["test"] = test
    return world


def _first_attempt_is_wrong(brief: Brief) -> Turn:
    if not brief.unit.startswith("execute-task M001/S01/T02"):
        return good_turn(brief)
    text = "wrong\n" if brief.attempt == 1 else "right\n"
    return Turn(reports=[good_report(*brief.unit.split(" "))], files={"M001/S01/T02.py": text})


def died_at(point: int, world: World) -> str:
    """Let a worker die at a point, then another one finish; return where it died, "" if it survived."""
    try:
        world.run(fate=Fate(point))
    except Died as death:
        world.run()
        return str(death)
    return ""


@pytest.fixture(params=[smooth, bumpy])
def story(request: pytest.FixtureRequest) -> object:
    return request.param


@pytest.mark.parametrize("shard", range(SHARDS))
def test_whoever_dies_wherever_the_project_ends_in_the_same_state(new_world: NewWorld, story, shard: int) -> None:
    calm = story(new_world)
    calm.run()
    expected, usual = calm.facts(), Counter(calm.runs)
    assert expected.status == "complete"

    for point in itertools.count(shard, SHARDS):
        world = story(new_world)
        where = died_at(point, world)
        assert world.facts() == expected, where
        twice = Counter(world.runs) - usual
        assert sum(twice.values()) <= 1, f"{where}: {twice}"
        assert not usual - Counter(world.runs), where
        if not where:
            break
