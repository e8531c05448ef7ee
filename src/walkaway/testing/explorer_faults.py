"""Planted bugs: each changes the production in one point while it is planted, and the explorer has to find it.

A statement is a module's constant; a function is made anew from its changed source. The rest of the code is as it is.
"""

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FunctionType

from walkaway.core import derive, evolve, lifecycle
from walkaway.core.events import DispatchCanceled, DispatchFailed
from walkaway.core.model import DispatchStatus
from walkaway.store import door, journal, leases
from walkaway.store.fleet import commands, controls, workers
from walkaway.store.store import Store


@dataclass(frozen=True, slots=True)
class Edit:
    """Where ``old`` stands in the attribute ``name`` of ``owner``, ``new`` stands instead.

    In a statement or a function that is a text, and it is an error if it is not there: a bug moves with its code. Of a
    table, ``new`` is what is said of the key ``old``.
    """

    owner: object
    name: str
    old: object
    new: object

    @contextmanager
    def made(self) -> Iterator[None]:
        was = inspect.getattr_static(self.owner, self.name)
        setattr(self.owner, self.name, self._changed(was))
        try:
            yield
        finally:
            setattr(self.owner, self.name, was)

    def _changed(self, was: object) -> object:
        match was:
            case FunctionType():
                return _function(was, self._replaced(textwrap.dedent(inspect.getsource(was))))
            case str():
                return self._replaced(was)
            case dict() if self.old in was:
                return {**was, self.old: self.new}
            case _:
                raise LookupError(f"{self.name} has nothing that can be changed")

    def _replaced(self, text: str) -> str:
        if not (isinstance(self.old, str) and isinstance(self.new, str) and self.old in text):
            raise LookupError(f"{self.name} does not say '{self.old}'")
        return text.replace(self.old, self.new)


def _function(was: FunctionType, source: str) -> object:
    """Return a function of this source, at home where ``was`` is."""
    made: dict[str, Callable[..., object]] = {}
    exec(source, sys.modules[was.__module__].__dict__, made)  # noqa: S102 - our own source, one text replaced
    return made[was.__name__]


@dataclass(frozen=True, slots=True)
class Fault:
    """A planted bug, and the cast with whom it is found; ``sql`` is done to the database, too."""

    words: str
    cast: str
    edits: Sequence[Edit]
    sql: Sequence[str] = ()

    @contextmanager
    def planted(self) -> Iterator[None]:
        with ExitStack() as stack:
            for edit in self.edits:
                stack.enter_context(edit.made())
            yield


def _leases(words: str, *edits: Edit, sql: Sequence[str] = ()) -> Fault:
    return Fault(words, "leases", edits, sql)


def _people(words: str, *edits: Edit) -> Fault:
    return Fault(words, "people", edits)


def _orders(words: str, *edits: Edit) -> Fault:
    return Fault(words, "orders", edits)


TOKEN = " AND fencing_token = :token"
HOLDER = f" AND worker_id = :worker AND epoch = :epoch{TOKEN}"
ONE_LIVE = ("DROP INDEX one_live_dispatch_per_unit", "DROP INDEX one_live_dispatch_per_milestone")
D = DispatchStatus

