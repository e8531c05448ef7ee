"""The side tools of a dispatch: what its agent saves is held, and committed with its accepted report or not at all."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from walkaway.core.brief import SideTool, Told
from walkaway.core.errors import IllegalTransition
from walkaway.core.ids import UnitKey
from walkaway.core.model import Snapshot
from walkaway.core.registers.facts import (
    DecisionMade,
    MemoriesUsed,
    MemoryKept,
    RegisterEvent,
    RequirementAdded,
    RequirementChanged,
    evolve,
)
from walkaway.core.registers.model import Decision, Memory, RegisterKind, Registers, Requirement, register_id
from walkaway.core.registers.search import Text, search, texts_of
from walkaway.core.unit import Side
from walkaway.engine.desk import parsed, schema_of
from walkaway.store import Store
from walkaway.store.codec import event_from_entry, storable

F = TypeVar("F")

MOST_HELD = 30
"""What one dispatch may save."""
FIELD_MOST = 1_000
"""Characters of one text that is saved; every later agent pays for it."""
FOUND_MOST = 8
LINE_MOST = 600
UNUSED = 0
HELD = "is held, and saved when your report is accepted."


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """A choice that others have to respect."""

    topic: str
    decision: str
    choice: str
    rationale: str
    revisable: str = ""
    supersedes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Require:
    """A requirement: a new one, or with ``id`` what of it is otherwise now (empty: as it was)."""

    id: str = ""
    description: str = ""
    kind: str = ""
    status: Literal["", "active", "validated", "deferred", "out-of-scope"] = ""
    owner: str = ""
    why: str = ""
    validation: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remember:
    """Something that later units should know."""

    category: Literal["architecture", "convention", "gotcha", "preference", "environment", "pattern"]
    content: str
    confidence: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Words to look for."""

    query: str


FORMS: Mapping[Side, tuple[type[object], str]] = {
    Side.DECIDE: (
        Decide,
        (
            "Save a decision that others have to respect (architecture, format, library, scope): one choice a call. "
            "`supersedes`: the id of the decision that it takes the place of."
        ),
    ),
    Side.REQUIRE: (
        Require,
        (
            "Save a requirement (`description` and `kind`: core-capability, quality-attribute, constraint, …), or with "
            "its `id` say what changed: `owner` (the slice that covers it, as in M001/S02), `status`, and `validation` "
            "(what shows that it holds)."
        ),
    ),
    Side.REMEMBER: (
        Remember,
        (
            "Keep one thing that later units would otherwise find out again: a convention, a pitfall, how the "
            "environment is. Not what the code or your report says; no secrets."
        ),
    ),
    Side.RECALL: (Recall, "Search what was decided, required, remembered and done before, by a few words."),
}


def shown(side: tuple[Side, ...]) -> tuple[SideTool, ...]:
    """Return the tools as they are offered, to be looked at; none of them does anything."""
    return tuple(_tool(name, lambda _raw: Told(text="")) for name in side)


def _tool(name: Side, call: Callable[[str], Told]) -> SideTool:
    form, description = FORMS[name]
    return SideTool(name=str(name), description=description, schema=schema_of(form), call=call)


def _reading(form: type[F], does: Callable[[F], Told]) -> Callable[[str], Told]:
    """Return what reads the arguments of a call as a form, and does with it what is to be done."""

    def call(raw: str) -> Told:
        given, wrong = parsed(form, raw)
        if given is None:
            return Told(text=wrong, refused=True)
        too_long = [key for key, text in json.loads(raw).items() if isinstance(text, str) and len(text) > FIELD_MOST]
        if too_long:
            return Told(text=f"At most {FIELD_MOST} characters: {', '.join(too_long)}.", refused=True)
        return does(given)

    return call


def saved(held: str) -> tuple[RegisterEvent, ...]:
    """Return the facts that `Holding.text` was made of."""
    return tuple(event_from_entry(kind, body) for kind, body in json.loads(held or "[]"))


