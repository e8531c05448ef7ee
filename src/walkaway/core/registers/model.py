"""The registers of a project, as frozen values; they belong to no milestone, whoever writes them.

Times are seconds since the UNIX epoch by the store's clock. Identifiers (``D001``, ``R001``, ``MEM001``) are reserved
before they are used and never used twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class RegisterKind(StrEnum):
    """Which register; the value is how its identifiers begin."""

    DECISION = "D"
    REQUIREMENT = "R"
    MEMORY = "MEM"


MADE_BY = ("human", "agent", "collaborative")
STATUSES = ("active", "validated", "deferred", "out-of-scope")
CLASSES = (
    "core-capability",
    "primary-user-loop",
    "launchability",
    "continuity",
    "failure-visibility",
    "integration",
    "quality-attribute",
    "operability",
    "admin/support",
    "compliance/security",
    "differentiator",
    "constraint",
    "anti-feature",
)
CATEGORIES = ("architecture", "convention", "gotcha", "preference", "environment", "pattern")

LEAST_CONFIDENCE, MOST_CONFIDENCE, USUAL_CONFIDENCE = 0.1, 0.99, 0.8
RECENT_MOST = 5
"""Decisions that a program is told of without asking for more: the newest that nothing supersedes."""
ACTIVE_MOST = 50
"""Memories that are told to anybody: those that rank highest."""
STALE_AFTER = 20
"""Completed units without a hit after which a memory loses `DECAY` of its confidence, and again after as many more."""
DECAY = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was chosen and why. It never changes; another may supersede it."""

    id: str
    topic: str
    decision: str
    choice: str
    rationale: str = ""
    revisable: str = ""
    context: str = ""  # when it was made: the unit's target
    made_by: str = "agent"
    supersedes: str = ""
    superseded_by: str = ""
    at: float = 0.0

    @property
    def current(self) -> bool:
        """Whether nothing supersedes it."""
        return not self.superseded_by

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        return f"{self.id}: {self.decision}: {self.choice}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What the project has to do, which slice owns it, and what shows that it is done."""

    id: str
    kind: str  # one of `CLASSES`
    description: str
    status: str = "active"
    why: str = ""
    source: str = ""
    owner: str = ""  # the slice that covers it
    supporting: tuple[str, ...] = ()
    validation: str = ""
    notes: str = ""
    at: float = 0.0

    @property
    def uncovered(self) -> bool:
        """Whether it is to be done and no slice owns it."""
        return self.status == "active" and not self.owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """One thing worth knowing in later units. ``hits``: how often an accepted unit had looked it up."""

    id: str
    category: str
    content: str
    confidence: float = USUAL_CONFIDENCE
    source: str = ""  # the unit that kept it, or who
    hits: int = 0
    used_at: float = 0.0  # when it was kept, or hit last
    forgotten: str = ""  # why it is told no more; "" while it is
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """All registers of a project at one instant, each in the order of its numbers.

    ``rev`` is the revision of the project's own scope; ``facts``: how many were ever recorded;
    ``completed``: when each unit was completed.
    """

    rev: int = 0
    facts: int = 0
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    requirements: Mapping[str, Requirement] = field(default_factory=dict)
    memories: Mapping[str, Memory] = field(default_factory=dict)
    completed: Sequence[float] = ()

    def confidence(self, memory: Memory) -> float:
        """Return what is left of a memory's confidence after the units that did not look it up."""
        unused = sum(at > memory.used_at for at in self.completed)
        return max(LEAST_CONFIDENCE, memory.confidence - DECAY * (unused // STALE_AFTER))

    def rank(self, memory: Memory) -> float:
        """Return how much a memory is worth: confidence * (1 + 0.1 * hits)."""
        return self.confidence(memory) * (1 + 0.1 * memory.hits)

    def active(self) -> tuple[Memory, ...]:
        """Return the memories that are told, the best first: at most `ACTIVE_MOST`, and none that was forgotten."""
        kept = [m for m in self.memories.values() if not m.forgotten]
        return tuple(sorted(kept, key=self.rank, reverse=True)[:ACTIVE_MOST])

    def same(self, description: str) -> Requirement | None:
        """Return the requirement that says this already, in whatever case and spacing, and is to be done."""
        wanted = " ".join(description.split()).casefold()
        listed = (r for r in self.requirements.values() if r.status == "active")
        return next((r for r in listed if " ".join(r.description.split()).casefold() == wanted), None)

    def current(self) -> tuple[Decision, ...]:
        """Return the decisions that nothing supersedes."""
        return tuple(d for d in self.decisions.values() if d.current)


def register_id(kind: RegisterKind, number: int) -> str:
    """Return the ``number``-th identifier of a register, three digits at least."""
    return f"{kind}{number:03}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """The registers at one instant, without loading them.

    ``requirements``: how many there are of each status; ``decisions``: the newest current ones, at most `RECENT_MOST`,
    the latest first.
    """

    requirements: Mapping[str, int]
    decisions: Sequence[Decision]
