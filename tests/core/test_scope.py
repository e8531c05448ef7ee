"""How much there is to a milestone: every doubt takes the full way."""

from dataclasses import replace

import pytest

from tests.core.build import TEXT, created, fold
from walkaway.core import events as e
from walkaway.core.ids import SliceId, TaskId
from walkaway.core.model import SCOPES, Note, Policy, Snapshot
from walkaway.core.plan.profile import STEPS
from walkaway.core.plan.scope import LEFT_OUT, Kind, scope_of, takes

S01 = SliceId("M001/S01")


def planned(vision: str, criteria: tuple[str, ...] = (), slices: int = 1, policy: Policy | None = None) -> Snapshot:
    plans = tuple(
        e.SlicePlan(
            id=SliceId(f"M001/S{n:02}"), title=f"Part {n}", demo="It is seen.", goal="It is right.", risk="low",
            depends=(),
        )
        for n in range(1, slices + 1)
    )  # fmt: skip
    s = created(policy or Policy(steps=STEPS))
    return fold(s, e.MilestonePlanned(title="Work", vision=vision, criteria=criteria, slices=plans))


def cut(s: Snapshot, files: int) -> Snapshot:
    plan = e.TaskPlan(
        id=TaskId(f"{S01}/T01"), title="T", description="D", files=tuple(f"f{n}" for n in range(files)), verify=""
    )
    return fold(s, e.SlicePlanned(slice=S01, goal="It is right.", must_haves=(), tasks=(plan,)))


@pytest.mark.parametrize(
    ("vision", "kind", "shown"),
    [
        ("A typo in the greeting is gone.", "trivial", "typo"),
        ("A landing page says who we are.", "trivial", "landing page"),
        ("Docs only: the guide reads well.", "trivial", "Docs only"),
        ("The variable is renamed in 2 files.", "trivial", "renamed"),
        ("A static site with no backend and no database.", "trivial", "static site"),
        ("A landing page without any login or database.", "trivial", "landing page"),
        ("A static page; zero tests are needed.", "trivial", "static page"),
        ("Numbers can be added.", "standard", "nothing says that it is less"),
        ("One file a month holds the ledger.", "standard", "nothing says that it is less"),
        ("A typo in the login page is gone.", "standard", "login"),
        ("A typo in the permissions is gone.", "standard", "permissions"),
        ("A typo is gone, and the migration runs.", "standard", "migration"),
        ("A typo is gone from the tests.", "standard", "tests"),
        ("A landing page with a server behind it.", "standard", "server"),
        ("A static page. No, the database stays.", "standard", "database"),
        ("No frills whatever, and nothing else is there: a landing page and an api.", "standard", "api"),
        ("A landing page without all the clutter of the one before and its api.", "standard", "api"),
        ("A rename in 3 files.", "standard", "3 files"),
        ("A rename in 12 files.", "complex", "12 files"),
        ("A typo in the distributed consensus.", "complex", "distributed"),
        ("A breaking change of the format.", "complex", "breaking change"),
        ("The author of a typo is named.", "trivial", "typo"),
    ],
)
def test_what_a_plan_says_shows_how_much_there_is_to_it(vision, kind, shown) -> None:
    found = scope_of(planned(vision))
    assert found.kind == kind
    assert shown in found.why


def test_what_speaks_against_it_counts_wherever_it_stands_and_what_speaks_for_it_only_at_the_top() -> None:
    assert scope_of(planned("A typo is gone.", ("`make test` runs the tests",))).kind is Kind.STANDARD
    assert scope_of(planned("Numbers can be added.", ("the README tells how",))).kind is Kind.STANDARD


def test_what_is_not_planned_yet_is_unknown_whatever_its_title_says() -> None:
    s = created(Policy(steps=STEPS))
    s = replace(s, milestone=replace(s.milestone, title="Fix a typo"))
    assert scope_of(s).kind is Kind.UNKNOWN
    assert takes(s, "validate-milestone")


def test_a_plan_that_grows_is_not_trivial_any_more() -> None:
    s = planned("A typo is gone.")
    assert scope_of(cut(s, 2)).kind is Kind.TRIVIAL
    assert scope_of(cut(s, 3)).kind is Kind.STANDARD
    assert scope_of(cut(s, 8)).kind is Kind.COMPLEX
    assert scope_of(planned("A typo is gone.", slices=2)).kind is Kind.TRIVIAL
    assert scope_of(planned("A typo is gone.", slices=3)).kind is Kind.STANDARD


def test_what_a_validation_looked_at_once_is_validated_to_its_end() -> None:
    s = planned("A typo is gone.")
    note = Note(
        id="M001-N01", kind="validate-milestone", target="M001", verdict="needs-remediation", summary="s", report=TEXT
    )
    s = replace(s, notes={note.id: note})
    assert takes(s, "validate-milestone")


def test_only_a_trivial_milestone_goes_without_and_only_without_what_is_named() -> None:
    for scope in SCOPES:
        s = planned("Numbers can be added.", policy=Policy(steps=STEPS, scope=scope))
        left_out = {step for step in STEPS if not takes(s, step)}
        assert left_out == (LEFT_OUT if scope == "trivial" else set())
    assert not takes(planned("Numbers can be added.", policy=Policy(steps=())), "validate-milestone")
    assert all(takes(created(Policy(steps=STEPS)), step) for step in STEPS), "unknown takes all of them"


def test_a_person_may_say_so() -> None:
    s = planned("A typo is gone.", policy=Policy(scope="complex"))
    assert scope_of(s).kind is Kind.COMPLEX
    assert "workflow.scope" in scope_of(s).why
