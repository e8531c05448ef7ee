"""The user's own commands around units: what they are told, what follows from what they say, and what never does."""

import json
import shlex
from pathlib import Path

import pytest

from tests.engine.conftest import NewWorld
from walkaway.core.errors import Usage
from walkaway.core.model import Policy
from walkaway.core.plan.hook import AFTER, BEFORE, Hook, advice
from walkaway.core.plan.profile import PROFILES
from walkaway.engine.result import RunOptions, Status
from walkaway.hooks import ProjectHooks, Trust
from walkaway.testing.world import World

TASK, OTHER = "execute-task M001/S01/T01", "execute-task M001/S01/T02"


def says(answer: object) -> str:
    """Return a command that answers so."""
    return f"echo {shlex.quote(json.dumps(answer))}"


def with_hooks(world: World, *hooks: Hook, timeout_s: float = 20.0) -> World:
    """Give a world these hooks, trusted."""
    trust = Trust(str(world.state / "trust.json"), str(world.state))
    for hook in hooks:
        trust.trust(hook)
    world.hooks = ProjectHooks(hooks=hooks, trust=trust, timeout_s=timeout_s)
    return world


def before(run: str, *units: str, name: str = "rules") -> Hook:
    return Hook(name=name, when=BEFORE, units=units, run=run)


def after(run: str, *units: str, name: str = "told") -> Hook:
    return Hook(name=name, when=AFTER, units=units, run=run)


def prompt(world: World, unit: str) -> str:
    return [brief.prompt for brief in world.briefs if brief.unit == unit][-1]


def reason(world: World) -> str:
    question = world.snapshot().blocked_by
    return "" if question is None else question.reason


