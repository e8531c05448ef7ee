"""The files of the registers: always the same bytes, in the original's formats."""

from dataclasses import replace

from tests.surfaces import stories
from walkaway.core.derive import derive
from walkaway.core.registers.model import Decision, Memory, Registers, Requirement
from walkaway.projection import render_registers, render_state, write
from walkaway.units import UNITS

FULL = Registers(
    facts=7,
    decisions={
        "D001": Decision(
            id="D001", topic="format", decision="Export format", choice="CSV | not XLSX", rationale="It opens.",
            context="M001/S01", made_by="human", superseded_by="D002",
        ),
        "D002": Decision(id="D002", topic="format", decision="Export\nformat", choice="XLSX", supersedes="D001"),
    },
    requirements={
        "R001": Requirement(
            id="R001", kind="core-capability", description="Export a month.", why="It has to close.", source="user",
            owner="M001/S02", validation="mapped",
        ),
        "R002": Requirement(id="R002", kind="constraint", description="Be fast."),
        "R003": Requirement(id="R003", kind="constraint", description="Be small.", status="validated"),
    },
    memories={
        "MEM001": Memory(id="MEM001", category="convention", content="Tests lie in tests.", source="ann"),
        "MEM002": Memory(id="MEM002", category="environment", content="Port 8081.", forgotten="It moved."),
        "MEM003": Memory(id="MEM003", category="environment", content="Port 8082.", source="ann"),
        "MEM004": Memory(id="MEM004", category="gotcha", content="Mind the a|b.", source="ann"),
    },
)  # fmt: skip
FILES = render_registers(FULL)


def body(path: str) -> str:
    return FILES[path].partition("-->\n\n")[2]


def test_decisions_are_the_table_of_the_original():
    assert body("DECISIONS.md") == (
        "# Decisions Register\n\n"
        "<!-- Append-only. To change a decision, decide anew and name what it supersedes. -->\n\n"
        "| # | When | Scope | Decision | Choice | Rationale | Revisable? | Made By |\n"
        "|---|------|-------|----------|--------|-----------|------------|---------|\n"
        "| D001 | M001/S01 | format | Export format | CSV \\| not XLSX | It opens. |  | human |\n"
        "| D002 |  | format | Export format (amends D001) | XLSX |  |  | agent |\n"
    )


def test_requirements_stand_by_status_and_are_counted_truly():
    text = body("REQUIREMENTS.md")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Active", "## Validated", "## Deferred", "## Out of Scope", "## Traceability", "## Coverage Summary",
    ]  # fmt: skip
    assert text.index("### R002") < text.index("## Validated") < text.index("### R003") < text.index("## Deferred")
    assert (
        "### R001 — Export a month.\n- Class: core-capability\n- Status: active\n- Description: Export a month.\n"
        "- Why it matters: It has to close.\n- Source: user\n- Primary owning slice: M001/S02\n"
        "- Supporting slices: none\n- Validation: mapped\n\n"
    ) in text
    assert "| R001 | core-capability | active | M001/S02 | none | mapped |\n" in text
    assert text.endswith(
        "- Active requirements: 2\n- Mapped to slices: 1\n- Validated: 1\n- Unmapped active requirements: 1\n"
    )


def test_knowledge_keeps_its_numbers_when_something_is_forgotten():
    text = body("KNOWLEDGE.md")
    assert "| K001 | ann | Tests lie in tests. | — | MEM001 |\n| K003 | ann | Port 8082. | — | MEM003 |\n" in text
    assert "| L001 | Mind the a\\|b. | — | — | ann |\n" in text
    assert "8081" not in text
    assert "## Patterns\n\n| # | Pattern | Where | Notes |\n" in text


def test_what_changes_without_a_fact_changes_no_byte():
    used = {name: replace(m, hits=9, used_at=99.0) for name, m in FULL.memories.items()}
    assert render_registers(replace(FULL, memories=used, completed=(1.0,) * 500, rev=99)) == FILES


def test_empty_registers_have_no_file():
    assert render_registers(Registers()) == {}
    only = {"MEM002": FULL.memories["MEM002"]}
    assert set(render_registers(Registers(memories=only))) == {"KNOWLEDGE.md"}, "what it told before is overwritten"


def test_an_older_state_is_never_written_over_a_newer_one(tmp_path):
    view = str(tmp_path)
    assert set(write(view, FILES, 7)) == {"DECISIONS.md", "REQUIREMENTS.md", "KNOWLEDGE.md"}
    older = render_registers(replace(FULL, decisions={"D001": FULL.decisions["D001"]}))
    assert write(view, older, 6) == ()
    assert write(view, older, 8) == ("DECISIONS.md",)


def test_the_page_of_the_project_counts_and_names_the_latest():
    s = stories.told(stories.created())
    text = render_state(stories.overview(s), s, derive(s, UNITS), FULL)["STATE.md"]
    assert "**Requirements Status:** 2 active · 1 validated · 0 deferred · 0 out of scope" in text
    assert "## Recent Decisions\n- D002: Export format: XLSX\n" in text
