"""Every verdict that a unit can give, over the wire: what it changes, and how the milestone ends."""

import json
from pathlib import Path

import pytest

from tests.e2e.stand import Json, Stand, call, line, standing, work
from tests.tiers import tier

pytestmark = pytest.mark.e2e

SLICE = {"title": "Words", "goal": "They are written.", "demo": "cat work.txt"}
TASK = {"title": "Write", "description": "Write a word."}
VALID: Json = {"criteria": ["seen"], "rationale": "As it was seen."}
DONE = call("report", summary="A word is written", narrative="As planned.")


def plan(slices: int = 1) -> list[Json]:
    """Return what a good model says; what a test says before it comes first."""
    return [
        line("plan-milestone *", call("report", title="Words", vision="v", criteria=["c"], slices=[SLICE] * slices)),
        line("plan-slice *", call("report", goal="g", must_haves=[], tasks=[TASK, TASK])),
        line("replan-slice *", call("report", reason="It is another word.", tasks=[TASK])),
        line("execute-task *", work(), DONE),
        line("complete-slice *", call("report", summary="Written.")),
        line("run-uat *", call("report", verdict="pass", steps=["read it"], summary="It can be read.")),
        line("reassess-roadmap *", call("report", verdict="confirmed", summary="It leads there.")),
        line("validate-milestone *", call("report", verdict="pass", **VALID)),
        line("complete-milestone *", call("report", summary="Words stand.")),
    ]


def complete(stand: Stand) -> None:
    """Let it end, and see that it did."""
    assert stand.auto()["status"] == "complete"


def blocked(stand: Stand, reason: str, *args: str) -> str:
    """Let it run into a question, and return its id; another run changes nothing."""
    for _ in range(2):
        [found] = stand.auto(*args, code=10)["blocked"]
        assert found["reason"] == reason
        assert found["remedies"]
    [asked] = [each for each in stand.facts("QuestionRaised") if each["question"]["reason"] == reason][-1:]
    return str(asked["question"]["id"])


# ---- validation -----------------------------------------------------------------------------------------------------


def test_a_milestone_that_needs_attention_is_integrated_and_says_so(tmp_path: Path) -> None:
    say = line("validate-milestone M001", call("report", verdict="needs-attention", **VALID))
    with standing(tmp_path, [say, *plan()]) as stand:
        complete(stand)
        assert [fact["verdict"] for fact in stand.facts("MilestoneValidated")] == ["needs-attention"]


@pytest.mark.parametrize(("answer", "times"), tier([("accept-as-is", 1)], [("accept-as-is", 1), ("retry", 2)]))
def test_a_milestone_that_needs_remediation_and_names_none_asks_once(tmp_path: Path, answer: str, times: int) -> None:
    """No loop: a person accepts it, or has it looked at again."""
    say = line("validate-milestone M001", call("report", verdict="needs-remediation", **VALID))
    with standing(tmp_path, [say, *plan()]) as stand:
        question = blocked(stand, "needs-remediation")
        stand.run("answer", question, answer)
        if answer == "retry":
            again = blocked(stand, "needs-remediation")
            assert again != question
            stand.run("answer", again, "accept-as-is")
        complete(stand)
        assert stand.ran().count("validate-milestone M001") == times


def test_slices_that_remediate_are_built_and_it_is_validated_again(tmp_path: Path) -> None:
    more = {"title": "A second word", "goal": "It is there.", "demo": "cat work.txt"}
    say = [
        line("validate-milestone M001", call("report", verdict="pass", **VALID), when="A second word"),
        line("validate-milestone M001", call("report", verdict="needs-remediation", slices=[more], **VALID)),
    ]
    with standing(tmp_path, [*say, *plan()]) as stand:
        complete(stand)
        ran = stand.ran()
        assert ran.index("complete-slice M001/S02") > ran.index("validate-milestone M001")
        assert ran.count("validate-milestone M001") == 2


# ---- trial by use ---------------------------------------------------------------------------------------------------

FAILS = line("run-uat M001/S01", call("report", verdict="fail", steps=["read it"], summary="There is no word."))


