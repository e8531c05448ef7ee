"""Take down what a person confirmed of a project's start: it is settled, and what it requires is in the register."""

import json
from collections.abc import Callable, Iterator, Sequence

from walkaway.core.events import NoteTaken
from walkaway.core.model import Note, Snapshot
from walkaway.core.plan import start
from walkaway.core.registers.facts import RegisterEvent, RequirementAdded, RequirementChanged
from walkaway.core.registers.model import RegisterKind, Registers, Requirement
from walkaway.engine.run import Run
from walkaway.store.codec import decode
from walkaway.units import discuss_requirements
from walkaway.units.discuss_requirements import Report, Wanted, plain

SOURCE = discuss_requirements.KIND
"""How the source of a requirement begins that stems from a project's start."""


def settle(run: Run, s: Snapshot, note: Note) -> None:
    """Record that ``note`` stands for the project; raises `StaleSnapshot` if the state moved since it was chosen."""
    required: Sequence[RegisterEvent] = ()
    if note.kind == start.REQUIREMENTS:
        report = decode(Report, json.loads(run.store.texts([note.report])[note.report]))
        registers, source = run.store.registers(), f"{SOURCE} {note.target}"
        required = tuple(facts(registers, report, source, lambda: run.store.reserve(RegisterKind.REQUIREMENT)))
    run.step(f"{note.kind} is confirmed, and stands for the project")
    run.project(run.commit([NoteTaken(note=note), *required], expect=s.rev))


def facts(r: Registers, report: Report, source: str, name: Callable[[], str]) -> Iterator[RegisterEvent]:
    """Yield what a confirmed list makes of the register; ``name`` returns a number that was never used.

    What the register says already keeps its number. What an earlier list wanted, this one does not and no slice
    covers, is out of scope.
    """
    wanted = {plain(each.description): each for each in report.requirements}
    there = {plain(q.description): q for q in r.requirements.values()}
    for said, each in wanted.items():
        if (old := there.get(said)) is None:
            yield RequirementAdded(requirement=_requirement(name(), each, source))
        elif old.status != "validated":
            yield RequirementChanged(
                id=old.id, status=each.status, validation=each.acceptance, notes=_planned(each) or None
            )
    for said, old in there.items():
        if said not in wanted and old.uncovered and old.source.startswith(SOURCE):
            yield RequirementChanged(id=old.id, status="out-of-scope", notes=f"No part of what {source} lists.")


def _requirement(name: str, each: Wanted, source: str) -> Requirement:
    return Requirement(
        id=name,
        kind=each.kind,
        description=each.description,
        status=each.status,
        why=each.why,
        source=source,
        validation=each.acceptance,
        notes=_planned(each),
    )


def _planned(each: Wanted) -> str:
    """Return which milestone is to bring it; its owner is the slice that covers it, once there is one."""
    return f"Planned for: {each.owner}" if each.owner.strip() else ""
