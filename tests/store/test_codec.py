"""Events and rows <-> text: what was written once is read for ever."""

import json
import os
import typing
from dataclasses import fields
from pathlib import Path

import pytest

from walkaway.core import events as e
from walkaway.core.errors import Refused
from walkaway.core.ids import DispatchId, MilestoneId, Scope, Sha, SliceId, TaskId, TextHash, WorkerId
from walkaway.core.model import Evidence, Milestone, Note, Phase, Policy, Question, Result, Task, TaskStatus
from walkaway.core.registers.facts import RegisterEvent
from walkaway.store import codec
from walkaway.store.codec import dumps, event_from_entry, from_row, storable, to_row
from walkaway.testing import moments as m
from walkaway.testing import store_registers

GOLDEN = Path(__file__).parent / "golden_journal.jsonl"
"""One entry of each form that was ever written. Lines are added, never changed: old journals must be read for ever."""

HASH = TextHash("b" * 64)
M001 = MilestoneId("M001")
D1 = DispatchId("M001-d1")

SAMPLES: list[e.Event | RegisterEvent] = [
    *store_registers.EACH,
    e.MilestoneCreated(milestone=M001, title="A tool", context=HASH),
    e.PolicyChanged(
        policy=Policy(checks=("make check",), checks_timeout_s=60.0, setup=(), attempts=3, usd=2.5)
    ),
    e.PolicyChanged(policy=Policy()),
    m.pinned(),
    e.BaselineAccepted(sha=m.sha(1)),
    m.planned(M001, 2, depends=True),
    m.cut(SliceId("M001/S01"), 2),
    m.task_done(m.cut(SliceId("M001/S01")).tasks[0].id),
    e.SliceDone(slice=SliceId("M001/S01"), summary="It runs."),
    e.RoadmapChanged(
        added=(
            e.SlicePlan(
                id=SliceId("M001/S03"), title="More", demo="d", goal="g", risk="low", depends=(SliceId("M001/S01"),),
                sketch=True,
            ),
        ),
        changed=(),
        dropped=(SliceId("M001/S02"),),
        why="It showed.",
    ),
    e.BlockerFound(task=TaskId("M001/S01/T01"), why="No such file."),
    e.SliceReplanned(
        slice=SliceId("M001/S01"),
        tasks=(e.TaskPlan(id=TaskId("M001/S01/T02"), title="t", description="d", files=("a",), verify="true"),),
        why="It was wrong.",
    ),
    e.NoteTaken(
        note=Note(
            id="M001-N1", kind="run-uat", target="M001/S01", verdict="pass", summary="It holds.", report=HASH, at=0.0
        )
    ),
    e.SetAside(target="M001/S02", how="deferred", why="Later."),
    e.Reopened(target="M001/S02", why="After all."),
    e.TasksAdded(
        slice=SliceId("M001/S01"),
        tasks=(e.TaskPlan(id=TaskId("M001/S01/T03"), title="More", description="d", files=(), verify=""),),
        why="A person said so.",
    ),
    e.Queued(place=1.5, depends=(MilestoneId("M001"),)),
    e.Undone(task=TaskId("M001/S01/T01"), head=Sha("b" * 40), why="Wrong way."),
    e.SetAside(target="M001", how="parked", why="Not now."),
    e.MilestoneValidated(verdict="pass"),
    e.MilestoneDone(summary="One can use it.", commit=m.sha(9)),
    m.claimed(m.Fence(worker=WorkerId("w1"), epoch=1, token=7), "execute-task", "M001/S01/T01", D1, 2),
    m.started(D1),
    m.reported(D1),
    e.DispatchAdopted(dispatch=D1, worker=WorkerId("w2"), epoch=1, token=8),
    m.evidence("M001-d1-1", D1),
    e.EvidenceRecorded(
        evidence=Evidence(
            id="M001-base-1", dispatch_id="", phase=Phase.BASELINE, tree=m.sha(1), command="make", duration_ms=600_000,
            result=Result.TIMEOUT, exit_code=None, output=HASH,
        )
    ),
    e.IntegrationPrepared(dispatch=D1, base=m.sha(1), commit=m.sha(9), verified=True),
    e.IntegrationStale(dispatch=D1, tip=m.sha(8)),
    e.IntegrationConflicted(dispatch=D1, onto=m.sha(8), files=("a.py", "b.py"), why="Both changed it.", log=HASH),
    e.ConflictResolved(onto=m.sha(8)),
    m.completed(D1),
    m.failed(D1, "verification", 1795391366.25, "The check `make` failed."),
    e.DispatchStuck(dispatch=D1, why="It repeats itself."),
    m.canceled(D1),
    e.DispatchPaused(dispatch=D1, why="A person stopped it."),
    m.question(options=("retry", "accept-unverified")),
    m.answered(),
    m.gate(),
]  # fmt: skip