@pytest.mark.parametrize("answer", tier(["remediate"], ["remediate", "accept-as-is"]))
def test_a_trial_that_fails_is_a_person_s_to_decide(tmp_path: Path, answer: str) -> None:
    with standing(tmp_path, [FAILS, *optional(), *plan()], WORKFLOW__PROFILE="max") as stand:
        stand.run("answer", blocked(stand, "uat-failed"), answer)
        complete(stand)
        assert ("plan-slice M001/S02" in stand.ran()) == (answer == "remediate")


def test_a_trial_that_passes_in_part_goes_on_and_is_kept(tmp_path: Path) -> None:
    partly = line("run-uat M001/S01", call("report", verdict="partial", steps=["read it"], summary="One of two."))
    with standing(tmp_path, [partly, *optional(), *plan()], WORKFLOW__PROFILE="max") as stand:
        complete(stand)
        assert "partial" in [fact["note"]["verdict"] for fact in stand.facts("NoteTaken")]


def optional() -> list[Json]:
    """Return what is said to the steps that only the largest profile takes."""
    gates = [{"gate": gate, "verdict": "omitted", "findings": ""} for gate in ("Q3", "Q4")]
    judged = [{"gate": f"MV0{n}", "verdict": "pass", "findings": "It holds."} for n in range(1, 5)]
    thought = {"summary": "Words.", "context": "Plain ones.", "assumptions": [], "questions": []}
    return [
        line("validate-milestone *", call("report", verdict="pass", gates=judged, **VALID)),
        line("discuss-milestone *", call("report", **thought)),
        line("research-milestone *", call("report", summary="Nothing.", findings="- Nothing.")),
        line("research-slice *", call("report", summary="Nothing.", findings="- Nothing.")),
        line("evaluate-gate *", call("report", gates=gates)),
    ]


# ---- the way ahead --------------------------------------------------------------------------------------------------


def test_a_roadmap_that_is_adjusted_is_followed(tmp_path: Path) -> None:
    adjusted = {"verdict": "adjusted", "summary": "One is enough.", "drop": ["S02"]}
    say = line("reassess-roadmap M001/S01", call("report", **adjusted))
    with standing(tmp_path, [say, *optional(), *plan(2)], WORKFLOW__PROFILE="max") as stand:
        complete(stand)
        assert not [unit for unit in stand.ran() if "M001/S02" in unit]


def test_a_task_that_meets_a_blocker_has_its_slice_planned_anew(tmp_path: Path) -> None:
    met = call("report", summary="Nothing.", narrative="It cannot be.", blocker="There is no such word.")
    with standing(tmp_path, [line("execute-task M001/S01/T01", met), *plan()]) as stand:
        complete(stand)
        ran = stand.ran()
        assert ran.index("replan-slice M001/S01") > ran.index("execute-task M001/S01/T01")
        assert "execute-task M001/S01/T02" not in ran, "it was replaced"


# ---- what a person throws in ----------------------------------------------------------------------------------------

SORTED = {
    "inject": ({"slice": "S01", "tasks": [TASK]}, "execute-task M001/S01/T03", True),
    "replan": ({"slice": "S01"}, "replan-slice M001/S01", True),
    "quick-task": ({"tasks": [TASK]}, "execute-task M001/S02/T01", True),
    "defer": ({}, "", False),
    "note": ({}, "", False),
}


@pytest.mark.parametrize("verdict", tier(["inject"], [*SORTED]))
def test_what_is_thrown_in_is_sorted_in(tmp_path: Path, verdict: str) -> None:
    more, unit, asks = SORTED[verdict]
    one = {"id": "M001-N1", "verdict": verdict, "reason": "It says so.", **more}
    with standing(tmp_path, [line("triage-captures *", call("report", captures=[one])), *plan()]) as stand:
        stand.auto("--max-units", "3")
        stand.run("capture", "Another word, please.")
        if asks:  # it changes the plan: a person agrees
            question = blocked(stand, "capture")
            stand.run("answer", question, "do")
        complete(stand)
        assert "triage-captures M001" in stand.ran()
        assert not unit or unit in stand.ran()


