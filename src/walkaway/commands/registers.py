"""Write into the registers of the project: a decision, a requirement, something worth remembering."""

from dataclasses import dataclass

from walkaway.commands.command import Command, Project
from walkaway.core.errors import IllegalTransition, Usage
from walkaway.core.ids import PROJECT_SCOPE
from walkaway.core.model import Seen
from walkaway.core.registers.facts import (
    DecisionMade,
    MemoryForgotten,
    MemoryKept,
    RegisterEvent,
    RequirementAdded,
    RequirementChanged,
    evolve,
)
from walkaway.core.registers.model import Decision, Memory, RegisterKind, Registers, Requirement, register_id


def _commit(project: Project, r: Registers, fact: RegisterEvent) -> None:
    """Record a fact in a person's name; raise `Usage` where it cannot be."""
    seen = Seen(project=project.store.project, scope=PROJECT_SCOPE, rev=r.rev, who=project.who)
    try:
        project.store.commit(seen, [fact])
    except IllegalTransition as error:
        raise Usage(str(error)) from error


def _number(project: Project, kind: RegisterKind, trial: RegisterEvent) -> tuple[str, Registers]:
    """Return a new identifier, and the registers; raise `Usage` before a number is spent on what cannot be."""
    r = project.store.registers()
    try:
        evolve(r, trial, 0.0)
    except IllegalTransition as error:
        raise Usage(str(error)) from error
    return project.store.reserve(kind), r


UNUSED = 0
"""The number of what is only tried: none that is given out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """What was decided, and which decision it supersedes, if any."""

    decision: str
    choice: str
    topic: str = ""
    rationale: str = ""
    revisable: str = ""
    supersedes: str = ""


def decide(project: Project, form: Deciding) -> str:
    """Enter a decision of a person."""

    def fact(name: str) -> DecisionMade:
        made = Decision(
            id=name,
            topic=form.topic,
            decision=form.decision,
            choice=form.choice,
            rationale=form.rationale,
            revisable=form.revisable,
            made_by="human",
            supersedes=form.supersedes,
        )
        return DecisionMade(decision=made)

    name, r = _number(project, RegisterKind.DECISION, fact(register_id(RegisterKind.DECISION, UNUSED)))
    _commit(project, r, fact(name))
    return f"{name} is decided; every later agent that plans is told."


@dataclass(frozen=True, slots=True, kw_only=True)
class Requiring:
    """What the project has to do."""

    description: str
    kind: str
    status: str = "active"
    why: str = ""
    source: str = "user"
    owner: str = ""
    notes: str = ""


def add_requirement(project: Project, form: Requiring) -> str:
    """Enter a requirement; raise `Usage` where an active one says the same."""

    def fact(name: str) -> RequirementAdded:
        added = Requirement(
            id=name,
            kind=form.kind,
            description=form.description,
            status=form.status,
            why=form.why,
            source=form.source,
            owner=form.owner,
            notes=form.notes,
        )
        return RequirementAdded(requirement=added)

    if there := project.store.registers().same(form.description):
        raise Usage(f"{there.id} says that already; change it with: walkaway requirements update {there.id}")
    name, r = _number(project, RegisterKind.REQUIREMENT, fact(register_id(RegisterKind.REQUIREMENT, UNUSED)))
    _commit(project, r, fact(name))
    return f"{name} is required; every later agent that plans is told."


@dataclass(frozen=True, slots=True, kw_only=True)
class Changing:
    """Which requirement, and what of it is to be otherwise (None: as it is)."""

    id: str
    status: str | None = None
    description: str | None = None
    owner: str | None = None
    validation: str | None = None
    notes: str | None = None


def change_requirement(project: Project, form: Changing) -> str:
    """Change a requirement."""
    changed = RequirementChanged(
        id=form.id,
        status=form.status,
        description=form.description,
        owner=form.owner,
        validation=form.validation,
        notes=form.notes,
    )
    if changed == RequirementChanged(id=form.id):
        raise Usage(f"Say what of {form.id} is to change: --status, --description, --owner, --validation or --notes.")
    _commit(project, project.store.registers(), changed)
    return f"{form.id} is changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembering:
    """What is worth knowing, of which category, and how sure it is (0.1 to 0.99)."""

    content: str
    category: str
    confidence: float = 0.8


def remember(project: Project, form: Remembering) -> str:
    """Keep a memory."""

    def fact(name: str) -> MemoryKept:
        kept = Memory(
            id=name, category=form.category, content=form.content, confidence=form.confidence, source=project.who
        )
        return MemoryKept(memory=kept)

    name, r = _number(project, RegisterKind.MEMORY, fact(register_id(RegisterKind.MEMORY, UNUSED)))
    _commit(project, r, fact(name))
    return f"{name} is kept."


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting:
    """Which memory is to be told no more, and why."""

    id: str
    reason: str


def forget(project: Project, form: Forgetting) -> str:
    """Tell a memory to nobody any more; it stays in the journal."""
    _commit(project, project.store.registers(), MemoryForgotten(memory=form.id, why=form.reason))
    return f"{form.id} is told to no agent any more."


DECIDE = Command(name="decisions add", help="Enter a decision.", form=Deciding, run=decide)
REQUIRE = Command(name="requirements add", help="Enter a requirement.", form=Requiring, run=add_requirement)
CHANGE = Command(name="requirements update", help="Change a requirement.", form=Changing, run=change_requirement)
REMEMBER = Command(name="memory add", help="Keep something worth knowing.", form=Remembering, run=remember)
FORGET = Command(name="memory forget", help="Tell a memory no more.", form=Forgetting, run=forget)
