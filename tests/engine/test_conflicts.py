"""A milestone that does not fit onto its target is brought together with it by a unit, on its own line."""

from collections.abc import Mapping
from dataclasses import replace

from tests.engine.conftest import NewWorld
from walkaway.core.brief import Brief
from walkaway.core.errors import LimitReached
from walkaway.core.model import FailureKind, Policy, Question, Result
from walkaway.engine.result import Progress, Status
from walkaway.testing.fakes import Files, Turn
from walkaway.testing.world import Scripted, World, good_files, good_report, good_turn

CLOSE = "complete-milestone M001"
RESOLVE = "resolve-conflict M001"
DONE = "M001/S01/T01.py"
THEIRS = {DONE: "theirs\n", "OTHER": "theirs\n"}


def torn(world: World, times: int = 1, what: Mapping[str, str] = THEIRS) -> World:
    """Have somebody else change the same file each time the milestone is about to be closed."""
    moved: list[str] = []

    def told(progress: Progress) -> None:
        if progress.kind == "unit" and progress.text == CLOSE and len(moved) < times:
            moved.append(world.workspace.move("main", {**what, DONE: f"theirs {len(moved)}\n"}))

    world.on_told = told
    return world


def good_turn_of(unit: str) -> Turn:
    kind, target = unit.split(" ")
    return Turn(reports=[good_report(kind, target)], files=good_files(kind, target))


def question_of(world: World) -> Question:
    found = world.snapshot().blocked_by
    assert found is not None
    return found


def test_a_conflict_is_resolved_on_the_milestones_line_and_what_is_integrated_holds_both(world: World) -> None:
    torn(world)

    assert world.run().status is Status.COMPLETE

    m = world.snapshot().milestone
    theirs = world.workspace.history(world.workspace.branches["main"])[1]
    published = world.workspace.commits[m.commit_sha]
    assert (published.parent, published.files[DONE], published.files["OTHER"]) == (theirs.sha, "both\n", "theirs\n")
    assert (world.runs[RESOLVE], world.runs[CLOSE]) == (1, 2)
    merge = next(c for c in world.workspace.history(m.head) if c.other)
    assert merge.other == theirs.sha
    assert "Walkaway-Unit: resolve-conflict M001" in merge.message
    assert (m.conflict_onto, m.conflict_files) == ("", ())
    assert next(n for n in world.snapshot().notes.values() if n.kind == "resolve-conflict").verdict == theirs.sha


def test_the_agent_finds_the_markers_and_is_told_what_both_sides_did(world: World) -> None:
    torn(world)
    seen: list[Files] = []

    def script(brief: Brief) -> Turn:
        if brief.unit == RESOLVE:
            seen.append(dict(world.workspace.files("/worktrees/M001.f1")))
        return good_turn(brief)

    world.script = script
    world.run()

    assert seen[0][DONE].startswith("<<<<<<< ")
    assert seen[0]["OTHER"] == "theirs\n"
    prompt = next(b.prompt for b in world.briefs if b.unit == RESOLVE)
    for words in (f"- `{DONE}`", "Did M001/S01/T01", "Somebody else's work", "What main became meanwhile"):
        assert words in prompt


def test_a_conflict_costs_closing_no_attempt(new_world: NewWorld) -> None:
    world = torn(new_world(policy=Policy(attempts=1)))

    assert world.run().status is Status.COMPLETE
    failed = next(d for d in world.snapshot().dispatches.values() if d.failure)
    assert (str(failed.key), failed.failure) == (CLOSE, FailureKind.CONFLICT)


def test_a_marker_that_is_left_is_refused_before_any_check_runs_and_the_next_attempt_goes_on_from_there(
    new_world: NewWorld,
) -> None:
    world = new_world()
    resolved = good_turn_of(RESOLVE)
    left = replace(resolved, files={"HALF": "done\n"})
    world.script = Scripted({RESOLVE: [left, resolved]})
    torn(world)

    assert world.run().status is Status.COMPLETE

    runs = [d for d in world.snapshot().dispatches.values() if str(d.key) == RESOLVE]
    assert [(d.failure, d.attempt) for d in runs] == [("verification", 1), ("", 2)]
    assert runs[0].why == f"There are conflict markers still in {DONE}."
    assert not [x for x in world.snapshot().evidence.values() if x.dispatch_id == runs[0].id]
    assert "conflict markers still in" in [b.prompt for b in world.briefs if b.unit == RESOLVE][1]
    assert world.workspace.commits[world.snapshot().milestone.commit_sha].files["HALF"] == "done\n"