def test_what_is_thrown_in_may_stop_the_work(tmp_path: Path) -> None:
    one = {"id": "M001-N1", "verdict": "stop", "reason": "It says so."}
    with standing(tmp_path, [line("triage-captures *", call("report", captures=[one])), *plan()]) as stand:
        stand.auto("--max-units", "3")
        stand.run("capture", "Stop all this.")
        done = len(stand.ran())
        blocked(stand, "capture-stop")
        assert len(stand.ran()) == done + 1, "nothing but the sorting"


def test_an_override_has_the_open_plans_written_anew(tmp_path: Path) -> None:
    rewritten = {"summary": "In capitals.", "replan": [{"id": "S01", "tasks": [TASK]}], "drop": ["S02"]}
    with standing(tmp_path, [line("rewrite-docs *", call("report", **rewritten)), *plan(2)]) as stand:
        stand.auto("--max-units", "3")
        stand.run("override", "All words in capitals.")
        complete(stand)
        ran = stand.ran()
        assert ran.index("execute-task M001/S01/T03") > ran.index("rewrite-docs M001"), "with tasks of its own"
        assert "execute-task M001/S01/T02" not in ran
        assert not [unit for unit in ran if "M001/S02" in unit]


# ---- a step of a workflow that a person wrote -----------------------------------------------------------------------

WORKFLOW = """
version: 1
name: own
params: {}
steps:
  - id: write
    prompt: Write a word.
    verify: {policy: prompt-verify, prompt: "Is it one word?"}
"""


def test_a_step_that_is_reviewed_and_found_wanting_is_a_person_s_to_decide(tmp_path: Path) -> None:
    say = line("review-step *", call("report", verdict="fail", summary="There are two."))
    with standing(tmp_path, [say, *plan()]) as stand:
        (tmp_path / "own.yaml").write_text(WORKFLOW, encoding="utf-8")
        stand.run("workflow", "run", str(tmp_path / "own.yaml"))
        [found] = stand.auto("--milestone", "M002", code=10)["blocked"]
        assert found["remedies"]
        assert stand.auto("--milestone", "M002", code=10)["blocked"] == [found]


# ---- several at once ------------------------------------------------------------------------------------------------


def test_slices_that_wait_for_nothing_are_looked_into_at_once_by_sub_agents(tmp_path: Path) -> None:
    """One dispatch, a sub-agent for each slice; what each found stands in the brief of its own slice."""
    found = [{"slice": f"S0{n}", "summary": "Read.", "findings": f"- Found of S0{n}."} for n in (2, 3)]
    send = {"tools": [{"name": "subagent", "args": {"task": f"Look at S0{n}", "about": f"S0{n}"}} for n in (2, 3)]}
    script = [
        *(line(f"research-slices M001/S02/sub{n}", {"text": f"Nothing to see {n}."}) for n in (1, 2)),
        line("research-slices M001/S02", send, call("report", slices=found)),
        *optional(),
        *plan(4),
    ]
    with standing(tmp_path, script, WORKFLOW__PROFILE="max", WORKFLOW__UAT_DISPATCH="false") as stand:
        complete(stand)
        ran = stand.ran()
        assert ran.count("research-slices M001/S02") == 1
        assert [unit for unit in ran if unit.startswith("research-slice ")] == ["research-slice M001/S04"]
        assert ran.index("research-slices M001/S02") < ran.index("plan-slice M001/S01")
        kept = {path.name: path.read_text() for path in (stand.project / ".walkaway").rglob("*.jsonl")}
        assert len([name for name in kept if ".sub" in name]) == 2
        planning = [text for text in kept.values() if '"plan-slice M001/S02"' in text]
        assert len(planning) == 1
        assert "- Found of S02." in planning[0]
        assert "- Found of S03." not in planning[0]
        log = [json.loads(each) for each in (tmp_path / "log.jsonl").read_text().splitlines()]
        assert len([each for each in log if "/sub" in each["unit"]]) == 2
