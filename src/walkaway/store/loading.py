"""Rows of one milestone <-> its snapshot: load whole, write the difference."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypeVar

from walkaway.core.fleet.overview import MilestoneRow, Overview
from walkaway.core.ids import MilestoneId, ProjectId, Scope, WorkerId, milestone_number, natural_order
from walkaway.core.model import Dispatch, Milestone, MilestoneStatus, Note, Policy, Snapshot, Usage
from walkaway.core.plan.start import SETTLED
from walkaway.store.codec import COLLECTIONS, MILESTONES, columns, decode, dumps, from_row, to_row
from walkaway.store.driver import Cell, Row, Tx
from walkaway.store.fleet import workers
from walkaway.store.leases import CLOCK

T = TypeVar("T")

REVISION = f"SELECT rev, {CLOCK} FROM milestone_leases WHERE project_id = :project AND scope = :scope"  # noqa: S608

POLICY = "SELECT body FROM policies WHERE project_id = :project AND scope = :scope"

PUT_POLICY = """
INSERT INTO policies (project_id, scope, body) VALUES (:project, :scope, :body)
ON CONFLICT (project_id, scope) DO UPDATE SET body = excluded.body
"""

SPENT = """
SELECT COUNT(*), COALESCE(SUM(input_tokens), 0), COALESCE(SUM(output_tokens), 0), COALESCE(SUM(usd), 0), COUNT(usd)
FROM usage WHERE project_id = :project
"""

COSTS = """
SELECT dispatch_id, COUNT(*), SUM(input_tokens), SUM(output_tokens), SUM(usd), COUNT(usd) FROM usage
WHERE project_id = :project AND scope = :scope GROUP BY dispatch_id
"""

INTEGRATION = """
SELECT 1 FROM milestones WHERE project_id = :project AND (prepared_sha = :sha OR commit_sha = :sha)
"""

GATE_PENDING = """
SELECT gate FROM questions WHERE project_id = :project AND scope = :scope AND gate <> '' AND answer = ''
ORDER BY asked_at, id
"""

ELSEWHERE = (
    f"SELECT {', '.join(columns(Note))} FROM notes WHERE project_id = :project AND scope <> :scope "  # noqa: S608
    f"AND kind IN ({', '.join(f'{chr(39)}{kind}{chr(39)}' for kind in SETTLED)}) ORDER BY at, scope, id"
)

GATES_ASKED = "SELECT DISTINCT scope FROM questions WHERE project_id = :project AND gate <> ''"

LISTED = """
SELECT m.id, m.title, m.status, m.place, m.depends, m.aside,
    (SELECT COUNT(*) FROM slices s WHERE s.project_id = m.project_id AND s.scope = m.id AND s.status = 'complete'),
    (SELECT COUNT(*) FROM slices s WHERE s.project_id = m.project_id AND s.scope = m.id AND s.aside <> 'skipped'),
    (SELECT COUNT(*) FROM tasks t WHERE t.project_id = m.project_id AND t.scope = m.id AND t.status = 'complete'),
    (SELECT COUNT(*) FROM tasks t WHERE t.project_id = m.project_id AND t.scope = m.id AND (t.status = 'complete' OR (
        t.aside = '' AND NOT EXISTS (SELECT 1 FROM slices s WHERE s.project_id = t.project_id AND s.aside = 'skipped'
            AND s.id = RTRIM(RTRIM(t.id, '0123456789'), '/T'))))),
    (SELECT COUNT(*) FROM questions q WHERE q.project_id = m.project_id AND q.scope = m.id AND q.answer = ''),
    CASE WHEN l.status = 'held' THEN l.worker_id ELSE '' END, l.expires_at