FAULTS = (
    _leases("a write proves nothing", Edit(door, "ADVANCE", ":person = 1 OR", "1 = 1 OR")),
    _leases("a write does not prove the holder", Edit(door, "ADVANCE", HOLDER, "")),
    _leases("a lease that was taken is renewed by its old holder", Edit(leases, "RENEW", HOLDER, "")),
    _leases(
        "a lease that lapsed is not renewed, though nobody took it",
        Edit(leases, "RENEW", "status = 'held'", "status = 'held' AND expires_at > {now}"),
    ),
    _leases("a renewal changes nothing", Edit(leases, "RENEW", " + :ttl", " - :ttl")),
    _leases("a lease is released by its old holder", Edit(leases, "RELEASE", HOLDER, "")),
    _leases("a revocation does not name the token", Edit(leases, "REVOKE", TOKEN, "")),
    _leases(
        "a take-over gives out the same token",
        Edit(leases, "ACQUIRE", "fencing_token + 1", "fencing_token + (status <> 'held')"),
    ),
    _leases("expiry is compared the wrong way", Edit(leases, "ACQUIRE", "expires_at <=", "expires_at >=")),
    _leases("a lease never lapses", Edit(leases, "ACQUIRE", "expires_at <=", "expires_at + 1e9 <=")),
    _leases(
        "a proof of death counts for a later holder",
        Edit(leases, "ACQUIRE", "worker_id = :dead AND fencing_token = :dead_token", ":dead <> ''"),
    ),
    _leases(
        "a take-over leaves the history of the old holder open",
        Edit(leases, "take", 'tx.run(CLOSED, project=wanted.project, scope=wanted.scope, how="taken")', "pass"),
        sql=["DROP INDEX one_open_lease_per_scope"],
    ),
    _leases(
        "a take-over cancels nothing", Edit(Store, "_take", "elif live is not None:", "elif live and not live.live:")
    ),
    _leases(
        "a take-over cancels what was reported",
        Edit(Store, "_take", "live.status is DispatchStatus.REPORTED", "not live.live"),
        Edit(lifecycle, "DISPATCH", DispatchCanceled, dict.fromkeys((D.CLAIMED, D.RUNNING, D.REPORTED), D.CANCELED)),
    ),
    _leases(
        "an adopted dispatch keeps its old fence",
        Edit(evolve, "_adopted", "fencing_token=event.token", "fencing_token=old.fencing_token"),
    ),
    _leases(
        "a living worker is recovered",
        Edit(workers, "require_dead", "not provably_dead(tx, project, worker)", "worker == ''"),
    ),
    _leases(
        "a second unit is claimed while one is live",
        Edit(evolve, "_claimed", "s.live is not None", "s.live is s"),
        sql=ONE_LIVE,
    ),
    _leases(
        "a dispatch that ended ends again",
        Edit(lifecycle, "DISPATCH", DispatchFailed, dict.fromkeys(D, D.FAILED)),
    ),
    _leases("a crash consumes an attempt", Edit(derive, "next_run", "d.failure in JUDGED", "d.failure")),
    _leases("the journal keeps the first fact of a commit", Edit(journal, "append", "(facts)", "(facts[:1])")),
    _leases(
        "a claim is made in the name of another",
        Edit(door.Door, "_require_right", "own != (event.worker, event.epoch, event.token)", "own is None"),
    ),
    _people("a claim is made as of what is over", Edit(door, "ADVANCE", "rev = :rev", "rev >= :rev")),
    _people(
        "the door takes what it remembers for what is",
        Edit(door.Door, "_before", "at._replace(rev=at.rev - 1", "at._replace(rev=then.rev"),
    ),
    _people("a pause holds no claim", Edit(controls, "HELD", "step = 0", "step = 2")),
    _people("a stop ends the later runs", Edit(controls, "HELD", "s.rev > w.since", "s.rev < w.since")),
    _people("a stop leaves the pause", Edit(controls, "evolve", "if stop.id not in (k, PROJECT_SCOPE)", "")),
    _people("a resume does not consume the pause", Edit(controls, "consume", "if gone:", "if len(gone) > 1:")),
    _people(
        "a resume that comes too late takes the lease",
        Edit(controls, "consume", "raise StaleSnapshot(", "return str("),
    ),
    _people(
        "whoever takes the lease consumes the pause", Edit(controls, "_steps", "pause.step and key == scope", "key")
    ),
    _orders("an order is completed by anybody", Edit(commands, "COMPLETE", " AND claimed_by = :by", "")),
    _orders("an order is delivered to two", Edit(commands, "CLAIM", "('waiting')", "('waiting', 'claimed')")),
    _orders("an order is never delivered again", Edit(commands, "LAPSED", "claim_expires_at <=", "0 >")),
    _orders("an order of a dead claimer is not given back", Edit(commands, "RETURNED", "claimed_by = :gone", "1 = 0")),
    _orders("an order to a dead worker waits for ever", Edit(commands, "ORPHANED", "worker = :gone", "1 = 0")),
)
