"""A workflow in YAML: what it becomes, and every fault that it can have, named at once."""

from pathlib import Path

import pytest

from walkaway import workflows
from walkaway.core import events as e
from walkaway.core.errors import Usage
from walkaway.core.ids import MilestoneId
from walkaway.workflows.plan import facts

STEP = "{id: one, prompt: Do it.}"
PAGES = """
version: 1
name: docs-pass
description: Refresh the docs
params: {area: api}
steps:
  - id: fix
    name: Fix a page
    prompt: Fix {{item}} of {{area}}.
    requires: [list]
    context_from: [list]
    iterate: {source: pages.md, pattern: "^- (.+)$"}
    produces: ["{{item}}"]
  - id: list
    name: List pages
    prompt: List pages of {{area}} into pages.md, one per line.
    produces: [pages.md]
    verify: {policy: content-heuristic, minSize: 20, pattern: "^- "}
  - id: look
    prompt: Look.
    depends_on: [fix]
    verify: {policy: human-review}
  - id: judge
    prompt: Judge.
    requires: [fix]
    verify: {policy: prompt-verify, prompt: "Is {{area}} right?"}
  - id: run
    prompt: Run.
    verify: {policy: shell-command, command: "test -s {{area}}.md"}
"""


def steps(*written: str, head: str = "version: 1\nname: w\n") -> str:
    return f"{head}steps:\n" + "".join(f"  - {step}\n" for step in written)


def planned(text: str, **given: str) -> dict[str, e.SlicePlan]:
    planned_, *_ = facts(workflows.read(text, given), MilestoneId("M007"))
    assert isinstance(planned_, e.MilestonePlanned)
    return {slice_.title: slice_ for slice_ in planned_.slices}


def test_steps_are_slices_in_an_order_that_can_be_worked_off() -> None:
    made = planned(PAGES)
    assert [(title, x.id) for title, x in made.items()] == [
        ("List pages", "M007/S01"),
        ("Fix a page", "M007/S02"),
        ("look", "M007/S03"),
        ("judge", "M007/S04"),
        ("run", "M007/S05"),
    ]
    assert made["Fix a page"].depends == ("M007/S01",)
    assert made["look"].depends == ("M007/S02",)
    assert made["run"].depends == ()


def test_a_step_without_a_list_is_cut_into_its_one_task_and_one_with_a_list_waits_for_it() -> None:
    _, *cut = facts(workflows.read(PAGES), MilestoneId("M007"))
    tasks = {each.slice: each.tasks for each in cut if isinstance(each, e.SlicePlanned)}
    assert sorted(tasks) == ["M007/S01", "M007/S03", "M007/S04", "M007/S05"]
    assert [task.id for task in tasks[cut[0].slice]] == ["M007/S01/T01"]  # type: ignore[union-attr]
    assert "pages of api into pages.md" in tasks[cut[0].slice][0].description  # type: ignore[union-attr]


def test_what_a_step_says_of_itself_is_in_its_plan() -> None:
    made = planned(PAGES, area="the guide")
    fix, listed = made["Fix a page"], made["List pages"]
    assert fix.goal.startswith("Fix {{item}} of the guide.")
    assert "Read first: `pages.md`." in fix.goal
    assert "When it is done there is: `pages.md`." in listed.goal
    assert fix.step is not None
    assert (fix.step.source, fix.step.pattern) == ("pages.md", "^- (.+)$")
    assert made["judge"].step is not None
    assert (made["judge"].step.reviewer, made["judge"].step.review) == ("model", "Is the guide right?")
    assert made["look"].step is not None
    assert made["look"].step.reviewer == "person"


