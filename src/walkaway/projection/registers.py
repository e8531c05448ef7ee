"""DECISIONS.md, REQUIREMENTS.md and KNOWLEDGE.md: the registers, in the original's formats (workflow §2.15-2.18).

A register that holds nothing has no file. What changes without a fact (the worth of a memory) is not printed.
"""

from collections.abc import Iterable, Sequence

from walkaway.core.ids import PROJECT_SCOPE
from walkaway.core.registers.model import Decision, Memory, Registers, Requirement
from walkaway.projection.stamp import stamped
from walkaway.projection.text import cell, document, line, section

DECISIONS_USE = "<!-- Append-only. To change a decision, decide anew and name what it supersedes. -->"
SECTIONS = (
    ("Active", "active"),
    ("Validated", "validated"),
    ("Deferred", "deferred"),
    ("Out of Scope", "out-of-scope"),
)
RULES, PATTERNS, LESSONS = (
    ("convention", "preference", "environment"),
    ("architecture", "pattern"),
    ("gotcha",),
)
"""The categories of memory that each part of KNOWLEDGE.md holds."""

UNKNOWN = "—"


def render_registers(r: Registers) -> dict[str, str]:
    """Return the files of the registers that hold anything, by path."""
    files = {}
    if r.decisions:
        files["DECISIONS.md"] = _decisions(r.decisions.values())
    if r.requirements:
        files["REQUIREMENTS.md"] = _requirements(tuple(r.requirements.values()))
    if r.memories:
        files["KNOWLEDGE.md"] = _knowledge(tuple(r.memories.values()))
    return {path: stamped(text, PROJECT_SCOPE) for path, text in files.items()}


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join('-' * (len(name) + 2) for name in head)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(cell(each) for each in row)} |" for row in rows)])


def _decisions(decisions: Iterable[Decision]) -> str:
    head = ("#", "When", "Scope", "Decision", "Choice", "Rationale", "Revisable?", "Made By")
    return document("# Decisions Register", DECISIONS_USE, _table(head, map(_decision, decisions)))


def _decision(d: Decision) -> Sequence[str]:
    amends = f" (amends {d.supersedes})" if d.supersedes else ""
    return d.id, d.context, d.topic, f"{d.decision}{amends}", d.choice, d.rationale, d.revisable, d.made_by


def _requirements(listed: Sequence[Requirement]) -> str:
    parts = []
    for title, status in SECTIONS:
        there = [_requirement(q) for q in listed if q.status == status]
        parts.append("\n\n".join([f"## {title}", *there]))
    head = ("ID", "Class", "Status", "Primary owner", "Supporting", "Proof")
    traced = ((q.id, q.kind, q.status, q.owner or "none", _supporting(q), q.validation) for q in listed)
    return document(
        "# Requirements",
        "What the project has to do, which slice covers it, and what shows that it is done.",
        *parts,
        section("Traceability", _table(head, traced)),
        section("Coverage Summary", _coverage(listed)),
    )


def _requirement(q: Requirement) -> str:
    fields = (
        ("Class", q.kind),
        ("Status", q.status),
        ("Description", q.description),
        ("Why it matters", q.why),
        ("Source", q.source),
        ("Primary owning slice", q.owner),
        ("Supporting slices", _supporting(q)),
        ("Validation", q.validation),
        ("Notes", q.notes),
    )
    lines = "\n".join(f"- {name}: {line(text)}" for name, text in fields if text.strip())
    return f"### {q.id} — {line(q.description)}\n{lines}"


def _supporting(q: Requirement) -> str:
    return ", ".join(q.supporting) or "none"


def _coverage(listed: Sequence[Requirement]) -> str:
    active = [q for q in listed if q.status == "active"]
    unmapped = sum(q.uncovered for q in active)
    validated = sum(q.status == "validated" for q in listed)
    return (
        f"- Active requirements: {len(active)}\n- Mapped to slices: {len(active) - unmapped}\n"
        f"- Validated: {validated}\n- Unmapped active requirements: {unmapped}"
    )


def _knowledge(memories: Sequence[Memory]) -> str:
    rules = [(name, m.source, m.content, UNKNOWN, m.id) for name, m in _numbered(memories, "K", RULES)]
    patterns = [(name, m.content, UNKNOWN, m.id) for name, m in _numbered(memories, "P", PATTERNS)]
    lessons = [(name, m.content, UNKNOWN, UNKNOWN, m.source) for name, m in _numbered(memories, "L", LESSONS)]
    return document(
        "# Project Knowledge",
        "What was found worth knowing in later units.\nAdd to it with walkaway memory add.",
        section("Rules", _table(("#", "Scope", "Rule", "Why", "Added"), rules)),
        section("Patterns", _table(("#", "Pattern", "Where", "Notes"), patterns)),
        section("Lessons Learned", _table(("#", "What Happened", "Root Cause", "Fix", "Scope"), lessons)),
    )


def _numbered(memories: Sequence[Memory], letter: str, categories: Sequence[str]) -> Iterable[tuple[str, Memory]]:
    """Yield what is still told of these categories; a number that was forgotten is a gap, so that none ever moves."""
    of_part = (m for m in memories if m.category in categories)
    return ((f"{letter}{n:03}", m) for n, m in enumerate(of_part, 1) if not m.forgotten)
