"""What `query` says of every state that a project can be in."""

import json
from dataclasses import replace

import pytest

from tests.surfaces import stories
from walkaway.core import events as e
from walkaway.core.derive import derive
from walkaway.core.ids import DispatchId, TextHash, WorkerId, slice_id, task_id
from walkaway.core.model import Usage
from walkaway.core.registers.model import Decision, Glance
from walkaway.units import UNITS
from walkaway.views.query import Around, query

AROUND = Around(branch="main", sha="a" * 40, usd=25.0, attempts=3)
NOTHING = Glance(requirements={}, decisions=())
S01 = slice_id(stories.M, 1)
T01 = task_id(S01, 1)


def asked(facts, *, workers=(), dead=frozenset(), usage=None):
    s = stories.told(facts, usage=usage)
    decision = derive(s, UNITS)
    told = query(stories.overview(s, workers=workers), s, decision, around=AROUND, glance=NOTHING, dead=dead)
    return json.loads(json.dumps(told))


STAGES = [
    ("pre-planning", stories.created(), "plan-milestone", "M001"),
    ("planning", [*stories.created(), *stories.planned()], "plan-slice", "M001/S01"),
    ("executing", [*stories.created(), *stories.planned(), *stories.sliced(S01)], "execute-task", "M001/S01/T01"),
    (
        "executing",
        [*stories.created(), *stories.planned(), *stories.sliced(S01), *stories.task_done(1, T01)],
        "execute-task", "M001/S01/T02",
    ),
    (
        "summarizing",
        [*stories.created(), *stories.planned(), *stories.sliced(S01, tasks=1), *stories.task_done(1, T01)],
        "complete-slice", "M001/S01",
    ),
    (
        "validating-milestone",
        [
            *stories.created(), *stories.planned(slices=1), *stories.sliced(S01, tasks=1), *stories.task_done(1, T01),
            e.SliceDone(slice=S01, summary="done"),
        ],
        "validate-milestone", "M001",
    ),
    (
        "completing-milestone",
        [
            *stories.created(), *stories.planned(slices=1), *stories.sliced(S01, tasks=1), *stories.task_done(1, T01),
            e.SliceDone(slice=S01, summary="done"), e.MilestoneValidated(verdict="pass"),
        ],
        "complete-milestone", "M001",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("phase", "facts", "kind", "target"), STAGES, ids=[f"{n}-{s[0]}" for n, s in enumerate(STAGES)]
)
def test_every_phase_has_the_originals_word_and_names_the_unit_that_is_next(phase, facts, kind, target):
    told = asked(facts)
    assert told["state"]["phase"] == phase
    assert told["next"] == {"action": "dispatch", "unitType": kind, "unitId": target, "attempt": 1}
    assert told["blocked"] == told["questions"] == told["state"]["blockers"] == []


def test_the_keys_are_those_that_programs_were_promised():
    told = asked(stories.created())
    assert set(told) == {"state", "next", "cost", "workers", "blocked", "questions", "target"}
    assert set(told["state"]) == {
        "activeMilestone", "activeSlice", "activeTask", "phase", "recentDecisions", "blockers", "nextAction",
        "registry", "requirements", "progress", "scope",
    }  # fmt: skip
    assert told["state"]["scope"] == {"kind": "unknown", "why": "it is not planned yet"}
    assert told["state"]["requirements"] == {
        "active": 0, "validated": 0, "deferred": 0, "outOfScope": 0, "blocked": 0, "total": 0,
    }  # fmt: skip


def test_the_registers_are_told_in_short():
    newest = Decision(id="D002", topic="data", decision="Amounts", choice="fractions")
    glance = Glance(requirements={"active": 2, "validated": 1, "out-of-scope": 1}, decisions=(newest,))
    state = query(stories.overview(), None, None, around=AROUND, glance=glance)["state"]
    assert state["recentDecisions"] == ["D002: Amounts: fractions"]
    assert state["requirements"] == {
        "active": 2, "validated": 1, "deferred": 0, "outOfScope": 1, "blocked": 0, "total": 4,
    }  # fmt: skip


def test_what_a_milestone_comes_after_is_in_the_registry():
    s = stories.told(stories.created())
    row = replace(stories.row(s), id="M002", depends=("M001",))
    told = query(replace(stories.overview(s), milestones=(row,)), None, None, around=AROUND, glance=NOTHING)
    assert told["state"]["registry"][0]["dependsOn"] == ["M001"]


def test_slice_and_task_in_hand_are_named_by_their_short_ids():
    told = asked([*stories.created(), *stories.planned(), *stories.sliced(S01)])
    assert told["state"]["activeSlice"] == {"id": "S01", "title": "Part 1"}
    assert told["state"]["activeTask"] == {"id": "T01", "title": "Task 1"}
    assert told["state"]["progress"] == {
        "milestones": {"done": 0, "total": 1}, "slices": {"done": 0, "total": 2}, "tasks": {"done": 0, "total": 2},
    }  # fmt: skip


def test_a_retry_is_dispatched_with_its_attempt_and_the_reason():
    facts = [*stories.created(), *stories.planned(), *stories.sliced(S01), *stories.claimed(1, "execute-task", T01)]
    told = asked([*facts, *stories.failed(1)])
    assert told["next"]["attempt"] == 2
    assert "exit code 1" in told["next"]["reason"]
    assert "(attempt 2)" in told["state"]["nextAction"]


def test_a_question_blocks_and_is_told_with_its_remedies():
    facts = [*stories.created(), *stories.planned(), *stories.sliced(S01), stories.question()]
    told = asked(facts)
    assert told["state"]["phase"] == "blocked"
    assert told["next"]["action"] == "stop"
    assert told["blocked"] == [
        {
            "unit": "execute-task M001/S01/T01", "reason": "attempts",
            "detail": "execute-task M001/S01/T01 was refused 3 times.", "remedies": ["answer retry"],
        }
    ]  # fmt: skip
    assert told["questions"] == [
        {
            "id": "M001-Q1", "unit": "execute-task M001/S01/T01",
            "text": "execute-task M001/S01/T01 was refused 3 times.", "options": ["retry"],
        }
    ]  # fmt: skip
    assert told["state"]["blockers"] == ["execute-task M001/S01/T01 was refused 3 times."]


def test_a_question_that_is_answered_blocks_no_more():
    facts = [*stories.created(), *stories.planned(), *stories.sliced(S01), stories.question()]
    told = asked([*facts, e.QuestionAnswered(question="M001-Q1", answer="retry", who="ann")])
    assert told["blocked"] == told["questions"] == []
    assert told["next"]["action"] == "dispatch"


def test_a_question_that_is_about_to_be_asked_blocks_already_but_cannot_be_answered_yet():
    facts = [*stories.created(), *stories.planned(), *stories.sliced(S01)]
    for n in (1, 2, 3):
        facts += [*stories.claimed(n, "execute-task", T01, attempt=n), *stories.failed(n)]
    told = asked(facts)
    assert told["state"]["phase"] == "blocked"
    assert [b["reason"] for b in told["blocked"]] == ["attempts"]
    assert told["questions"] == []
    assert told["next"]["action"] == "stop"


def test_a_unit_that_waits_for_its_provider_is_skipped_until_then():
    facts = [*stories.created(), *stories.planned(), *stories.sliced(S01), *stories.claimed(1, "execute-task", T01)]
    down = e.DispatchFailed(
        dispatch=DispatchId("M001-D001"), failure="provider", why="overloaded", output=TextHash(""),
        next_run_at=stories.BEGAN + 10_000,
    )  # fmt: skip
    told = asked([*facts, down])
    assert told["next"] == {
        "action": "skip", "unitType": "execute-task", "unitId": "M001/S01/T01", "until": stories.BEGAN + 10_000,
        "reason": "overloaded",
    }  # fmt: skip


def test_a_milestone_whose_money_is_gone_stops_and_says_so():
    told = asked(stories.created(), usage=Usage(calls=1, usd=30.0))
    assert told["next"]["action"] == "stop"
    assert "budget" in told["next"]["reason"]
    assert told["cost"]["limits"] == {"usd": 25.0, "attempts": 3, "spent": 30.0}


def test_a_dispatch_under_way_is_what_is_next():
    facts = [*stories.created(), *stories.planned(), *stories.sliced(S01), *stories.claimed(1, "execute-task", T01)]
    told = asked(facts, workers=(stories.worker(),))
    assert told["next"]["unitId"] == "M001/S01/T01"
    assert told["next"]["reason"] == "M001-D001 is running."
    (worker,) = told["cost"]["workers"]
    assert (worker["milestoneId"], worker["pid"], worker["state"]) == ("M001", 4711, "active")
    assert worker["cost"] == 0.0
    assert told["workers"] == [
        {"id": "w1", "host": "here", "pid": 4711, "status": "active", "unit": "u", "last_beat": stories.BEGAN}
    ]


def test_a_worker_known_to_be_dead_is_called_crashed():
    told = asked(
        stories.created(), workers=(stories.worker(), stories.worker("w2", 5)), dead=frozenset({WorkerId("w1")})
    )
    assert [w["status"] for w in told["workers"]] == ["crashed", "active"]
    assert [w["state"] for w in told["cost"]["workers"]] == ["crashed", "active"]


def test_a_project_without_milestones_asks_for_a_specification():
    told = query(stories.overview(), None, None, around=AROUND, glance=NOTHING)
    assert told["state"]["phase"] == "pre-planning"
    assert told["state"]["registry"] == []
    assert told["next"]["action"] == "stop"
    assert "walkaway new" in told["state"]["nextAction"]


def test_when_all_is_done_the_last_milestone_is_named():
    s = stories.told(stories.whole())
    told = query(stories.overview(s), None, None, around=AROUND, glance=NOTHING)
    assert told["state"]["phase"] == "complete"
    assert told["state"]["activeMilestone"] is None
    assert told["state"]["lastCompletedMilestone"] == {"id": "M001", "title": "Ledger export"}
    assert told["state"]["registry"] == [{"id": "M001", "title": "Ledger export", "status": "complete"}]
    assert told["state"]["progress"]["milestones"] == {"done": 1, "total": 1}
    assert told["next"]["action"] == "stop"


def test_the_registry_says_complete_active_and_pending():
    done = stories.told(stories.whole())
    active = stories.told(stories.created())
    rows = [stories.row(done), stories.row(active), stories.row(active)]
    named = [replace(row, id=f"M00{n}") for n, row in enumerate(rows, 1)]
    now = replace(active, milestone=replace(active.milestone, id="M002"))
    whole = replace(stories.overview(), milestones=tuple(named))
    told = query(whole, now, derive(now, UNITS), around=AROUND, glance=NOTHING)
    assert [r["status"] for r in told["state"]["registry"]] == ["complete", "active", "pending"]


def test_a_price_that_is_unknown_is_null():
    told = asked(stories.created(), usage=Usage(calls=1, input_tokens=5, usd=None))
    assert told["cost"]["total"] is None
    assert told["cost"]["limits"]["spent"] is None
