"""What a brief tells of the registers: the decisions in force, what is required, and the memories that fit the work."""

from walkaway.core.ids import milestone_of
from walkaway.core.model import Snapshot
from walkaway.core.registers.model import Registers, Requirement
from walkaway.core.registers.search import Text, search
from walkaway.core.unit import Side, UnitType
from walkaway.units.sections import fit, line

MEMORIES_MOST = 8
MEMORIES_BYTES = 2_000
"""Bytes of each part, however much the registers hold."""
DECISIONS_MOST = 20
DECISIONS_BYTES = 2_500
REQUIREMENTS_MOST = 30
REQUIREMENTS_BYTES = 2_500


def known(r: Registers, s: Snapshot, unit: UnitType[object], target: str) -> str:
    """Return what an agent doing ``unit`` is told of the registers; "" where they hold nothing for it."""
    parts = []
    if Side.DECIDE in unit.side:
        parts.append(_decisions(r))
    if Side.REQUIRE in unit.side:
        parts.append(_requirements(r))
    parts.append(_memories(r, _about(s, target)))
    return "\n\n".join(part for part in parts if part)


def _decisions(r: Registers) -> str:
    """Return the latest decisions that nothing supersedes."""
    current = r.current()
    if not current:
        return ""
    lines = [f"- {d.id} {line(f'{d.decision}: {d.choice}', 300)}" for d in current[-DECISIONS_MOST:]]
    left = len(current) - len(lines)
    more = f"\n\n{left} older ones are found by `recall`." if left else ""
    return f"## Decisions in force\n\n{fit(lines, DECISIONS_BYTES)}{more}"


def _requirements(r: Registers) -> str:
    """Return what is to be done, what no slice covers first."""
    open_ = sorted((q for q in r.requirements.values() if q.status == "active"), key=lambda q: not q.uncovered)
    if not open_:
        return ""
    lines = [f"- {q.id} {line(q.description, 300)} ({_covered(q)})" for q in open_[:REQUIREMENTS_MOST]]
    left = len(open_) - len(lines)
    more = f"\n\n{left} more are found by `recall`." if left else ""
    return f"## Open requirements\n\n{fit(lines, REQUIREMENTS_BYTES)}{more}"


def _covered(q: Requirement) -> str:
    return f"{q.owner}{f'; {line(q.validation, 100)}' if q.validation else ''}" if q.owner else "no slice covers it"


def _memories(r: Registers, about: str) -> str:
    """Return the memories that fit best, and then those that are worth most."""
    active = r.active()
    if not active:
        return ""
    fitting = search([Text(id=m.id, text=m.content, worth=r.rank(m)) for m in active], about, MEMORIES_MOST)
    best = dict.fromkeys([*(text.id for text in fitting), *(m.id for m in active)])
    lines = [f"- {name} {line(r.memories[name].content, 400)}" for name in [*best][:MEMORIES_MOST]]
    return f"## Remembered from earlier work\n\n{fit(lines, MEMORIES_BYTES)}"


def _about(s: Snapshot, target: str) -> str:
    """Return words that say what a target is about."""
    if task := s.tasks.get(target):
        return f"{task.title} {task.description}"
    if slice_ := s.slices.get(target):
        return f"{slice_.title} {slice_.goal} {slice_.demo}"
    return f"{s.milestone.title} {s.milestone.vision}" if milestone_of(target) == s.milestone.id else ""