FROM milestones m JOIN milestone_leases l ON l.project_id = m.project_id AND l.scope = m.id
WHERE m.project_id = :project
"""


def load(tx: Tx, project: ProjectId, scope: Scope) -> Snapshot:
    """Return a milestone and all under it; an empty one, never created, where there is none."""
    head = tx.one(REVISION, project=project, scope=scope)
    found = _rows(tx, MILESTONES[0], Milestone, project, scope)
    body = tx.one(POLICY, project=project, scope=scope)
    milestone = next(iter(found.values()), None) or Milestone(id=MilestoneId(scope), title="")
    parts = {name: _rows(tx, table, cls, project, scope) for name, (table, cls) in COLLECTIONS.items()}
    return Snapshot(
        project=project,
        scope=scope,
        rev=int(head[0] or 0) if head else 0,
        now=float(head[1] or 0) if head else 0.0,
        milestone=milestone,
        policy=_policy(body),
        usage=usage(tx, project, scope),
        elsewhere=elsewhere(tx, project, scope),
        **parts,
    )


def _policy(row: Row | None) -> Policy:
    return decode(Policy, json.loads(str(row[0]))) if row else Policy()


def _rows(tx: Tx, table: str, cls: type[T], project: ProjectId, scope: Scope) -> Mapping[str, T]:
    names = columns(cls)
    sql = (
        f"SELECT {', '.join(names)} FROM {table} "  # noqa: S608 - names come from our own classes
        "WHERE project_id = :project AND scope = :scope"
    )
    found = {str(row[0]): from_row(cls, row) for row in tx.all(sql, project=project, scope=scope)}
    if cls is Dispatch:
        return dict(sorted(found.items(), key=_seq))
    return dict(sorted(found.items(), key=_identifier))  # by us: databases differ in how they sort text


def _identifier(pair: tuple[str, object]) -> tuple[int, str]:
    return natural_order(pair[0])


def _seq(pair: tuple[str, object]) -> int:
    return pair[1].seq if isinstance(pair[1], Dispatch) else 0


def save(tx: Tx, before: Snapshot, after: Snapshot) -> None:
    """Write what differs; rows are never removed. Changes first, so that what ends makes room for what begins."""
    own: dict[str, Cell] = {"project_id": after.project, "scope": after.scope}
    made: list[tuple[str, object]] = []
    for table, old, new in _tables(before, after):
        if new is old:
            continue
        for key, value in new.items():
            if key not in old:
                made.append((table, value))
            elif value is not old[key]:
                tx.run(_update(table, type(value)), **own, **to_row(value))
    for table, value in made:
        tx.run(_insert(table, type(value)), **own, **to_row(value))
    if after.policy != before.policy:
        tx.run(PUT_POLICY, project=after.project, scope=after.scope, body=dumps(after.policy))


def _tables(before: Snapshot, after: Snapshot) -> Iterable[tuple[str, Mapping[str, object], Mapping[str, object]]]:
    """Yield each table with its rows before and after, the milestone first: the others refer to it."""
    yield MILESTONES[0], _milestone(before), _milestone(after)
    for name, (table, _) in COLLECTIONS.items():
        yield table, getattr(before, name), getattr(after, name)


def _milestone(s: Snapshot) -> Mapping[str, object]:
    return {s.milestone.id: s.milestone} if s.milestone.created_at else {}


@cache
def _insert(table: str, cls: type[object]) -> str:
    names = ("project_id", "scope", *columns(cls))
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{n}' for n in names)})"  # noqa: S608


@cache
def _update(table: str, cls: type[object]) -> str:
    return (
        f"UPDATE {table} SET {', '.join(f'{n} = :{n}' for n in columns(cls) if n != 'id')} "  # noqa: S608
        "WHERE project_id = :project_id AND scope = :scope AND id = :id"
    )


def usage(tx: Tx, project: ProjectId, scope: Scope | None = None) -> Usage:
    """Return what was spent on a milestone, or on the whole project."""
    if scope is None:
        row = tx.one(SPENT, project=project)
    else:
        row = tx.one(f"{SPENT} AND scope = :scope", project=project, scope=scope)
    return _usage(row or (0, 0, 0, 0, 0))


def elsewhere(tx: Tx, project: ProjectId, scope: Scope) -> Mapping[str, Note]:
    """Return what other milestones settled last of the project's start, by kind."""
    found = (from_row(Note, row) for row in tx.all(ELSEWHERE, project=project, scope=scope))
    return {note.kind: note for note in found}


def costs(tx: Tx, project: ProjectId, scope: Scope) -> Mapping[str, Usage]:
    """Return what each dispatch of a milestone used."""
    rows = tx.all(COSTS, project=project, scope=scope)
    return {str(row[0]): _usage(row[1:]) for row in rows}


def _usage(row: Row) -> Usage:
    calls, read, written, usd, priced = row
    return Usage(
        calls=int(calls or 0),
        input_tokens=int(read or 0),
        output_tokens=int(written or 0),
        usd=float(usd or 0) if calls == priced else None,
    )


def overview(tx: Tx, project: ProjectId) -> Overview:
    """Return all milestones in short, the workers that did not say goodbye, and what was spent."""
    now = tx.one("SELECT {now}")
    return Overview(
        project=project,
        now=float(now[0] or 0) if now else 0.0,
        milestones=tuple(sorted((_listed(row) for row in tx.all(LISTED, project=project)), key=_place)),
        workers=workers.listed(tx, project),
        usage=usage(tx, project),
    )


def _listed(row: Row) -> MilestoneRow:
    counts = [int(cell or 0) for cell in row[6:11]]
    return MilestoneRow(
        id=MilestoneId(str(row[0])),
        title=str(row[1]),
        status=MilestoneStatus(str(row[2])),
        slices_done=counts[0],
        slices_total=counts[1],
        tasks_done=counts[2],
        tasks_total=counts[3],
        open_questions=counts[4],
        holder=WorkerId(str(row[11])) if row[11] else None,
        expires_at=float(row[12] or 0),
        place=float(row[3] or 0) or milestone_number(MilestoneId(str(row[0]))),
        depends=tuple(json.loads(str(row[4]))),
        aside=str(row[5]),
    )


def is_integration(tx: Tx, project: ProjectId, sha: str) -> bool:
    """Whether a milestone's integration was prepared as, or published as, this commit."""
    return bool(sha) and tx.one(INTEGRATION, project=project, sha=sha) is not None


def gate_pending(tx: Tx, project: ProjectId, scope: Scope) -> str:
    """Return the gate of a milestone that has waited longest for its answer; "" where none waits."""
    row = tx.one(GATE_PENDING, project=project, scope=scope)
    return str(row[0]) if row else ""


def gates_asked(tx: Tx, project: ProjectId) -> tuple[Scope, ...]:
    """Return the milestones that ever asked a gate, in order."""
    found = [MilestoneId(str(row[0])) for row in tx.all(GATES_ASKED, project=project)]
    return tuple(Scope(milestone) for milestone in sorted(found, key=milestone_number))


def _place(row: MilestoneRow) -> tuple[float, int, str]:
    return row.place, milestone_number(row.id), row.id
