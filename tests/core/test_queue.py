"""The queue: what may be worked on, why the rest waits, and which orders cannot be."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.build import M, created
from walkaway.core.errors import IllegalTransition, Usage
from walkaway.core.events import Queued, Reopened, SetAside, Undone
from walkaway.core.evolve import evolve
from walkaway.core.fleet.overview import MilestoneRow, Overview
from walkaway.core.ids import milestone_id, milestone_number
from walkaway.core.model import MilestoneStatus
from walkaway.core.model import Usage as Spending
from walkaway.core.plan.change import newest
from walkaway.core.schedule import eligible, in_order, needless, place_beside, violations, waiting

QUEUED, COMPLETE = MilestoneStatus.QUEUED, MilestoneStatus.COMPLETE


def row(name, status=QUEUED, *depends, **more):
    return MilestoneRow(
        id=name, title="", status=status, slices_done=0, slices_total=0, tasks_done=0, tasks_total=0, open_questions=0,
        holder=None, expires_at=0.0, depends=depends, **{"place": float(milestone_number(name)), **more},
    )  # fmt: skip


def seen(*rows):
    return Overview(project="p", now=0.0, milestones=rows, workers=(), usage=Spending())


def test_a_milestone_waits_until_all_that_it_comes_after_is_complete():
    before = seen(row("M001"), row("M002", COMPLETE), row("M003", QUEUED, "M001", "M002"))
    assert eligible(before) == ("M001",)
    assert waiting(before) == {"M001": "", "M003": "M003 waits for M001 (queued)"}
    after = seen(row("M001", COMPLETE), row("M002", COMPLETE), row("M003", QUEUED, "M001", "M002"))
    assert eligible(after) == ("M003",)


@pytest.mark.parametrize("how", ["parked", "discarded"])
def test_what_is_put_aside_is_never_worked_on_and_satisfies_nothing(how):
    overview = seen(row("M001", aside=how), row("M002", QUEUED, "M001"), row("M003"))
    assert eligible(overview) == ("M003",)
    assert waiting(overview)["M002"] == f"M002 waits for M001 ({how})"
    assert ("M001" in waiting(overview)) == (how == "parked")
    assert (waiting(overview).get("M001", "unpark").find("unpark M001") >= 0) == (how == "parked")


def test_one_that_waits_for_what_is_not_there_waits_for_ever_and_says_so():
    overview = seen(row("M002", QUEUED, "M009"))
    assert eligible(overview) == ()
    assert violations(overview) == ("M002 comes after M009, which does not exist.",)


def test_every_order_that_cannot_be_is_told():
    circle = seen(row("M001", QUEUED, "M002"), row("M002", QUEUED, "M001"))
    assert set(violations(circle)) == {"M001 and M002 come after each other.", "M002 and M001 come after each other."}
    assert violations(seen(row("M001", QUEUED, "M002"), row("M002"))) == (
        "M001 stands before M002, which it comes after.",
    )
    assert violations(seen(row("M001", aside="discarded"), row("M002", QUEUED, "M001"))) == (
        "M002 comes after M001, which was discarded.",
    )
    assert violations(seen(row("M001"), row("M002", QUEUED, "M001"))) == ()
    assert violations(seen(row("M001", QUEUED, "M002"), row("M002", COMPLETE))) == (), "what is over is in nobody's way"


def test_what_is_said_twice_is_told():
    overview = seen(row("M001"), row("M002", QUEUED, "M001"), row("M003", QUEUED, "M001", "M002"))
    assert needless(overview) == ("M003 comes after M001 anyway: it comes after M002.",)


@given(st.data())
def test_a_milestone_moved_beside_another_stands_there_and_nobody_else_moves(data):
    overview = seen(*(row(milestone_id(n)) for n in range(1, 6)))
    for _ in range(12):
        ids = [r.id for r in in_order(overview.milestones)]
        moved, other = data.draw(st.permutations(ids))[:2]
        after = data.draw(st.booleans())
        place = place_beside(overview, moved, other, after=after)
        assert place > 0
        rows = tuple(replace(r, place=place) if r.id == moved else r for r in overview.milestones)
        overview = replace(overview, milestones=rows)
        rest = [i for i in ids if i != moved]
        rest.insert(rest.index(other) + after, moved)
        assert [r.id for r in in_order(overview.milestones)] == rest


def test_where_no_place_is_left_that_is_an_error():
    overview = seen(row("M001", place=1.0), row("M002", place=1.0 + 2**-52), row("M003"))
    with pytest.raises(Usage, match="no room left beside M001"):
        place_beside(overview, "M003", "M001", after=True)


# ---- what a person may say of one milestone


def test_a_milestone_is_parked_and_taken_up_but_what_is_discarded_stays_so():
    s = created()
    parked = evolve(s, SetAside(target=M, how="parked", why="Later."), 2.0)
    assert (parked.milestone.aside, parked.milestone.aside_why) == ("parked", "Later.")
    assert evolve(parked, Reopened(target=M, why=""), 3.0).milestone == s.milestone
    gone = evolve(parked, SetAside(target=M, how="discarded", why=""), 3.0)
    for fact in (Reopened(target=M, why=""), SetAside(target=M, how="parked", why="")):
        with pytest.raises(IllegalTransition, match="was discarded"):
            evolve(gone, fact, 4.0)
    with pytest.raises(IllegalTransition, match="not parked"):
        evolve(s, Reopened(target=M, why=""), 2.0)
    with pytest.raises(IllegalTransition, match="cannot be skipped"):
        evolve(s, SetAside(target=M, how="skipped", why=""), 2.0)


@pytest.mark.parametrize("place", [0.0, -1.0, float("inf"), float("nan")])
def test_a_place_is_a_number_that_can_be_compared(place):
    with pytest.raises(IllegalTransition, match="a place is a number"):
        evolve(created(), Queued(place=place, depends=()), 2.0)


def test_no_milestone_comes_after_itself():
    with pytest.raises(IllegalTransition, match="after itself"):
        evolve(created(), Queued(place=1.0, depends=(M,)), 2.0)


def test_nothing_is_undone_where_nothing_is_done():
    assert newest(created()) is None
    with pytest.raises(IllegalTransition, match="not what was done last"):
        evolve(created(), Undone(task="M001/S01/T01", head="a" * 40, why=""), 2.0)
