"""A workflow that a person wrote, run like any work: under lease and ledger, through every way out."""

from collections.abc import Mapping
from uuid import uuid4

import pytest

from tests.engine.conftest import NewWorld
from walkaway import workflows
from walkaway.core.brief import Brief
from walkaway.core.model import Result
from walkaway.core.plan.step import MOST_ITEMS, Step, items
from walkaway.engine.result import RunOptions, Status
from walkaway.testing.fakes import Turn
from walkaway.testing.world import Died, Fate, World, good_report
from walkaway.workflows.plan import facts

PAGES = """
version: 1
name: pages
steps:
  - {id: list, prompt: List the pages., produces: [pages.md]}
  - id: mend
    prompt: Mend {{item}}.
    requires: [list]
    iterate: {source: pages.md, pattern: "^- (.+)$"}
  - {id: tidy, prompt: Tidy up., requires: [mend]}
"""
REVIEWED = """
version: 1
name: reviewed
steps:
  - {id: write, prompt: Write., verify: {policy: POLICY}}
  - {id: send, prompt: Send., requires: [write]}
"""
LISTED = "M001/S01/T01"


def begin(new_world: NewWorld, text: str, files: Mapping[str, str] | None = None, **turns: object) -> World:
    """A world whose one milestone is a run of the workflow ``text``; its list is ``files``."""

    def script(brief: Brief) -> Turn:
        kind, target = brief.unit.split(" ")
        said = turns.pop(kind.replace("-", "_"), None)
        report = {**good_report(kind, target), **(said if isinstance(said, dict) else {})}
        written = files if target == LISTED and files is not None else {f"{target}.py": f"# {uuid4().hex}\n"}
        return Turn(reports=[report], files=written if kind == "execute-task" else {})

    world: World = new_world(milestones=0, script=script)
    there = lambda files: Result.PASS if "pages.md" in files else Result.FAIL  # noqa: E731
    world.verifier.known.update({"test -e pages.md": there, "ls 'a; echo b'": Result.PASS})
    definition = workflows.read(text)
    world.store.new_milestone(definition.name, text, world.policy, "ada", lambda made: facts(definition, made))
    return world


def done(world: World) -> list[str]:
    return [str(d.key) for d in world.snapshot().dispatches.values() if d.status == "completed"]


def test_a_step_with_a_list_is_done_once_for_each_item_and_all_of_it_lands(new_world: NewWorld) -> None:
    world = begin(new_world, PAGES, {"pages.md": "# Pages\n- a.md\n- b.md\n- a.md\nnothing\n"})
    assert world.run().status is Status.COMPLETE
    assert done(world) == [
        "execute-task M001/S01/T01",
        "execute-task M001/S02/T01",
        "execute-task M001/S02/T02",
        "execute-task M001/S03/T01",
        "complete-milestone M001",
    ]
    s = world.snapshot()
    assert [t.title for t in s.tasks_of(s.slices["M001/S02"].id)] == ["mend: a.md", "mend: b.md"]
    assert [x.status for x in s.slices.values()] == ["complete"] * 3
    assert s.milestone.verdict == "skipped"
    files = dict(world.facts().files)
    assert "M001/S03/T01.py" in files


def test_a_list_without_an_item_skips_its_step_and_what_requires_it_goes_on(new_world: NewWorld) -> None:
    world = begin(new_world, PAGES, {"pages.md": "nothing here\n"})
    assert world.run().status is Status.COMPLETE
    s = world.snapshot()
    assert s.slices["M001/S02"].aside == "skipped"
    assert "there is nothing to do" in s.slices["M001/S02"].aside_why
    assert "execute-task M001/S03/T01" in done(world)


@pytest.mark.parametrize("files", [{"other.md": "- a\n"}, {"pages.md": "".join(f"- {n}\n" for n in range(101))}])
def test_a_list_that_is_missing_or_too_long_asks_and_skip_goes_on(
    new_world: NewWorld, files: Mapping[str, str]
) -> None:
    world = begin(new_world, PAGES.replace(", produces: [pages.md]", ""), files)
    ended = world.run()
    assert ended.status is Status.BLOCKED
    assert "pages.md" in ended.detail
    assert world.run().status is Status.BLOCKED, "nothing less than an answer"
    world.answer("skip")
    assert world.run().status is Status.COMPLETE
    assert world.snapshot().slices["M001/S02"].aside == "skipped"


def test_a_step_that_does_not_make_what_it_produces_is_done_again(new_world: NewWorld) -> None:
    world = begin(new_world, PAGES, {"other.md": "- a\n"})
    ended = world.run()
    assert ended.status is Status.BLOCKED
    assert "The check `test -e pages.md` failed" in ended.detail
    assert world.runs["execute-task M001/S01/T01"] == 3