def test_a_resolution_that_fails_the_checks_is_refused_and_what_was_resolved_is_kept(new_world: NewWorld) -> None:
    world = new_world()
    resolved = good_turn_of(RESOLVE)
    world.script = Scripted({RESOLVE: [replace(resolved, files={DONE: "wrong\n"}), resolved]})
    world.verifier.known["test"] = lambda files: Result.FAIL if "wrong\n" in files.values() else Result.PASS
    torn(world)

    assert world.run().status is Status.COMPLETE
    assert world.runs[RESOLVE] == 2
    assert world.workspace.commits[world.snapshot().milestone.commit_sha].files[DONE] == "both\n"


def test_a_conversation_that_ends_early_begins_again_with_the_markers(new_world: NewWorld) -> None:
    world = new_world()
    early = Turn(raises=LimitReached("no report"), files={"HALF": "done\n"})
    world.script = Scripted({RESOLVE: [early]})
    torn(world)

    assert world.run().status is Status.COMPLETE
    merge = next(c for c in world.workspace.history(world.snapshot().milestone.head) if c.other)
    assert (merge.files[DONE], merge.files["OTHER"], merge.files["HALF"]) == ("both\n", "theirs\n", "done\n")


def test_what_cannot_be_resolved_is_a_question_and_its_answer_looks_at_the_target_anew(new_world: NewWorld) -> None:
    world = new_world(policy=Policy(attempts=2))
    resolved = good_turn_of(RESOLVE)
    world.script = Scripted({RESOLVE: [replace(resolved, files={})] * 2})
    torn(world)

    assert world.run().status is Status.BLOCKED
    assert (question_of(world).reason, question_of(world).unit) == ("conflict", RESOLVE)
    assert DONE in question_of(world).text
    assert world.run().status is Status.BLOCKED, "starting again is no answer to a conflict"

    world.workspace.branches["main"] = world.workspace.history(world.workspace.branches["main"])[1].sha
    world.answer("retry")
    assert world.run().status is Status.COMPLETE
    assert world.runs[RESOLVE] == 2
    assert world.workspace.commits[world.snapshot().milestone.commit_sha].files[DONE] == f"# {DONE[:-3]}\n"


def test_refused_work_of_an_earlier_conflict_is_not_taken_for_this_one(new_world: NewWorld) -> None:
    world = new_world(policy=Policy(attempts=1))
    world.script = Scripted({RESOLVE: [replace(good_turn_of(RESOLVE), files={})]})
    torn(world)
    assert world.run().status is Status.BLOCKED

    world.workspace.move("main", {"LATER": "theirs\n"})
    world.answer("retry")

    assert world.run().status is Status.COMPLETE
    published = world.workspace.commits[world.snapshot().milestone.commit_sha]
    assert (published.files["LATER"], published.files[DONE]) == ("theirs\n", "both\n")


def test_a_target_that_is_changed_again_and_again_is_a_question_in_the_end(world: World) -> None:
    torn(world, times=4)

    assert world.run().status is Status.BLOCKED

    assert (question_of(world).reason, question_of(world).unit) == ("conflict", CLOSE)
    assert "were resolved 3 times before" in question_of(world).text
    assert (world.runs[RESOLVE], world.runs[CLOSE]) == (3, 4)
    world.answer("retry")
    assert world.run().status is Status.COMPLETE
    assert (world.runs[RESOLVE], world.runs[CLOSE]) == (4, 5)


def test_a_target_that_moves_while_a_conflict_is_resolved_is_integrated_onto_where_it_is_then(world: World) -> None:
    torn(world)

    def meanwhile() -> None:
        world.workspace.move("main", {"LATER": "x\n"})

    world.script = Scripted({RESOLVE: [replace(good_turn_of(RESOLVE), meanwhile=meanwhile)]})

    assert world.run().status is Status.COMPLETE
    published = world.workspace.commits[world.snapshot().milestone.commit_sha]
    assert (published.files["LATER"], published.files[DONE]) == ("x\n", "both\n")
    assert world.runs[RESOLVE] == 1
