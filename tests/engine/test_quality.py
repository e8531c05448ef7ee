"""What checks do not show is asked where the profile says so, kept, and told to those that come after."""

import pytest

from tests.engine.conftest import NewWorld
from walkaway.core.model import Policy
from walkaway.core.plan.profile import PROFILES
from walkaway.core.plan.quality import flags
from walkaway.engine.result import RunOptions, Status
from walkaway.testing.fakes import Turn
from walkaway.testing.world import Scripted, World, one_slice
from walkaway.views.board import board

LOOK = "evaluate-gate M001/S01"
TASK = "execute-task M001/S01/T01"
FLAGGED = "Q4 of M001/S01: Sums must stay whole numbers."


def answers(world: World, target: str) -> dict[str, tuple[str, str]]:
    """Verdict and finding by question."""
    kept = [n for n in world.snapshot().notes.values() if n.target == target and n.kind[:1] in {"Q", "M"}]
    return {n.kind: (n.verdict, n.summary) for n in kept}


def asked(new_world: NewWorld, turns: dict[str, list[Turn]] | None = None) -> World:
    own = Scripted(turns or {})
    return new_world(
        script=lambda brief: own(brief) if brief.unit in (turns or {}) else one_slice(brief),
        policy=Policy(steps=PROFILES["quality"]),
    )


def test_a_plan_is_looked_at_before_it_is_built_and_a_flag_is_told_to_whoever_does_closes_and_validates(
    new_world: NewWorld,
) -> None:
    world = asked(new_world)

    assert world.run().status is Status.COMPLETE

    order = [b.unit for b in world.briefs]
    assert order.index("plan-slice M001/S01") < order.index(LOOK) < order.index(TASK)
    assert answers(world, "M001/S01")["Q3"] == ("omitted", "")
    assert [n.kind for n in flags(world.snapshot(), "M001/S01")] == ["Q4"]
    told = {b.unit for b in world.briefs if FLAGGED in b.prompt}
    later = {TASK, "execute-task M001/S01/T02", "complete-slice M001/S01", "validate-milestone M001"}
    assert told == later
    assert "Q4 flag: Sums must stay whole" in (world.state / "view/M001/slices/S01/S01-PLAN.md").read_text()


def test_what_a_builder_leaves_out_is_omitted_and_never_a_pass(new_world: NewWorld) -> None:
    said = {
        "summary": "Did it",
        "narrative": "As planned.",
        "failure_modes": "A full disk is told.",
        "load_profile": " ",
    }
    world = asked(new_world, {TASK: [Turn(reports=[said], files={"a.py": "a\n"})]})

    assert world.run().status is Status.COMPLETE

    expected = {"Q5": ("pass", "A full disk is told."), "Q6": ("omitted", ""), "Q7": ("omitted", "")}
    assert answers(world, "M001/S01/T01") == expected
    assert answers(world, "M001/S01")["Q8"] == ("omitted", "")
    assert {q: verdict for q, (verdict, _) in answers(world, "M001").items()} == dict.fromkeys(
        ("MV01", "MV02", "MV03", "MV04"), "pass"
    )
    summary = (world.state / "view/M001/slices/S01/tasks/T01-SUMMARY.md").read_text()
    assert "Q5 pass: A full disk is told." in summary
    assert "Load Profile" not in summary


@pytest.mark.parametrize("profile", ["budget", "balanced"])
def test_where_the_profile_does_not_ask_nothing_is_asked_and_nothing_is_kept(new_world: NewWorld, profile: str) -> None:
    world = new_world(script=one_slice, policy=Policy(steps=PROFILES[profile]))

    assert world.run().status is Status.COMPLETE
    assert LOOK not in world.runs
    assert not any("failure_modes" in b.prompt for b in world.briefs)
    assert [n.kind for n in world.snapshot().notes.values()] == (
        ["validate-milestone"] if profile == "balanced" else []
    )


def test_what_is_flagged_stands_beside_its_slice_on_the_board_until_the_slice_is_done(new_world: NewWorld) -> None:
    world = asked(new_world)

    def beside() -> str:
        shown = board(world.store.overview(), world.snapshot(), [], None, frozenset())
        return next(line.note for line in shown.lanes[0].lines if line.depth == 1)

    world.run(RunOptions(units=4))
    assert beside() == ""
    world.run(RunOptions(units=1))
    assert beside() == "Q4 flagged: Sums must stay whole numbers."
    world.run(RunOptions(units=3))
    assert beside() == ""
