"""What can happen to the registers, past tense and frozen, and what each fact does to them.

Rule: this is the only module that changes a register. The facts stand in the journal of the milestone whose commit
wrote them, or in the project's own; folded in the order of their times they equal the tables. Once a fact names what
exists it can always happen, whatever else was written meanwhile: what an agent saved is never lost to a race.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar, assert_never

from walkaway.core.errors import IllegalTransition
from walkaway.core.ids import natural_order
from walkaway.core.registers.model import (
    CATEGORIES,
    CLASSES,
    LEAST_CONFIDENCE,
    MADE_BY,
    MOST_CONFIDENCE,
    STATUSES,
    Decision,
    Memory,
    Registers,
    Requirement,
)

T = TypeVar("T", Decision, Requirement, Memory)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMade:
    """Something was chosen; what it supersedes is current no more."""

    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementAdded:
    """The project has to do one thing more."""

    requirement: Requirement


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementChanged:
    """A requirement was covered, validated, deferred or put otherwise; None: as it was."""

    id: str
    status: str | None = None
    description: str | None = None
    owner: str | None = None
    supporting: tuple[str, ...] | None = None
    validation: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryKept:
    """Something is worth knowing in later units."""

    memory: Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoriesUsed:
    """An accepted unit had looked these up."""

    memories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryForgotten:
    """A memory is told to nobody any more."""

    memory: str
    why: str


RegisterEvent = DecisionMade | RequirementAdded | RequirementChanged | MemoryKept | MemoriesUsed | MemoryForgotten


def require(event: RegisterEvent) -> None:
    """Raise `IllegalTransition` if ``event`` can never happen; one that passes is refused by no constraint."""
    if wrong := _wrong(event):
        raise IllegalTransition(f"{type(event).__name__} cannot be recorded: {wrong}.")


def _wrong(event: RegisterEvent) -> str:
    match event:
        case DecisionMade(decision=d):
            return _empty(id=d.id, decision=d.decision, choice=d.choice) or _one_of("made_by", d.made_by, MADE_BY)
        case RequirementAdded(requirement=r):
            wrong = _empty(id=r.id, description=r.description) or _one_of("class", r.kind, CLASSES)
            return wrong or _one_of("status", r.status, STATUSES)
        case RequirementChanged():
            emptied = event.description is not None and not event.description.strip()
            wrong = _one_of("status", event.status, STATUSES) if event.status is not None else ""
            return "description is empty" if emptied else wrong
        case MemoryKept(memory=m):
            sure = LEAST_CONFIDENCE <= m.confidence <= MOST_CONFIDENCE
            wrong = "" if sure else f"confidence is from {LEAST_CONFIDENCE} to {MOST_CONFIDENCE}"
            return _empty(id=m.id, content=m.content) or _one_of("category", m.category, CATEGORIES) or wrong
        case MemoryForgotten():
            return _empty(why=event.why)
        case _:
            return ""


def _empty(**cells: str) -> str:
    return ", ".join(f"{name} is empty" for name, text in cells.items() if not text.strip())


def _one_of(name: str, word: str, words: tuple[str, ...]) -> str:
    return "" if word in words else f"{name} is one of {', '.join(words)}, not '{word}'"


def evolve(r: Registers, event: RegisterEvent, at: float) -> Registers:
    """Return the registers after ``event`` happened at ``at`` (seconds); raise `IllegalTransition` if it cannot."""
    require(event)
    r = replace(r, facts=r.facts + 1)
    match event:
        case DecisionMade(decision=made):
            return _decided(r, replace(made, superseded_by="", at=at))
        case RequirementAdded(requirement=added):
            _new(added.id, r.requirements)
            return replace(r, requirements=_with(r.requirements, replace(added, at=at)))
        case RequirementChanged():
            return replace(r, requirements=_with(r.requirements, _changed(r, event)))
        case MemoryKept(memory=kept):
            _new(kept.id, r.memories)
            fresh = replace(kept, hits=0, used_at=at, forgotten="", at=at)
            return replace(r, memories=_with(r.memories, fresh))
        case MemoriesUsed(memories=used):
            for name in dict.fromkeys(used):
                memory = _there(name, r.memories)
                r = replace(r, memories=_with(r.memories, replace(memory, hits=memory.hits + 1, used_at=at)))
            return r
        case MemoryForgotten():
            memory = _there(event.memory, r.memories)
            return replace(r, memories=_with(r.memories, replace(memory, forgotten=event.why)))
        case _:
            assert_never(event)


def _decided(r: Registers, made: Decision) -> Registers:
    _new(made.id, r.decisions)
    decisions = r.decisions
    if made.supersedes:
        old = _there(made.supersedes, decisions)
        decisions = _with(decisions, replace(old, superseded_by=old.superseded_by or made.id))
    return replace(r, decisions=_with(decisions, made))


def _changed(r: Registers, event: RequirementChanged) -> Requirement:
    old = _there(event.id, r.requirements)
    return replace(
        old,
        status=old.status if event.status is None else event.status,
        description=old.description if event.description is None else event.description,
        owner=old.owner if event.owner is None else event.owner,
        supporting=old.supporting if event.supporting is None else event.supporting,
        validation=old.validation if event.validation is None else event.validation,
        notes=old.notes if event.notes is None else event.notes,
    )


def _new(name: str, rows: Mapping[str, T]) -> None:
    if name in rows:
        raise IllegalTransition(f"{name} is in the register already; it is never used twice.")


def _there(name: str, rows: Mapping[str, T]) -> T:
    if (found := rows.get(name)) is None:
        raise IllegalTransition(f"There is no {name} in the register.")
    return found


def _with(rows: Mapping[str, T], row: T) -> Mapping[str, T]:
    """Return the rows with one put in its place, in the order of their numbers."""
    if row.id in rows:
        return {key: row if key == row.id else old for key, old in rows.items()}
    return dict(sorted({**rows, row.id: row}.items(), key=lambda pair: natural_order(pair[0])))
