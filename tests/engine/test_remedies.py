"""Every state in which a person is waited for can be left by each way that it names, and by nothing less.

The reasons for which people are asked are read from the code: a new one has to be shown here.
"""

import ast
import importlib
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest

import walkaway
from tests.engine.conftest import NewWorld
from tests.engine.test_asking import WHICH, asking
from tests.engine.test_integration import CLOSE, DONE
from tests.engine.test_steps import PAGES, REVIEWED, begin
from tests.engine.test_wishes import inject, sorts
from tests.engine.test_workflow import FAILS, VALIDATE, blocked, person, says
from walkaway.cli.main import COMMANDS
from walkaway.commands.reshape import DEFER, REOPEN, Form
from walkaway.commands.wish import CAPTURE
from walkaway.commands.wish import Form as Wish
from walkaway.core.asking.question import OF_PROJECT
from walkaway.core.errors import AgentStuck, GitFailed, OutsideChanged, ProviderRefused, Usage, WalkawayError
from walkaway.core.failing.failure import ERRORS_TO_BLOCK, RULES
from walkaway.core.ids import parse_unit
from walkaway.core.model import Policy, Question, Result
from walkaway.core.plan.hook import Hook
from walkaway.core.plan.start import PARTS
from walkaway.core.retry import RETRIED_BY_STARTING
from walkaway.engine.result import RunOptions, Status
from walkaway.engine.run import Trouble
from walkaway.hooks import ProjectHooks, Trust
from walkaway.testing.fakes import Turn
from walkaway.testing.world import Died, Fate, Scripted, World, good_turn

SOURCES = Path(walkaway.__file__).parent
TASK = "execute-task M001/S01/T01"
YEAR_S = 365 * 24 * 3600.0

CHOSEN_WHERE_IT_IS_ASKED = {
    "core/asking/gates.py": {"depth"},
    "core/derive.py": set(),
    "core/retry.py": {rule.asks.reason for rule in RULES.values() if rule.asks},
    "engine/opening.py": {"environment", "red-target"},
    "units/triage_captures.py": {"capture", "capture-stop"},
}
"""Reasons that an expression comes to, by the module in which it stands."""


def asked_in_the_code() -> set[str]:
    """Return every reason for which a question is raised anywhere in the sources."""
    found: set[str] = set()
    for path in SOURCES.rglob("*.py"):
        name = path.relative_to(SOURCES).as_posix()
        if name.startswith(("testing/", "views/samples")):
            continue
        for reason in _reasons(ast.parse(path.read_text(encoding="utf-8"))):
            found |= _value(reason, name)
    return found


def _reasons(tree: ast.AST) -> Iterator[ast.expr]:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in {"GiveUp", "Question", "Asks"}:
            yield from (keyword.value for keyword in call.keywords if keyword.arg == "reason")


def _value(reason: ast.expr, name: str) -> set[str]:
    module = importlib.import_module("walkaway." + name.removesuffix(".py").replace("/", "."))
    try:
        return {str(eval(ast.unparse(reason), vars(module)))}  # noqa: S307 - an expression of our own sources
    except NameError:
        return CHOSEN_WHERE_IT_IS_ASKED[name]


# ---- how each is come to, and what a person does about it -------------------------------------------------------------


@dataclass(frozen=True)
class State:
    """A world in which a person is asked for one reason; ``mend`` does in the world what the remedy says."""

    reason: str
    come: Callable[[NewWorld], World]
    mend: Callable[[World], object] = lambda _world: None


def good(world: World) -> None:
    world.script = good_turn


def always(error: BaseException) -> Callable[[NewWorld], World]:
    """A unit that ends with this whenever it is begun."""

    def come(new_world: NewWorld) -> World:
        world: World = new_world(script=lambda b: Turn(raises=error) if b.unit == TASK else good_turn(b))
        return world

    return come


def green(world: World) -> None:
    world.verifier.known["test"] = Result.PASS


def refusing(result: Result) -> Callable[[NewWorld], World]:
    """A check that does not pass once the first task wrote something."""

    def come(new_world: NewWorld) -> World:
        world: World = new_world()
        world.verifier.known["test"] = lambda files: result if "M001/S01/T01.py" in files else Result.PASS
        return world

    return come


def red(new_world: NewWorld) -> World:
    world: World = new_world()
    world.verifier.known["test"] = Result.FAIL
    return world


def killing(new_world: NewWorld) -> World:
    world: World = new_world()
    for _ in range(3):
        fate = Fate()
        world.script = Scripted({TASK: [Turn(meanwhile=fate.strike)]})
        with pytest.raises(Died):
            world.run(fate=fate)
    return world


