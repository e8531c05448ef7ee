"""The journal: the event list of each commit, appended in its transaction and read in order."""

from collections.abc import Sequence
from dataclasses import dataclass

from walkaway.core.ids import ProjectId, Scope
from walkaway.store.driver import Cell, Row, Tx

APPEND = """
INSERT INTO events (project_id, scope, rev, i, at, by_whom, epoch, fencing_token, type, body)
VALUES (:project, :scope, :rev, :i, :at, :by_whom, :epoch, :token, :type, :body)
"""

EVENTS = """
SELECT scope, rev, i, at, by_whom, epoch, fencing_token, type, body FROM events
WHERE project_id = :project AND scope = :scope AND rev > :rev ORDER BY rev, i
"""

SCOPES = "SELECT scope FROM milestone_leases WHERE project_id = :project ORDER BY scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal."""

    scope: Scope
    rev: int
    i: int
    at: float
    by: str
    epoch: int
    fencing_token: int
    type: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """When, as which revision of a scope, by whom and under which fence (0, 0 for a person) facts were recorded."""

    scope: Scope
    rev: int
    at: float
    by: str
    epoch: int = 0
    token: int = 0


def append(tx: Tx, project: ProjectId, at: Written, facts: Sequence[tuple[object, str]]) -> None:
    """Append facts with their bodies, as one revision."""
    rows: list[dict[str, Cell]] = [
        {
            "project": project,
            "scope": at.scope,
            "rev": at.rev,
            "i": i,
            "at": at.at,
            "by_whom": at.by,
            "epoch": at.epoch,
            "token": at.token,
            "type": type(fact).__name__,
            "body": body,
        }
        for i, (fact, body) in enumerate(facts)
    ]
    tx.many(APPEND, rows)


def scopes(tx: Tx, project: ProjectId) -> tuple[Scope, ...]:
    """Return every scope of the project, its own (``*``) first."""
    return tuple(Scope(str(row[0])) for row in tx.all(SCOPES, project=project))


def entries(tx: Tx, project: ProjectId, scope: Scope, after: int) -> list[Entry]:
    """Return the entries of a scope that are newer than a revision."""
    return [_entry(row) for row in tx.all(EVENTS, project=project, scope=scope, rev=after)]


def _entry(row: Row) -> Entry:
    scope, rev, i, at, by, epoch, token, kind, body = row
    return Entry(
        scope=Scope(str(scope)),
        rev=int(rev or 0),
        i=int(i or 0),
        at=float(at or 0),
        by=str(by),
        epoch=int(epoch or 0),
        fencing_token=int(token or 0),
        type=str(kind),
        body=str(body),
    )
