"""The attempt that diagnoses is told all that was tried, within bounds; no other attempt is told of it."""

import json

import pytest

from tests.core.build import TEXT, created, fold, running, sha
from walkaway.core import events as e
from walkaway.core.derive import Start, derive
from walkaway.core.ids import NO_SHA, NO_TEXT, TextHash, UnitKey
from walkaway.core.model import Policy, Snapshot
from walkaway.core.unit import find
from walkaway.units import UNITS, diagnosis, sections

KEY = UnitKey("plan-milestone", "M001")
UNIT = find(UNITS, KEY.kind)


def tried(*whys: str, attempts: int = 6) -> Snapshot:
    """A unit that reported, and was refused for each of these."""
    s = created(Policy(attempts=attempts))
    for n, why in enumerate(whys, 1):
        s, d = running(s, KEY, n)
        s = fold(
            s,
            e.DispatchReported(dispatch=d, report=text(f"report {n}"), commit=sha(n)),
            e.DispatchFailed(dispatch=d, failure="verification", why=why, output=text(f"out {why}"), next_run_at=0.0),
        )
    return s


def text(name: str) -> TextHash:
    return TextHash(name.encode().hex().ljust(64, "0"))


def told(s: Snapshot, *, output: str = "", report: str = "") -> str:
    start = derive(s, UNITS)
    assert isinstance(start, Start)
    wanted = sections.needs(s, UNIT, start)
    texts = {h: report if h.startswith(text("report")[:12]) else output for h in wanted}
    return sections.prompt(s, UNIT, start, {**texts, "": "", TEXT: "Build it."}, ())


def test_all_that_was_tried_stands_side_by_side_with_its_work_and_its_output() -> None:
    report = json.dumps({"key_files": ["a.py", "b.py"]})
    brief = told(tried("first", "second", "second"), output="what was printed", report=report)
    assert "## Diagnose first\n\nIt was refused twice in a row for the same reason: second" in brief
    for n, why in enumerate(("first", "second", "second"), 1):
        assert f"### M001-D00{n}, attempt {n}: verification\n\n{why}" in brief
        assert f"`git diff {sha(1)} {sha(n)}`" in brief
    assert brief.count("It says that it changed: `a.py`, `b.py`") == 3
    assert brief.count("what was printed") == 2, "the last output once where the refusal is told, the first here"
    assert brief.index("## Why the last attempt was refused") < brief.index("## Diagnose first")


def test_an_attempt_as_any_other_is_told_nothing_of_it() -> None:
    s = tried("first", "second")
    assert "Diagnose" not in told(s)
    start = Start(key=KEY, attempt=3, why="", output=NO_TEXT, carry=NO_SHA)
    assert diagnosis.needs(s, start) == ()


@pytest.mark.parametrize("report", ["", "[]", "{}"])
def test_a_report_without_files_names_none(report) -> None:
    assert "changed" not in told(tried("same", "same"), report=report).partition("## Diagnose first")[2]


def test_the_diagnosis_is_bounded() -> None:
    s = tried(*(f"{n} " + "w" * 5_000 for n in range(5)), attempts=6)
    brief = told(s, output="o" * 100_000, report=json.dumps({"key_files": ["f" * 20] * 500}))
    section = brief.partition("## Diagnose first")[2]
    assert len(section.encode()) < 12_000
    assert "### M001-D001" not in section
    assert "### M001-D002" in section
