"""`queue`, `park`, `unpark`, `discard`, `undo`, `plan show`, `dispatch` and `why`, as a person types them."""

import json

import pytest

from tests.surfaces import stories
from tests.surfaces.conftest import grow


def test_an_empty_queue_says_what_to_do(place, walkaway):
    assert "walkaway new --spec FILE" in walkaway("queue").out


def test_the_queue_is_shown_in_order_with_why_each_waits(place, opened, walkaway, tmp_path):
    for title in ("One", "Two", "Three"):
        grow(opened.store, [], title=title)
    spec = tmp_path / "spec.md"
    spec.write_text("# Four\n\nMore.\n")
    assert walkaway("new", "--spec", str(spec), "--after", "M002", "--after", "M001").out == "M004\n"
    assert walkaway("queue", "move", "M003", "--before", "M001").out == "M003 now stands right before M001.\n"
    assert walkaway("park", "M002", "--reason", "Not now.").code == 0
    told = json.loads(walkaway("queue", "--json").out)
    assert [(row["id"], row["standing"]) for row in told["milestones"]] == [
        ("M003", "queued"), ("M001", "queued"), ("M002", "parked"), ("M004", "queued")
    ]  # fmt: skip
    assert told["violations"] == []
    shown = walkaway("queue").out.splitlines()
    assert shown[0].split() == ["M003", "queued", "Three"]
    assert shown[2].endswith("M002 is parked; take it up with: walkaway unpark M002")
    assert shown[3].endswith("M004 waits for M002 (parked), M001 (queued)")
    status = walkaway("status").out
    assert "M002 is parked" in status
    assert json.loads(walkaway("query").out)["state"]["registry"][2]["status"] == "parked"
    assert walkaway("queue", "after", "M004", "M001").code == 0
    assert walkaway("discard", "M002").code == 2
    assert walkaway("discard", "M002", "--yes").code == 0
    assert walkaway("unpark", "M002").code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("park", "M009"), ("unpark", "M001"), ("queue", "move", "M001", "--before", "M009"), ("queue", "move", "M001"),
        ("queue", "after", "M001", "M001"), ("undo", "M001"), ("undo", "nonsense"), ("plan", "show", "M009"),
        ("why", "M001/S09"), ("why", "no-such-file.py:3"), ("why", "no-such-commit"), ("dispatch", "dance"),
        ("new", "--spec", "/dev/null", "--after", "M001"), ("why", "HEAD"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_cannot_be_is_an_error_and_changes_nothing(place, opened, walkaway, words):
    grow(opened.store, [])
    before = opened.store.snapshot(stories.M).rev
    ran = walkaway(*words)
    assert ran.code == 2, ran
    assert ran.err.startswith("walkaway: ")
    assert opened.store.snapshot(stories.M).rev == before


def test_all_parked_is_no_reason_to_hand_in_more(place, opened, walkaway):
    grow(opened.store, [])
    walkaway("park", "M001")
    told = json.loads(walkaway("query").out)["state"]
    assert told["phase"] == "blocked"
    assert told["nextAction"] == "No milestone can be worked on; walkaway queue shows why."


def test_a_parked_milestone_that_asks_is_not_the_one_in_hand(place, opened, walkaway):
    grow(opened.store, [stories.question()])
    walkaway("park", "M001")
    shown = walkaway("status").out
    assert "Waiting for you\n  M001-Q1" in shown
    assert "Next: No milestone can be worked on; walkaway queue shows why." in shown


def test_the_plan_is_shown_as_a_tree_and_for_programs(place, opened, walkaway):
    grow(opened.store, stories.whole()[2:])
    shown = walkaway("plan", "show").out
    assert "M001" in shown
    assert "  S01" in shown.replace("✓ ", " ").replace("▸ ", " ").replace("· ", " ")
    (told,) = json.loads(walkaway("plan", "show", "M001", "--json").out)["milestones"]
    s = opened.store.snapshot(stories.M)
    assert [x["id"] for x in told["slices"]] == [*s.slices]
    assert [t["id"] for x in told["slices"] for t in x["tasks"]] == [*s.tasks]
    assert {t["status"] for x in told["slices"] for t in x["tasks"]} >= {"complete"}


def test_a_task_tells_its_way_from_the_specification_to_its_commit(place, opened, walkaway):
    grow(opened.store, stories.whole()[2:])
    s = opened.store.snapshot(stories.M)
    task = next(t for t in s.tasks.values() if t.status == "complete")
    links = json.loads(walkaway("why", task.id, "--json").out)["links"]
    kinds = [link["kind"] for link in links]
    assert kinds[:3] == ["asked", "slice", "task"]
    assert kinds[-2:] == ["commit", "merged"]
    assert links[-2]["name"] == task.commit_sha
    assert any(link["kind"] == "run" and task.id in link["name"] for link in links)
    assert walkaway("why", task.id).out.splitlines()[0] == task.id


@pytest.mark.parametrize(
    "line",
    [
        ("undo", "M001"),
        *(("park", "M001"), ("unpark", "M001"), ("discard", "M001"), ("queue", "move", "M001", "--after", "M002")),
        *(("queue", "after", "M001", "M002"), ("skip", "M001/S01"), ("defer", "M001/S01"), ("reopen", "M001/S01/T01")),
    ],
    ids=" ".join,
)
def test_what_is_complete_stays_and_the_person_is_told_what_to_do_instead(place, opened, walkaway, line):
    grow(opened.store, stories.whole()[2:])
    walkaway("quick", "Add a licence.")
    before = opened.store.snapshot(stories.M)
    ran = walkaway(*line)
    assert (ran.code, ran.err) == (
        2, "walkaway: M001 is complete and merged; hand in what is to change with walkaway new --spec FILE.\n"
    )  # fmt: skip
    assert opened.store.snapshot(stories.M).rev == before.rev


def test_thoughts_are_kept_and_shown_with_what_became_of_them(place, opened, walkaway):
    assert "walkaway capture 'TEXT'" in walkaway("capture").out
    grow(opened.store, [])
    assert (
        walkaway("capture", "Empty lines  count, too.").out
        == "M001-N1 is kept; it is sorted in before the next unit.\n"
    )
    assert walkaway("override", "No dependencies.", "--milestone", "M001").code == 0
    assert walkaway("capture", "x", "--milestone", "M009").code == 2
    assert walkaway("override", " ").code == 2
    told = json.loads(walkaway("capture", "--json").out)["captures"]
    assert [(row["id"], row["kind"], row["text"], row["became"]) for row in told] == [
        ("M001-N1", "capture", "Empty lines count, too.", "waits for the next unit"),
        ("M001-N2", "override", "No dependencies.", "waits for the next unit"),
    ]
    assert "Empty lines count, too.\n    waits for the next unit" in walkaway("capture").out
    assert walkaway("capture", "stop").code == 0
    assert json.loads(walkaway("query").out)["blocked"][0]["reason"] == "paused"


def test_a_quick_task_is_planned_from_the_start_and_judged_by_its_command(place, opened, walkaway):
    assert walkaway("quick", "Add a licence: MIT.", "--verify", "test -f LICENSE").out == "M001\n"
    (told,) = json.loads(walkaway("plan", "show", "--json").out)["milestones"]
    (task,) = told["slices"][0]["tasks"]
    assert (told["title"], task["status"], task["verify"]) == ("Add a licence: MIT.", "pending", "test -f LICENSE")
    assert "execute-task M001/S01/T01" in walkaway("status").out
    assert "Add a licence: MIT." in walkaway("brief").out
    assert walkaway("quick", " ").code == 2
    assert walkaway("quick", "Do it", "--verify", "it should work").code == 2


def test_a_requirement_is_followed_to_the_commits_that_cover_it_and_back(place, opened, walkaway):
    grow(opened.store, stories.whole()[2:])
    s = opened.store.snapshot(stories.M)
    slice_, task = next(iter(s.slices)), next(iter(s.tasks.values()))
    assert walkaway("requirements", "add", "Export a month.", "--class", "core-capability").code == 0
    assert [x["kind"] for x in json.loads(walkaway("why", "R001", "--json").out)["links"]] == ["required"]
    assert walkaway("requirements", "update", "R001", "--owner", slice_, "--validation", "Seen.").code == 0
    links = json.loads(walkaway("why", "R001", "--json").out)["links"]
    kinds = [x["kind"] for x in links]
    assert kinds[:2] == ["required", "slice"]
    assert {"task", "commit"} <= set(kinds)
    assert kinds[-2:] == ["merged", "validated"]
    assert task.commit_sha in [x["name"] for x in links]
    back = json.loads(walkaway("why", task.id, "--json").out)["links"]
    assert back[1]["name"] == "R001 (active) Export a month."
    assert "required" not in [x["kind"] for x in json.loads(walkaway("why", "M001", "--json").out)["links"]]


def test_a_decision_tells_what_it_took_the_place_of(place, opened, walkaway):
    walkaway("decisions", "add", "Format", "--choice", "CSV", "--rationale", "Every tool opens it.")
    walkaway("decisions", "add", "Format", "--choice", "XLSX", "--supersedes", "D001")
    (link,) = json.loads(walkaway("why", "D001", "--json").out)["links"]
    assert (link["name"], link["text"]) == ("D001 Format: CSV; superseded by D002", "Every tool opens it.")
    assert "supersedes D001" in walkaway("why", "D002").out