def test_a_list_that_is_mended_is_read_again(new_world: NewWorld) -> None:
    world = begin(new_world, PAGES.replace(", produces: [pages.md]", ""), {"other.md": "- a\n"})
    assert world.run().status is Status.BLOCKED
    world.answer("retry")
    assert world.run().status is Status.BLOCKED
    world.answer("skip")
    assert world.run().status is Status.COMPLETE


def test_a_person_looks_at_a_step_before_what_requires_it_begins(new_world: NewWorld) -> None:
    world = begin(new_world, REVIEWED.replace("POLICY", "human-review"))
    assert world.run().status is Status.BLOCKED
    assert done(world) == ["execute-task M001/S01/T01"]
    world.answer("redo")
    assert world.run().status is Status.BLOCKED
    assert done(world) == ["execute-task M001/S01/T01"] * 2
    world.answer("accept")
    assert world.run().status is Status.COMPLETE
    assert done(world)[2:] == ["execute-task M001/S02/T01", "complete-milestone M001"]


def test_a_model_looks_at_a_step_and_where_it_says_no_a_person_decides(new_world: NewWorld) -> None:
    text = REVIEWED.replace("POLICY", "prompt-verify, prompt: 'Is it good?'")
    world = begin(new_world, text, review_step={"verdict": "fail", "summary": "It is not."})
    ended = world.run()
    assert ended.status is Status.BLOCKED
    assert "It is not." in ended.detail
    assert "Is it good?" in world.briefs[-1].prompt
    world.answer("redo")
    assert world.run().status is Status.COMPLETE
    assert done(world) == [
        "execute-task M001/S01/T01",
        "review-step M001/S01",
        "execute-task M001/S01/T01",
        "review-step M001/S01",
        "execute-task M001/S02/T01",
        "complete-milestone M001",
    ]


def test_a_step_that_cannot_be_done_is_a_question_and_no_new_plan(new_world: NewWorld) -> None:
    world = begin(new_world, PAGES, {"pages.md": "- a\n"}, execute_task={"blocker": "There is no network."})
    ended = world.run()
    assert ended.status is Status.BLOCKED
    assert "There is no network." in ended.detail
    world.answer("retry")
    assert world.run().status is Status.COMPLETE
    assert "replan-slice M001/S01" not in world.runs


def test_a_step_that_is_given_up_counts_as_done_for_the_others(new_world: NewWorld) -> None:
    world = begin(new_world, REVIEWED.replace("POLICY", "human-review"), execute_task={"blocker": "Nobody knows."})
    assert world.run().status is Status.BLOCKED
    world.answer("skip")
    assert world.run().status is Status.COMPLETE
    assert done(world)[1:] == ["execute-task M001/S02/T01", "complete-milestone M001"]


def test_whoever_dies_wherever_every_item_is_done_once(new_world: NewWorld) -> None:
    listed = {"pages.md": "- a\n- b\n"}
    whole = begin(new_world, PAGES, listed)
    fate = Fate()
    assert whole.run(fate=fate).status is Status.COMPLETE
    wanted = whole.facts()
    points = range(0, 2 * len(fate.points), 7)
    assert len(points) > 10
    for point in points:
        world = begin(new_world, PAGES, listed)
        with pytest.raises(Died):
            world.run(fate=Fate(dies_at=point))
        assert world.run(RunOptions()).status is Status.COMPLETE
        assert (world.facts().completed, world.facts().on_the_line) == (wanted.completed, wanted.on_the_line)


def test_items_are_the_group_of_each_line_that_matches_and_none_is_there_twice() -> None:
    step = Step(prompt="p", source="s", pattern=r"^- (\S+)")
    assert items(step, "- a\n-b\n- c d\n* e\n- a\n") == ["a", "c"]
    assert items(step, f"- {'x' * 2000}\n- y\n") == ["y"], "a line that long is no item"
    assert len(items(step, "".join(f"- {n}\n" for n in range(MOST_ITEMS + 5)))) == MOST_ITEMS + 5


def test_an_item_that_is_no_word_is_quoted_where_it_stands_in_a_command(new_world: NewWorld) -> None:
    judged = PAGES.replace(
        "\n    requires: [list]\n",
        '\n    requires: [list]\n    verify: {policy: shell-command, command: "ls {{item}}"}\n',
        1,
    )
    world = begin(new_world, judged, {"pages.md": "- a; echo b\n"})
    world.run()
    assert [t.verify for t in world.snapshot().tasks.values()][1] == "ls 'a; echo b'"
