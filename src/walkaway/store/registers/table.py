"""Rows of the registers <-> their values: load whole, write the difference.

Rule: whoever writes facts of the registers holds `lock` before the time of the facts is read, so that their times are
in the order in which they were written, whichever milestones they came from.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from walkaway.core.ids import PROJECT_SCOPE, ProjectId, natural_order
from walkaway.core.registers.facts import RegisterEvent, evolve
from walkaway.core.registers.model import Decision, Memory, RegisterKind, Registers, Requirement, register_id
from walkaway.store.codec import columns, from_row, to_row
from walkaway.store.driver import Tx

T = TypeVar("T", Decision, Requirement, Memory)

NUMBERS = """
INSERT INTO register_numbers (project_id) VALUES (:project) ON CONFLICT (project_id) DO NOTHING
"""

LOCK = "UPDATE register_numbers SET decisions = decisions WHERE project_id = :project"

COUNTERS: Mapping[RegisterKind, str] = {
    RegisterKind.DECISION: "decisions",
    RegisterKind.REQUIREMENT: "requirements",
    RegisterKind.MEMORY: "memories",
}

REVISION = "SELECT rev FROM milestone_leases WHERE project_id = :project AND scope = :scope"

FACTS = "SELECT facts FROM register_numbers WHERE project_id = :project"

COUNT = "UPDATE register_numbers SET facts = :facts WHERE project_id = :project"

COMPLETED = """
SELECT ended_at FROM unit_dispatches WHERE project_id = :project AND status = 'completed'
"""


def lock(tx: Tx, project: ProjectId) -> None:
    """Let nobody else write the registers of a project, or reserve a number, until this transaction ends."""
    tx.run(NUMBERS, project=project)
    tx.run(LOCK, project=project)


def reserve(tx: Tx, project: ProjectId, kind: RegisterKind) -> str:
    """Return an identifier that was never returned before; one that is not used then is lost."""
    tx.run(NUMBERS, project=project)
    name = COUNTERS[kind]
    row = tx.one(
        f"UPDATE register_numbers SET {name} = {name} + 1 WHERE project_id = :project RETURNING {name}",  # noqa: S608 - names are constants
        project=project,
    )
    return register_id(kind, int(row[0] or 0) if row else 0)


def load(tx: Tx, project: ProjectId) -> Registers:
    """Return all registers, as this transaction sees them."""
    head = tx.one(REVISION, project=project, scope=PROJECT_SCOPE)
    facts = tx.one(FACTS, project=project)
    return Registers(
        rev=int(head[0] or 0) if head else 0,
        facts=int(facts[0] or 0) if facts else 0,
        decisions=_rows(tx, project, "decisions", Decision),
        requirements=_rows(tx, project, "requirements", Requirement),
        memories=_rows(tx, project, "memories", Memory),
        completed=tuple(float(row[0] or 0) for row in tx.all(COMPLETED, project=project)),
    )


def _rows(tx: Tx, project: ProjectId, table: str, cls: type[T]) -> Mapping[str, T]:
    rows = tx.all(f"SELECT {', '.join(columns(cls))} FROM {table} WHERE project_id = :project", project=project)  # noqa: S608 - names come from our own classes
    found = {str(row[0]): from_row(cls, row) for row in rows}
    return dict(sorted(found.items(), key=lambda pair: natural_order(pair[0])))


def record(tx: Tx, project: ProjectId, facts: Sequence[RegisterEvent], at: float) -> None:
    """Write what follows from facts; raise `IllegalTransition` where one cannot be. `lock` is held."""
    before = after = load(tx, project)
    for fact in facts:
        after = evolve(after, fact, at)
    tx.run(COUNT, project=project, facts=after.facts)
    for table in COUNTERS.values():
        _save(tx, project, table, getattr(before, table), getattr(after, table))


def _save(tx: Tx, project: ProjectId, table: str, old: Mapping[str, T], new: Mapping[str, T]) -> None:
    for key, row in new.items():
        if row == old.get(key):
            continue
        names = columns(type(row))
        if key in old:
            sql = f"UPDATE {table} SET {', '.join(f'{n} = :{n}' for n in names if n != 'id')} "  # noqa: S608
            tx.run(f"{sql}WHERE project_id = :project_id AND id = :id", project_id=project, **to_row(row))
        else:
            every = ("project_id", *names)
            sql = f"INSERT INTO {table} ({', '.join(every)}) VALUES ({', '.join(f':{n}' for n in every)})"  # noqa: S608
            tx.run(sql, project_id=project, **to_row(row))
