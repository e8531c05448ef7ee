"""Pauses and stops: recorded in the journal of the project's own scope, and proved free inside each claim.

Rule: `HELD` is the one place that keeps a claim from happening while a person said otherwise; it says in SQL what
`core.fleet.pause.Control.holds` says. A pause locks what it restricts, so that a claim comes before it or sees it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from walkaway.core.errors import Held, StaleSnapshot, Usage
from walkaway.core.fleet.pause import (
    Control,
    ControlEvent,
    Pause,
    Paused,
    PauseDropped,
    PauseNoted,
    Resumed,
    Stop,
    Stopped,
    evolve,
)
from walkaway.core.ids import PROJECT_SCOPE, ProjectId, Scope, WorkerId
from walkaway.store import journal
from walkaway.store.codec import columns, from_row, storable, to_row
from walkaway.store.driver import Driver, Tx
from walkaway.store.leases import CLOCK

LOCK = "UPDATE milestone_leases SET rev = rev WHERE project_id = :project AND scope = :scope"

ADVANCE = f"""
UPDATE milestone_leases SET rev = rev + 1, clock = {CLOCK}
WHERE project_id = :project AND scope = :scope
RETURNING rev, clock
"""  # noqa: S608 - a constant

REVISION = "SELECT rev FROM milestone_leases WHERE project_id = :project AND scope = :scope"

HELD = """
SELECT 1 FROM pause_records WHERE project_id = :project AND id IN ('*', :scope) AND step = 0
UNION ALL
SELECT 1 FROM stop_requests s JOIN workers w ON w.project_id = s.project_id AND w.id = :worker
WHERE s.project_id = :project AND s.id IN ('*', :scope) AND s.rev > w.since
"""

T = TypeVar("T")


class Controls:
    """What people said about running one project. All methods raise `StoreUnavailable` as the database does."""

    def __init__(self, driver: Driver, project: ProjectId) -> None:
        """Keep it in the database behind ``driver``."""
        self._driver = driver
        self._project = project

    def read(self) -> Control:
        """Return all of it, at one instant."""
        with self._driver.read() as tx:
            return load(tx, self._project)

    def pause(self, pause: Pause) -> Pause:
        """Pause what ``pause`` restricts and return the record; one that is paused already stays as it is.

        Raises `Usage` for a milestone that never was.
        """
        with self._driver.write() as tx:
            self._lock(tx, pause.restriction)
            there = load(tx, self._project).pauses.get(pause.restriction)
            if there is not None and not there.step:
                return there
            return record(tx, self._project, [Paused(pause=pause)], pause.who).pauses[pause.restriction]

    def stop(self, stop: Stop) -> Stop:
        """End the runs under way; a pause record of the same restriction (of all, for ``*``) is gone with it."""
        with self._driver.write() as tx:
            self._lock(tx, stop.id)
            return record(tx, self._project, [Stopped(stop=stop)], stop.who).stops[stop.id]

    def note(self, note: Pause, worker: WorkerId) -> None:
        """Enter what a worker was doing when it left because of a pause; nothing if that is over meanwhile."""
        with self._driver.write() as tx:
            tx.run(LOCK, project=self._project, scope=PROJECT_SCOPE)
            if note.restriction in load(tx, self._project).pauses:
                record(tx, self._project, [PauseNoted(note=note)], worker)

    def drop(self, restriction: Scope, why: str, who: str) -> None:
        """Put away a record that says what is no longer so; raise `IllegalTransition` if it is gone."""
        with self._driver.write() as tx:
            record(tx, self._project, [PauseDropped(restriction=restriction, why=why)], who)

    def _lock(self, tx: Tx, restriction: Scope) -> None:
        """Wait for every claim under way of what is restricted: one row at a time, always in the same order."""
        scopes = journal.scopes(tx, self._project)
        if restriction not in scopes:
            raise Usage(f"There is no milestone {restriction}; walkaway status lists them.")
        for scope in scopes:
            if scope != PROJECT_SCOPE and restriction in (PROJECT_SCOPE, scope):
                tx.run(LOCK, project=self._project, scope=scope)


def load(tx: Tx, project: ProjectId) -> Control:
    """Return what people said, as this transaction sees it."""
    row = tx.one(REVISION, project=project, scope=PROJECT_SCOPE)
    return Control(
        rev=int(row[0] or 0) if row else 0,
        pauses=_rows(tx, project, "pause_records", Pause),
        stops=_rows(tx, project, "stop_requests", Stop),
    )


def _rows(tx: Tx, project: ProjectId, table: str, cls: type[T]) -> dict[str, T]:
    rows = tx.all(f"SELECT {', '.join(columns(cls))} FROM {table} WHERE project_id = :project", project=project)  # noqa: S608
    return {str(row[0]): from_row(cls, row) for row in rows}


def record(tx: Tx, project: ProjectId, events: Sequence[ControlEvent], who: str) -> Control:
    """Record facts about running: tables and journal together; raise `IllegalTransition` where they cannot be."""
    row = tx.one(ADVANCE, project=project, scope=PROJECT_SCOPE)
    rev, at = (int(row[0] or 0), float(row[1] or 0)) if row else (0, 0.0)
    before = after = replace(load(tx, project), rev=rev)
    facts = [storable(event) for event in events]
    for fact, _ in facts:
        after = evolve(after, fact, at, rev)
    _save(tx, project, before, after)
    journal.append(tx, project, journal.Written(scope=PROJECT_SCOPE, rev=rev, at=at, by=who), facts)
    return after


def _save(tx: Tx, project: ProjectId, before: Control, after: Control) -> None:
    _replace_rows(tx, project, "pause_records", before.pauses, after.pauses)
    _replace_rows(tx, project, "stop_requests", before.stops, after.stops)


def _replace_rows(tx: Tx, project: ProjectId, table: str, old: Mapping[str, object], new: Mapping[str, object]) -> None:
    for key in old:
        if new.get(key) != old[key]:
            tx.run(f"DELETE FROM {table} WHERE project_id = :project AND id = :id", project=project, id=key)  # noqa: S608
    for key, value in new.items():
        if old.get(key) != value:
            names = ("project_id", *columns(type(value)))
            sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{n}' for n in names)})"  # noqa: S608
            tx.run(sql, project_id=project, **to_row(value))


def require_free(tx: Tx, project: ProjectId, scope: Scope, worker: WorkerId) -> None:
    """Raise `Held` if a person paused or stopped what ``worker`` is about to claim in ``scope``."""
    if tx.one(HELD, project=project, scope=scope, worker=worker) is not None:
        raise Held(f"{scope} was paused or stopped by a person; nothing was begun.")


def consume(tx: Tx, project: ProjectId, scope: Scope, worker: WorkerId, resume: Scope | None) -> None:
    """Consume, in the transaction that takes ``scope``, the pause that ``worker`` resumes, and any step left there.

    Raises `StaleSnapshot` if the pause is gone: somebody else resumed it, or it was stopped.
    """
    if resume is None and not _steps(load(tx, project), scope):
        return
    tx.run(LOCK, project=project, scope=PROJECT_SCOPE)
    control = load(tx, project)
    if resume is not None and resume not in control.pauses:
        raise StaleSnapshot("Somebody else resumed or stopped it meanwhile; walkaway status says how it stands.")
    gone = [*([resume] if resume is not None else []), *(r for r in _steps(control, scope) if r != resume)]
    if gone:
        record(tx, project, [Resumed(restriction=restriction, worker=worker) for restriction in gone], worker)


def _steps(control: Control, scope: Scope) -> list[Scope]:
    """Return the steps that taking ``scope`` leaves."""
    return [pause.restriction for key, pause in control.pauses.items() if pause.step and key == scope]
