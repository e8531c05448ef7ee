"""What a brief tells of the registers: only what the unit needs, never much, and nothing where there is nothing."""

import pytest

from tests.surfaces import stories
from walkaway.core.ids import slice_id
from walkaway.core.registers.model import Decision, Memory, Registers, Requirement
from walkaway.core.unit import find
from walkaway.units import UNITS, registers

S01 = slice_id(stories.M, 1)
STORY = stories.told([*stories.created(), *stories.planned(), *stories.sliced(S01)])


def decided(n: int, choice: str = "CSV", superseded_by: str = "") -> Decision:
    name = f"D{n:03}"
    return Decision(id=name, topic="t", decision="Format", choice=choice, superseded_by=superseded_by)


def required(n: int, **given: str) -> Requirement:
    return Requirement(**{"id": f"R{n:03}", "kind": "constraint", "description": "Export.", **given})


def remembered(n: int, content: str, confidence: float = 0.8) -> Memory:
    return Memory(id=f"MEM{n:03}", category="gotcha", content=content, confidence=confidence)


def having(*rows: Decision | Requirement | Memory) -> Registers:
    return Registers(
        decisions={r.id: r for r in rows if isinstance(r, Decision)},
        requirements={r.id: r for r in rows if isinstance(r, Requirement)},
        memories={r.id: r for r in rows if isinstance(r, Memory)},
    )


def known(r: Registers, kind: str = "plan-slice", target: str = S01) -> str:
    return registers.known(r, STORY, find(UNITS, kind), target)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.kind)
def test_empty_registers_say_nothing(unit):
    assert known(Registers(), unit.kind) == ""


def test_decisions_in_force_are_told_and_superseded_ones_are_not():
    told = known(having(decided(1, "gzip", "D002"), decided(2, "zstd")))
    assert "D002 Format: zstd" in told
    assert "gzip" not in told


def test_requirements_that_no_slice_covers_stand_first():
    r = having(required(1, owner="M001/S01"), required(2), required(3, status="validated"))
    lines = [line for line in known(r, "complete-milestone", stories.M).splitlines() if line.startswith("- R")]
    assert lines == ["- R002 Export. (no slice covers it)", "- R001 Export. (M001/S01)"]


def test_a_unit_that_builds_is_told_no_requirements_and_one_that_looks_no_decisions():
    r = having(decided(1), required(1), remembered(1, "Mind it."))
    task = known(r, "execute-task", f"{S01}/T01")
    assert ("D001" in task, "R001" in task, "MEM001" in task) == (True, False, True)
    trial = known(r, "run-uat")
    assert ("D001" in trial, "R001" in trial, "MEM001" in trial) == (False, False, True)


def test_the_memories_that_fit_stand_before_those_that_are_worth_more():
    title = STORY.slices[S01].title
    r = having(*(remembered(n, "Nothing to do with it.", 0.9) for n in range(1, 12)), remembered(12, title, 0.2))
    lines = [line for line in known(r).splitlines() if line.startswith("- MEM")]
    assert lines[0] == f"- MEM012 {title}"
    assert len(lines) == registers.MEMORIES_MOST


def test_full_registers_take_few_bytes():
    long = "word " * 200
    rows = [
        row for n in range(1, 200) for row in (decided(n, long), required(n, description=long), remembered(n, long))
    ]
    told = known(having(*rows))
    assert len(told.encode()) < 7_500
    assert "179 older ones are found by `recall`" in told
    assert "169 more are found by `recall`" in told