def told(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


# ---- before ---------------------------------------------------------------------------------------------------------


def test_a_hook_is_told_of_the_unit_and_its_silence_changes_nothing(new_world: NewWorld, tmp_path: Path) -> None:
    log = tmp_path / "log"
    world = with_hooks(new_world(), before(f"cat >> {log}", "execute-task"))
    assert world.run().status is Status.COMPLETE
    first = told(log)[0]
    assert first == {
        "v": 1,
        "event": "before",
        "milestone": "M001",
        "unit": "execute-task",
        "target": "M001/S01/T01",
        "attempt": 1,
        "hook": "rules",
        "project": str(world.state),
    }
    assert [line["target"] for line in told(log)] == [key.partition(" ")[2] for key in world.runs if "execute" in key]
    plain = new_world()
    plain.run()
    assert prompt(plain, TASK) == prompt(world, TASK)


def test_words_of_a_hook_stand_around_the_instructions(new_world: NewWorld) -> None:
    modify = {"action": "modify", "before": "Use tabs.", "after": "No dependencies."}
    world = with_hooks(new_world(), before(says(modify), "execute-task"))
    assert world.run().status is Status.COMPLETE
    text = prompt(world, TASK)
    assert text.startswith(f"Unit: {TASK} (attempt 1)\n")
    assert text.index("hook `rules` says: Use tabs.") < text.index("Do this task") < text.index("No dependencies.")
    assert "Use tabs." not in prompt(world, "plan-slice M001/S01")
    assert any("changed the brief" in note for note in world.said("note"))


def test_instructions_are_replaced_and_nothing_that_bounds_the_unit_is(new_world: NewWorld) -> None:
    replace = {"action": "replace", "instructions": "Do as the house does."}
    plain, world = new_world(), with_hooks(new_world(), before(says(replace), "execute-task"))
    assert (plain.run().status, world.run().status) == (Status.COMPLETE, Status.COMPLETE)
    text = prompt(world, TASK)
    assert "Do as the house does." in text
    assert "Do this task" in prompt(plain, TASK)
    assert "Do this task" not in text
    [mine, theirs] = [next(b for b in w.briefs if b.unit == TASK) for w in (world, plain)]
    assert (mine.grant, mine.system, mine.limits) == (theirs.grant, theirs.system, theirs.limits)
    assert "walkaway will run these; all must pass" in text


def test_a_task_that_a_hook_skips_is_skipped_for_good(new_world: NewWorld, tmp_path: Path) -> None:
    log = tmp_path / "log"
    skip = says({"action": "skip", "reason": "It is there."})
    command = f'cat >> {log}; tail -n 1 {log} | grep -q \'"target": "M001/S01/T01"\' && {skip} || true'
    world = with_hooks(new_world(), before(command, "execute-task"))
    assert world.run().status is Status.COMPLETE
    task = world.snapshot().tasks["M001/S01/T01"]
    assert (task.aside, task.aside_why) == ("skipped", "The hook 'rules': It is there.")
    assert TASK not in world.runs
    assert [line["target"] for line in told(log)].count("M001/S01/T01") == 1


@pytest.mark.parametrize("step", PROFILES["max"])
def test_every_step_that_a_profile_may_leave_out_can_be_skipped(new_world: NewWorld, step: str) -> None:
    policy = Policy(steps=PROFILES["max"])
    world = with_hooks(new_world(policy=policy), before(says({"action": "skip", "reason": "no"}), step))
    assert world.run().status is Status.COMPLETE
    assert not [unit for unit in world.runs if unit.startswith(step)]
    assert {n.summary for n in world.snapshot().notes.values() if n.kind == "left-out"} == {"The hook 'rules': no"}
    plain = new_world(policy=policy)
    assert plain.run().status is Status.COMPLETE
    assert [unit for unit in plain.runs if unit.startswith(step)]


def test_what_no_milestone_can_do_without_is_not_skipped(new_world: NewWorld) -> None:
    world = with_hooks(new_world(), before(says({"action": "skip", "reason": "no"}), "plan-slice"))
    assert world.run().status is Status.BLOCKED
    assert reason(world) == "hook"
    assert not [unit for unit in world.runs if unit.startswith("plan-slice")]


def test_what_a_gate_shows_is_not_skipped(new_world: NewWorld) -> None:
    policy = Policy(steps=("discuss-milestone",), gates=("depth",))
    world = with_hooks(new_world(policy=policy), before(says({"action": "skip", "reason": "no"}), "discuss-milestone"))
    assert world.run().status is Status.BLOCKED
    assert reason(world) == "hook"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("echo oh no >&2; exit 3", "ended with exit code 3: oh no"),
        ("no-such-program-anywhere", "ended with exit code 127"),
        ("echo hello", "answered what is no JSON"),
        ("echo []", "one JSON object"),
        (says({"action": "explode"}), "`action` is one of modify, replace, skip"),
        (says({"action": "stop", "reason": "x"}), "`action` is one of modify, replace, skip"),
        (says({"action": "skip"}), "`reason` is missing or empty"),
        (says({"action": "modify"}), "`modify` wants `before` or `after`"),
        (says({"action": "modify", "before": 1}), "`before` is text"),
        (says({"action": "modify", "before": "x", "grant": "all"}), "knows no `grant`"),
        (says({"action": "modify", "before": "x" * 4_001}), "has 4001 bytes; at most 4000"),
        ("kill -9 $$", "ended with exit code -9"),
    ],
)
def test_a_hook_that_fails_or_talks_nonsense_holds_the_unit(new_world: NewWorld, command: str, words: str) -> None:
    world = with_hooks(new_world(), before(command, "execute-task"))
    assert world.run().status is Status.BLOCKED
    question = world.snapshot().blocked_by
    assert question is not None
    assert (question.reason, question.unit) == ("hook", TASK)
    assert words in question.text
    assert TASK not in world.runs


def test_a_hook_that_takes_too_long_is_ended_with_all_it_started(new_world: NewWorld, tmp_path: Path) -> None:
    late = tmp_path / "late"
    world = with_hooks(new_world(), before(f"(sleep 30; touch {late}) & sleep 30", "execute-task"), timeout_s=0.2)
    assert world.run().status is Status.BLOCKED
    question = world.snapshot().blocked_by
    assert question is not None
    assert "was ended after 0.2 s" in question.text
    assert not late.exists()


