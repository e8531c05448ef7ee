"""Chaos: real workers while they are killed, stopped and cut off; and the judge, that must find what is planted."""

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from tests.tiers import SOAK, tier
from walkaway.chaos.crew import PACKAGE, interrupted_before_us
from walkaway.chaos.faults import FAULTS, schedule
from walkaway.chaos.plan import Plan
from walkaway.chaos.report import Report
from walkaway.chaos.verdict import Commit, Ending, Facts, Verdict, judge

# seed -> how many faults: two short storms in the check tier, more than 200 faults on each database in the soak
SQLITE = tier({7: 6}, {7: 70, 21: 70, 42: 70})
POSTGRES = tier({8: 6}, {8: 70, 22: 70, 43: 70})
PATIENCE_S = tier(120, 900)

FIRST = "execute-task M001/S01/T01"
LAST = "complete-milestone M001"


# ---- the storm ------------------------------------------------------------------------------------------------------


def survives(folder: Path, *args: str) -> dict[str, object]:
    """Let a storm pass as a person does, and return its numbers; where something is lost, they say what."""
    done = subprocess.run(
        [sys.executable, "-m", "walkaway", "chaos", *args, "--json"],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.stdout, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    found = {name: told[name] for name in ("lost", "doubled", "wedged", "wrong")}
    assert found == {name: [] for name in found}, f"{told['again']} (kept in {told['kept']})"
    assert done.returncode == 0
    assert list(folder.glob("walkaway-chaos-*")) == [], "its folder is gone when all is well"
    return told


def look(told: dict[str, object], seed: int, faults: int) -> None:
    """Check that the numbers are of a storm that took place."""
    assert told["seed"] == seed
    assert told["faults"]["total"] == faults
    assert told["milestones"] * len(Plan().units("M001")) == told["units"]["completed"]
    assert told["workers"]["started"] > 3


@pytest.mark.timeout(PATIENCE_S)
@pytest.mark.parametrize(("seed", "faults"), SQLITE.items())
def test_nothing_is_lost_in_a_storm_on_sqlite(tmp_path, seed, faults):
    look(survives(tmp_path, "--seed", str(seed), "--faults", str(faults)), seed, faults)


@pytest.mark.timeout(PATIENCE_S)
@pytest.mark.parametrize(("seed", "faults"), POSTGRES.items())
def test_nothing_is_lost_in_a_storm_on_postgres(tmp_path, postgres_database, seed, faults):
    told = survives(tmp_path, "--seed", str(seed), "--faults", str(faults), "--database", postgres_database)
    look(told, seed, faults)
    assert told["database"] == "postgres"


def test_the_soak_is_of_two_hundred_faults_on_each_database():
    if SOAK:
        assert sum(SQLITE.values()) >= 200
        assert sum(POSTGRES.values()) >= 200


def test_a_database_that_is_in_use_is_not_broken(tmp_path, postgres_database):
    from walkaway import store
    from walkaway.core.ids import ProjectId

    store.create(postgres_database, ProjectId("somebody-else")).close()
    done = subprocess.run(
        [sys.executable, "-m", "walkaway", "chaos", "--faults", "1", "--database", postgres_database],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "empty database" in done.stderr


# ---- the schedule ---------------------------------------------------------------------------------------------------


def test_a_seed_says_which_faults_come_in_which_order():
    assert [*islice(schedule(random.Random(5)), 50)] == [*islice(schedule(random.Random(5)), 50)]
    assert [*islice(schedule(random.Random(5)), 50)] != [*islice(schedule(random.Random(6)), 50)]


def test_every_kind_of_fault_is_among_two_hundred():
    assert {blow.kind for blow in islice(schedule(random.Random(1)), 200)} == set(FAULTS)


# ---- the judge ------------------------------------------------------------------------------------------------------


def survived(slices: int = 1) -> Facts:
    """Return the facts of one milestone that was done as planned, with somebody else's commit beside it."""
    units = Plan(slices=slices).units("M001")
    line = tuple(Commit(sha=f"{n:040}", unit=unit) for n, unit in enumerate(units, 1))
    main = (Commit(sha="b" * 40, parents=0), Commit(sha="f" * 40), Commit(sha="c" * 40, unit=LAST))
    done = Ending(
        units=units, completed=tuple((commit.unit, commit.sha) for commit in line), line=line, published="c" * 40
    )
    return Facts(
        milestones={"M001": done},
        main=main,
        seen={"refs/heads/main": {"b" * 40, "c" * 40}, "refs/walkaway/M001": {line[2].sha}},
        reached={"refs/heads/main": {c.sha for c in main}, "refs/walkaway/M001": {c.sha for c in line}},
        foreign=("f" * 40,),
        files={"a.txt": "1"},
        wanted={"a.txt": "1"},
    )


def planted(**changed: object) -> Verdict:
    """Judge a milestone of which something is not as it should be."""
    facts = survived()
    return judge(replace(facts, milestones={"M001": replace(facts.milestones["M001"], **changed)}))


LINE = survived().milestones["M001"].line
DONE = survived().milestones["M001"].completed


def test_what_survived_whole_is_not_complained_about():
    assert judge(survived()).survived
    assert judge(survived(slices=3)).survived


def test_a_commit_that_is_not_on_its_line_any_more_is_lost():
    found = planted(line=tuple(commit for commit in LINE if commit.unit != FIRST))
    assert found.lost == (f"{dict(DONE)[FIRST][:12]} of {FIRST} is not on the line of M001",)
    assert not found.survived


def test_a_line_that_is_gone_is_lost():
    assert len(planted(line=()).lost) == len(DONE)


def test_an_integration_that_is_not_on_the_target_is_lost():
    facts = survived()
    found = judge(replace(facts, main=facts.main[:2]))
    assert "the integration of M001, is not on the target" in found.lost[0]


def test_a_ref_that_went_back_has_lost_what_it_was_at():
    facts = survived()
    found = judge(replace(facts, seen={"refs/heads/main": {"d" * 40}, "refs/walkaway/M009": {"e" * 40}}))
    assert found.lost == (
        "dddddddddddd, which refs/heads/main was at, is not reached by it any more",
        "eeeeeeeeeeee, which refs/walkaway/M009 was at, is not reached by it any more",
    )


def test_somebody_elses_commit_that_was_overwritten_is_lost():
    facts = survived()
    found = judge(replace(facts, main=(facts.main[0], facts.main[2])))
    assert found.lost == ("ffffffffffff, which somebody else committed to the target, is not on it",)


def test_a_unit_that_was_completed_twice_is_found_in_the_ledger_and_on_the_line():
    again = Commit(sha="a" * 40, unit=FIRST)
    assert planted(completed=(*DONE, (FIRST, again.sha)), line=(*LINE, again)).doubled == (
        f"{FIRST} was completed 2 times in the ledger",
        f"{FIRST} has 2 commits on the line of M001",
    )


def test_a_milestone_that_was_integrated_twice_is_found():
    facts = survived()
    assert judge(replace(facts, main=(*facts.main, Commit(sha="a" * 40, unit=LAST)))).doubled == (
        "M001 was integrated 2 times",
    )


def test_a_milestone_that_never_became_complete_is_wedged_and_says_why():
    found = planted(status="active", why="git stands in the way", published="")
    assert found.wedged == ("M001 is active: git stands in the way",)
    assert found.wrong == (), "what is not done is told once"


def test_a_complete_milestone_that_lacks_a_unit_or_has_a_strange_one_is_wrong():
    strange = Commit(sha="a" * 40, unit="execute-task M001/S09/T09")
    found = planted(completed=tuple(pair for pair in DONE if pair[0] != FIRST), line=(*LINE, strange))
    assert found.wrong == (
        f"M001 is complete, but its ledger has no {FIRST}",
        "the line of M001 has execute-task M001/S09/T09, which nobody planned",
    )


def test_a_merge_in_the_history_of_the_target_is_wrong():
    facts = survived()
    merged = replace(facts, main=(*facts.main, Commit(sha="a" * 40, parents=2)))
    assert judge(merged).wrong == ("aaaaaaaaaaaa on the target has 2 parents",)


def test_files_that_are_missing_strange_or_different_are_wrong():
    facts = replace(survived(), wanted={"a.txt": "1", "b.txt": "2", "d.txt": "4"}, files={"a.txt": "0", "c.txt": "3", "d.txt": "4"})  # fmt: skip
    assert judge(facts).wrong == (
        "a.txt is another on the target",
        "b.txt is missing on the target",
        "c.txt should not be on the target",
    )


def test_what_did_not_end_and_what_else_was_found_is_wrong():
    found = judge(replace(survived(), left=("M001 is still held by w",), wrong=("doctor: journal-gap",)))
    assert found.wrong == ("M001 is still held by w", "doctor: journal-gap")


# ---- the report -----------------------------------------------------------------------------------------------------


def numbers(**changed: object) -> Report:
    told = {
        "seed": 7, "database": "sqlite", "faults": {"kill": 2, "fill": 1}, "skipped": {"cut": "no connections"},
        "refusals": {429: 3}, "milestones": 4, "workers": 9, "ends": {"SIGKILL": 2, "complete": 4}, "units": 28, "runs": 31,
        "recoveries": (0.5, 2.25), "taken": 2, "questions": {"git": 1}, "unlocked": (), "again": "walkaway chaos --seed 7",
    }  # fmt: skip
    return Report(**{**told, **changed})  # pyrefly: ignore


STARTING = """Traceback (most recent call last):
  File "<frozen _collections_abc>", line 1071, in MutableSequence
  File "<frozen abc>", line 7, in abstractmethod
KeyboardInterrupt
"""


@pytest.mark.parametrize(
    ("said", "ours"),
    [
        (STARTING, False),
        (STARTING.replace("<frozen abc>", f"{PACKAGE}/entry.py"), True),
        (STARTING + "walkaway: internal error\n", True),
        ('{"type": "start"}\n' + STARTING, True),
        ("", True),
    ],
)
def test_a_ctrl_c_that_meets_python_as_it_starts_is_not_an_end_of_walkaways(said, ours):
    assert interrupted_before_us(said) is not ours


def test_the_report_says_the_zeros_and_how_to_repeat_it():
    said = "\n".join(numbers().lines())
    for words in (
        "3: 2 kill, 1 fill",
        "3 runs repeated",
        "2.2 s at most",
        "1 git",
        "It survived.",
        "walkaway chaos --seed 7",
    ):
        assert words in said
    for name in ("lost commits", "double completions", "wedged milestones"):
        assert f"{name:<19} 0" in said


def test_the_report_names_what_did_not_survive_and_the_folder():
    broken = numbers(verdict=Verdict(lost=("abc of execute-task",)), kept="/tmp/kept")
    said = "\n".join(broken.lines())
    assert "lost commits        1\n    abc of execute-task" in said
    assert "the folder is /tmp/kept" in said
    assert broken.json()["lost"] == ["abc of execute-task"]
    assert broken.json()["survived"] is False
