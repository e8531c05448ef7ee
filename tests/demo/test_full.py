"""The longer story of the demo, with real processes: what goes wrong in it, and how each of it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo.stand import Demo

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

KINDS = {
    *("discuss-milestone", "research-milestone", "plan-milestone", "research-slice", "plan-slice", "refine-slice"),
    *("evaluate-gate", "execute-task", "replan-slice", "complete-slice", "run-uat", "reassess-roadmap"),
    *("validate-milestone", "resolve-conflict", "complete-milestone"),
}
MOST_BYTES = 25_000


def test_the_longer_story_ends_on_main_after_all_that_went_wrong(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "kept")
    done = subprocess.run(
        [sys.executable, "-m", "walkaway", "demo", "--full", "--keep", str(demo.root)],
        cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr

    rows = [row for rows in json.loads(demo.walkaway("units", "--json"))["milestones"].values() for row in rows]
    ran = [row["unit"] for row in rows if row["status"] == "completed"]
    assert {unit.split()[0] for unit in ran} == KINDS
    assert len({unit for unit in ran if unit.startswith("plan-slice")}) == 3, "the slices, and one that was added"
    assert ran.count("validate-milestone M001") == 2, "something was missing, and it was looked at again"
    assert "execute-task M001/S01/T01" in ran, "what it reported was a blocker"
    assert [row["attempt"] for row in rows if row["unit"] == "execute-task M001/S03/T01"] == [1, 2]

    log = [json.loads(line) for line in demo.walkaway("log", "--json").splitlines()]
    verdicts = [entry["body"]["note"]["verdict"] for entry in log if entry["event"] == "NoteTaken"]
    assert {"partial", "needs-remediation", "pass", "confirmed"} <= set(verdicts)
    [answer] = [entry["body"] for entry in log if entry["event"] == "QuestionAnswered"]
    assert answer["answer"] == "keep apart"
    checks = [entry["body"]["evidence"] for entry in log if entry["event"] == "EvidenceRecorded"]
    proofs = [check["result"] for check in checks if check["command"].endswith("(without the change)")]
    assert proofs == ["pass"] * 5, "each task's tests fail without its work"

    view = demo.project / ".walkaway" / "view"
    for path in (
        "M001-RESEARCH.md",
        "M001-VALIDATION.md",
        "S01/S01-REPLAN.md",
        "S02/S02-RESEARCH.md",
        "S02/S02-ASSESSMENT.md",
    ):
        assert (view / (f"M001/slices/{path}" if path.startswith("S") else path)).is_file(), path
    subjects = demo.git("log", "--format=%s", "main").splitlines()
    assert subjects == [
        "spoon: a recipe for any number of people (M001)", "Say what spoon is for", "Begin with a name"
    ]  # fmt: skip
    assert "the house at the lake" in (demo.project / "README.md").read_text(encoding="utf-8")
    assert demo.git("status", "--porcelain") == ""
    assert " 5/5 tasks" in demo.walkaway("status"), "what was replaced is not among what was to be done"
    demo.doctor()
    assert "check     none: the project had nothing to run" in demo.walkaway("why", "M001/S01/T01")
    assert {request["status"] for request in demo.requests()} == {200}
    assert max(request["bytes"] for request in demo.requests()) <= MOST_BYTES
    for said in ("Meanwhile somebody commits to main", "Ran 8 tests", "3/4 cup flour", "3 1/2 cup flour"):
        assert said in done.stdout, said
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if str(demo.root) not in line), done.stdout

    other = subprocess.run(
        [sys.executable, "-m", "walkaway", "demo", "--keep", str(demo.root)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert other.returncode == 2
    assert "holds the other demo" in other.stderr