def test_hooks_are_asked_in_order_and_the_first_skip_is_the_last_word(new_world: NewWorld, tmp_path: Path) -> None:
    never = tmp_path / "never"
    world = with_hooks(
        new_world(),
        before(says({"action": "modify", "before": "One."}), "execute-task", name="one"),
        before(says({"action": "skip", "reason": "Enough."}), "execute-task", name="two"),
        before(f"touch {never}", "execute-task", name="three"),
    )
    assert world.run().status is Status.COMPLETE
    assert not never.exists()
    assert not [unit for unit in world.runs if unit.startswith("execute-task")]


# ---- after ----------------------------------------------------------------------------------------------------------


def test_a_hook_is_told_how_a_unit_ended(new_world: NewWorld, tmp_path: Path) -> None:
    log = tmp_path / "log"
    world = with_hooks(new_world(), after(f"cat >> {log}"))
    assert world.run().status is Status.COMPLETE
    lines = told(log)
    assert [f"{line['unit']} {line['target']}" for line in lines] == list(world.runs)
    done = next(line for line in lines if line["unit"] == "execute-task")
    d = next(d for d in world.snapshot().dispatches.values() if str(d.key) == TASK)
    assert (done["status"], done["commit"], done["attempt"]) == ("completed", d.commit_sha, 1)
    assert set(done) == {
        "v",
        "event",
        "milestone",
        "unit",
        "target",
        "attempt",
        "status",
        "why",
        "commit",
        "cost",
        "hook",
        "project",
    }


def test_a_hook_may_stop_the_run_and_the_next_one_goes_on(new_world: NewWorld) -> None:
    world = with_hooks(new_world(), after(says({"action": "stop", "reason": "It is late."}), "execute-task"))
    ended = world.run()
    assert (ended.status, ended.detail) == (Status.PAUSED, "The hook 'told': It is late.")
    assert list(world.runs)[-1] == TASK
    world.hooks = None
    assert world.run().status is Status.COMPLETE


def test_a_hook_that_fails_afterwards_is_told_and_takes_nothing_back(new_world: NewWorld) -> None:
    world = with_hooks(new_world(), after("exit 1"))
    assert world.run().status is Status.COMPLETE
    assert any("The hook 'told' ended with exit code 1" in note for note in world.said("note"))


# ---- trust ----------------------------------------------------------------------------------------------------------


def test_nothing_is_begun_while_a_hook_of_the_unit_is_not_trusted(new_world: NewWorld, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    world = new_world()
    trust = Trust(str(world.state / "trust.json"), str(world.state))
    hook = after(f"touch {ran}", "execute-task")
    world.hooks = ProjectHooks(hooks=(hook,), trust=trust, timeout_s=20.0)
    assert world.run().status is Status.BLOCKED
    assert reason(world) == "untrusted-hook"
    assert list(world.runs) == ["plan-milestone M001", "plan-slice M001/S01"]
    assert not ran.exists()
    trust.trust(hook)
    assert world.run(RunOptions()).status is Status.COMPLETE
    assert ran.exists()


def test_what_was_changed_since_is_not_run(new_world: NewWorld, tmp_path: Path) -> None:
    world = new_world()
    script, ran = world.state / "hook.sh", tmp_path / "ran"
    world.state.mkdir(exist_ok=True)
    script.write_text("true\n")
    world = with_hooks(world, before("sh hook.sh", "execute-task"))
    script.write_text(f"touch {ran}\n")
    assert world.run().status is Status.BLOCKED
    assert reason(world) == "untrusted-hook"
    assert "was changed since you trusted it" in getattr(world.snapshot().blocked_by, "text", "")
    assert not ran.exists()


def test_an_answer_fits_the_moment() -> None:
    with pytest.raises(Usage, match="one of stop"):
        advice(after("true"), {"action": "skip", "reason": "x"})
