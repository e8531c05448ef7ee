"""From a specification to the target branch."""

from walkaway.engine.result import RunOptions, Status
from walkaway.testing.world import World

UNITS = (
    "plan-milestone M001",
    "plan-slice M001/S01",
    "execute-task M001/S01/T01",
    "execute-task M001/S01/T02",
    "complete-slice M001/S01",
    "plan-slice M001/S02",
    "execute-task M001/S02/T01",
    "execute-task M001/S02/T02",
    "complete-slice M001/S02",
    "validate-milestone M001",
    "complete-milestone M001",
)


def test_a_specification_becomes_one_commit_on_the_target_by_eleven_units_each_run_once(world: World) -> None:
    ended = world.run(RunOptions())

    facts = world.facts()
    assert (ended.status, ended.units) == (Status.COMPLETE, 11)
    assert facts.status == "complete"
    assert facts.completed == tuple(f"{unit} 1" for unit in UNITS)
    assert facts.on_the_line == UNITS
    assert facts.on_the_target == ("Begin", "A tool that adds (M001)")
    assert [name for name, _ in facts.files] == [
        "M001/S01/T01.py", "M001/S01/T02.py", "M001/S02/T01.py", "M001/S02/T02.py", "README"
    ]  # fmt: skip
    assert ended.commits == (world.snapshot().milestone.commit_sha,) == (world.workspace.branches["main"],)
    assert world.runs == dict.fromkeys(UNITS, 1)
