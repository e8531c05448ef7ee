"""The projections: always the same bytes, in the original's formats, never an older state over a newer."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.projection import golden
from tests.surfaces import stories
from walkaway.core import events as e
from walkaway.core.derive import derive
from walkaway.core.ids import slice_id, task_id
from walkaway.core.model import Result
from walkaway.projection import render, render_state, write
from walkaway.units import UNITS

S01 = slice_id(stories.M, 1)


@pytest.mark.parametrize("name", ["half", "done"])
def test_the_files_are_the_golden_ones_to_the_byte(name):
    s = getattr(golden, name)()
    assert golden.files(s) == golden.expected(name), "python -m tests.projection.golden"
    assert golden.files(s) == golden.files(replace(s, now=s.now + 100, rev=s.rev + 1))


def test_the_files_lie_where_people_look_for_them():
    assert set(golden.files(golden.done())) == {
        "STATE.md", "M001-ROADMAP.md", "M001-CONTEXT.md", "M001-SUMMARY.md",
        "M001/slices/S01/S01-PLAN.md", "M001/slices/S01/S01-SUMMARY.md",
        "M001/slices/S01/tasks/T01-PLAN.md", "M001/slices/S01/tasks/T01-SUMMARY.md",
        "M001/slices/S01/tasks/T02-PLAN.md", "M001/slices/S01/tasks/T02-SUMMARY.md",
    }  # fmt: skip


def test_what_is_not_planned_has_no_file():
    assert set(render(stories.told(stories.created()), {stories.SPEC: "x"})) == {"M001-CONTEXT.md"}
    assert "M001/slices/S02/S02-PLAN.md" not in render(stories.told([*stories.created(), *stories.planned()]))


def test_the_roadmap_has_the_originals_lines():
    text = golden.files(golden.half())["M001-ROADMAP.md"]
    assert "- [x] **S01: Part 1** `risk:high` `depends:[]`\n  > After this: `ledger part1` prints something.\n" in text
    assert "- [ ] **S02: Part 2** `risk:low` `depends:[S01]`\n" in text
    assert "**Vision:** One file a month." in text


@pytest.mark.parametrize("path", [p for p, t in golden.files(golden.done()).items() if t.startswith("---")])
def test_every_front_matter_is_yaml(path):
    text = golden.files(golden.done())[path]
    found = yaml.safe_load(text.split("---\n")[1])
    assert isinstance(found, dict)
    assert text.index("<!--") > text.index("\n---\n")


def test_words_that_would_break_a_front_matter_or_a_table_are_quoted():
    odd = ("a: b", "- x", "yes", "3.10", 'quo"te', "back\\slash: y", "plain/path.py", "with # mark", "[x]", "")
    done = next(f for f in stories.task_done(1, task_id(S01, 1)) if isinstance(f, e.TaskDone))
    facts = [*stories.created(), *stories.planned(), *stories.sliced(S01)]
    facts += [
        replace(done, key_files=odd, summary="one\n# two | three") if f == done else f
        for f in stories.task_done(1, task_id(S01, 1))
    ]
    text = render(stories.told(facts))["M001/slices/S01/tasks/T01-SUMMARY.md"]
    assert yaml.safe_load(text.split("---\n")[1])["key_files"] == list(odd)
    assert "**one # two | three**" in text
    assert "\n# two" not in text


@pytest.mark.parametrize(
    ("results", "word"),
    [
        ([Result.PASS], "passed"), ([Result.PASS, Result.PASS], "passed"), ([Result.PASS, Result.FAIL], "mixed"),
        ([], "untested"), ([Result.NO_CHECK], "untested"),
    ],
)  # fmt: skip
def test_the_verification_result_says_what_was_seen(results, word):
    facts = [*stories.created(), *stories.planned(), *stories.sliced(S01)]
    run = [f for f in stories.task_done(1, task_id(S01, 1)) if not isinstance(f, e.EvidenceRecorded)]
    at = next(n for n, f in enumerate(run) if isinstance(f, e.TaskDone))
    seen = [stories.evidence(n, "M001-D001", result) for n, result in enumerate(results, 1)]
    text = render(stories.told([*facts, *run[:at], *seen, *run[at:]]))["M001/slices/S01/tasks/T01-SUMMARY.md"]
    assert f"verification_result: {word}\n" in text
    assert text.count("\n| ") == 1 + max(len(results), 1)


def test_the_state_names_what_waits_for_a_person():
    text = golden.files(golden.half())["STATE.md"]
    assert "**Phase:** blocked\n" in text
    assert "## Blockers\n- execute-task M001/S01/T01 was refused 3 times.\n" in text


def test_the_state_of_a_project_without_milestones_can_be_printed():
    text = render_state(stories.overview(), None, None)["STATE.md"]
    assert "**Phase:** pre-planning" in text
    assert "## Milestone Registry\n- None\n" in text


def test_a_finished_milestone_before_others_leaves_the_project_unfinished():
    done, later = golden.done(), stories.told(stories.created())
    rows = (stories.row(done), replace(stories.row(later), id="M002", title="Next"))
    text = render_state(replace(stories.overview(done), milestones=rows), done, derive(done, UNITS))["STATE.md"]
    assert "**Phase:** pre-planning" in text
    assert "**Last Completed Milestone:** M001" in text
    assert "- ⬜ **M002:** Next" in text
    assert "Go on with M002" in text


# ---- writing


def printed(rev: int, title: str = "Ledger export") -> dict[str, str]:
    s = stories.told(stories.created(title=title), rev=rev)
    return render_state(stories.overview(s), s, derive(s, UNITS))


def test_only_what_changed_is_written(tmp_path):
    view = str(tmp_path / "view")
    files = golden.files(golden.half())
    assert set(write(view, files, 17)) == set(files)
    before = {path: path.stat().st_mtime_ns for path in Path(view).rglob("*.md")}
    assert write(view, files, 18) == ()
    assert {path: path.stat().st_mtime_ns for path in Path(view).rglob("*.md")} == before
    assert list(Path(view).rglob("*.tmp")) == []


def test_an_older_state_never_overwrites_a_newer_one(tmp_path):
    write(str(tmp_path), printed(5, "new"), 5)
    assert write(str(tmp_path), printed(4, "old"), 4) == ()
    assert "new" in (tmp_path / "STATE.md").read_text()
    assert write(str(tmp_path), printed(6, "newer"), 6) == ("STATE.md",)
    assert "rev 6" in (tmp_path / "STATE.md").read_text()


def test_the_next_milestone_begins_at_a_low_revision_and_is_shown_nevertheless(tmp_path):
    write(str(tmp_path), printed(50), 50)
    other = {"STATE.md": printed(3)["STATE.md"].replace("M001", "M002")}
    assert write(str(tmp_path), other, 3) == ("STATE.md",)


def test_a_file_that_somebody_wrote_there_is_replaced(tmp_path):
    (tmp_path / "STATE.md").write_text("mine")
    assert write(str(tmp_path), printed(1), 1) == ("STATE.md",)
    (tmp_path / "STATE.md").write_bytes(b"\xff\xfe")
    assert write(str(tmp_path), printed(1), 1) == ("STATE.md",)


def test_each_file_says_whose_state_it_shows_at_which_revision(tmp_path):
    write(str(tmp_path), golden.files(golden.done()), 40)
    for path in tmp_path.rglob("*.md"):
        assert len(re.findall(r"^<!-- M001 rev 40: ", path.read_text(), re.MULTILINE)) == 1, path
