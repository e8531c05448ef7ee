"""Who takes part, and what they have in mind: two workers, a person, a janitor; and all there is at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from walkaway.core.derive import Decision, Resume, derive
from walkaway.core.events import Event
from walkaway.core.fleet.pause import Control
from walkaway.core.ids import ProjectId, Scope, TaskId, WorkerId
from walkaway.core.model import DispatchStatus, Lease, Snapshot, TaskStatus
from walkaway.store import Store
from walkaway.store.door import Advanced
from walkaway.testing.explorer_facts import Facts, Key, essence
from walkaway.testing.explorer_memory import Memory, Tables
from walkaway.units import UNITS

PROJECT = ProjectId("p")
SCOPE = Scope("M001")
TASK = TaskId("M001/S01/T01")
TTL = 60.0
PERSON = "ann"
JANITOR = WorkerId("janitor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Which accidents and whose words may happen, and how often each; workers do whatever they can, at any time."""

    name: str
    check: int
    """How deep it is explored by `make check`, and by `make soak`."""
    soak: int
    left: Mapping[str, int]


NOTHING = dict.fromkeys(
    ("crash", "restart", "leave", "expiry", "revoke", "pause", "stop", "edit", "order", "question"), 0
)

CASTS = (
    Cast(
        name="leases",
        check=8,
        soak=13,
        left={**NOTHING, "crash": 2, "restart": 1, "expiry": 2, "revoke": 1, "question": 1},
    ),
    Cast(
        name="people",
        check=9,
        soak=14,
        left={**NOTHING, "pause": 2, "stop": 1, "edit": 1, "leave": 1, "restart": 1},
    ),
    Cast(
        name="orders",
        check=5,
        soak=8,
        left={**NOTHING, "order": 2, "crash": 1, "expiry": 2, "leave": 1, "restart": 1},
    ),
    Cast(name="everybody", check=5, soak=8, left=dict.fromkeys(NOTHING, 1)),
)
"""Each concern by itself, deep, and all at once, to a depth that can be paid for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """What one worker has in memory, true or not; a crash loses it, and the next ``life`` is another process."""

    place: str
    life: int = 1
    up: bool = True
    lease: Lease | None = None
    seen: int = 0
    decision: Decision | None = None
    dispatch: str = ""
    phase: DispatchStatus | None = None
    order: int = 0
    proof: tuple[WorkerId, int] | None = None
    door: tuple[Advanced, Snapshot] | None = None

    @property
    def id(self) -> WorkerId:
        return WorkerId(f"{self.place}{self.life}")

    def holds(self, facts: Facts) -> bool:
        """Whether it is right in believing that it holds the milestone."""
        row = facts.holding
        return (
            self.lease is not None
            and row is not None
            and (row.worker_id, row.epoch, row.fencing_token)
            == (self.lease.worker_id, self.lease.epoch, self.lease.fencing_token)
        )

    def without_lease(self) -> "Hand":
        return replace(self, lease=None, seen=0, decision=None, dispatch="", phase=None)

    def choosing(self, s: Snapshot) -> "Hand":
        """Read and choose: what is done next is done as of this state."""
        done = s.tasks[TASK].status is TaskStatus.COMPLETE
        decision = None if done else derive(s, UNITS)
        if isinstance(decision, Resume):
            return replace(
                self, seen=s.rev, decision=None, dispatch=decision.dispatch.id, phase=DispatchStatus.REPORTED
            )
        return replace(self, seen=s.rev, decision=decision, dispatch="", phase=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All there is at one moment: the database, what everybody has in memory, and what may still happen."""

    tables: Tables
    facts: Facts
    now: float
    hands: tuple[Hand, ...]
    left: Mapping[str, int]
    told: Snapshot
    """The fold of the milestone's journal so far, and of the project's."""
    control: Control

    def keys(self) -> tuple[Key, Key, Key]:
        """Return what states agree in that can only go on alike: of all there is, of the database, and of it later on.

        Later on, everything has lapsed. The workers can do the same, so a state and its mirror image are one.
        """
        both = [essence(self.facts, self.now, mirrored=mirrored) for mirrored in (False, True)]
        late = [essence(self.facts, self.now + TTL + 1, mirrored=mirrored) for mirrored in (False, True)]
        memories = tuple(self._memory(hand) for hand in self.hands)
        left = tuple(self.left.values())
        return (
            min([(both[0], memories, left), (both[1], memories[::-1], left)], key=hash),
            min(both, key=hash),
            min(late, key=hash),
        )

    def _memory(self, hand: Hand) -> Key:
        """Drop what cannot matter: all that is done under a lease that is no more is refused before it is looked at."""
        facts = self.facts
        rows = facts.command_queue
        place = next((n for n, o in enumerate(o for o in rows if o.open) if o.seq == hand.order), -1)
        order = (bool(hand.order), place)
        holder = facts.holding
        proof = hand.proof and holder is not None and hand.proof == (holder.worker_id, holder.fencing_token)
        if hand.lease is None:
            return (hand.life, hand.up, "", order, proof)
        if not hand.holds(facts):
            return (hand.life, hand.up, "stale", order)
        live = facts.live
        at = "" if not hand.dispatch else hand.phase if live and live.id == hand.dispatch else "over"
        rev = facts.lease.rev
        door = hand.door is not None and hand.door[0].rev == rev
        return (hand.life, hand.up, type(hand.decision).__name__, at, hand.seen == rev, door, order)


class Taker(Store):
    """A store as one actor uses it; what its taker proved dead may have been proved some time ago."""

    proof: tuple[WorkerId, int] | None = None

    def _dead_holder(self, scope: Scope) -> tuple[WorkerId, int]:
        return self.proof or super()._dead_holder(scope)


@dataclass(slots=True, kw_only=True)
class Scene:
    """One move under way: who makes it, and what came of it."""

    memory: Memory
    store: Taker
    before: State
    hand: Hand
    lease: Lease | None = None
    """Under which lease something was asked."""
    returned: Lease | Snapshot | bool | None = None

    def commit(self, *events: Event, expect: int | None = None) -> None:
        """Record facts in the name of the hand's lease; go on with its dispatch, or choose what is next."""
        assert self.hand.lease is not None
        self.lease = self.hand.lease
        s = self.store.commit(self.hand.lease, events, expect=expect)
        self.returned = s
        live = s.live
        if live is None or s.blocked_by is not None:
            self.hand = self.hand.choosing(s)
        else:
            self.hand = replace(self.hand, seen=s.rev, dispatch=live.id, phase=live.status, decision=None)

    def take(self, resume: Scope | None) -> None:
        self.store.proof, self.hand = self.hand.proof, replace(self.hand, proof=None)
        lease = self.store.acquire(SCOPE, self.hand.id, TTL, resume=resume)
        self.returned = lease
        if lease is not None:
            self.hand = replace(self.hand, lease=lease).choosing(self.store.snapshot(SCOPE))