@pytest.mark.parametrize(
    ("title", "command"),
    [
        ("List pages", """test "$(wc -c < pages.md)" -ge 20 && grep -Eq -e '^- ' pages.md"""),
        ("Fix a page", "test -e '{{item}}'"),
        ("run", "test -s api.md"),
        ("look", ""),
    ],
)
def test_every_policy_that_needs_no_judgement_is_a_command(title: str, command: str) -> None:
    step = planned(PAGES)[title].step
    assert step is not None
    assert step.verify == command


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n- b\n", "no YAML mapping"),
        ("a: [", "no YAML: "),
        (steps(STEP, head="version: 2\nname: w\n"), "version is 1, not 2."),
        (steps(STEP, head="version: 1\nname: W!\n"), "name is lower-case words"),
        (steps(STEP, head="version: 1\nname: w\ncolour: red\n"), "Unknown keys: colour."),
        (steps(STEP, head="version: 1\nname: w\nparams: [a]\n"), "params is a mapping"),
        ("version: 1\nname: w\n", "steps is a list with at least one step."),
        (steps("one"), "Step 1 is no mapping."),
        (steps("{id: One, prompt: x}"), "Step One: id is lower-case words"),
        (steps("{id: one}"), "Step one: prompt says"),
        (steps("{id: one, prompt: x, when: now}"), "Step one: unknown keys: when."),
        (steps(STEP, STEP), "Step one: its id is there twice."),
        (steps("{id: one, prompt: x, requires: [a], depends_on: [a]}"), "are the same; keep one."),
        (steps("{id: one, prompt: x, requires: a}"), "Step one: requires is a list of texts."),
        (steps("{id: one, prompt: x, produces: [../a]}"), "'../a' does not lie in the project."),
        (steps("{id: one, prompt: x, produces: [/etc/a]}"), "'/etc/a' does not lie in the project."),
        (steps("{id: one, prompt: x, requires: [two]}"), "Step one: there is no step two."),
        (steps("{id: one, prompt: x, context_from: [two]}", "{id: two, prompt: x}"), "which it does not require."),
        (steps("{id: one, prompt: x, requires: [one]}"), "Step one: it requires itself."),
        (
            steps("{id: one, prompt: x, requires: [two]}", "{id: two, prompt: x, requires: [one]}"),
            "wait for each other: one, two.",
        ),
        (steps("{id: one, prompt: x, verify: {policy: hope}}"), "verify.policy is one of"),
        (steps("{id: one, prompt: x, verify: {policy: human-review, command: ls}}"), "takes nothing, not command."),
        (steps("{id: one, prompt: x, verify: {policy: shell-command}}"), "verify.command is missing."),
        (steps("{id: one, prompt: x, verify: {policy: prompt-verify}}"), "verify.prompt is missing."),
        (steps("{id: one, prompt: x, verify: {policy: content-heuristic}}"), "say what in produces."),
        (steps("{id: one, prompt: x, produces: [a], verify: {policy: content-heuristic, minSize: big}}"), "of bytes."),
        (steps("{id: one, prompt: x, iterate: {source: a}}"), "iterate has source and pattern."),
        (steps("{id: one, prompt: x, iterate: {source: ../a, pattern: '(.)'}}"), "iterate.source: '../a'"),
        (steps("{id: one, prompt: x, iterate: {source: a, pattern: '('}}"), "is no regular expression"),
        (steps("{id: one, prompt: x, iterate: {source: a, pattern: 'a'}}"), "this one has 0."),
        (steps("{id: one, prompt: x, iterate: {source: a, pattern: '(a)(b)'}}"), "this one has 2."),
        (steps("{id: one, prompt: 'do {{what}}'}"), "{{what}} has no value; give it as what=VALUE."),
        (steps("{id: one, prompt: 'do {{item}}'}"), "the step has no iterate."),
    ],
)
def test_a_fault_is_named(text: str, said: str) -> None:
    with pytest.raises(Usage) as refused:
        workflows.read(text)
    assert said in str(refused.value)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(Usage) as refused:
        workflows.read("version: 3\nname: W!\nsteps:\n  - {id: one}\n  - {id: two, prompt: x, when: now}\n")
    for said in ("version is 1", "name is", "Step one: prompt", "Step two: unknown keys"):
        assert said in str(refused.value)


def test_parameters_that_a_workflow_does_not_take_or_that_climb_out_are_refused() -> None:
    with pytest.raises(Usage, match="no parameter colour"):
        workflows.read(PAGES, {"colour": "red"})
    with pytest.raises(Usage, match=r"holds no '\.\.'"):
        workflows.read(PAGES, {"area": "../.."})


def test_a_bundled_workflow_says_what_it_is_for_and_can_be_run() -> None:
    names = {found.name for found in workflows.listed(())}
    assert names == {"bugfix", "feature", "refactor", "docs", "release"}
    for found in workflows.listed(()):
        description, params = workflows.about(found.text)
        assert description
        given = {each.partition("=")[0]: "something" for each in params}
        assert workflows.read(found.text, given).name == found.name


def test_the_project_s_own_workflow_comes_before_the_user_s_and_the_bundled_one(tmp_path: Path) -> None:
    folders = []
    for origin in ("project", "user"):
        folder = tmp_path / origin
        folder.mkdir()
        (folder / "docs.yaml").write_text(steps(STEP))
        folders.append((origin, str(folder)))
    (tmp_path / "user" / "mine.yaml").write_text(steps(STEP))
    assert workflows.find("docs", folders).origin == "project"
    assert workflows.find("docs", folders[1:]).origin == "user"
    assert workflows.find("docs", ()).origin == "bundled"
    origins = {found.name: found.origin for found in workflows.listed(folders)}
    assert (origins["docs"], origins["mine"], origins["bugfix"]) == ("project", "user", "bundled")
    assert workflows.find(str(tmp_path / "user" / "mine.yaml"), ()).origin == "file"
    with pytest.raises(Usage, match="no workflow 'nothing'"):
        workflows.find("nothing", folders)
    with pytest.raises(Usage, match="cannot be read"):
        workflows.find(str(tmp_path / "no.yaml"), ())
