"""The one door to a milestone's state, inside a transaction: prove, load, evolve, write the difference, append.

Rule: `ADVANCE` is the only place that decides who may write: its one ``WHERE``. Everything a commit does, tables and
journal together, happens in the transaction in which it proved its right.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from walkaway.core.errors import IllegalTransition, LeaseLost, StaleSnapshot, Usage
from walkaway.core.ids import MilestoneId, ProjectId, Scope
from walkaway.core.model import Authority, Lease, Milestone, Seen, Snapshot
from walkaway.store import blobs, journal, leases, loading
from walkaway.store.driver import Tx

if TYPE_CHECKING:
    from walkaway.core.events import Event
    from walkaway.core.registers.facts import RegisterEvent

ADVANCE = f"""
UPDATE milestone_leases SET rev = rev + 1, clock = {leases.CLOCK}
WHERE project_id = :project AND scope = :scope AND (:any_rev = 1 OR rev = :rev)
  AND (:person = 1 OR ({leases.FENCED}))
RETURNING rev, clock, epoch, fencing_token
"""  # noqa: S608 - the inserted texts are constants


class Advanced(NamedTuple):
    """A lease row as `ADVANCE` left it. Two that differ only in ``now`` are of the same state."""

    scope: Scope
    rev: int
    epoch: int
    fencing_token: int
    now: float


class Door:
    """Records facts of one project; it remembers the last state that was committed through it, to load it once."""

    def __init__(self, project: ProjectId) -> None:
        """Record facts of ``project`` only."""
        self.project = project
        self._last: tuple[Advanced, Snapshot] | None = None

    def record(
        self,
        tx: Tx,
        by: Authority,
        events: "Sequence[Event | RegisterEvent]",
        *,
        expect: int | None = None,
        texts: Iterable[str] = (),
    ) -> "tuple[Advanced, Snapshot]":
        """Record facts in an open transaction; raises as `Store.commit` says."""
        from walkaway.core.evolve import evolve  # noqa: PLC0415 - `query` only reads
        from walkaway.core.registers.facts import RegisterEvent  # noqa: PLC0415
        from walkaway.store.codec import storable  # noqa: PLC0415
        from walkaway.store.registers import table  # noqa: PLC0415

        if any(isinstance(event, RegisterEvent) for event in events):
            table.lock(tx, self.project)  # before the time is read, and always before a milestone's row
        at = self._advance(tx, by, expect)
        blobs.put(tx, self.project, texts)
        after = before = self._before(tx, at)
        facts = [storable(event) for event in events]
        registered: list[RegisterEvent] = []
        for fact, _ in facts:
            if isinstance(fact, RegisterEvent):
                registered.append(fact)
                continue
            self._require_right(tx, by, fact)
            after = evolve(after, fact, at.now)
        loading.save(tx, before, after)
        if registered:
            table.record(tx, self.project, registered, at.now)
        journal.append(tx, self.project, _written(by, at), facts)
        return at, after

    def committed(self, at: Advanced, after: Snapshot) -> None:
        """Remember what was committed just now; only after its transaction ended well."""
        self._last = at, after

    def _before(self, tx: Tx, at: Advanced) -> Snapshot:
        """Return the state that is being advanced.

        Where the last commit through this door left the row exactly one revision ago, in the same hands, it is the
        state that it left: every change is a revision, and the row is locked.
        """
        if self._last is not None:
            then, left = self._last
            if at._replace(rev=at.rev - 1, now=then.now) == then:
                return replace(
                    left,
                    rev=at.rev,
                    now=at.now,
                    usage=loading.usage(tx, self.project, at.scope),
                    elsewhere=loading.elsewhere(tx, self.project, at.scope),
                )
        return replace(loading.load(tx, self.project, at.scope), rev=at.rev, now=at.now)

    def _advance(self, tx: Tx, by: Authority, expect: int | None) -> Advanced:
        wanted = by.rev if isinstance(by, Seen) else expect
        lease = by if isinstance(by, Lease) else None
        row = None
        if by.project == self.project:
            row = tx.one(
                ADVANCE,
                project=self.project,
                scope=by.scope,
                any_rev=int(wanted is None),
                rev=wanted or 0,
                person=int(lease is None),
                worker=lease.worker_id if lease else "",
                epoch=lease.epoch if lease else 0,
                token=lease.fencing_token if lease else 0,
            )
        if row is None:
            raise self._refusal(tx, by)
        rev, now, epoch, token = row
        return Advanced(by.scope, int(rev or 0), int(epoch or 0), int(token or 0), float(now or 0))

    def _refusal(self, tx: Tx, by: Authority) -> LeaseLost | StaleSnapshot | Usage:
        """Say why `ADVANCE` found no row."""
        if by.project != self.project:
            return LeaseLost(f"{by.scope} of project {by.project} cannot be written through {self.project}.")
        if not leases.exists(tx, self.project, by.scope):
            return unknown(by.scope)
        if isinstance(by, Lease) and not leases.holds(tx, by):
            return LeaseLost(f"{by.worker_id} no longer holds {by.scope}; nothing was written.")
        return StaleSnapshot(f"{by.scope} has changed since it was read; read it again.")

    def _require_right(self, tx: Tx, by: Authority, event: "Event") -> None:
        """Refuse a claim or an adoption in another's name, and a claim where a person said otherwise."""
        from walkaway.core.events import DispatchAdopted, DispatchClaimed  # noqa: PLC0415 - `query` only reads
        from walkaway.store.fleet import controls  # noqa: PLC0415

        if not isinstance(event, DispatchClaimed | DispatchAdopted):
            return
        own = (by.worker_id, by.epoch, by.fencing_token) if isinstance(by, Lease) else None
        if own != (event.worker, event.epoch, event.token):
            raise IllegalTransition(f"Dispatch {event.dispatch} can only be taken in the name of one's own lease.")
        if isinstance(event, DispatchClaimed):
            controls.require_free(tx, self.project, by.scope, event.worker)


def _written(by: Authority, at: Advanced) -> journal.Written:
    if isinstance(by, Lease):
        return journal.Written(
            scope=at.scope, rev=at.rev, at=at.now, by=by.worker_id, epoch=by.epoch, token=by.fencing_token
        )
    return journal.Written(scope=at.scope, rev=at.rev, at=at.now, by=blobs.clean(by.who))


def unknown(scope: Scope) -> Usage:
    """Return the error that there is no such milestone."""
    return Usage(f"There is no milestone {scope}; walkaway status lists them.")


def blank(project: ProjectId, scope: Scope) -> Snapshot:
    """Return the state before any event: what the fold of a milestone's journal begins with."""
    return Snapshot(project=project, scope=scope, rev=0, now=0.0, milestone=Milestone(id=MilestoneId(scope), title=""))
