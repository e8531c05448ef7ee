"""The registers for programs and for a terminal."""

from dataclasses import fields

from walkaway.core.registers.model import Decision, Memory, Registers, Requirement
from walkaway.views.query import Json


def row_json(row: Decision | Requirement | Memory) -> Json:
    """Return a row of a register for programs, by the names of its fields."""
    found: Json = {}
    for field in fields(row):
        value = getattr(row, field.name)
        found[field.name] = list(value) if isinstance(value, tuple) else value
    return found


def memory_json(r: Registers, memory: Memory) -> Json:
    """Return a memory for programs, with what it is worth now."""
    return {**row_json(memory), "confidence": r.confidence(memory), "rank": r.rank(memory)}


def decision_line(d: Decision) -> str:
    """Return a decision as one line."""
    over = f"  (superseded by {d.superseded_by})" if d.superseded_by else ""
    why = f"; {d.rationale}" if d.rationale else ""
    return f"{d.id}  {d.decision}: {d.choice}{why}{over}"


def requirement_line(r: Requirement) -> str:
    """Return a requirement as one line."""
    covered = r.owner or ("no slice covers it" if r.uncovered else "")
    proof = f"  [{r.validation}]" if r.validation else ""
    return f"{r.id}  {r.status:<12} {r.description}{f'  ({covered})' if covered else ''}{proof}"


def memory_line(r: Registers, memory: Memory) -> str:
    """Return a memory as one line."""
    return f"{memory.id}  {memory.category:<12} {r.rank(memory):.2f}  {memory.content}"
