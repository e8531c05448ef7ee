"""Briefs are bounded: whatever the size of the project, nothing is left out without saying so."""

import pytest

from tests.core.build import M, created, fold
from walkaway.core.ids import TaskId, slice_id
from walkaway.testing.moments import cut, planned
from walkaway.units import execute_task, sections

S01 = slice_id(M, 1)


def test_the_plan_of_a_task_names_its_files_and_its_command() -> None:
    s = fold(created(), planned(M), cut(S01))
    text = execute_task.brief(s, TaskId(f"{S01}/T01"), {})
    assert "- `a.py`" in text
    assert "Verify with: `true`" in text


def test_a_task_without_files_or_command_has_no_empty_headings() -> None:
    plan = cut(S01)
    bare = execute_task.Task(id=plan.tasks[0].id, title="T", description="D")
    assert "Files" not in execute_task._plan(bare)
    assert "Verify" not in execute_task._plan(bare)


@pytest.mark.parametrize("cut_", [sections.head, sections.tail])
def test_what_is_left_out_is_said_in_bytes(cut_) -> None:
    assert cut_("short", 10) == "short"
    text = cut_("é" * 100, 51)
    assert "[149 bytes left out]" in text
    assert text.count("é") == 25


def test_a_line_is_one_line() -> None:
    assert sections.line("two\nlines  here", 100) == "two lines here"
    assert sections.line("é" * 100, 21) == "é" * 9 + "…"


def test_long_lists_are_shortened_evenly_and_keep_every_line() -> None:
    lines = [f"- [ ] S{n:02} " + "word " * n for n in range(1, 60)]
    text = sections.fit(lines, 5_000)
    assert len(text.encode()) <= 5_000
    assert len(text.splitlines()) == 59
    assert text.splitlines()[0] == lines[0].strip()
    assert sections.fit([], 10) == ""
    assert sections.fit(lines[:3], 10_000).splitlines() == [x.strip() for x in lines[:3]]