TYPES = (*typing.get_args(e.Event), *typing.get_args(RegisterEvent))


def entry(event: e.Event | RegisterEvent) -> str:
    kind, body = type(event).__name__, storable(event)[1]
    return json.dumps({"type": kind, "body": body}, ensure_ascii=False)


def test_there_is_a_sample_of_every_event() -> None:
    assert {type(sample) for sample in SAMPLES} == set(TYPES)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: type(s).__name__)
def test_an_event_comes_back_from_the_journal_as_it_was(sample: e.Event | RegisterEvent) -> None:
    same, body = storable(sample)
    assert same is sample
    again = event_from_entry(type(sample).__name__, body)
    assert again == sample
    assert type(again) is type(sample)
    for field in fields(sample):
        assert isinstance(getattr(sample, field.name), type(getattr(again, field.name)))


def test_every_form_that_was_ever_written_is_read() -> None:
    written = GOLDEN.read_text(encoding="utf-8").splitlines()
    for line in written:
        raw = json.loads(line)
        event = event_from_entry(raw["type"], raw["body"])
        assert type(event).__name__ == raw["type"]


def test_what_is_written_today_is_kept_as_golden() -> None:
    written = GOLDEN.read_text(encoding="utf-8").splitlines() if GOLDEN.exists() else []
    missing = [line for line in map(entry, SAMPLES) if line not in written]
    if missing and os.environ.get("GOLDEN") == "add":
        GOLDEN.write_text("".join(f"{line}\n" for line in [*written, *missing]), encoding="utf-8")
        missing = []
    assert missing == [], "a new form: run this with GOLDEN=add, which appends it; never change an old line"


def test_an_event_of_a_newer_version_is_refused_in_words() -> None:
    with pytest.raises(Refused, match="does not know"):
        event_from_entry("MilestoneTeleported", "{}")
    with pytest.raises(Refused, match="unknown fields: mood"):
        event_from_entry("DispatchStarted", '{"dispatch":"d1","mood":"fine"}')


def test_an_older_body_is_brought_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "UPCASTERS", {"DispatchStarted": lambda raw: {"dispatch": raw["run"]}})
    assert event_from_entry("DispatchStarted", '{"run":"d1"}') == m.started("d1")


def test_equal_values_have_equal_bytes() -> None:
    assert dumps({"b": 1, "a": (1, 2)}) == dumps({"a": [1, 2], "b": 1}) == '{"a":[1,2],"b":1}'


def test_a_row_is_one_cell_a_field() -> None:
    task = Task(id=m.cut(SliceId("M001/S01")).tasks[0].id, title="T", status=TaskStatus.COMPLETE, files=("a", "b"))
    row = to_row(task)
    assert tuple(row) == codec.columns(Task)
    assert (row["status"], row["files"]) == ("complete", '["a","b"]')
    assert all(type(cell) in {str, int, float} for cell in row.values())
    assert from_row(Task, tuple(row.values())) == task
    milestone = Milestone(id=M001, title="T", verified=True)
    assert to_row(milestone)["verified"] == 1
    assert from_row(Milestone, tuple(to_row(milestone).values())) == milestone


def test_texts_nobody_can_store_are_mended_in_every_place() -> None:
    bad = "a\x00\ud800"
    asked = Question(id="M001-Q1", unit=bad, reason="r", text=bad, remedies=(bad, "x"), options=("retry",))
    event, body = storable(e.QuestionRaised(question=asked))
    body.encode()
    assert event.question.remedies == ("a␀?", "x")
    assert event_from_entry("QuestionRaised", body) == event
    assert storable(event)[0] is event
    literal = e.DispatchStuck(dispatch=D1, why="\\u0000 é")
    assert storable(literal)[0] == literal
    evidence = m.evidence("e\x00").evidence
    assert storable(e.EvidenceRecorded(evidence=evidence))[0].evidence.phase is Phase.WORK


def test_scopes_are_texts() -> None:
    assert dumps(Scope("M001")) == '"M001"'