@dataclass(slots=True, kw_only=True)
class Holding:
    """What the agent of one dispatch has saved so far; nothing of it is true before its report is accepted."""

    store: Store
    snapshot: Snapshot
    key: UnitKey
    facts: list[RegisterEvent] = field(default_factory=list)
    used: dict[str, None] = field(default_factory=dict)
    """The memories that were found, in order."""

    def tools(self, side: tuple[Side, ...]) -> tuple[SideTool, ...]:
        """Return the tools that the agent is offered."""
        calls = {
            Side.DECIDE: _reading(Decide, self._decide),
            Side.REQUIRE: _reading(Require, self._require),
            Side.REMEMBER: _reading(Remember, self._remember),
            Side.RECALL: _reading(Recall, self._recall),
        }
        return tuple(_tool(name, calls[name]) for name in side)

    def text(self) -> str:
        """Return what is held as text, to be stored beside the report; "" where nothing is."""
        used = [MemoriesUsed(memories=tuple(self.used))] if self.used else []
        facts = [storable(fact) for fact in (*self.facts, *used)]
        return json.dumps([[type(fact).__name__, body] for fact, body in facts], ensure_ascii=False) if facts else ""

    def _hold(self, kind: RegisterKind | None, name: str, made: Callable[[str], RegisterEvent]) -> Told:
        """Hold a fact under a number of its own, or say why it cannot be; a number is spent only on what can be."""
        if len(self.facts) >= MOST_HELD:
            return Told(text=f"{MOST_HELD} things were saved already; that is enough for one unit.", refused=True)
        try:
            evolve(self._registers(), made(name or register_id(kind or RegisterKind.MEMORY, UNUSED)), 0.0)
        except IllegalTransition as error:
            return Told(text=str(error), refused=True)
        name = name or self.store.reserve(kind or RegisterKind.MEMORY)
        self.facts.append(made(name))
        return Told(text=f"{name} {HELD}")

    def _registers(self) -> Registers:
        """Return the registers as they will be with what is held."""
        r = self.store.registers()
        for fact in self.facts:
            r = evolve(r, fact, 0.0)
        return r

    def _decide(self, given: Decide) -> Told:
        def made(name: str) -> RegisterEvent:
            decision = Decision(
                id=name,
                topic=given.topic,
                decision=given.decision,
                choice=given.choice,
                rationale=given.rationale,
                revisable=given.revisable,
                context=self.key.target,
                supersedes=given.supersedes,
            )
            return DecisionMade(decision=decision)

        return self._hold(RegisterKind.DECISION, "", made)

    def _require(self, given: Require) -> Told:
        there = self._registers().same(given.description)
        if name := given.id or (there.id if there else ""):
            changed = RequirementChanged(
                id=name,
                status=given.status or None,
                description=given.description or None,
                owner=given.owner or None,
                validation=given.validation or None,
                notes=given.notes or None,
            )
            return self._hold(None, name, lambda _name: changed)

        def made(name: str) -> RegisterEvent:
            added = Requirement(
                id=name,
                kind=given.kind,
                description=given.description,
                status=given.status or "active",
                why=given.why,
                source=str(self.key),
                owner=given.owner,
                validation=given.validation,
                notes=given.notes,
            )
            return RequirementAdded(requirement=added)

        return self._hold(RegisterKind.REQUIREMENT, "", made)

    def _remember(self, given: Remember) -> Told:
        def made(name: str) -> RegisterEvent:
            kept = Memory(
                id=name,
                category=given.category,
                content=given.content,
                confidence=given.confidence,
                source=str(self.key),
            )
            return MemoryKept(memory=kept)

        return self._hold(RegisterKind.MEMORY, "", made)

    def _recall(self, given: Recall) -> Told:
        r = self.store.registers()
        done = (*self.snapshot.slices.values(), *self.snapshot.tasks.values())
        summaries = (Text(id=part.id, text=f"{part.title}: {part.summary}") for part in done if part.summary)
        found = search((*texts_of(r), *summaries), given.query, FOUND_MOST)
        self.used |= {text.id: None for text in found if text.id in r.memories}
        return Told(text="\n".join(f"{t.id}  {t.text[:LINE_MOST]}" for t in found) or "Nothing was found.")
