"""What units found out and judged, and what people threw in, as files in the original's formats."""

import json
from dataclasses import replace

import pytest
import yaml

from tests.surfaces import stories
from walkaway.core import events as e
from walkaway.core.ids import TextHash, slice_id, task_id
from walkaway.core.model import Note, Policy, Snapshot
from walkaway.projection import needed, render

S01, S02 = slice_id(stories.M, 1), slice_id(stories.M, 2)
TEXTS: dict[TextHash, str] = {stories.SPEC: "# Ledger export\n"}


def noted(n: int, kind: str, target: str, verdict: str = "", **said: object) -> e.NoteTaken:
    """The fact that a unit wrote something; its report is in `TEXTS`."""
    report = TextHash(f"{n:064x}")
    TEXTS[report] = json.dumps(said)
    summary = str(said.get("summary", said.get("rationale", "")))
    return e.NoteTaken(
        note=Note(id=f"M001-N{n}", kind=kind, target=target, verdict=verdict, summary=summary, report=report)
    )


def printed(*facts: e.Event) -> dict[str, str]:
    """Return the files of a milestone with two planned slices, without their stamps."""
    s = stories.told([*stories.created(), *stories.planned(), *stories.sliced(S01), *facts])
    assert set(needed(s)) <= set(TEXTS)
    return render(s, {name: TEXTS[name] for name in needed(s)})


def matter(text: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(text.split("---\n")[1])
    return found


def test_research_of_a_milestone_of_a_slice_and_of_several_at_once() -> None:
    both = [
        {"slice": "S01", "summary": "a", "findings": "- one"},
        {"slice": "S02", "summary": "b", "findings": "- two"},
    ]
    files = printed(
        noted(1, "research-milestone", "M001", summary="Little.", findings="- `README` alone."),
        noted(2, "research-slice", S01, summary="Less.", findings="- `argparse`."),
        noted(3, "research-slice", S02, summary="b", slices=both),
    )
    assert "# M001 — Research\n" in files["M001-RESEARCH.md"]
    assert "## Summary\n\nLittle.\n\n## Implementation Landscape\n\n- `README` alone.\n" in files["M001-RESEARCH.md"]
    assert "- `argparse`." in files["M001/slices/S01/S01-RESEARCH.md"]
    assert "- two" in files["M001/slices/S02/S02-RESEARCH.md"]
    assert "- one" not in files["M001/slices/S02/S02-RESEARCH.md"]


def test_a_trial_and_a_reassessment_do_not_overwrite_each_other() -> None:
    tried = noted(1, "run-uat", S01, "partial", summary="Half.", steps=["ran it | once"])
    after = noted(2, "reassess-roadmap", S01, "confirmed", summary="As planned.")
    for facts in ((tried, after), (after, tried)):
        text = printed(*facts)["M001/slices/S01/S01-ASSESSMENT.md"]
        assert matter(text)["verdict"] == "PARTIAL"
        assert "| ran it \\| once | artifact | — | |" in text
        assert "PARTIAL — Half." in text
        assert "**Verdict:** roadmap-confirmed" in text
    alone = printed(after)["M001/slices/S01/S01-ASSESSMENT.md"]
    assert not alone.startswith("---")
    assert "UAT" not in alone


def test_a_validation_says_what_was_seen_and_which_round_it_was() -> None:
    lacks = {"criteria": ["not met"], "rationale": "It lacks.", "slices": [{"title": "More"}], "gates": []}
    holds = {
        "criteria": ["met"],
        "rationale": "It holds.",
        "gates": [
            {"gate": "MV02", "verdict": "pass", "findings": "Each did."},
            {"gate": "MV03", "verdict": "omitted", "findings": ""},
        ],
    }
    first = printed(noted(1, "validate-milestone", "M001", "needs-remediation", **lacks))["M001-VALIDATION.md"]
    assert matter(first) == {"verdict": "needs-remediation", "remediation_round": 0}
    assert "## Remediation Plan\n\n- More\n" in first
    assert "[x]" not in first
    second = printed(
        noted(1, "validate-milestone", "M001", "needs-remediation", **lacks),
        noted(2, "validate-milestone", "M001", "pass", **holds),
    )["M001-VALIDATION.md"]
    assert matter(second) == {"verdict": "pass", "remediation_round": 1}
    assert "- [x] met" in second
    assert "## Slice Delivery Audit\n\npass: Each did.\n" in second
    assert "Cross-Slice" not in second
    assert "Remediation" not in second


@pytest.mark.parametrize(("scope", "why"), [("standard", "preference"), ("trivial", "trivial-scope")])
def test_a_validation_that_was_left_out_says_so(scope: str, why: str) -> None:
    s = stories.told(stories.whole())
    skipped = replace(s, milestone=replace(s.milestone, verdict="skipped"), policy=Policy(scope=scope), notes={})
    text = render(skipped, {})["M001-VALIDATION.md"]
    assert matter(text) == {
        "verdict": "pass", "remediation_round": 0, "skip_validation": True, "skip_validation_reason": why,
    }  # fmt: skip


def test_a_new_plan_says_what_it_replaced() -> None:
    t01 = task_id(S01, 1)
    told = [
        e.BlockerFound(task=t01, why="There is no such file."),
        e.SliceReplanned(
            slice=S01,
            tasks=(e.TaskPlan(id=task_id(S01, 9), title="x", description="d", files=(), verify=""),),
            why="Otherwise.",
        ),
    ]
    text = printed(*told)["M001/slices/S01/S01-REPLAN.md"]
    assert "# S01 Replan" in text
    assert "was replaced: Otherwise." in text


def test_what_people_threw_in_and_what_became_of_it() -> None:
    said = Note(
        id="M001-N1", kind="capture", target="M001", verdict="0", summary="Add\ncats.", report=TextHash("a" * 64)
    )
    became = replace(said, id="M001-N2", kind="triage-captures", target="M001-N1", verdict="defer", summary="Later.")
    over = replace(said, id="M001-N3", kind="override", summary="In French.")
    files = printed(e.NoteTaken(note=said), e.NoteTaken(note=over))
    assert "### CAP-M001-N1\n\n**Text:** Add cats.\n" in files["M001-CAPTURES.md"]
    assert "**Status:** pending" in files["M001-CAPTURES.md"]
    assert "**Change:** In French.\n**Scope:** active\n**Applied-at:** M001\n\n---\n" in files["M001-OVERRIDES.md"]
    files = printed(e.NoteTaken(note=said), e.NoteTaken(note=became))
    assert "**Status:** resolved\n**Classification:** defer\n**Rationale:** Later." in files["M001-CAPTURES.md"]
    assert "M001-OVERRIDES.md" not in files


def test_what_was_thought_stands_below_the_specification() -> None:
    thought = {"summary": "s", "context": "It is small.", "assumptions": ["UTF-8"], "questions": []}
    text = printed(noted(1, "discuss-milestone", "M001", **thought))["M001-CONTEXT.md"]
    assert "# Ledger export\n\n## Context\n\nIt is small.\n\n## Assumptions\n\n- UTF-8\n" in text
    assert "Open Questions" not in text


def test_equal_snapshots_give_equal_bytes_and_nothing_written_gives_no_file() -> None:
    def of(s: Snapshot) -> dict[str, str]:
        return render(s, TEXTS)

    s = stories.told([*stories.created(), *stories.planned()])
    assert of(s) == of(replace(s, now=s.now + 9, rev=s.rev + 3))
    assert not [path for path in of(s) if "RESEARCH" in path or "ASSESS" in path or "VALID" in path or "CAPT" in path]