def moving(new_world: NewWorld) -> World:
    """The target moves whenever it is checked; a person lets it rest."""
    world: World = new_world()
    numbers = count()

    def test(_files: object) -> Result:
        if any(".integration" in path for path in world.workspace.directories):
            world.workspace.move("main", {"OTHER": f"{next(numbers)}\n"})
        return Result.PASS

    world.verifier.known["test"] = test
    return world


def vanished(new_world: NewWorld) -> World:
    world: World = new_world()
    world.run(RunOptions(units=1))
    world.workspace.branches["kept"] = world.workspace.branches.pop("main")
    return world


def back(world: World) -> None:
    world.workspace.branches["main"] = world.workspace.branches["kept"]


def in_the_way(new_world: NewWorld) -> World:
    world: World = new_world()
    world.workspace.edited = {DONE}
    return world


def conflicting(new_world: NewWorld) -> World:
    world: World = new_world()
    world.on_told = lambda p: (
        world.workspace.move("main", {DONE: "theirs\n"}) if p.kind == "unit" and p.text == CLOSE else None
    )
    return world


def unconflicted(world: World) -> None:
    world.on_told = lambda _progress: None
    world.workspace.branches["main"] = world.workspace.history(world.workspace.branches["main"])[1].sha


def unready(new_world: NewWorld) -> World:
    world: World = new_world()
    world.troubles = [Trouble(code="low-disk", text="Only 1 MB is free.", remedy="free some space")]
    return world


def hooked(*commands: str, trusted: bool = True) -> Callable[[NewWorld], World]:
    """A world with a command of the user's before tasks."""

    def come(new_world: NewWorld) -> World:
        world: World = new_world()
        trust = Trust(str(world.state / "trust.json"), str(world.state))
        hooks = tuple(Hook(name=f"h{i}", when="before", units=(), run=run) for i, run in enumerate(commands))
        if trusted:
            for hook in hooks:
                trust.trust(hook)
        world.hooks = ProjectHooks(hooks=hooks, trust=trust, timeout_s=20.0)
        return world

    return come


def trusting(world: World) -> None:
    assert isinstance(world.hooks, ProjectHooks)
    for hook in world.hooks.hooks:
        world.hooks.trust.trust(hook)


def deferred(new_world: NewWorld) -> World:
    """What the second slice waits for is left for later."""
    world: World = new_world()
    world.run(RunOptions(units=1))
    DEFER.run(person(world), Form(target="M001/S01", reason="later"))
    return world


def listed(world: World) -> None:
    """The step that makes the list does it after all."""
    REOPEN.run(person(world), Form(target="M001/S01", reason="the list is missing"))
    world.script = lambda b: replace(good_turn(b), files={"pages.md": "- a\n", b.unit: "done"})


def thrown_in(verdict: str) -> Callable[[NewWorld], World]:
    """A person says something that would change the plan, or that wants the work to stop."""

    def come(new_world: NewWorld) -> World:
        world: World = new_world()
        world.run(RunOptions(units=3))
        CAPTURE.run(person(world), Wish(text="Add cats."))
        sorts(world, inject(1, verdict=verdict, **({} if verdict == "inject" else {"tasks": []})))
        return world

    return come


def unknown(new_world: NewWorld) -> World:
    """Nothing can be found out about the project's field."""
    world: World = new_world(policy=Policy(planning="deep"))
    blocked = {name: {"blocker": "No network."} for name in PARTS}
    world.script = Scripted({"research-project M001": [Turn(reports=[{"summary": "Nothing.", **blocked}])]})
    for _ in OF_PROJECT:
        world.run()
        world.answer("confirm")
    return world


LACKS = says(VALIDATE, verdict="needs-remediation", slices=[])
NO_LIST = PAGES.replace(", produces: [pages.md]", "")

