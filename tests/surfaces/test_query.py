"""`query`: one line of JSON, no model, no side effect, nothing slow imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.surfaces import stories
from tests.surfaces.conftest import grow
from walkaway.core.ids import MilestoneId, slice_id
from walkaway.init import initialise

BIN = Path(sys.executable).parent / "walkaway"

HEAVY = {
    "click", "rich", "pydantic", "pydantic_ai", "asyncio", "logging", "importlib.metadata", "importlib.resources",
    "pathlib", "subprocess", "psycopg", "psutil", "yaml", "tomllib", "walkaway.config", "walkaway.cli", "walkaway.app",
    "walkaway.engine", "walkaway.agent", "walkaway.git", "walkaway.core.evolve", "walkaway.core.events",
    "walkaway.core.brief",
}  # fmt: skip

PROGRAM = """
import sys
from walkaway import entry
sys.argv = ["walkaway", *{args!r}]
code = entry.main()
sys.stderr.write("MODULES " + " ".join(sys.modules))
sys.exit(code)
"""


def start(folder, *args: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(args=args)
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)


def modules(done: subprocess.CompletedProcess[str]) -> set[str]:
    return set(done.stderr.rpartition("MODULES ")[2].split())


def files(folder) -> dict[str, int]:
    found = (path for path in Path(folder).rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal")))
    return {str(path): path.stat().st_mtime_ns for path in found}


def tree(milestone: MilestoneId) -> list[object]:
    facts = list(stories.planned(milestone, slices=8))
    for n in range(1, 9):
        facts.extend(stories.sliced(slice_id(milestone, n), tasks=5))
    return facts


def test_query_prints_one_line_and_imports_nothing_slow(opened, empty):
    grow(opened.store, stories.planned())
    done = start(empty, "query")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert modules(done) & HEAVY == set()


def test_the_version_imports_next_to_nothing(empty):
    done = start(empty, "--version")
    assert done.returncode == 0
    assert done.stdout.startswith("walkaway ")
    assert modules(done) & (HEAVY | {"json", "dataclasses", "re", "walkaway.store", "walkaway.core"}) == set()


def test_fifty_milestones_of_eight_slices_of_five_tasks_are_one_line_too(opened, empty):
    for n in range(1, 51):
        grow(opened.store, tree(MilestoneId(f"M{n:03}")))
    done = start(empty, "query")
    told = json.loads(done.stdout)
    assert len(told["state"]["registry"]) == 50
    assert told["state"]["progress"]["milestones"] == {"done": 0, "total": 50}
    assert told["state"]["progress"]["tasks"] == {"done": 0, "total": 40}
    assert told["next"] == {
        "action": "dispatch", "unitType": "execute-task", "unitId": "M001/S01/T01", "attempt": 1,
    }  # fmt: skip
    assert modules(done) & HEAVY == set()


def test_the_installed_script_answers_from_a_subfolder(opened, empty):
    grow(opened.store, [])
    (empty / "deep").mkdir()
    done = subprocess.run([BIN, "query"], cwd=empty / "deep", capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["state"]["activeMilestone"] == {"id": "M001", "title": "Ledger export"}
    assert told["target"] == {"branch": "main", "sha": subprocess_head(empty)}


def subprocess_head(folder) -> str:
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_query_changes_no_file(opened, empty):
    grow(opened.store, tree(MilestoneId("M001")))
    opened.close()
    before = files(empty)
    assert start(empty, "query").returncode == 0
    assert files(empty) == before


def test_query_exits_2_where_there_is_no_project(empty, tmp_path):
    done = start(empty, "query")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "walkaway init" in done.stderr


def test_query_exits_2_where_the_variable_names_no_project(place, empty, tmp_path, monkeypatch):
    monkeypatch.setenv("WALKAWAY_PROJECT", str(tmp_path))
    assert start(empty, "query").returncode == 2


def test_a_missing_database_is_told_with_a_sentence(place, empty):
    os.unlink(place.database)
    done = start(empty, "query")
    assert done.returncode == 10
    assert "There is no database" in done.stderr
    assert "Traceback" not in done.stderr


def test_query_by_way_of_click_says_the_same(opened, walkaway, empty):
    grow(opened.store, stories.planned())
    assert walkaway("--set", "limits.usd=3", "query").json() == [json.loads(start(empty, "query").stdout)]


def test_a_worker_that_was_killed_is_told_as_crashed(opened, empty):
    grow(opened.store, [])
    program = (
        "import os\nfrom walkaway import app\nfrom walkaway.core.ids import WorkerId\nfrom walkaway.proc import me\n"
        "app.open_project().store.register(WorkerId('gone'), me())\nos.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=empty, check=False).returncode == -9
    (worker,) = json.loads(start(empty, "query").stdout)["workers"]
    assert (worker["id"], worker["status"], worker["unit"]) == ("gone", "crashed", None)


@pytest.mark.parametrize("branch", ["main", "side"])
def test_the_target_is_the_pinned_branch_else_the_one_checked_out(place, empty, branch):
    subprocess.run(["git", "checkout", "-q", "-B", branch], cwd=empty, check=True)
    told = json.loads(start(empty, "query").stdout)
    assert told["target"]["branch"] == branch
    assert told["cost"]["limits"] == {"usd": 25.0, "attempts": 3, "spent": 0.0}


def test_the_limits_are_those_of_the_last_run_of_init_where_no_milestone_says_otherwise(empty, walkaway):
    initialise(None, ["limits.usd=none", "limits.attempts=5"])
    (told,) = walkaway("query").json()
    assert told["cost"]["limits"] == {"usd": None, "attempts": 5, "spent": 0.0}