STATES = [
    State("attempts", refusing(Result.FAIL), green),
    State("kills-its-worker", killing, good),
    State("stuck", always(AgentStuck("the same call five times")), good),
    State("environment", refusing(Result.CANNOT_RUN), green),
    State("provider-refused", always(ProviderRefused("401: no such key")), good),
    State("git", always(GitFailed("the disk is full")), good),
    State("policy", always(OutsideChanged("a.txt was written")), good),
    State("internal", always(WalkawayError("This cannot be.")), good),
    State("red-target", red, green),
    State("not-ready", unready, lambda world: world.troubles.clear()),
    State("hook", hooked("exit 3"), lambda world: setattr(world, "hooks", None)),
    State("untrusted-hook", hooked("true", trusted=False), trusting),
    State("target-moves", moving, green),
    State("target-missing", vanished, back),
    State("ready-to-integrate", in_the_way, lambda world: world.workspace.edited.clear()),
    State("conflict", conflicting, unconflicted),
    State(
        "unverified", lambda new_world: new_world(policy=Policy(checks=())), lambda w: setattr(w, "policy", Policy())
    ),
    State("no-unit", deferred, lambda world: REOPEN.run(person(world), Form(target="M001/S01", reason="now"))),
    State("replans", lambda new_world: new_world(script=Scripted(blocked(4))), good),
    State("needs-remediation", lambda new_world: new_world(script=Scripted({VALIDATE: [LACKS]})), good),
    State("uat-failed", lambda new_world: new_world(script=Scripted(FAILS), policy=Policy(steps=("run-uat",))), good),
    State("asked", lambda new_world: new_world(script=Scripted({TASK: [asking(WHICH)]})), good),
    State("depth", lambda new_world: new_world(policy=Policy(gates=("depth",), steps=("discuss-milestone",)))),
    State("discuss-slice", lambda new_world: new_world(policy=Policy(gates=("discuss-slice",)))),
    State("no-research", unknown, good),
    State("capture", thrown_in("inject")),
    State("capture-stop", thrown_in("stop")),
    State("review", lambda new_world: begin(new_world, REVIEWED.replace("POLICY", "human-review"))),
    State(
        "step-blocked", lambda new: begin(new, PAGES, {"pages.md": "- a\n"}, execute_task={"blocker": "No network."})
    ),
    State("step-list", lambda new_world: begin(new_world, NO_LIST, {"other.md": "- a\n"}), listed),
]
BY_REASON = pytest.mark.parametrize("state", STATES, ids=lambda state: state.reason)


def run(world: World) -> Status | None:
    """Let a worker run, and another one where it is ended by an error of walkaway's own."""
    for _ in range(ERRORS_TO_BLOCK + 1):
        with suppress(WalkawayError):
            return world.run().status
    return None


def come(state: State, new_world: NewWorld) -> tuple[World, Question]:
    world = state.come(new_world)
    run(world)
    question = world.snapshot().blocked_by
    assert question is not None
    assert question.reason == state.reason
    return world, question


def left(world: World, question: Question, runs: int) -> bool:
    """Whether the question is answered and something came of it."""
    s = world.snapshot()
    now = s.blocked_by
    began = len(s.dispatches) > runs or s.milestone.status == "complete"
    other = now is None or (now.reason, now.unit) != (question.reason, question.unit)
    return not s.questions[question.id].open and (began or other)


def test_every_reason_in_the_code_is_shown_here_and_none_besides() -> None:
    assert asked_in_the_code() == {state.reason for state in STATES}


@BY_REASON
def test_it_says_what_it_is_about_and_every_way_out_of_it(state: State, new_world: NewWorld) -> None:
    world, question = come(state, new_world)
    s = world.snapshot()
    target = parse_unit(question.unit).target
    assert target in {s.milestone.id, *s.slices, *s.tasks}
    assert question.text.strip()
    assert question.remedies
    for remedy in question.remedies:
        said = re.findall(r"answer ([a-z]+(?:-[a-z]+)*)", remedy)
        assert said or "run walkaway auto again" in remedy, f"'{remedy}' does not say how it ends"
        assert set(said) <= {*question.options, "with"}
        assert set(re.findall(r"walkaway ([a-z]+)", remedy)) <= set(COMMANDS)
    told = " ".join(question.remedies)
    assert (question.reason in RETRIED_BY_STARTING) == ("run walkaway auto again" in told)
    for option in question.options:
        by_starting = option == "retry" and question.reason in RETRIED_BY_STARTING
        assert option in told or by_starting or "answer with one of the options" in told


@BY_REASON
def test_neither_time_nor_a_new_run_nor_another_word_leaves_it(state: State, new_world: NewWorld) -> None:
    world, question = come(state, new_world)
    began = dict(world.runs)
    world.store.driver.skew += YEAR_S
    run(world)
    for word in ("", "yes", question.options[0].upper(), f" {question.options[0]}"):
        with suppress(LookupError), pytest.raises(Usage):
            world.answer(word)
    now = world.snapshot().blocked_by
    assert now is not None
    assert now.reason == state.reason
    if state.reason not in RETRIED_BY_STARTING:
        assert now.id == question.id
        assert world.runs == began, "nobody worked on it"


@pytest.mark.parametrize(
    "state", [s for s in STATES if s.reason in RETRIED_BY_STARTING], ids=lambda state: state.reason
)
def test_a_new_run_goes_on_once_the_world_is_mended(state: State, new_world: NewWorld) -> None:
    world, question = come(state, new_world)
    state.mend(world)
    assert run(world) is Status.COMPLETE
    assert world.snapshot().questions[question.id].answered_by == "a new run"


@BY_REASON
def test_every_answer_leaves_it_once_the_world_is_mended(state: State, new_world: NewWorld) -> None:
    _, first = come(state, new_world)
    for option in first.options:
        world, question = come(state, new_world)
        began = len(world.snapshot().dispatches)
        state.mend(world)
        world.answer(option)
        run(world)
        assert left(world, question, began), option
